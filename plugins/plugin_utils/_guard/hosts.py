# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what Ansible knows about a play's hosts while a task runs, and listens to the events of its tasks.

Must not evaluate what that means for a guard: state.py does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.executor.play_iterator import IteratingStates
from ansible.plugins.callback import CallbackBase

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.host_states import has_failed
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import host_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import (
    find_iterator,
    find_strategy,
    find_task_queue,
    keeps_step,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.failed_task import remember_failed_task
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.one_include import repeat_result
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.state import Hosts, Record, RecordType
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import FAILED, UNREACHABLE


def read_hosts(variables: Mapping[str, Any], play: Any) -> Hosts:
    """Return what Ansible currently knows about the play's hosts.

    The iterator knows the hosts of the current batch. ``ansible_play_hosts`` lacks hosts that Ansible continues with,
    for example after a rescued include, so it counts only for hosts of other batches.

    :param variables: the variables of the current task on one host.
    """
    everyone = tuple(map(str, variables["ansible_play_hosts_all"]))
    listed = frozenset(map(str, variables["ansible_play_hosts"]))
    batch = frozenset(map(str, variables["ansible_play_batch"]))
    lockstep = keeps_step(find_strategy())
    queue, iterator = find_task_queue(), find_iterator(play)
    if queue is None or iterator is None:
        return Hosts(everyone, listed, batch, None, lockstep)
    states, unreachable = iterator.host_states, queue._unreachable_hosts
    failed = {host for host, state in states.items() if has_failed(state)}
    failed |= {host for host in (*play._removed_hosts, *queue._failed_hosts) if host not in states}
    playing = {host for host, state in states.items() if state.run_state != IteratingStates.COMPLETE}
    playing |= listed - states.keys()
    active = frozenset(playing - failed - unreachable.keys())
    gone = {**dict.fromkeys(failed, FAILED), **dict.fromkeys(unreachable, UNREACHABLE)}
    return Hosts(everyone, active, active & states.keys(), gone, lockstep)


def is_in_play(host: str, variables: Mapping[str, Any], play: Any) -> bool:
    """Return whether Ansible continues with this host: in an ``always``, it may have failed for good."""
    iterator = find_iterator(play)
    if iterator is None:
        return host in variables["ansible_play_hosts"]
    return not has_failed(iterator.host_states[host])


def listen() -> None:
    """From now on, listen to Ansible's events. Call this in the main process.

    A task with ``ignore_unreachable`` leaves no trace in any variable, and the host goes on. So the main process, where
    Ansible loads an action before it forks the workers, has to listen for the event. It notes which tasks failed, and
    repeats the result of an include that runs once.
    """
    queue = find_task_queue()
    if queue is not None:
        queue._callback_plugins.append(_Listener())


class _Listener(CallbackBase):
    """Receives Ansible's events like any callback, but needs no configuration."""

    CALLBACK_NAME = "callgoose.sqibs.incident_guard"
    repeats_includes = True  # one_include.py relies on it

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

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Remember the task as written: ``ansible_failed_task`` has its variables filled in."""
        if not ignore_errors:
            # Without it, the guard looks the task up.
            with contextlib.suppress(Exception):
                remember_failed_task(result)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Repeat the result of the guard's include for all hosts, if it ran once."""
        repeat_result(result)
