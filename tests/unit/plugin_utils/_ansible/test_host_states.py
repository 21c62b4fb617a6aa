# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests when a host counts as failed by its state in Ansible's iterator.

Must not run a play: tests/integration/e2e/test_role_control_flow.py does.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.executor.play_iterator import FailedStates, IteratingStates

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.host_states import has_failed

TASKS, RESCUE, ALWAYS = IteratingStates.TASKS, IteratingStates.RESCUE, IteratingStates.ALWAYS
COMPLETE, NONE = IteratingStates.COMPLETE, FailedStates.NONE


def state(run: Any, fail: Any = NONE, child: Any = None, rescue: bool = False) -> SimpleNamespace:
    """Return a state as an iterator holds it, with the state of a block below."""
    children = {f"{name}_child_state": None for name in ("tasks", "rescue", "always")}
    if child:
        children[f"{run.name.lower()}_child_state"] = child
    block = SimpleNamespace(rescue=["a task"] if rescue else [])
    return SimpleNamespace(
        run_state=run, fail_state=fail, pre_flushing_run_state=None, get_current_block=lambda: block, **children
    )


FAILED_BELOW = state(COMPLETE, FailedStates.TASKS)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (None, False),
        (state(TASKS), False),
        (state(COMPLETE), False),
        (state(COMPLETE, FailedStates.TASKS), True),
        (state(RESCUE, FailedStates.TASKS), False),
        (state(RESCUE, FailedStates.TASKS | FailedStates.RESCUE), True),
        (state(RESCUE, FailedStates.TASKS, child=FAILED_BELOW), True),
        (state(ALWAYS), False),
        (state(ALWAYS, FailedStates.TASKS), True),
        (state(ALWAYS, child=FAILED_BELOW), True),
        (state(TASKS, child=FAILED_BELOW), True),
        (state(TASKS, child=FAILED_BELOW, rescue=True), False),
        (state(TASKS, child=state(ALWAYS, FailedStates.TASKS)), True),
    ],
)
def test_a_host_has_failed_if_no_rescue_takes_over_also_in_always(now, expected) -> None:
    assert has_failed(now) is expected


def test_a_host_whose_handlers_are_flushed_in_always_has_failed_all_the_same() -> None:
    flushing = state(ALWAYS, child=FAILED_BELOW)
    flushing.run_state, flushing.pre_flushing_run_state = IteratingStates.HANDLERS, ALWAYS
    assert has_failed(flushing)
