# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a step of the role runs once for a batch of hosts, as with ``run_once``, or on each host.

Must not decide what a step does: steps.py does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from ansible.executor.play_iterator import IteratingStates
from ansible.plugins.action import ActionBase

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import keeps_step
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.include import include_key, is_same_for_all_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.one_include import include_once

# By the include that leads to a guard: whether its steps run once, as its first step has decided.
_DECISIONS: dict[str, bool] = {}

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
    return bool(task.run_once) and task.args.get("step") in ("begin", "settle") and bool(hosts_of_batch())


def hosts_of_batch() -> tuple[str, ...]:
    """Return the names of the hosts that have reached the step which runs once. Call this in the step's worker."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        variables = frame.f_locals
        if "host_tasks" in variables and keeps_step(variables.get("self")):
            return tuple(str(host.name) for host, _task in variables["host_tasks"])
        frame = frame.f_back
    return ()


def _is_once(frame: FrameType) -> bool:
    """Decide for the first step of a guard. The later ones follow it, whichever host comes first then."""
    variables = frame.f_locals
    strategy, task = variables.get("self"), variables.get("task")
    if strategy is None or task is None or not keeps_step(strategy):
        return False
    step = task.args.get("step")
    if step == "begin":
        hosts = [host for host, _task in variables["host_tasks"]]
        is_once = _comes_for_all(hosts, variables["iterator"], strategy._tqm)
        is_once = is_once and is_same_for_all_hosts(task, _Values(strategy, variables["iterator"]._play, hosts))
        _DECISIONS[include_key(task)] = is_once
        if is_once:
            include_once(frame)
    else:
        # A settle with a key is a step of the user's own rescue.
        is_once = step == "settle" and "incident_key" not in task.args and _DECISIONS.get(include_key(task), False)
    if is_once:
        # ansible-core 2.16 registers the result for all hosts only if it finds this; newer ones set it themselves.
        task.run_once = True
    return is_once


def _comes_for_all(hosts: Sequence[Any], iterator: Any, queue: Any) -> bool:
    """Return whether all hosts that still play reach the guard: a step that runs once and fails, fails them all."""
    reached = {host.name for host in hosts}
    return all(
        host in reached or state.run_state == IteratingStates.COMPLETE or host in queue._unreachable_hosts
        for host, state in iterator.host_states.items()
    )


class _Values:
    """The values of variables on several hosts, not templated, without those of the task."""

    def __init__(self, strategy: Any, play: Any, hosts: Sequence[Any]) -> None:
        self._strategy, self._play, self._hosts = strategy, play, hosts
        self._variables: list[Mapping[str, Any]] = []

    def __call__(self, name: str) -> list[Any]:
        if not self._variables:
            manager = self._strategy._variable_manager
            known = {"_hosts": self._strategy._hosts_cache, "_hosts_all": self._strategy._hosts_cache_all}
            self._variables = [manager.get_vars(play=self._play, host=host, **known) for host in self._hosts]
        return [variables.get(name) for variables in self._variables]
