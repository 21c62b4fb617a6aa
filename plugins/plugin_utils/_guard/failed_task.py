# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the `Task` that failed on a host, as written, and the failures that led to it.

``ansible_failed_task`` has its variables filled in.

Must not guess: a wrong file and line is worse than none, and a name with variables filled in may hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import host_of, result_output, task_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.runbook import runbook_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import find_iterator
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.tasks import catching_block, read_task
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.causes import Causes
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.failures import BoundedStrings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    FAILED,
    FAILURES_PER_HOST,
    Failure,
    Task,
)


@dataclass(frozen=True)
class _Known:
    """A task that failed.

    :param action: its action, as Ansible knows it afterwards; likewise ``name``.
    :param causes: the failures that led into the rescue that contains the task, the first cause first.
    """

    task: Task
    action: Any
    name: Any
    causes: tuple[Failure, ...]


# By host: the task that failed last, and what rescues have caught. The main process fills these before it forks the
# workers that read them.
_LAST: dict[str, _Known] = {}
_CAUSES = Causes()
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def remember_failed_task(result: Any) -> None:
    """Remember the task of this result, which failed. Call this in the main process."""
    task, host = task_of(result), host_of(result)
    known = read_task(task, catching_block(task), False, runbook_of(task, host, task.play))
    causes = _CAUSES.of(host.name, known.rescues)
    if known.guard:
        causes = causes[:-1]  # a guard fails again with the error that it has caught
    _LAST[host.name] = _Known(known, task.action, task.name, causes[: FAILURES_PER_HOST - 1])
    if known.caught_by:
        failure = BoundedStrings().failure(FAILED, known, result_output(result), str(task.play.get_name()))
        _CAUSES.caught(host.name, known.caught_by, (*causes, failure))


def causes_of(failed: Mapping[str, Any], host: str) -> tuple[Failure, ...]:
    """Return the failures that led into the rescue in which this task failed, the first cause first.

    None are known from before the first step that listens.

    :param failed: ``ansible_failed_task``.
    """
    known = _known(failed, host)
    return known.causes if known else ()


def find_failed_task(failed: Mapping[str, Any], host: str, play: Any) -> Task | None:
    """Return the task that led this host into a rescue, or None if it cannot be told for sure.

    :param failed: ``ansible_failed_task``.
    """
    known = _known(failed, host)
    if known:
        return known.task
    # In a rescue of the user's own, the failure may precede the first step that listens.
    iterator = find_iterator(play)
    state = iterator.host_states.get(host) if iterator else None
    tasks = {task._uuid: task for task in _tasks_in(state._blocks)} if state else {}
    # ansible-core 2.21 no longer keeps the id.
    uuid = failed.get("uuid")
    found = [task for task in tasks.values() if task._uuid == uuid] or [
        task for task in tasks.values() if not uuid and _matches(task, failed)
    ]
    if len(found) != 1:
        return None
    runbook = runbook_of(found[0], play.get_variable_manager()._inventory.get_host(host), play)
    return read_task(found[0], "", False, runbook)


def _known(failed: Mapping[str, Any], host: str) -> _Known | None:
    known = _LAST.get(host)
    return known if known and (known.action, known.name) == (failed.get("action"), failed.get("name")) else None


def _tasks_in(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        if hasattr(node, "block"):
            for part in (node.block, node.rescue, node.always):
                yield from _tasks_in(part)
        else:
            yield node


def _matches(task: Any, failed: Mapping[str, Any]) -> bool:
    """Return whether the failed task may be this one, with its variables filled in."""
    if task.action != failed.get("action") or task.register != failed.get("register"):
        return False
    parts = _TEMPLATE.split(str(task.name))
    return re.fullmatch(".*".join(map(re.escape, parts)), str(failed.get("name")), re.DOTALL) is not None
