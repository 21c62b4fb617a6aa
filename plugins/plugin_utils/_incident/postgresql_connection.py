# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to a PostgreSQL server, none of whose calls takes longer than it may.

Must not know the tables. It uses psycopg's wrapper of libpq (https://www.psycopg.org/psycopg3/docs/api/pq.html) instead
of its connections: those wait for a server that has stopped to answer as long as it pleases, and connect in whole
seconds.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_url import ServerUrl
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sql_store import storable

try:
    from psycopg import Error, pq
except ImportError as error:  # also if there is no libpq
    MISSING: ImportError | None = error
else:
    MISSING = None

# Documents need UTF-8, whatever the environment says. The other one is for the server's administrator.
_OWN_PARAMETERS = {"client_encoding": "UTF8", "fallback_application_name": "callgoose.sqibs"}

Rows = Sequence[Sequence[Any]]


class DatabaseError(Exception):
    """The server or libpq reported a problem.

    :param sqlstate: https://www.postgresql.org/docs/current/errcodes-appendix.html; empty if libpq reported it.
    :param is_lost: the connection is no longer there.
    """

    def __init__(self, message: str, sqlstate: str = "", is_lost: bool = False) -> None:
        super().__init__("; ".join(line.strip() for line in message.splitlines() if line.strip()).rstrip(".?"))
        self.sqlstate = sqlstate
        self.is_lost = is_lost


def can_pipeline() -> bool:
    """Return whether libpq can send many statements before it reads the first answer; version 14 and newer can."""
    return pq.version() >= 140000


class Connection:
    """A connection of this process. A forked child must only :meth:`close` it.

    :param seconds: how long connecting may take.
    :raises DatabaseError: there is no connection; all methods likewise.
    """

    def __init__(self, url: ServerUrl, seconds: float) -> None:
        self._process = os.getpid()
        self._pending: list[tuple[bytes, list[bytes]]] = []
        deadline = time.monotonic() + seconds
        attempts = _attempts(url.conninfo)
        for left in range(len(attempts), 0, -1):
            now = time.monotonic()
            try:
                # libpq would wait for a host that does not answer until nothing is left for the others
                self._pgconn = _connected(attempts[-left], now + (deadline - now) / left)
                break
            except DatabaseError:
                if left == 1:
                    raise

        self._left = seconds
        is_utf8 = self._pgconn.parameter_status(b"server_encoding") == b"UTF8"
        self._encoding = "utf-8" if is_utf8 else "ascii"  # what both can hold; documents are ASCII in any case

    def answers_within(self, seconds: float) -> None:
        """Set how long all answers from now on may take together, however long this process does something else."""
        self._left = seconds

    def script(self, statements: str) -> Rows:
        """Execute statements without values, separated by semicolons, and return the rows of the last one."""
        with _lost_if_it_fails():
            self._pgconn.send_query(statements.encode())
            return self._answer()

    def rows(self, query: str, *values: Any) -> Rows:
        """Return the rows of a query as bytes. ``?`` stands for a value."""
        self._pending.append((_numbered(query), self._encoded(values)))
        return self._send()

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once for each row of values, at the latest when something else is executed."""
        self._pending += [(_numbered(statement), self._encoded(row)) for row in rows]

    def commit(self) -> None:
        """Execute what is left and end the transaction, in one round trip."""
        self._pending.append((b"COMMIT", []))
        self._send()

    def close(self) -> None:
        """Close it. In a forked child, nothing is said to the server: the connection is the parent's."""
        if self.is_own:
            self._pgconn.finish()
        else:
            try:
                os.close(self._pgconn.socket)
            except (OSError, Error):
                pass  # closed already

    @property
    def role(self) -> str:
        """The user's name, as in SQL."""
        return '"{}"'.format(self._pgconn.user.decode("utf-8", "replace").replace('"', '""'))

    @property
    def is_own(self) -> bool:
        """Whether this process opened it."""
        return self._process == os.getpid()

    def _send(self) -> Rows:
        """Execute the pending statements and return the rows of the last one."""
        pending, self._pending = self._pending, []
        found: Rows = ()
        with _lost_if_it_fails():
            if len(pending) > 1 and can_pipeline():
                return self._send_together(pending)
            for statement, values in pending:
                self._pgconn.send_query_params(statement, values)
                found = self._answer()
        return found

    def _send_together(self, pending: Sequence[tuple[bytes, list[bytes]]]) -> Rows:
        found: Rows = ()
        self._pgconn.enter_pipeline_mode()
        for statement, values in pending:
            self._pgconn.send_query_params(statement, values)
        self._pgconn.pipeline_sync()
        for _statement in pending:
            found = self._answer()
        self._result(time.monotonic() + self._left)  # says that all answers have come
        self._pgconn.exit_pipeline_mode()
        return found

    def _answer(self) -> Rows:
        """Return the rows of the last result of what was sent."""
        began = time.monotonic()
        deadline = began + self._left
        found: Rows = ()
        problem: DatabaseError | None = None
        # All results must be taken, even after an error, before libpq sends anything else.
        while result := self._result(deadline):
            if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
                problem = problem or self._error(result)
            columns = range(result.nfields)
            found = [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]
        self._left -= time.monotonic() - began
        if problem:
            raise problem
        return found

    def _result(self, deadline: float) -> pq.abc.PGresult | None:
        while self._pgconn.flush():
            _wait(self._pgconn.socket, select.POLLIN | select.POLLOUT, deadline)
            self._pgconn.consume_input()
        while self._pgconn.is_busy():
            _wait(self._pgconn.socket, select.POLLIN, deadline)
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _encoded(self, values: Sequence[Any]) -> list[bytes]:
        return [str(storable(value)).encode(self._encoding, "backslashreplace") for value in values]

    def _error(self, result: pq.abc.PGresult) -> DatabaseError:
        state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
        # A server that ends the connection says so first, and libpq notices the end only when it reads on.
        is_lost = self._pgconn.status == pq.ConnStatus.BAD or state.startswith((b"08", b"57P"))
        return DatabaseError(message.decode("utf-8", "replace"), state.decode("ascii", "replace"), is_lost)


def _connected(conninfo: bytes, deadline: float) -> pq.abc.PGconn:
    pgconn = pq.PGconn.connect_start(conninfo)
    try:
        with _lost_if_it_fails():
            _poll_until_connected(pgconn, deadline)
            pgconn.nonblocking = 1
    except BaseException:
        pgconn.finish()
        raise
    return pgconn


def _poll_until_connected(pgconn: pq.abc.PGconn, deadline: float) -> None:
    if pgconn.status == pq.ConnStatus.BAD:
        raise DatabaseError(_message_of(pgconn))
    awaited = select.POLLOUT
    while True:
        _wait(pgconn.socket, awaited, deadline)
        status = pgconn.connect_poll()
        if status == pq.PollingStatus.OK:
            return
        if status == pq.PollingStatus.FAILED:
            raise DatabaseError(_message_of(pgconn))
        awaited = select.POLLIN if status == pq.PollingStatus.READING else select.POLLOUT


@contextmanager
def _lost_if_it_fails() -> Iterator[None]:
    """libpq's own calls fail only if the connection is gone."""
    try:
        yield
    except Error as error:
        raise DatabaseError(str(error), is_lost=True) from None  # it can quote the password


def _attempts(conninfo: str) -> list[bytes]:
    """Return the connection string for each of the hosts in a URL."""
    try:
        given = {one.keyword.decode(): one.val.decode() for one in pq.Conninfo.parse(conninfo.encode()) if one.val}
    except (Error, UnicodeError) as error:
        raise DatabaseError(str(error)) from None  # it can quote the password
    given.update(_OWN_PARAMETERS)
    lists = {name: given.get(name, "").split(",") for name in ("host", "hostaddr", "port")}
    number = max(map(len, lists.values()))
    # As in libpq, one port is for all hosts. What else does not match is left to libpq to complain about.
    if number == 1 or any(len(some) not in (1, number) for some in lists.values()):
        return [_joined(given)]
    expanded = {name: some * number if len(some) == 1 else some for name, some in lists.items()}
    return [_joined({**given, **{name: expanded[name][one] for name in expanded}}) for one in range(number)]


def _joined(parameters: dict[str, str]) -> bytes:
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in parameters.items() if value}
    return " ".join(f"{name}='{value}'" for name, value in quoted.items()).encode()


def _wait(socket: int, events: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(socket, events)
    if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
        raise DatabaseError("the server does not answer in time")


def _message_of(pgconn: pq.abc.PGconn) -> str:
    return pgconn.error_message.decode("utf-8", "replace")


@lru_cache(maxsize=64)
def _numbered(statement: str) -> bytes:
    """Return a statement with PostgreSQL's ``$1`` instead of ``?``."""
    numbers = count(1)
    return re.sub(r"\?", lambda _found: f"${next(numbers)}", statement).encode()
