# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provides the stores in databases, so that a test can say what all of them promise.

Must not use a server other than the tests' own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sql_store import SqlStore


class Engine:
    """An empty database.

    :param url: for ``state_url``.
    :param execute: executes SQL on it, as an administrator of the database could.
    """

    def __init__(self, url: str, execute: Callable[[str], list[tuple]]) -> None:
        self.url = url
        self.execute = execute
        self._opened: list[SqlStore] = []

    def store(self, patience: float = 5.0) -> SqlStore:
        """Open the store once more, as another process would; the end of the test closes it."""
        # pytest reads this file before it makes the collection importable
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store

        store = open_store(self.url, patience)
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each kind of database in turn."""
    if request.param == "sqlite":
        path = tmp_path / "callgoose" / "state.db"

        def execute(statement: str) -> list[tuple]:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                return connection.execute(statement).fetchall()

        engine = Engine(f"sqlite://{path}", execute)
    else:
        server = request.getfixturevalue("postgresql")
        schema = server.new_schema()
        engine = Engine(server.url(options=f"-csearch_path={schema}"), lambda statement: server.sql(statement, schema))
    yield engine
    engine.close()
