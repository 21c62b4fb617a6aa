# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SQL stores share: the tables, and how a ledger is read from them and written to them.

Must use only SQL that SQLite and PostgreSQL both understand, with ``?`` for a value. An engine brings the transactions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.documents import (
    head_from_json,
    head_to_json,
    incident_from_json,
    incident_to_json,
    run_from_json,
    run_to_json,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Event, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreLost, T, Waiting, new_ledger

# Of the tables below and of the documents in them. A store with a higher version is left unchanged.
VERSION = 2
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

Execute = Callable[..., Sequence[Sequence[Any]]]


class SqlStore(ABC):
    """A store in a database. :class:`store.Store` says what the methods do."""

    place = ""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Execute | None]:
        """Begin a transaction that only reads, and return what executes a statement; None if there is nothing yet."""

    @abstractmethod
    def _writing(self, base: str) -> AbstractContextManager[Execute]:
        """Begin a transaction in which no other process can change this base, and create the tables if needed.

        It is committed at the end of the ``with`` block, or rolled back if an exception leaves it.
        """

    def read(self, base: str, keys: Collection[str] | None = None) -> Ledger:
        with self._reading() as execute:
            if execute is None:
                return new_ledger()
            try:
                return self._ledger(execute, base, keys) or new_ledger()
            except ValueError as error:
                problem = error
        with self._writing(base) as execute:
            self._set_aside_base(execute, base)
        raise StoreLost(self._unreadable(problem)) from problem

    def update(
        self, base: str, change: Callable[[Ledger], tuple[Ledger, T]], keys: Collection[str] | None = None
    ) -> T:
        with self._writing(base) as execute:
            try:
                before = self._ledger(execute, base, keys)
            except ValueError as error:
                # Other ledgers may be intact, so they stay. The next run starts a new one.
                self._set_aside_base(execute, base)
                problem = error
            else:
                ledger, result = change(before or new_ledger())
                save(execute, base, before, ledger)
                return result
        raise StoreLost(self._unreadable(problem)) from problem

    def touch(self, base: str, id: str, task: str, now: float) -> None:
        with self._writing(base) as execute:
            rows = execute("SELECT document FROM callgoose_runs WHERE base = ? AND id = ?", base, id)
            if rows:
                document = run_to_json(replace(run_from_json(rows[0][0]), task=task, touched_at=now))
                execute("UPDATE callgoose_runs SET document = ? WHERE base = ? AND id = ?", document, base, id)

    def waiting(self, now: float) -> list[Waiting]:
        rows = self._rows(
            "SELECT base, incident_key, destination FROM callgoose_incidents WHERE is_due = 1 AND not_before <= ? "
            "ORDER BY not_before, base, incident_key",
            now,
        )
        return [Waiting(*map(_text, row)) for row in rows]

    def bases(self, watched: bool = False) -> list[str]:
        query = "SELECT base FROM callgoose_ledgers"
        if watched:
            query += " WHERE overdue_after > 0 UNION SELECT base FROM callgoose_runs"
        return sorted(_text(row[0]) for row in self._rows(query) if not _text(row[0]).startswith(_UNREADABLE))

    def bases_of(self, key: str) -> list[str]:
        rows = self._rows("SELECT base FROM callgoose_incidents WHERE incident_key = ? ORDER BY base", key)
        return [_text(row[0]) for row in rows]

    def history(self, base: str, most: int) -> list[Event]:
        rows = self._rows(
            "SELECT at, incident_key, event FROM callgoose_history WHERE base = ? ORDER BY number DESC LIMIT ?",
            base,
            most,
        )
        return [Event(float(at), _text(key), _text(event)) for at, key, event in reversed(rows)]

    def close(self) -> None:
        """Nothing stays open, unless an engine says otherwise."""

    def _rows(self, query: str, *values: Any) -> Sequence[Sequence[Any]]:
        with self._reading() as execute:
            return execute(query, *values) if execute else ()

    @staticmethod
    def _ledger(execute: Execute, base: str, keys: Collection[str] | None) -> Ledger | None:
        """Return the ledger of this base; None if there is none.

        :raises ValueError: it cannot be read.
        """
        rows = execute("SELECT document FROM callgoose_ledgers WHERE base = ?", base)
        if not rows:
            return None
        ledger = head_from_json(rows[0][0])
        runs = execute("SELECT id, document FROM callgoose_runs WHERE base = ?", base)
        ledger = replace(ledger, runs={_text(id): run_from_json(document) for id, document in runs})
        found: Sequence[Sequence[Any]]
        if keys is None:
            found = execute("SELECT incident_key, document FROM callgoose_incidents WHERE base = ?", base)
        else:
            query = "SELECT incident_key, document FROM callgoose_incidents WHERE base = ? AND incident_key = ?"
            found = [row for key in sorted(keys) for row in execute(query, base, key)]
        incidents = {_text(key): incident_from_json(_text(key), document) for key, document in found}
        return replace(ledger, incidents=dict(sorted(incidents.items())))

    @staticmethod
    def _set_aside_base(execute: Execute, base: str) -> None:
        """Rename a base that cannot be read, in all tables."""
        for table in _TABLES_BY_BASE:
            execute(f"DELETE FROM {table} WHERE base = ?", _UNREADABLE + base)
            execute(f"UPDATE {table} SET base = ? WHERE base = ?", _UNREADABLE + base, base)
        execute("UPDATE callgoose_ledgers SET overdue_after = 0 WHERE base = ?", _UNREADABLE + base)
        execute("UPDATE callgoose_incidents SET is_due = 0 WHERE base = ?", _UNREADABLE + base)

    def _unreadable(self, error: Exception) -> str:
        return (
            f"A ledger in {self.place} is unreadable ({error}) and was renamed there. The next run starts a new one. "
            "It is no longer known which incidents of this playbook are open."
        )


_UNREADABLE = "unreadable "


def save(execute: Execute, base: str, before: Ledger | None, after: Ledger) -> None:
    """Write what has changed.

    :param before: the ledger as it was read; None if there was none.
    """
    head = head_to_json(after)
    if before is None:
        execute("INSERT INTO callgoose_ledgers VALUES (?, ?, ?)", base, after.overdue_after, head)
        before = Ledger(after.id)
    elif head != head_to_json(before):
        query = "UPDATE callgoose_ledgers SET overdue_after = ?, document = ? WHERE base = ?"
        execute(query, after.overdue_after, head, base)
    for key in before.incidents.keys() - after.incidents.keys():
        execute("DELETE FROM callgoose_incidents WHERE base = ? AND incident_key = ?", base, key)
    for key, incident in after.incidents.items():
        if incident != before.incidents.get(key):
            wish = incident.wish
            columns = (int(wish.is_due), wish.not_before, wish.destination) if wish else (0, 0.0, "")
            execute(
                "INSERT INTO callgoose_incidents VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (base, incident_key) DO UPDATE "
                "SET is_due = excluded.is_due, not_before = excluded.not_before, destination = excluded.destination, "
                "document = excluded.document",
                *(base, key, *columns, incident_to_json(incident)),
            )
    for id in before.runs.keys() - after.runs.keys():
        execute("DELETE FROM callgoose_runs WHERE base = ? AND id = ?", base, id)
    for id, run in after.runs.items():
        if run != before.runs.get(id):
            execute(
                "INSERT INTO callgoose_runs VALUES (?, ?, ?) ON CONFLICT (base, id) DO UPDATE "
                "SET document = excluded.document",
                *(base, id, run_to_json(run)),
            )
    if after.events:
        last = execute("SELECT coalesce(max(number), 0) FROM callgoose_history WHERE base = ?", base)[0][0]
        for number, event in enumerate(after.events, last + 1):
            row = (base, number, event.at, event.key, event.text)
            execute("INSERT INTO callgoose_history VALUES (?, ?, ?, ?, ?)", *row)
        kept = last + len(after.events) - _HISTORY
        if kept > 0:
            execute("DELETE FROM callgoose_history WHERE base = ? AND number <= ?", base, kept)


def _text(value: str | bytes) -> str:
    """Return a string of the database. SQLite's are bytes, so that invalid UTF-8 makes one ledger unreadable only."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
