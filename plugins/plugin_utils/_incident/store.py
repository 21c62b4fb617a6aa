# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface that every store of ledgers implements, and the errors that it raises.

Must not know any particular store, nor the rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Event, Ledger

T = TypeVar("T")


class StoreError(CallgooseError):
    """A store cannot be used now. Nothing was changed; the caller continues with a :class:`stores.MemoryStore`."""


class StoreBusy(StoreError):
    """The store is there, but nobody can tell now what it holds. Incidents may be open in it.

    Another process has locked it for longer than the caller may wait, its server cannot be used, or a newer version of
    this collection wrote it. If the connection to a server breaks while it commits, it may have changed nevertheless.
    """


class StoreLost(StoreError):
    """The user must be warned: the store's data can no longer be read, or its file belongs to another program."""


@dataclass(frozen=True)
class Waiting:
    """An incident whose wish waits to be sent.

    :param destination: that of the wish.
    """

    base: str
    key: str
    destination: str


class Store(Protocol):
    """Keeps one ledger for each base. All methods may raise :class:`StoreError`: the store cannot be used."""

    @property
    def place(self) -> str:
        """Where it is, for people."""

    @property
    def memory(self) -> str:
        """What it remembers: ``NONE``, ``OWN`` or ``SHARED`` of ledger.py."""

    def read(self, base: str, keys: Collection[str] | None = None) -> Ledger:
        """Return the ledger of this base, or an empty one with a new id if there is none yet.

        :param keys: read no other incidents than these; None reads all.
        """

    def update(self, base: str, change: Callable[[Ledger], tuple[Ledger, T]], keys: Collection[str] | None = None) -> T:
        """Replace the ledger of this base by the one that ``change`` returns, and return its second result.

        No other process can change the ledger in between. If ``change`` raises an exception, nothing is changed. The
        ledger's events are appended to the history.

        :param keys: as for :meth:`read`; then ``change`` sees no other incidents, and cannot change them.
        """

    def touch(self, base: str, id: str, task: str, now: float) -> None:
        """Note which task a run has started, and when. Nothing happens if the run is not noted."""

    def waiting(self, now: float) -> list[Waiting]:
        """Return the incidents of all bases whose wishes may be sent now, those first that wait longest."""

    def parked(self) -> list[Waiting]:
        """Return the incidents of all bases whose wishes are parked, sorted."""

    def bases(self, watched: bool = False) -> list[str]:
        """Return the bases in the store.

        :param watched: only those that have running runs, or for which a success may be missing.
        """

    def bases_of(self, key: str) -> list[str]:
        """Return the bases that have an incident with this key."""

    def history(self, base: str, most: int) -> list[Event]:
        """Return the last entries of the history of this base, oldest first."""

    def close(self) -> None:
        """Close what is open. The store can be used again: it then opens what it needs."""


def new_ledger() -> Ledger:
    """Return an empty ledger with an id of its own."""
    return Ledger(uuid.uuid4().hex)
