# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store of ledgers promises, and how it says that it cannot keep that.

Must not know any store, nor the rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol, TypeVar

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger

T = TypeVar("T")


class StoreError(CallgooseError):
    """A store cannot be used now. The caller goes on with a :class:`MemoryStore`; nothing was changed."""


class StoreBusy(StoreError):
    """Another process uses it, and has done so for longer than there was patience."""


class StoreLost(StoreError):
    """The user must know of it: what the store held can be read no more, or what it is to use is somebody else's."""


class Store(Protocol):
    """Keeps one ledger for each base."""

    @property
    def memory(self) -> str:
        """How much of the past it keeps: ``NONE``, ``OWN`` or ``SHARED`` of incidents.py."""

    def read(self, base: str) -> Ledger:
        """Return the ledger of this base; one that does not exist yet is empty, with an id of its own.

        :raises StoreError: the store cannot be used.
        """

    def update(self, base: str, change: Callable[[Ledger], tuple[Ledger, T]]) -> T:
        """Replace the ledger of this base by what ``change`` makes of it, and return what else it returns.

        Nobody else can change the ledger between reading and writing. When ``change`` raises, nothing is changed.

        :raises StoreError: the store cannot be used.
        """


def new_ledger() -> Ledger:
    """Return an empty ledger that is not taken for any other."""
    return Ledger(uuid.uuid4().hex)
