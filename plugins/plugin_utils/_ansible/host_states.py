# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a host's state in Ansible's iterator: whether it has failed, and whether a rescue takes over.

Must not use the hosts that Ansible lists as failed or removed: after a rescued include they stay there for good.
"""

from __future__ import annotations

from typing import Any

from ansible.executor.play_iterator import FailedStates, IteratingStates


def has_failed(state: Any) -> bool:
    """Return whether a host has a failure that no rescue catches, also while the ``always`` of a failed block runs.

    `PlayIterator.is_failed` does not count a host in ``always`` as failed.

    :param state: its `HostState`, or the one of a block below.
    """
    if state is None:
        return False
    run_state = state.run_state
    if run_state == IteratingStates.HANDLERS and state.pre_flushing_run_state is not None:
        run_state = state.pre_flushing_run_state  # `meta: flush_handlers`
    if run_state == IteratingStates.RESCUE:
        return bool(state.fail_state & FailedStates.RESCUE) or has_failed(state.rescue_child_state)
    if run_state == IteratingStates.TASKS:
        return has_failed(state.tasks_child_state) and not state.get_current_block().rescue
    if run_state == IteratingStates.ALWAYS and has_failed(state.always_child_state):
        return True
    # A rescue that succeeds resets it.
    return state.fail_state != FailedStates.NONE


def rescuing_block(state: Any) -> str:
    """Return the id of the innermost block in whose rescue a host is, or which has just sent it there; empty if none.

    :param state: its `HostState`, or the one of a block below.
    """
    if state.run_state == IteratingStates.RESCUE:
        if state.rescue_child_state:
            return rescuing_block(state.rescue_child_state)
        return "" if state.fail_state & FailedStates.RESCUE else _current(state)
    if state.run_state == IteratingStates.TASKS and state.tasks_child_state:
        below = rescuing_block(state.tasks_child_state)
        # A block without a rescue of its own leaves its failure to this one.
        return below or (_current(state) if has_failed(state.tasks_child_state) else "")
    if state.run_state == IteratingStates.ALWAYS and state.always_child_state:
        return rescuing_block(state.always_child_state)
    return ""


def _current(state: Any) -> str:
    block = state.get_current_block()
    return str(block._uuid) if block.rescue else ""
