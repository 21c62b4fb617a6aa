# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the error that led a host into a rescue, and fails with the same error again.

Must not show what `no_log` hides: in a rescue, Ansible passes results uncensored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import (
    CENSORED,
    GUARD_ACTION,
    output_of_task,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.failed_task import causes_of, find_failed_task
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.failures import bounded_failure
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    DROPPED_MESSAGE,
    FAILED,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Output,
)

# Keys of the failed task's result to return again. Ansible would act on most of the others a second time.
_KEPT = ("rc", "stdout", "stderr")
_EXPLANATIONS = {
    FAILED: "a guarded task failed and gave no message",
    DROPPED: DROPPED_MESSAGE,
    NOT_REACHED: "the failure of another host ended the guarded tasks",
    UNREACHABLE: "the host is unreachable",
}


@dataclass(frozen=True)
class OriginalError:
    """Why a host is in a rescue.

    :param fatal: the failure also ends other hosts.
    :param causes: the failures that led to it, the first cause first: those that a rescue inside caught before.
    """

    failure: Failure
    fatal: bool = False
    causes: tuple[Failure, ...] = ()


def original_error(variables: Mapping[str, Any], play: Any) -> OriginalError:
    """Return why a host is in a rescue.

    :param variables: the host's variables. If ``ansible_failed_task`` is missing, Ansible reported no error.
    :param play: the `Play` of the guard.
    """
    task, result = variables.get("ansible_failed_task"), variables.get("ansible_failed_result")
    if not isinstance(task, Mapping) or not isinstance(result, Mapping):
        return dropped_error(variables)
    host, action = str(variables.get("inventory_hostname", "")), str(task.get("action") or "")
    output = output_of_task(result, task, host)
    if _is_secret(task, result):
        output = Output(CENSORED, delegate=output.delegate)
    # If the failed task is an inner guard that failed again, its result names the task that originally failed.
    name, path, line = _inner_task(result) if action == GUARD_ACTION else ("", "", 0)
    found = None if name else find_failed_task(task, host, play)
    if found:
        name, path, line = found.name, found.path, found.line
    failure = bounded_failure(
        Failure(
            kind=FAILED,
            task=name or action,
            action=action,
            path=path,
            line=line,
            play=_play(variables),
            runbook=found.runbook if found else "",
            **asdict(output),
        )
    )
    fatal = bool(task.get("run_once") or task.get("any_errors_fatal"))
    return OriginalError(failure, fatal, causes_of(task, host))


def dropped_error(variables: Mapping[str, Any]) -> OriginalError:
    """Return why a host is in a rescue without an error of its own.

    :param variables: the host's variables.
    """
    return OriginalError(Failure(DROPPED, play=_play(variables), message=DROPPED_MESSAGE))


def fail_again(failure: Failure, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task result that fails with the original error.

    :param variables: the host's variables, with the failed task's result if Ansible still has it.
    """
    again: dict[str, Any] = {"failed": True, "msg": failure.message or _EXPLANATIONS[failure.kind]}
    if failure.task:
        again["failed_task"] = failure.task
    if failure.path:
        again["failed_task_path"] = f"{failure.path}:{failure.line}"
    result = variables.get("ansible_failed_result")
    if failure.kind == FAILED and failure.message != CENSORED and isinstance(result, Mapping):
        again.update((name, result[name]) for name in _KEPT if name in result)
        if isinstance(result.get("msg"), list):
            again["msg"] = result["msg"]
    return again


def fingerprint(result: Any) -> str:
    """Return a hash that identifies the failure that Ansible currently holds for a host; empty if it holds none.

    After the fork, a worker sees the same object as the main process, at the same address. Another failure may later
    have this address, so the hash includes the contents.
    """
    if result is None:
        return ""
    return hashlib.sha256(f"{id(result)} {result!r}".encode("utf-8", "replace")).hexdigest()


def _inner_task(result: Mapping[str, Any]) -> tuple[str, str, int]:
    """Return the name, path and line of the task that an inner guard has reported."""
    path, _colon, line = str(result.get("failed_task_path") or "").rpartition(":")
    return str(result.get("failed_task") or ""), path, int(line) if line.isdigit() else 0


def _play(variables: Mapping[str, Any]) -> str:
    return str(variables.get("ansible_play_name", ""))


def _is_secret(task: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Return whether a result must not be shown."""
    no_log = task.get("no_log")
    if isinstance(no_log, str) and "{" in no_log:
        return True  # an unresolved template may be true or false
    return boolean(no_log or False, strict=False) or bool(result.get("_ansible_no_log"))
