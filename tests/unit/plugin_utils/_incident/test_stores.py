# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how ``state_url`` names a store, and what the memory store keeps.

Must not create a file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    NONE,
    OWN,
    SHARED,
    Incident,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    StoreBusy,
    StoreError,
    new_ledger,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import (
    MemoryStore,
    open_store,
)

PACKAGE = "ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident"


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


@pytest.mark.parametrize("url", ["", "state.db", "/var/lib/state.db", "sqlite:/state.db", "host=db password=hunter2"])
def test_what_is_no_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(url)
    assert str(refused.value) == (
        "state_url: it is not a URL. Use sqlite:///path/to/file or postgresql://host/database."
    )


@pytest.mark.parametrize("kind", ["mysql", "postgresql+psycopg", "https", "SQLITE"])
def test_other_kinds_are_refused_with_examples_and_without_showing_the_password(kind: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(f"{kind}://user:hunter2@host/db")
    assert str(refused.value) == (
        f"state_url: stores of the kind {kind} are not supported. "
        "Use sqlite:///path/to/file or postgresql://host/database."
    )


@pytest.mark.parametrize("url", ["postgresql://user:hunter2/@host/db", "postgres://user:hunter2%@host/db"])
def test_a_password_with_a_character_that_must_be_encoded_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StoreError, match=r"^state_url: .* Write ") as refused:
        open_store(url)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgresql_url_names_a_server_and_uses_nothing_yet(scheme: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    store = open_store(f"{scheme}://user:hunter2@no-such-host.invalid/callgoose")
    assert store.memory == SHARED
    assert store.place == "postgresql://no-such-host.invalid/callgoose"
    assert "hunter2" not in repr(vars(store))


def test_a_python_without_psycopg_is_reported_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in ("postgresql_connection", "postgresql_store"):
        monkeypatch.delitem(sys.modules, f"{PACKAGE}.{name}", raising=False)
        monkeypatch.delattr(f"{PACKAGE}.{name}", raising=False)
    with pytest.raises(StoreBusy) as refused:
        open_store("postgresql://user:hunter2@host/db")
    assert str(refused.value).startswith(
        "state_url: postgresql://host/db needs the Python package psycopg, version 3.1"
    )
    assert f"Install it with: {sys.executable} -m pip install 'psycopg[binary]>=3.1'" in str(refused.value)


@pytest.mark.parametrize("url", ["sqlite:///state.db", "mysql://host/db"])
def test_psycopg_is_imported_only_for_a_postgresql_url(url: str) -> None:
    code = (
        "import contextlib, sys\n"
        f"from {PACKAGE} import reconcile, store, stores\n"
        f"with contextlib.suppress(store.StoreError): stores.open_store({url!r})\n"
        "sys.exit('psycopg' in sys.modules)"
    )
    path = {**os.environ, "PYTHONPATH": os.environ["SQIBS_TEST_COLLECTIONS"]}
    subprocess.run([sys.executable, "-c", code], check=True, env=path)


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


def test_the_memory_store_has_all_that_a_store_must_have() -> None:
    store = MemoryStore()
    incidents = {"key": Incident("key", Scope())}
    store.update("b", lambda ledger: (replace(ledger, incidents=incidents), None), ())
    store.update("a", lambda ledger: (ledger, None))
    store.touch("b", "run", "a task", 1.0)
    assert (store.bases(), store.bases_of("key")) == (["a", "b"], ["b"])
    assert (store.waiting(1e12), store.history("b", 5)) == ([], []), "nobody else could send or read it"
    store.close()
    assert store.read("b", ("key",)).incidents == incidents


def test_each_new_ledger_has_an_id_of_its_own() -> None:
    assert new_ledger().id != new_ledger().id
