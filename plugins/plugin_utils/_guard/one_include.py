# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the include of the guarded tasks in one worker for a batch of hosts, instead of in one for each host.

A worker costs as much as a guarded task. ``run_once`` alone would include the tasks only on the first host. So its
result is repeated for the other hosts, before the strategy looks for the files to include. If a file cannot be loaded,
the include then fails on all of them, as it would without this.

Must not decide when all hosts include the same: lockstep.py does.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import sys
from types import FrameType
from typing import Any

from ansible.playbook.task_include import TaskInclude
from ansible.plugins.strategy import StrategyBase
from ansible.plugins.strategy.linear import StrategyModule as Linear

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import host_of, task_of

# The loop variable of the role's own include.
_LOOP_VARIABLE = "incident_guard_file"
_RUN, _PROCESS = Linear.run.__code__, inspect.unwrap(StrategyBase._process_pending_results).__code__
# A later ansible-core may name these local variables differently.
_IS_SUPPORTED = {"host_tasks", "results"} <= set(_RUN.co_varnames) and "task_result" in _PROCESS.co_varnames

# The ids of the includes that run once.
_INCLUDES: set[str] = set()


def include_once(frame: FrameType) -> None:
    """Let the include after the current task run once, if its result can be repeated. Call this in the main process.

    Otherwise each host includes the tasks for itself.

    :param frame: the running ``run`` of a strategy.
    """
    # A derived strategy may have a ``run`` of its own.
    if not _IS_SUPPORTED or frame.f_code is not _RUN:
        return
    iterator, callbacks = frame.f_locals["iterator"], frame.f_locals["self"]._tqm._callback_plugins
    (task,) = iterator.all_tasks[iterator.cur_task : iterator.cur_task + 1] or [None]
    is_own = isinstance(task, TaskInclude) and task.loop_control.loop_var == _LOOP_VARIABLE
    if is_own and any(hasattr(callback, "repeats_includes") for callback in callbacks):
        task.run_once = True
        _INCLUDES.add(task._uuid)


def repeat_result(result: Any) -> None:
    """Repeat this result for all other hosts if it is that of an include that runs once. Call this in a callback."""
    if not _INCLUDES or task_of(result)._uuid not in _INCLUDES:
        return
    _INCLUDES.remove(task_of(result)._uuid)  # only once, whatever Ansible imports or sends twice
    run, first = _locals_of(_RUN), _locals_of(_PROCESS)["task_result"]
    run["results"] += [_of_host(first, host) for host, _task in run["host_tasks"] if host is not host_of(first)]


def _of_host(result: Any, host: Any) -> Any:
    """Return the same result of another host."""
    if dataclasses.is_dataclass(result):  # ansible-core 2.21
        return dataclasses.replace(result, host=host)  # type: ignore[type-var]
    other = copy.copy(result)
    # The name of the attribute differs between the older releases.
    vars(other).update({name: host for name, value in vars(result).items() if value is host_of(result)})
    return other


def _locals_of(code: Any) -> dict[str, Any]:
    """Return the local variables of the running function with this code."""
    frame = sys._getframe(1)
    while frame.f_code is not code:
        frame = frame.f_back  # type: ignore[assignment]
    return frame.f_locals
