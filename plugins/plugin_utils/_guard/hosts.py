# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible knows of a play's hosts while a task of it runs, and who notes which of them could not be reached.

Must not evaluate what that means for a guard: guard.py does.
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
    """Return what Ansible knows of the play's hosts now.

    :param variables: a host's, of the task that asks.
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
    """Have noted in the journal, from now on, which hosts could not be reached.

    A task that ignores this leaves no trace of it in any variable, and the host goes on. So the main process, in which
    Ansible loads an action before it forks the workers that run it, has to listen.
    """
    queue = find_task_queue()
    if queue is not None:
        queue._callback_plugins.append(_Listener())


class _Listener(CallbackBase):
    """Gets Ansible's events as every callback does, without being configured by anybody."""

    CALLBACK_NAME = "callgoose.sqibs.incident_guard"

    def __init__(self) -> None:
        super().__init__()
        self._journal = Journal(C.DEFAULT_LOCAL_TMP)
        if hasattr(self, "_init_callback_methods"):  # ansible-core 2.19 and later call what this has found only
            self._init_callback_methods()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note the host."""
        # Where nothing can be noted, no host can come through either.
        with contextlib.suppress(OSError):
            self._journal.write(Record("", host_of(result).name, RecordType.UNREACHABLE))


def _gone(play: Any) -> dict[str, str] | None:
    """Return which hosts count as failed or unreachable, or None where that cannot be known.

    No variable tells a host that `meta: end_host` ended from one that is lost: ansible_play_hosts lacks both.
    """
    queue, iterator = find_task_queue(), find_iterator(play)
    if queue is None or iterator is None:
        return None
    # The queue does not know of a host that failed and is in an `always` yet, nor of one whose errors were cleared.
    lost = [host for host in play._removed_hosts if not _is_ended(iterator.host_states[host])]
    return {
        **dict.fromkeys([*lost, *queue._failed_hosts], FAILED),
        **dict.fromkeys(queue._unreachable_hosts, UNREACHABLE),
    }


def _is_ended(state: Any) -> bool:
    """Return whether a host that is out of the play has come to its end without a failure."""
    return state.run_state == IteratingStates.COMPLETE and state.fail_state == FailedStates.NONE
