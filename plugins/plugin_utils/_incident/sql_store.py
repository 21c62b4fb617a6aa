# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SQL stores share: the tables, and how a ledger is read from them and written to them.

Must use only SQL that SQLite and PostgreSQL 13 both understand, with ``?`` for a value, and execute few statements:
each may be a round trip to a server. An engine brings the transactions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.documents import (
    head_from_json,
    head_to_json,
    incident_from_json,
    incident_to_json,
    run_from_json,
    run_to_json,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Event, Incident, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreLost, T, Waiting, new_ledger

# Of the tables below and of the documents in them. A store with a higher version is left unchanged.
VERSION = 2
# The values of the column is_due.
_NOT_DUE, _DUE, _PARKED = 0, 1, 2
# The document of an incident holds all of it; the other columns are for searching.
TABLES = (
    "CREATE TABLE IF NOT EXISTS callgoose_ledgers "
    "(base TEXT PRIMARY KEY, overdue_after DOUBLE PRECISION NOT NULL, document TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS callgoose_incidents "
    "(base TEXT NOT NULL, incident_key TEXT NOT NULL, is_due INTEGER NOT NULL, not_before DOUBLE PRECISION NOT NULL, "
    "destination TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (base, incident_key))",
    "CREATE INDEX IF NOT EXISTS callgoose_incidents_due ON callgoose_incidents (is_due, not_before)",
    "CREATE INDEX IF NOT EXISTS callgoose_incidents_key ON callgoose_incidents (incident_key)",
    "CREATE TABLE IF NOT EXISTS callgoose_runs "
    "(base TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (base, id))",
    "CREATE TABLE IF NOT EXISTS callgoose_history "
    "(base TEXT NOT NULL, number INTEGER NOT NULL, at DOUBLE PRECISION NOT NULL, incident_key TEXT NOT NULL, "
    "event TEXT NOT NULL, PRIMARY KEY (base, number))",
)
_TABLES_BY_BASE = ("callgoose_ledgers", "callgoose_incidents", "callgoose_runs", "callgoose_history")
# Entries of the history that are kept for each base.
_HISTORY = 200
# How many keys one statement may name: SQLite's default limit is 999 in old versions.
_MOST_KEYS = 500
_UNREADABLE = "unreadable "


class Statements(Protocol):
    """Executes statements of one transaction."""

    def rows(self, query: str, *values: Any) -> Sequence[Sequence[Any]]:
        """Return what a query finds. Strings may be bytes."""

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once for each row of values, all together."""


class SqlStore(ABC):
    """A store in a database. :class:`store.Store` says what the methods do."""

    place = ""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Statements | None]:
        """Begin a transaction that only reads, and return what executes its statements; None if there is nothing yet.

        All of its queries see the same state.
        """

    @abstractmethod
    def _writing(self, base: str) -> AbstractContextManager[Statements]:
        """Begin a transaction in which no other process can change this base, and create the tables if needed.

        It is committed at the end of the ``with`` block, or rolled back if an exception leaves it.
        """

    def read(self, base: str, keys: Collection[str] | None = None) -> Ledger:
        with self._reading() as statements:
            if statements is None:
                return new_ledger()
            try:
                return _ledger(statements, base, keys) or new_ledger()
            except ValueError:
                pass  # another process may have renamed it meanwhile, so it is read again under a lock
        return self.update(base, lambda ledger: (ledger, ledger), keys)

    def update(self, base: str, change: Callable[[Ledger], tuple[Ledger, T]], keys: Collection[str] | None = None) -> T:
        with self._writing(base) as statements:
            try:
                before = _ledger(statements, base, keys)
            except ValueError as error:
                # Other ledgers may be intact, so they stay. The next run starts a new one.
                _set_aside(statements, base)
                problem = error
            else:
                ledger, result = change(before or new_ledger())
                save(statements, base, before, ledger)
                return result
        raise StoreLost(self._unreadable(problem)) from problem

    def touch(self, base: str, id: str, task: str, now: float) -> None:
        with self._writing(base) as statements:
            query = "SELECT document FROM callgoose_runs WHERE base = ? AND id = ?"
            for (document,) in statements.rows(query, base, id):
                try:
                    touched = run_to_json(replace(run_from_json(document), task=task, touched_at=now))
                except ValueError:
                    continue  # who reads the ledger sets it aside, and warns
                query = "UPDATE callgoose_runs SET document = ? WHERE base = ? AND id = ?"
                statements.write(query, [(touched, base, id)])

    def waiting(self, now: float) -> list[Waiting]:
        rows = self._rows(
            "SELECT not_before, base, incident_key, destination FROM callgoose_incidents "
            f"WHERE is_due = {_DUE} AND not_before <= ?",
            now,
        )
        # Sorted here, because each database sorts strings in its own way; likewise below.
        found = [(float(not_before), Waiting(*map(text_of, words))) for not_before, *words in rows]
        return [one for _not_before, one in sorted(found, key=lambda pair: (pair[0], pair[1].base, pair[1].key))]

    def parked(self) -> list[Waiting]:
        rows = self._rows(f"SELECT base, incident_key, destination FROM callgoose_incidents WHERE is_due = {_PARKED}")
        return sorted((Waiting(*map(text_of, row)) for row in rows), key=lambda one: (one.base, one.key))

    def bases(self, watched: bool = False) -> list[str]:
        query = "SELECT base FROM callgoose_ledgers"
        if watched:
            query += " WHERE overdue_after > 0 UNION SELECT base FROM callgoose_runs"
        return _readable(self._rows(query))

    def bases_of(self, key: str) -> list[str]:
        return _readable(self._rows("SELECT base FROM callgoose_incidents WHERE incident_key = ?", key))

    def history(self, base: str, most: int) -> list[Event]:
        rows = self._rows(
            "SELECT at, incident_key, event FROM callgoose_history WHERE base = ? ORDER BY number DESC LIMIT ?",
            base,
            most,
        )
        return [Event(float(at), text_of(key), text_of(event)) for at, key, event in reversed(rows)]

    def close(self) -> None:
        # Nothing stays open, unless an engine says otherwise.
        return

    def _rows(self, query: str, *values: Any) -> Sequence[Sequence[Any]]:
        with self._reading() as statements:
            return statements.rows(query, *values) if statements else ()

    def _unreadable(self, error: Exception) -> str:
        return (
            f"A ledger in {self.place} is unreadable ({error}) and was renamed there. The next run starts a new one. "
            "It is no longer known which incidents of this playbook are open."
        )


def save(statements: Statements, base: str, before: Ledger | None, after: Ledger) -> None:
    """Write what has changed.

    :param before: the ledger as it was read; None if there was none.
    """
    head = head_to_json(after)
    if before is None:
        statements.write("INSERT INTO callgoose_ledgers VALUES (?, ?, ?)", [(base, after.overdue_after, head)])
        before = Ledger(after.id)
    elif head != head_to_json(before):
        query = "UPDATE callgoose_ledgers SET overdue_after = ?, document = ? WHERE base = ?"
        statements.write(query, [(after.overdue_after, head, base)])
    statements.write(
        "DELETE FROM callgoose_incidents WHERE base = ? AND incident_key = ?",
        [(base, key) for key in before.incidents.keys() - after.incidents.keys()],
    )
    statements.write(
        "INSERT INTO callgoose_incidents VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (base, incident_key) DO UPDATE "
        "SET is_due = excluded.is_due, not_before = excluded.not_before, destination = excluded.destination, "
        "document = excluded.document",
        [_row_of(base, one) for key, one in after.incidents.items() if one != before.incidents.get(key)],
    )
    statements.write(
        "DELETE FROM callgoose_runs WHERE base = ? AND id = ?",
        [(base, id) for id in before.runs.keys() - after.runs.keys()],
    )
    statements.write(
        "INSERT INTO callgoose_runs VALUES (?, ?, ?) ON CONFLICT (base, id) DO UPDATE SET document = excluded.document",
        [(base, id, run_to_json(run)) for id, run in after.runs.items() if run != before.runs.get(id)],
    )
    _append(statements, base, after.events)


def _row_of(base: str, incident: Incident) -> tuple[Any, ...]:
    wish = incident.wish
    is_due = _DUE if wish and wish.is_due else _PARKED if wish and wish.waiting else _NOT_DUE
    columns = (is_due, wish.not_before, wish.destination) if wish else (is_due, 0.0, "")
    return (base, incident.key, *columns, incident_to_json(incident))


def _append(statements: Statements, base: str, events: Sequence[Event]) -> None:
    """Append to the history of a base, and drop its oldest entries."""
    events = events[-_HISTORY:]
    if not events:
        return
    query = "SELECT coalesce(max(number), 0) FROM callgoose_history WHERE base = ?"
    last = int(statements.rows(query, base)[0][0])
    statements.write(
        "INSERT INTO callgoose_history VALUES (?, ?, ?, ?, ?)",
        [(base, number, one.at, one.key, one.text) for number, one in enumerate(events, last + 1)],
    )
    if (dropped := last + len(events) - _HISTORY) > 0:
        statements.write("DELETE FROM callgoose_history WHERE base = ? AND number <= ?", [(base, dropped)])


def _ledger(statements: Statements, base: str, keys: Collection[str] | None) -> Ledger | None:
    """Return the ledger of this base; None if there is none.

    :raises ValueError: it cannot be read.
    """
    rows = statements.rows("SELECT document FROM callgoose_ledgers WHERE base = ?", base)
    if not rows:
        return None
    ledger = head_from_json(rows[0][0])
    runs = statements.rows("SELECT id, document FROM callgoose_runs WHERE base = ?", base)
    notes = {text_of(id): run_from_json(document) for id, document in runs}
    ledger = replace(ledger, runs=dict(sorted(notes.items())))
    query = "SELECT incident_key, document FROM callgoose_incidents WHERE base = ?"
    found: list[Sequence[Any]] = []
    if keys is None:
        found += statements.rows(query, base)
    else:
        wanted = sorted(keys)
        for start in range(0, len(wanted), _MOST_KEYS):
            some = wanted[start : start + _MOST_KEYS]
            found += statements.rows(f"{query} AND incident_key IN ({', '.join('?' * len(some))})", base, *some)
    incidents = {text_of(key): incident_from_json(text_of(key), document) for key, document in found}
    return replace(ledger, incidents=dict(sorted(incidents.items())))


def _set_aside(statements: Statements, base: str) -> None:
    """Rename a base that cannot be read, in all tables."""
    renamed = _UNREADABLE + base
    for table in _TABLES_BY_BASE:
        statements.write(f"DELETE FROM {table} WHERE base = ?", [(renamed,)])
        statements.write(f"UPDATE {table} SET base = ? WHERE base = ?", [(renamed, base)])
    # Nobody has to watch it, or to send what it holds.
    statements.write("DELETE FROM callgoose_runs WHERE base = ?", [(renamed,)])
    statements.write("UPDATE callgoose_ledgers SET overdue_after = 0 WHERE base = ?", [(renamed,)])
    statements.write(
        "UPDATE callgoose_incidents SET is_due = ? WHERE base = ?",
        [
            (
                _NOT_DUE,
                renamed,
            )
        ],
    )


def _readable(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the bases in the first column, without those that were set aside."""
    return sorted(base for row in rows if not (base := text_of(row[0])).startswith(_UNREADABLE))


def text_of(value: str | bytes) -> str:
    """Return a string of the database. They come as bytes, so that invalid UTF-8 makes one ledger unreadable only."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def storable(value: Any) -> Any:
    """Return a value without characters that no database accepts; a host's name or a user's key can have them."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
