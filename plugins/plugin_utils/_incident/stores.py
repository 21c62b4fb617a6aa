# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the store that ``state_url`` names, and provides the one to use if there is none.

Must not know the rules, nor choose a location of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import NONE, Event, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_url import SCHEMES, server_url
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    Store,
    StoreBusy,
    StoreError,
    T,
    Waiting,
    new_ledger,
)

_SQLITE = "sqlite://"


class MemoryStore:
    """The store to use if no other works: it keeps ledgers only until the process ends."""

    memory = NONE
    place = "this process"

    def __init__(self) -> None:
        self._ledgers: dict[str, Ledger] = {}

    def read(self, base: str, keys: Collection[str] | None = None) -> Ledger:
        return self._ledgers.get(base) or new_ledger()

    def update(self, base: str, change: Callable[[Ledger], tuple[Ledger, T]], keys: Collection[str] | None = None) -> T:
        self._ledgers[base], result = change(self.read(base))
        return result

    def touch(self, base: str, id: str, task: str, now: float) -> None:
        """Nobody else could read it."""

    def waiting(self, now: float) -> list[Waiting]:
        """Return nothing: it has no incidents but those of this run."""
        return []

    def parked(self) -> list[Waiting]:
        """Return nothing, like :meth:`waiting`."""
        return []

    def bases(self, watched: bool = False) -> list[str]:
        return sorted(self._ledgers)

    def bases_of(self, key: str) -> list[str]:
        return sorted(base for base, ledger in self._ledgers.items() if key in ledger.incidents)

    def history(self, base: str, most: int) -> list[Event]:
        """Return nothing: it keeps no history."""
        return []

    def close(self) -> None:
        """Nothing is open."""


def open_store(url: str, patience: float = 5.0) -> Store:
    """Return the store that ``state_url`` names. Nothing is read or created until it is used.

    :param url: ``sqlite:///`` and a path, absolute or starting with ``~/``; or ``postgresql://`` as libpq defines it.
    :param patience: maximum number of seconds that each call waits while another process changes the store.
    :raises StoreError: there is no such kind of store, the URL is wrong, or this Python lacks what the store needs.
    """
    if url.startswith(_SQLITE):
        return _sqlite(url, patience)
    if url.startswith(SCHEMES):
        return _postgresql(url, patience)
    # Without ://, everything before a colon could be a password.
    kind = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)", url)
    problem = f"stores of the kind {kind[0]} are not supported" if kind else "it is not a URL"
    raise StoreError(f"state_url: {problem}. Use sqlite:///path/to/file or postgresql://host/database.")


def _sqlite(url: str, patience: float) -> Store:
    # Four slashes are as common as three and mean the same: a relative path would depend on the working directory.
    path = url[len(_SQLITE) :].lstrip("/")
    if not path or "\0" in path or not url.startswith(_SQLITE + "/"):
        raise StoreError("state_url: sqlite:// needs an absolute path. Use sqlite:///path/to/file.")
    try:
        # some builds of Python have no sqlite3 module
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sqlite_store import SqliteStore
    except ImportError as error:
        raise StoreError(f"state_url: this Python has no sqlite3 module ({error}).") from error
    try:
        return SqliteStore(Path(path).expanduser() if path.startswith("~") else Path("/", path), patience)
    except RuntimeError as error:
        raise StoreError(f"state_url: {error}. Use an absolute path.") from error


def _postgresql(url: str, patience: float) -> Store:
    try:
        place = server_url(url)
    except ValueError as error:
        raise StoreError(f"state_url: {error}.") from error
    # An optional package, which takes its time to be imported.
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_connection import MISSING
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_store import PostgresqlStore

    if MISSING:
        raise StoreBusy(
            f"state_url: {place.place} needs the Python package psycopg, version 3.1 or newer, which {sys.executable} "
            f"does not have ({MISSING}). Install it with: {sys.executable} -m pip install 'psycopg[binary]>=3.1'"
        ) from MISSING
    return PostgresqlStore(place, patience)
