# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a step of the role runs once for a batch of hosts, as with ``run_once``, or on each host.

Must not decide what a step does: steps.py does.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.include import is_same_for_all_hosts

# Ansible's strategy that runs each task on all hosts of a batch before the next one; others are derived from it.
_LINEAR = "ansible.plugins.strategy.linear"


# mypy knows no base class that is computed; its kind differs between versions of ansible-core.
_ActionType: Any = type(ActionBase)


class OncePerBatch(_ActionType):
    """The metaclass of an action whose steps run once for a batch if the strategy keeps the hosts in step.

    A strategy asks the class of an action for ``BYPASS_HOST_LOOP`` before it starts the action's worker. ``run_once``
    as a template could not answer: `free` takes any template for true, and then fails all hosts with the first.
    """

    @property
    def BYPASS_HOST_LOOP(cls) -> bool:
        """Whether the next step runs once, asked from the ``run`` of a strategy."""
        return _is_once(sys._getframe(1))


def is_batch_step(task: Any) -> bool:
    """Return whether this step runs once for a batch. Call this in the step's worker."""
    return bool(task.run_once) and _runs_for_batch(task)


def hosts_of_batch() -> tuple[str, ...]:
    """Return the names of the hosts that have reached the step which runs once. Call this in the step's worker."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        variables = frame.f_locals
        if "host_tasks" in variables and _is_linear(variables.get("self")):
            return tuple(str(host.name) for host, _task in variables["host_tasks"])
        frame = frame.f_back
    return ()


def _is_once(frame: FrameType) -> bool:
    variables = frame.f_locals
    task = variables.get("task")
    if not _is_linear(variables.get("self")) or task is None or not _runs_for_batch(task):
        return False
    if not is_same_for_all_hosts(task, variables.get("task_vars") or {}):
        return False
    # ansible-core 2.16 registers the result for all hosts only if it finds this; newer ones set it themselves.
    task.run_once = True
    return True


def _runs_for_batch(task: Any) -> bool:
    """Return whether this is a step of the role's main entry point that concerns all hosts."""
    step = task.args.get("step")
    return step == "begin" or (step == "settle" and "incident_key" not in task.args)


def _is_linear(strategy: Any) -> bool:
    return any(base.__module__ == _LINEAR for base in type(strategy).__mro__)
