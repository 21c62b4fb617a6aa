# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps ledgers in a PostgreSQL database that several controllers share.

Must not use a connection after a fork. An update holds an advisory lock of its base, so
that READ COMMITTED is enough; all that it must know of the database comes with the lock, in one round trip.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import SHARED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_connection import (
    Connection,
    DatabaseError,
    Rows,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_url import ServerUrl
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sql_store import (
    TABLES,
    VERSION,
    SqlStore,
    Statements,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreBusy, StoreError

# What a database needs. IF NOT EXISTS: another process may be creating the same.
DDL = (
    *TABLES,
    "CREATE TABLE IF NOT EXISTS callgoose_schema (version INTEGER NOT NULL)",
    f"INSERT INTO callgoose_schema SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM callgoose_schema)",
)
_NAMES = "callgoose_ledgers, callgoose_incidents, callgoose_runs, callgoose_history"
GRANTS = (f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_NAMES} TO {{role}}", "GRANT SELECT ON callgoose_schema TO {role}")

# Minimum seconds for connecting and for the server's work: a distant server needs many round trips, and an unrecorded
# run cannot be made up for.
_WORK = 1.0
# Not as parameters of the connection: PgBouncer refuses them. If this machine loses its power, the server would keep
# the lock until it finds out, which can take hours.
_LIMITS = (
    "SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement}; "
    "SET LOCAL idle_in_transaction_session_timeout = 60000"
)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {limits}; SELECT version, 'off' FROM callgoose_schema"
_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; {limits}; SELECT pg_advisory_xact_lock({lock}); "
    "SELECT version, current_setting('transaction_read_only') FROM callgoose_schema"
)
_CREATE = (
    "ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED; {limits}; SELECT pg_advisory_xact_lock({lock}); {ddl}; COMMIT"
)

# https://www.postgresql.org/docs/13/errcodes-appendix.html
_NO_TABLE, _NO_SCHEMA, _NO_RIGHT, _READ_ONLY = "42P01", "3F000", "42501", "25006"
_TIMEOUTS = ("55P03", "57014", "40001", "40P01")
# What to do about errors that have no code, because they prevent the connection. libpq translates them: who has another
# language gets the message alone.
_REMEDIES = (
    (
        r"URI|connection option|invalid \S+ (value|number)|definition of service|service file|could not match",
        "Correct state_url",
    ),
    (
        "no pg_hba.conf entry",
        "If it misses encryption, add sslmode=require to state_url, else let its pg_hba.conf allow it",
    ),
    (
        "password|role .* does not exist",
        "Check the user and the password in state_url, PGPASSWORD or the file PGPASSFILE",
    ),
    ("database .* does not exist", "Create the database, or correct its name in state_url"),
    ("read-only|read-write", "state_url must name a server that can be written"),
    ("SSL|certificate", "Check sslmode and sslrootcert in state_url"),
    ("", "Check that the server runs, and that this controller can reach it"),
)


class PostgresqlStore(SqlStore):
    """A store in a PostgreSQL database.

    :param url: where it is.
    :param patience: maximum number of seconds that each call waits while another process changes the same base, and
        that connecting takes; a second at least for the latter.
    """

    memory = SHARED

    def __init__(self, url: ServerUrl, patience: float = 5.0) -> None:
        self.place = url.place
        self._url = url
        self._patience = patience
        self._connection: Connection | None = None
        self._role = ""

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def touch(self, base: str, id: str, task: str, now: float) -> None:
        try:
            super().touch(base, id, task, now)
        finally:
            self.close()  # in the middle of a run, from which Ansible forks

    @contextmanager
    def _reading(self) -> Iterator[Statements | None]:
        with self._errors_explained():
            try:
                rows = self._begun(_READ.format(limits=self._limits()))
            except DatabaseError as error:
                if error.sqlstate not in (_NO_TABLE, _NO_SCHEMA):
                    raise
                rows = []
            if not rows:
                self._connected().script("ROLLBACK")
                yield None
                return
            self._check(rows)
            connection = self._connected()
            yield connection
            connection.commit()

    @contextmanager
    def _writing(self, base: str) -> Iterator[Statements]:
        begin = _WRITE.format(limits=self._limits(), lock=_lock_of(base))
        with self._errors_explained():
            try:
                rows = self._begun(begin)
            except DatabaseError as error:
                if error.sqlstate not in (_NO_TABLE, _NO_SCHEMA):
                    raise
                rows = []
            if not rows:
                self._create_tables()
                rows = self._begun(begin)
            self._check(rows)
            connection = self._connected()
            yield connection
            connection.commit()

    def _begun(self, script: str) -> Rows:
        """Begin a transaction and return the last rows. A connection that the server has closed is renewed."""
        is_new = self._connection is None or not self._connection.is_own
        try:
            return self._script(script)
        except DatabaseError as error:
            if is_new or not error.is_lost:
                raise
        self.close()
        return self._script(script)

    def _script(self, script: str) -> Rows:
        connection = self._connected()
        # The server is to say first that it waited too long, because it says what for.
        connection.answers_within(self._patience + 2 * _WORK)
        return connection.script(script)

    def _connected(self) -> Connection:
        if self._connection and not self._connection.is_own:
            self.close()
        if not self._connection:
            self._connection = Connection(self._url, max(self._patience, _WORK))
            self._role = self._connection.role
        return self._connection

    def _create_tables(self) -> None:
        script = _CREATE.format(limits=self._limits(), lock=_lock_of(""), ddl="; ".join(DDL))
        try:
            self._script(script)
        except DatabaseError as error:
            if error.sqlstate not in (_NO_RIGHT, _NO_SCHEMA):
                raise
            # No StoreBusy: without tables, nothing is open.
            raise StoreError(
                f"The store {self.place} has no tables yet, and this user may not create them: {self._said(error)}. "
                f"Let an administrator of the database run: {self._ddl()}"
            ) from None

    def _ddl(self) -> str:
        return "; ".join((*DDL, *(grant.format(role=self._role) for grant in GRANTS))) + ";"

    def _check(self, rows: Rows) -> None:
        """Refuse a database that cannot be written, or that a newer version of this collection has changed.

        :raises StoreError: as said.
        """
        version, read_only = rows[0]
        if int(version) > VERSION:
            raise StoreBusy(
                f"The store {self.place} was written by a newer version of this collection and is left unchanged. "
                "Update the collection on this controller."
            )
        if read_only == b"on":
            raise DatabaseError("the database is read-only", _READ_ONLY)

    def _limits(self) -> str:
        wait = max(int(self._patience * 1000), 1)  # 0 would mean for ever
        return _LIMITS.format(lock=wait, statement=wait + int(_WORK * 1000))

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Turn errors into those of a store. After any exception, the connection is given up: the server rolls back."""
        try:
            yield
        except DatabaseError as error:
            self.close()
            raise self._explained(error) from None  # what libpq says is shown only redacted
        except BaseException:
            self.close()
            raise

    def _explained(self, error: DatabaseError) -> StoreError:
        problem = f"The store {self.place} cannot be used: {self._said(error)}."
        if error.sqlstate in _TIMEOUTS:
            return StoreBusy(f"{problem} Another run keeps it locked, or the server is too slow.")
        if error.sqlstate == _READ_ONLY:
            # No StoreBusy: it can be read.
            return StoreError(
                f"{problem} state_url must name a server that can be written. If it names several, add "
                "target_session_attrs=read-write."
            )
        if error.sqlstate in (_NO_RIGHT, _NO_TABLE):
            return StoreBusy(f"{problem} Let an administrator of the database run: {self._ddl()}")
        if error.sqlstate and not error.is_lost:
            return StoreBusy(f"{problem} The server's log says more.")
        remedy = next(remedy for pattern, remedy in _REMEDIES if re.search(pattern, str(error)))
        return StoreBusy(f"{problem} {remedy}.")

    def _said(self, error: DatabaseError) -> str:
        return self._url.redacted(str(error))


def _lock_of(base: str) -> int:
    digest = hashlib.sha256(f"callgoose.sqibs {base}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
