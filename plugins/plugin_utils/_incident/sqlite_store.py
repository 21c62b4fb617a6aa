# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps ledgers in one SQLite file, which only its owner can read. Processes may use it at the same time.

Must not keep a connection open (Ansible forks), nor make anything when it is only read.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import OWN, Ledger, from_json, to_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    StoreBusy,
    StoreError,
    StoreLost,
    T,
    new_ledger,
)

# Of the table below and of the documents in it. A file of a newer collection is left alone.
_VERSION = 1
# How each file of SQLite 3 begins (https://www.sqlite.org/fileformat.html#the_database_header).
_MAGIC = b"SQLite format 3\x00"
_TABLE = "CREATE TABLE IF NOT EXISTS ledgers (base TEXT PRIMARY KEY, document TEXT NOT NULL)"


class SqliteStore:
    """A store in one file.

    :param path: of the file; its folder is made when it is missing.
    :param patience: seconds to wait at most, in each call, while another process changes the file.
    """

    memory = OWN

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        self.path = path
        self._patience = patience

    def read(self, base: str) -> Ledger:
        """Return the ledger of this base; one that does not exist yet is empty, with an id of its own.

        :raises StoreError: the file cannot be used.
        """
        if not self._stat():
            return new_ledger()
        with self._connected() as connection:
            connection.execute("BEGIN")  # one lock for both questions, and one wait for it
            return (self._ledger(connection, base) if self._version(connection) else None) or new_ledger()

    def update(self, base: str, change: Callable[[Ledger], tuple[Ledger, T]]) -> T:
        """Replace the ledger of this base by what ``change`` makes of it, and return what else it returns.

        Nobody else can change the file between reading and writing. When ``change`` raises, nothing is changed.

        :raises StoreError: the file cannot be used.
        """
        self._make()
        with self._connected() as connection:
            # What is read must still be so when it is written. Not IMMEDIATE: the commit would wait once more, for who
            # reads. Without the commit, closing the connection takes everything back.
            connection.execute("BEGIN EXCLUSIVE")
            if not self._version(connection):
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            before = self._ledger(connection, base)
            ledger, result = change(before or new_ledger())
            if ledger != before:
                connection.execute("INSERT OR REPLACE INTO ledgers VALUES (?, ?)", (base, to_json(ledger)))
            connection.execute("COMMIT")
            return result

    def _ledger(self, connection: sqlite3.Connection, base: str) -> Ledger | None:
        row = connection.execute("SELECT document FROM ledgers WHERE base = ?", (base,)).fetchone()
        try:
            return from_json(row[0]) if row else None
        except ValueError as error:
            # Other ledgers in the file may be good, so it stays; the next run begins a new one in this one's place.
            connection.execute("UPDATE OR REPLACE ledgers SET base = ? WHERE base = ?", (f"unreadable {base}", base))
            connection.execute("COMMIT")  # or the end of the caller's transaction takes it back
            raise StoreLost(
                f"A ledger in {self.path} is unreadable ({error}). It was set aside there, and which incidents of this "
                "playbook are open is no longer known."
            ) from error

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the file's version, 0 for one that is only just made."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StoreError(
                f"The store {self.path} was written by a newer version of this collection and is left as it is."
            )
        return version

    def _stat(self) -> os.stat_result | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be read: {error}") from error
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"The store {self.path} is no file.")
        return status

    def _make(self) -> None:
        """Make folder and file, if they are missing, for nobody but their owner."""
        try:
            for folder in reversed(self.path.parents):
                if not folder.exists():
                    # not mkdir(parents=True): the folders in between would get the umask's mode
                    folder.mkdir(mode=0o700, exist_ok=True)
            try:
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                pass
            status = self._stat()
            self._check_kind()
            if status and stat.S_IMODE(status.st_mode) != 0o600:
                self.path.chmod(0o600)  # SQLite gives its journal the same mode
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be made: {error}") from error

    def _check_kind(self) -> None:
        """Keep off a file that no SQLite has written: `state_url` may name one by mistake, and it stays as it is."""
        try:
            with self.path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be read: {error}") from error
        if start not in (b"", _MAGIC):
            raise StoreLost(
                f"{self.path} is no SQLite file, so it is left as it is, and which incidents are open is not known. "
                "Remove it, or name another one in state_url."
            )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        # mode=rw: SQLite itself never makes the file, which would get the umask's mode
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        opened = self._stat()
        self._check_kind()
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=self._patience, isolation_level=None)) as connection:
                connection.text_factory = bytes  # what is no UTF-8 is an unreadable ledger, not an unusable store
                yield connection
        except sqlite3.Error as error:
            # "not a database" and "malformed" come as this very class, what may pass (locked, full) as one beneath it
            if error.__class__ is not sqlite3.DatabaseError:
                # the error's code, which says so too, came with Python 3.11
                kind = StoreBusy if "locked" in str(error) else StoreError
                raise kind(f"The store {self.path} cannot be used: {error}") from error
            raise StoreLost(self._set_aside(opened, error)) from error

    def _set_aside(self, opened: os.stat_result | None, error: Exception) -> str:
        """Move a broken file out of the way, so that the next run begins a new one."""
        aside = self.path.with_name(self.path.name + ".broken")
        try:
            # another process may have done so before, and begun a new one
            if opened and os.path.samestat(self.path.stat(), opened):
                self.path.replace(aside)
        except FileNotFoundError:
            pass
        except OSError as problem:
            return f"The store {self.path} is broken ({error}) and cannot be set aside: {problem}. Remove it."
        return (
            f"The store {self.path} is broken ({error}). It was set aside as {aside.name}, and which incidents are "
            "open is no longer known."
        )
