# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one task result: its host, its task and its output.

Must not decide what the result means for the run, and must not keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Output

# The action with which the role incident_guard reports failures, and the key of its result that lists their hosts.
GUARD_ACTION = "callgoose.sqibs.incident_guard"
GUARD_RESULT = "callgoose_guard"


def output_of(result: Mapping[str, Any]) -> Output:
    """Return the output of a failed task. For a censored result, return only the notice that it is censored."""
    if "censored" in result:
        return Output(text_of(result["censored"]))
    items = [item for item in _list(result.get("results")) if _is_bad(item)]
    if items:
        first = output_of(items[0])
        message = f"item {_label(items[0])}: {first.message}" if _label(items[0]) else first.message
        if len(items) > 1:
            message = f"{message} (the first of {len(items)} failed items)"
        return Output(message, first.stdout, first.stderr)
    message = text_of(result.get("msg")) or text_of(result.get("reason"))
    if result.get("assertion") is not None:
        message = f"{message}: {text_of(result['assertion'])}"
    if not message and str(result.get("exception", "")).startswith("Traceback"):
        message = text_of(result["exception"]).rstrip().rpartition("\n")[2]
    if not message and result.get("failed_when_result"):
        message = "its failed_when was true"
    stdout = text_of(result.get("stdout")) or text_of(result.get("module_stdout"))
    return Output(message, stdout, text_of(result.get("stderr")) or text_of(result.get("module_stderr")))


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


def text_of(value: Any) -> str:
    """Return any value of a result as a plain string that can be encoded as UTF-8."""
    if value is None:
        return ""
    text = str.__str__(value) if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_bad(item: Any) -> bool:
    """Return whether this item of a loop failed. ansible-core 2.19 and later remove the key ``failed``."""
    if not isinstance(item, Mapping):
        return False
    failed = item.get("failed", item.get("failed_when_result", "exception" in item))
    return bool(failed or item.get("unreachable"))


def _label(item: Mapping[str, Any]) -> str:
    """Return the name that Ansible would show for a loop's item; empty if it is censored or not a simple value."""
    label = item.get("_ansible_item_label", item.get(item.get("ansible_loop_var", "item")))
    return text_of(label) if isinstance(label, str | int) and "censored" not in item else ""
