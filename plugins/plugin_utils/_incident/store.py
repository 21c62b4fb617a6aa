# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface that every store of ledgers implements, and the errors that it raises.

Must not know any particular store, nor the rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol, TypeVar

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger

T = TypeVar("T")


class StoreError(CallgooseError):
    """A store cannot be used now. Nothing was changed; the caller continues with a :class:`stores.MemoryStore`."""


class StoreBusy(StoreError):
    """Another process has locked the store for longer than the caller may wait."""


class StoreLost(StoreError):
    """The user must be warned: the store's data can no longer be read, or its file belongs to another program."""


class Store(Protocol):
    """Keeps one ledger for each base."""

    @property
    def memory(self) -> str:
        """What it remembers: ``NONE``, ``OWN`` or ``SHARED`` of ledger.py."""

    def read(self, base: str) -> Ledger:
        """Return the ledger of this base, or an empty one with a new id if there is none yet.

        :raises StoreError: the store cannot be used.
        """

    def update(self, base: str, change: Callable[[Ledger], tuple[Ledger, T]]) -> T:
        """Replace the ledger of this base by the one that ``change`` returns, and return its second result.

        No other process can change the ledger in between. If ``change`` raises an exception, nothing is changed.

        :raises StoreError: the store cannot be used.
        """


def new_ledger() -> Ledger:
    """Return an empty ledger with an id of its own."""
    return Ledger(uuid.uuid4().hex)
