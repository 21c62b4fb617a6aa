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
from ansible.executor.play_iterator import IteratingStates
from ansible.plugins.strategy.free import StrategyModule as Free
from ansible.plugins.strategy.linear import StrategyModule as Linear

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.lockstep import OncePerBatch, is_batch_step


class Derived(Linear):
    """A strategy that keeps step as well, such as debug."""


class Action(metaclass=OncePerBatch):
    """What a strategy asks."""


def step(name: str, **args: Any) -> SimpleNamespace:
    return SimpleNamespace(
        args={"step": name, **args}, run_once=False, _parent=None, play=SimpleNamespace(_uuid="play")
    )


def host(name: str, **variables: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, variables=variables)


ALIKE = (host("a"), host("b"))


def asked(
    strategy: type, task: Any, hosts: Any = ALIKE, away: tuple[str, ...] = (), also: tuple[str, ...] = ()
) -> bool:
    """Ask as a strategy does: from a frame that holds the strategy, the task, its hosts and the iterator.

    :param away: hosts that are unreachable.
    :param also: further hosts that still play.
    """

    def run(self: Any, task: Any, host_tasks: list[Any], iterator: Any) -> tuple[bool, bool]:
        return Action.BYPASS_HOST_LOOP, is_batch_step(task)

    self = object.__new__(strategy)
    self._tqm = SimpleNamespace(_unreachable_hosts=dict.fromkeys(away, True))
    self._hosts_cache = self._hosts_cache_all = []
    self._variable_manager = SimpleNamespace(get_vars=lambda play, host, **_known: host.variables)
    states = {one.name: SimpleNamespace(run_state=IteratingStates.TASKS) for one in hosts}
    states.update({name: SimpleNamespace(run_state=IteratingStates.TASKS) for name in (*away, *also)})
    iterator = SimpleNamespace(host_states=states, _play=None)
    is_once, in_worker = run(self, task, [(one, task) for one in hosts], iterator)
    assert is_once == in_worker, "the worker knows it too"
    return is_once


@pytest.mark.parametrize("strategy", [Linear, Derived])
def test_the_steps_that_concern_all_hosts_run_once_if_the_strategy_keeps_step(strategy) -> None:
    assert asked(strategy, step("begin")) and asked(strategy, step("settle"))
    assert asked(strategy, step("begin"), away=("c",))


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
    assert asked(Linear, step("begin"))
    assert not asked(strategy, task)


@pytest.mark.parametrize(
    "hosts",
    [
        (host("a", incident_guard_tasks="{{ x }}.yml"), host("b", incident_guard_tasks="{{ x }}.yml")),
        (host("a"), host("b", incident_guard_incident_key="of b")),
        (host("a", incident_guard_title="of a"), host("b")),
    ],
)
def test_what_may_differ_from_host_to_host_is_guarded_on_each(hosts) -> None:
    assert not asked(Linear, step("begin"), hosts)
    assert not asked(Linear, step("settle"), ALIKE), "the later steps follow the first"


def test_if_some_hosts_skip_the_guard_its_steps_run_on_each_host() -> None:
    assert not asked(Linear, step("begin"), also=("c",))
