# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests which steps of the role run once for a batch of hosts.

Must not run a play: tests/integration/e2e/test_role_steps.py does.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.strategy.free import StrategyModule as Free
from ansible.plugins.strategy.linear import StrategyModule as Linear

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.lockstep import OncePerBatch, is_batch_step


class Derived(Linear):
    """A strategy that keeps step as well, such as debug."""


class Action(metaclass=OncePerBatch):
    """What a strategy asks."""


def step(name: str, vars: dict[str, Any] | None = None, **args: Any) -> SimpleNamespace:
    play = SimpleNamespace(vars=vars or {})
    return SimpleNamespace(args={"step": name, **args}, run_once=False, _parent=None, play=play)


def is_once(strategy: type, task: Any, **variables: Any) -> bool:
    """Ask as a strategy does: from a frame that holds the strategy, the task and the variables of a host."""

    def run(self: Any, task: Any, task_vars: dict[str, Any]) -> bool:
        return Action.BYPASS_HOST_LOOP

    return run(object.__new__(strategy), task, variables)


@pytest.mark.parametrize("strategy", [Linear, Derived])
@pytest.mark.parametrize("name", ["begin", "settle"])
def test_the_steps_that_concern_all_hosts_run_once_if_the_strategy_keeps_step(strategy, name) -> None:
    task = step(name)
    assert is_once(strategy, task)
    assert is_batch_step(task), "the worker knows it too"


@pytest.mark.parametrize(
    ("strategy", "task"),
    [
        (Free, step("begin")),
        (Linear, step("failed")),
        (Linear, step("fail")),
        (Linear, step("settle", incident_key="mine")),  # of the user's own rescue
    ],
)
def test_other_steps_and_strategies_run_on_each_host(strategy, task) -> None:
    assert not is_once(strategy, task)
    assert not is_batch_step(task)


@pytest.mark.parametrize(
    ("vars", "value", "expected"),
    [
        ({"incident_guard_tasks": "deploy.yml"}, "deploy.yml", True),
        ({"incident_guard_tasks": "{{ inventory_hostname }}.yml"}, "{{ inventory_hostname }}.yml", False),
        ({}, "of_this_host.yml", False),
    ],
)
def test_what_may_differ_from_host_to_host_is_guarded_on_each(vars, value, expected) -> None:
    assert is_once(Linear, step("begin", vars), incident_guard_tasks=value) is expected
