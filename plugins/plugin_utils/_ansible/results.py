# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one task result: its host, its task and its output.

Must not decide what the result means for the run, and must not keep it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.commands import (
    command_of,
    outputs_of,
    status_of,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.reasons import reason_of, short_reason
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import label_of, text_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Output

# The action with which the role incident_guard reports failures, and the key of its result that lists their hosts.
GUARD_ACTION = "callgoose.sqibs.incident_guard"
GUARD_RESULT = "callgoose_guard"

# The message that Ansible itself uses.
CENSORED = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"

_SHOWN_ITEMS = 20
# Their results do not name the command; the task does.
_COMMANDS = re.compile(r"(?:ansible\.(?:builtin|legacy)\.)?(?:raw|script)")


def output_of(result: Mapping[str, Any], retries: int | None = None, cause: str = "") -> Output:
    """Return the output of a failed task. For a censored result, return only the notice that it is censored.

    :param retries: the task's own ``retries``, if they are known.
    :param cause: what ansible-core knows as the innermost error, if anything.
    """
    if "censored" in result:
        return Output(text_of(result["censored"]))
    items = _list(result.get("results"))
    # Where Ansible has not censored the result, as in a rescue, it may still hold items of which it has to.
    if any(isinstance(item, Mapping) and item.get("_ansible_no_log") for item in (result, *items)):
        return Output(CENSORED)
    bad = [item for item in items if _is_bad(item)]
    if bad:
        return _output_of_loop(bad, len(items))
    stdout, stderr = outputs_of(result)
    return Output(reason_of(result, retries, cause), stdout, stderr, command_of(result), status_of(result))


def output_of_task(data: Mapping[str, Any], task: Mapping[str, Any], host: str, cause: str = "") -> Output:
    """Return the output of a failed task, with what its result does not say but the task does.

    :param data: the result's dictionary.
    :param task: the attributes of the `Task`, as they were when it ran.
    :param host: the host whose task it was.
    """
    retries = task.get("retries")
    output = output_of(data, retries if isinstance(retries, int) else None, cause)
    if not output.command and _COMMANDS.fullmatch(text_of(task.get("action"))) and not _is_hidden(output):
        arguments = task.get("args")
        raw = arguments.get("_raw_params") if isinstance(arguments, Mapping) and "results" not in data else None
        if isinstance(raw, str) and "{{" not in raw:
            output = replace(output, command=command_of({"cmd": raw}))
    return replace(output, delegate=_delegate(data, text_of(task.get("delegate_to")), host))


def result_output(result: Any) -> Output:
    """Return the output of a failed task's result, as a callback gets it."""
    task = task_of(result)
    attributes = {name: getattr(task, name, None) for name in ("action", "args", "delegate_to", "retries")}
    return output_of_task(data_of(result), attributes, host_of(result).name, _innermost(result))


def host_of(result: Any) -> Any:
    """Return the `Host` of a task result."""
    # ansible-core 2.19 added the public names; 2.23 removes those with an underscore.
    return getattr(result, "host", None) or result._host


def task_of(result: Any) -> Any:
    """Return the `Task` of a task result."""
    return getattr(result, "task", None) or result._task


def data_of(result: Any) -> Mapping[str, Any]:
    """Return the dictionary that the module returned; empty if it returned anything else."""
    data = result.result if hasattr(result, "result") else result._result
    return data if isinstance(data, Mapping) else {}


def _output_of_loop(bad: Sequence[Mapping[str, Any]], total: int) -> Output:
    """Return the reasons of all failed items of a loop, one a line, with the output of the first."""
    outputs = [output_of(item) for item in bad[:_SHOWN_ITEMS]]
    lines = []
    for item, output in zip(bad, outputs, strict=False):
        label = _label(item)
        reason = short_reason(output.message, output.status, output.stderr)
        lines.append(f"item {label}: {reason}" if label else reason)
    lines = list(dict.fromkeys(lines))
    if total > 1:
        lines.append(f"{len(bad)} of {total} items failed")
    return replace(outputs[0], message="\n".join(lines))


def _innermost(result: Any) -> str:
    """Return the message of the innermost error that ansible-core 2.19 and later know; empty if there is none."""
    event = getattr(getattr(result, "exception", None), "event", None)
    for _depth in range(20):
        inner = getattr(getattr(event, "chain", None), "event", None)
        if inner is None:
            break
        event = inner
    return text_of(getattr(event, "msg", ""))


def _delegate(data: Mapping[str, Any], written: str, host: str) -> str:
    """Return the other host that a task was delegated to; empty if there is none, or its items had different ones.

    :param written: the task's ``delegate_to``; a template if it depends on an item of a loop.
    """
    items = [item for item in _list(data.get("results")) if _is_bad(item)]
    found = {_delegate_of_one(one, written) for one in items or [data]}
    name = found.pop() if len(found) == 1 else ""
    return "" if name == host else name


def _delegate_of_one(data: Mapping[str, Any], written: str) -> str:
    known = data.get("_ansible_delegated_vars")
    if isinstance(known, Mapping) and known.get("ansible_delegated_host"):
        return text_of(known["ansible_delegated_host"])
    if "{{" not in written:
        return written
    variable = text_of(data.get("ansible_loop_var", "item"))
    item = data.get(variable)
    return item if isinstance(item, str) and written.strip("{} ") == variable else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_hidden(output: Output) -> bool:
    return output.message.startswith(CENSORED[:26])


def _is_bad(item: Any) -> bool:
    """Return whether this item of a loop failed. ansible-core 2.19 and later remove the key ``failed``."""
    if not isinstance(item, Mapping):
        return False
    failed = item.get("failed", item.get("failed_when_result", "exception" in item))
    return bool(failed or item.get("unreachable"))


def _label(item: Mapping[str, Any]) -> str:
    """Return the name that Ansible would show for a loop's item; empty if it is censored."""
    if "censored" in item:
        return ""
    return label_of(item.get("_ansible_item_label", item.get(item.get("ansible_loop_var", "item"))))
