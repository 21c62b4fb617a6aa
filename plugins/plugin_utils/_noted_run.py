# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes a run in the store while it goes on, so that others find out if it is killed or hangs.

Must not import what only a page needs, unless there is a page to make: each run begins here.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Collection

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.process import is_gone
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger, Mark, RunNote
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import is_hanging, with_event
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store, StoreError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.watching import begun, ended
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._marks import ENDED

# Minimum seconds between two notes of the task that a run is in.
_TOUCH_INTERVAL = 60.0


class NotedRun:
    """The note of one run.

    :param store: may be used again and again, each time for a moment.
    :param base: of the run's identity.
    :param note: what is known of the run.
    """

    def __init__(self, store: Store, base: str, note: RunNote) -> None:
        self._store = store
        self._base = base
        self._note = note
        self._touched_at = time.monotonic()
        self.id = ""

    def begin(self, key: str, name: str, overdue_after: float | None) -> tuple[Mark, bool]:
        """Note the run. Return the ledger's mark, and whether a run before was killed, hangs, or is missing.

        :param key: that of a run of the whole base.
        :param name: the playbook or job template, for people.
        :param overdue_after: the option, in seconds.
        :raises StoreError: the store cannot be used.
        """
        id, now = uuid.uuid4().hex, time.time()
        known: set[str] = set()

        def change(ledger: Ledger) -> tuple[Ledger, tuple[Mark, bool]]:
            known.update(ledger.runs)
            ledger = without_ended(ledger, now)
            is_suspicious = bool(gone_runs(ledger, self._note.controller)) or is_in_trouble(ledger, now)
            return begun(ledger, id, self._note, key, name, overdue_after, now), (ledger.mark, is_suspicious)

        result = self._store.update(self._base, change, ())
        settle(known)
        self.id = id
        return result

    def touch(self, task: str) -> None:
        """Note which task the run has started, at most once a minute."""
        now = time.monotonic()
        if self.id and now - self._touched_at >= _TOUCH_INTERVAL:
            self._touched_at = now
            with contextlib.suppress(StoreError):
                self._store.touch(self._base, self.id, task, time.time())

    def mark_ended(self) -> None:
        """Note beside the store that the run has ended, since the store could not be told."""
        if self.id:
            ENDED.add(self.id)

    def forget(self, reason: str) -> None:
        """Take the note out, for a run that counts neither as failed nor as successful.

        :param reason: why it does not count, for the history; empty for none.
        """

        def change(ledger: Ledger) -> tuple[Ledger, None]:
            now = time.time()
            ledger = ended(ledger, self.id, now)
            return with_event(ledger, now, "", reason) if reason else ledger, None

        if self.id:
            try:
                self._store.update(self._base, change)
            except StoreError:
                self.mark_ended()


def without_ended(ledger: Ledger, now: float) -> Ledger:
    """Return the ledger without the runs that have ended on this controller while the store could not be told."""
    for id in [id for id in ledger.runs if id in ENDED]:
        ledger = ended(ledger, id, now)
    return ledger


def settle(ids: Collection[str]) -> None:
    """Remove the marks of ended runs that the store was told of now."""
    for id in ids:
        ENDED.discard(id)


def gone_runs(ledger: Ledger, controller: str) -> frozenset[str]:
    """Return the ids of the runs on this controller whose processes are gone."""
    own = ((id, run) for id, run in ledger.runs.items() if run.controller == controller and id not in ENDED)
    return frozenset(id for id, run in own if is_gone(run.process))


def is_in_trouble(ledger: Ledger, now: float) -> bool:
    """Return whether a run hangs, or a success is overdue."""
    last = ledger.last_success or ledger.first_run
    return any(is_hanging(run, now) for run in ledger.runs.values()) or 0 < ledger.overdue_after < now - last
