# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps ledgers in one SQLite file that only its owner can read. Several processes can use it at the same time.

Must not keep a connection open (Ansible forks), nor create a file or directory only to read.
"""

from __future__ import annotations

import os
import pwd
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.documents import ledger_of_version_1
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import OWN
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sql_store import (
    TABLES,
    VERSION,
    SqlStore,
    Statements,
    save,
    storable,
    text_of,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreBusy, StoreError, StoreLost

# The first bytes of each SQLite 3 file (https://www.sqlite.org/fileformat.html#the_database_header).
_MAGIC = b"SQLite format 3\x00"
# What SQLite appends to a store's name for the files that it keeps beside it, and reads.
_BESIDE = ("-journal", "-wal", "-shm")


class SqliteStore(SqlStore):
    """A store in one file.

    :param path: of the file; missing directories are created.
    :param patience: maximum number of seconds that each call waits while another process changes the file.
    """

    memory = OWN

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        self.path = path
        self.place = str(path)
        self._patience = patience

    @contextmanager
    def _reading(self) -> Iterator[Statements | None]:
        if not self._stat():
            yield None
            return
        while True:
            with self._connected() as connection:
                connection.execute("BEGIN")  # one lock for all queries, so that only one wait is possible
                version = self._version(connection)
                if version in (VERSION, 0):
                    yield _Statements(connection) if version else None
                    return
            with self._writing(""):  # moves it on
                pass

    @contextmanager
    def _writing(self, base: str) -> Iterator[Statements]:
        self._create()
        with self._connected() as connection:
            # What was read must not change before it is written. Not IMMEDIATE: the commit would then wait again, for
            # readers. If there is no commit, closing the connection rolls everything back.
            connection.execute("BEGIN EXCLUSIVE")
            statements = _Statements(connection)
            if (version := self._version(connection)) != VERSION:
                for table in TABLES:
                    connection.execute(table)
                if version:
                    _move_on(statements)
                    connection.execute("DROP TABLE ledgers")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            yield statements
            connection.execute("COMMIT")

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the file's version, 0 if it was just created.

        :raises StoreBusy: a newer version of this collection wrote the file.
        """
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreBusy(
                f"The store {self.path} was written by a newer version of this collection and is left unchanged."
            )
        return version

    def _stat(self) -> os.stat_result | None:
        """Return the file's status, None if it does not exist.

        :raises StoreLost: somebody else could have written it. :raises StoreError: it is not a file.
        """
        self._check_owners()
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be read: {error}") from error
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"The store {self.path} is not a regular file.")
        return status

    def _check_owners(self) -> None:
        """Refuse what another user may have written, also for root: whoever writes the ledger decides who is paged.

        :raises StoreLost: the user must choose another path, or change an owner or a mode.
        """
        real = Path(os.path.realpath(self.path))  # beside which SQLite keeps its journal
        user = os.geteuid()
        for path in (self.path, *(real.with_name(real.name + ending) for ending in ("", *_BESIDE))):
            status = _status_of(path)
            # a link of root is an administrator's
            if status and status.st_uid != user and not (stat.S_ISLNK(status.st_mode) and status.st_uid == 0):
                raise StoreLost(self._refusal(_belongs_to(path, status)))
        directory = _status_of(real.parent)
        if directory and directory.st_uid not in (user, 0):
            raise StoreLost(self._refusal(_belongs_to(real.parent, directory)))
        if directory and directory.st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
            raise StoreLost(self._refusal(f"every user can write to {real.parent}"))

    def _refusal(self, problem: str) -> str:
        return (
            f"The store {self.path} is not used: {problem}. It is not known which incidents are open. "
            "Set state_url to a file in a directory of your own. If you trust the file, you can correct the owner or "
            "the mode instead, with chown or chmod."
        )

    def _create(self) -> None:
        """Create directories and file if they are missing, accessible only to their owner."""
        try:
            for directory in reversed(self.path.parents):
                if not directory.exists():
                    # not mkdir(parents=True): the directories in between would get the umask's mode
                    directory.mkdir(mode=0o700, exist_ok=True)
            self._check_owners()
            try:
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                pass
            status = self._stat()
            self._check_format()
            if status and stat.S_IMODE(status.st_mode) != 0o600:
                self.path.chmod(0o600)  # SQLite gives its journal the same mode
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be created: {error}") from error

    def _check_format(self) -> None:
        """Refuse a file that SQLite did not write: ``state_url`` may name it by mistake, so it must stay unchanged.

        :raises StoreLost: the file is not an SQLite file. :raises StoreError: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be read: {error}") from error
        if start not in (b"", _MAGIC):
            raise StoreLost(
                f"{self.path} is not an SQLite file and is left unchanged. It is not known which incidents are open. "
                "Remove the file, or set state_url to another one."
            )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        # mode=rw: SQLite must not create the file, which would get the umask's mode
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        opened = self._stat()
        self._check_format()
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=self._patience, isolation_level=None)) as connection:
                connection.text_factory = bytes  # invalid UTF-8 makes one ledger unreadable, not the whole store
                yield connection
        except sqlite3.Error as error:
            # "not a database" and "malformed" are raised as exactly this class, temporary errors (locked, full) as
            # subclasses of it.
            if error.__class__ is not sqlite3.DatabaseError:
                # sqlite_errorcode exists only since Python 3.11
                kind = StoreBusy if "locked" in str(error) else StoreError
                raise kind(f"The store {self.path} cannot be used: {error}") from error
            raise StoreLost(self._set_aside(opened, error)) from error

    def _set_aside(self, opened: os.stat_result | None, error: Exception) -> str:
        """Rename a broken file, so that the next run creates a new one. Return the message for the user."""
        renamed = self.path.with_name(self.path.name + ".broken")
        try:
            # another process may have renamed it already, and created a new one
            if opened and os.path.samestat(self.path.stat(), opened):
                self.path.replace(renamed)
        except FileNotFoundError:
            pass
        except OSError as problem:
            return f"The store {self.path} is broken ({error}) and cannot be renamed: {problem}. Remove it."
        return (
            f"The store {self.path} is broken ({error}) and was renamed to {renamed.name}. The next run creates a new "
            "one. It is no longer known which incidents are open."
        )


class _Statements:
    """Executes statements on a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, *values: Any) -> Sequence[Sequence[Any]]:
        return self._connection.execute(query, [storable(value) for value in values]).fetchall()

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(statement, [[storable(value) for value in row] for row in rows])


def _move_on(statements: Statements) -> None:
    """Move what version 1 kept into the present tables."""
    for name, document in statements.rows("SELECT base, document FROM ledgers"):
        base = text_of(name)
        try:
            save(statements, base, None, ledger_of_version_1(document))
        except ValueError:
            # Who reads it will set it aside, and warn.
            statements.write("INSERT INTO callgoose_ledgers VALUES (?, 0, ?)", [(base, text_of(document))])


def _status_of(path: Path) -> os.stat_result | None:
    """Return the status of a path, without following a link; None if there is none: then its use says why."""
    try:
        return path.lstat()
    except (OSError, ValueError):
        return None


def _belongs_to(path: Path, status: os.stat_result) -> str:
    return f"{path} belongs to user {_name_of(status.st_uid)}, but this run to user {_name_of(os.geteuid())}"


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)  # as in a container
