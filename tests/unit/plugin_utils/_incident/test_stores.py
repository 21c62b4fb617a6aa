# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how ``state_url`` names a store, and what the memory store keeps.

Must not create a file.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    NONE,
    OWN,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    StoreError,
    new_ledger,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import (
    MemoryStore,
    open_store,
)


@pytest.mark.parametrize(
    "url, path",
    [
        ("sqlite:///var/lib/callgoose/state.db", "/var/lib/callgoose/state.db"),
        ("sqlite:////var/lib/callgoose/state.db", "/var/lib/callgoose/state.db"),
        ("sqlite:///~/state.db", "/home/alice/state.db"),
        ("sqlite:////~/state.db", "/home/alice/state.db"),
        ("sqlite:///a directory/50%20?#.db", "/a directory/50%20?#.db"),
    ],
)
def test_an_sqlite_url_names_a_path(monkeypatch: pytest.MonkeyPatch, url: str, path: str) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    store = open_store(url)
    assert store.path == Path(path)
    assert store.memory == OWN


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:////", "sqlite://state.db", "sqlite://~/state.db", "sqlite:///a\0b"],
)
def test_an_sqlite_url_without_an_absolute_path_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"^state_url: .* sqlite:///path/to/file"):
        open_store(url)


def test_the_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(StoreError, match=r"^state_url: .* Use an absolute path"):
        open_store("sqlite:///~nobody-has-this-name/state.db")


@pytest.mark.parametrize("url", ["", "state.db", "/var/lib/state.db", "sqlite:/state.db", "postgresql://host/db"])
def test_other_urls_are_refused_with_an_example(url: str) -> None:
    with pytest.raises(
        StoreError, match=r"^state_url: stores of the kind .* are not supported. Use sqlite:///path/to/file"
    ):
        open_store(url)


def test_a_url_that_is_refused_does_not_show_its_password() -> None:
    with pytest.raises(StoreError) as refused:
        open_store("postgresql://user:hunter2@host/db")
    assert "hunter2" not in str(refused.value)


def test_a_python_without_sqlite_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    monkeypatch.delitem(
        sys.modules, "ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sqlite_store", raising=False
    )
    with pytest.raises(StoreError, match="this Python has no sqlite3 module"):
        open_store("sqlite:///state.db")


def test_the_memory_store_keeps_ledgers_until_the_process_ends() -> None:
    store = MemoryStore()
    assert store.memory == NONE
    result = store.update("base", lambda ledger: (replace(ledger, sequence=1), "result"))
    assert result == "result"
    assert store.read("base").sequence == 1
    assert store.read("another").sequence == 0
    assert MemoryStore().read("base").sequence == 0


def test_a_change_that_fails_changes_nothing_in_the_memory_store_either() -> None:
    store = MemoryStore()
    store.update("base", lambda ledger: (replace(ledger, sequence=1), None))
    with pytest.raises(ZeroDivisionError):
        store.update("base", lambda ledger: (replace(ledger, sequence=1 // 0), None))
    assert store.read("base").sequence == 1


def test_each_new_ledger_has_an_id_of_its_own() -> None:
    assert new_ledger().id != new_ledger().id
