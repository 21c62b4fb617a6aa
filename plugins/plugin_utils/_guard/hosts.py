# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what Ansible knows about a play's hosts while a task runs, and records which hosts were unreachable.

Must not evaluate what that means for a guard: state.py does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.executor.play_iterator import FailedStates, IteratingStates
from ansible.plugins.callback import CallbackBase

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import host_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import find_iterator, find_task_queue
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.state import Hosts, Record, RecordType
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import FAILED, UNREACHABLE

_LOCKSTEP = frozenset(("linear", "debug"))


def read_hosts(variables: Mapping[str, Any], play: Any) -> Hosts:
    """Return what Ansible currently knows about the play's hosts.

    :param variables: the variables of the current task on one host.
    """
    strategy = str(play.strategy or C.DEFAULT_STRATEGY).rpartition(".")[2]
    return Hosts(
        all=tuple(map(str, variables["ansible_play_hosts_all"])),
        active=frozenset(map(str, variables["ansible_play_hosts"])),
        batch=frozenset(map(str, variables["ansible_play_batch"])),
        gone=_gone(play),
        lockstep=strategy in _LOCKSTEP,
    )


def record_unreachable_hosts() -> None:
    """From now on, record in the journal which hosts were unreachable. Call this in the main process.

    A task with ``ignore_unreachable`` leaves no trace in any variable, and the host goes on. So the main process, where
    Ansible loads an action before it forks the workers, has to listen for the event.
    """
    queue = find_task_queue()
    if queue is not None:
        queue._callback_plugins.append(_Listener())


class _Listener(CallbackBase):
    """Receives Ansible's events like any callback, but needs no configuration."""

    CALLBACK_NAME = "callgoose.sqibs.incident_guard"

    def __init__(self) -> None:
        super().__init__()
        self._journal = Journal(C.DEFAULT_LOCAL_TMP)
        if hasattr(self, "_init_callback_methods"):  # ansible-core 2.19 and later call only the methods found here
            self._init_callback_methods()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Record that the host was unreachable."""
        # If the journal cannot be written, no success can be recorded in it either.
        with contextlib.suppress(OSError):
            self._journal.write(Record("", host_of(result).name, RecordType.UNREACHABLE))


def _gone(play: Any) -> dict[str, str] | None:
    """Return which hosts count as failed or unreachable, or None if that cannot be determined.

    No variable distinguishes a host ended by `meta: end_host` from a dropped one: ansible_play_hosts contains neither.
    """
    queue, iterator = find_task_queue(), find_iterator(play)
    if queue is None or iterator is None:
        return None
    # The queue does not yet know a failed host that is still in an `always`, nor one whose errors were cleared.
    dropped = [host for host in play._removed_hosts if not _is_ended(iterator.host_states[host])]
    return {
        **dict.fromkeys([*dropped, *queue._failed_hosts], FAILED),
        **dict.fromkeys(queue._unreachable_hosts, UNREACHABLE),
    }


def _is_ended(state: Any) -> bool:
    """Return whether a host that left the play finished it without a failure."""
    return state.run_state == IteratingStates.COMPLETE and state.fail_state == FailedStates.NONE
