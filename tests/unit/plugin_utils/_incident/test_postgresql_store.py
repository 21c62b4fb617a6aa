# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what only the store in PostgreSQL has: connections, rights, versions, and how few round trips it needs.

Must leave the server as it was; test_postgresql_faults.py has one of its own to maltreat.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident import postgresql_connection
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    SHARED,
    Event,
    Incident,
    Ledger,
    RunNote,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sql_store import SqlStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreBusy, StoreError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store
from ansible_collections.callgoose.sqibs.tests.waiting import wait_for

FORK = multiprocessing.get_context("fork")


def counted(ledger: Ledger) -> tuple[Ledger, int]:
    return replace(ledger, sequence=ledger.sequence + 1), ledger.sequence + 1


@pytest.fixture
def schema(postgresql: Any) -> str:
    return postgresql.new_schema()


@pytest.fixture
def url(postgresql: Any, schema: str) -> str:
    return postgresql.url(options=f"-csearch_path={schema}", application_name=schema)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    assert isinstance(store, SqlStore)
    yield store
    store.close()


@pytest.fixture
def sessions(postgresql: Any, schema: str) -> Callable[[], int]:
    """Counts the connections that the store of this test has at the server."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{schema}'"
    return lambda: postgresql.sql(query)[0][0]


def refused(store: SqlStore, use: str = "update") -> StoreError:
    with pytest.raises(StoreError) as problem:
        if use == "read":
            store.read("base")
        else:
            store.update("base", counted)
    return problem.value


# --- connections ---------------------------------------------------------------------------------------------------


def test_it_is_shared_between_controllers(store: SqlStore, postgresql: Any) -> None:
    assert store.memory == SHARED
    assert store.place == f"postgresql://127.0.0.1:{postgresql.port}/callgoose"


def test_there_is_one_connection_from_the_first_use_until_it_is_closed(
    store: SqlStore, sessions: Callable[[], int]
) -> None:
    assert sessions() == 0
    for _time in range(3):
        store.update("base", counted)
        store.read("base")
        assert sessions() == 1
    store.close()
    assert wait_for(lambda: sessions() == 0)


def test_a_touched_run_leaves_no_connection_behind(store: SqlStore, sessions: Callable[[], int]) -> None:
    run = RunNote("a controller", "12 34", 1.0, Scope(), "key")
    store.update("base", lambda ledger: (replace(ledger, runs={"run": run}), None))
    store.touch("base", "run", "a task", 5.0)
    assert wait_for(lambda: sessions() == 0)
    assert store.read("base").runs["run"].task == "a task"


@pytest.mark.parametrize("exception", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_the_connection_is_given_up(
    store: SqlStore, sessions: Callable[[], int], exception: type[BaseException]
) -> None:
    store.update("base", counted)

    def fail(_ledger: Ledger) -> tuple[Ledger, None]:
        raise exception

    with pytest.raises(exception):
        store.update("base", fail)
    assert wait_for(lambda: sessions() == 0)


def test_a_forked_child_does_not_keep_its_parents_connection_open(store: SqlStore, sessions: Callable[[], int]) -> None:
    store.update("base", counted)
    closed, done = FORK.Event(), FORK.Event()

    def stay() -> None:
        store.close()
        closed.set()
        done.wait(30)

    child = FORK.Process(target=stay)
    child.start()
    assert closed.wait(30)
    assert sessions() == 1 and store.update("base", counted) == 2, "the parent's connection was left alone"
    store.close()
    assert wait_for(lambda: sessions() == 0)
    done.set()
    child.join(30)


def test_a_connection_that_the_server_has_closed_meanwhile_is_renewed(
    store: SqlStore, schema: str, postgresql: Any
) -> None:
    store.update("base", counted)
    for use in (lambda: store.read("base").sequence, lambda: store.update("base", counted)):
        postgresql.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}'")
        assert use() in (1, 2)


def test_a_connection_that_is_lost_in_the_middle_changes_nothing(store: SqlStore, schema: str, postgresql: Any) -> None:
    store.update("base", counted)

    def change(ledger: Ledger) -> tuple[Ledger, int]:
        postgresql.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}'")
        return counted(ledger)

    with pytest.raises(StoreBusy, match=r"cannot be used: .*terminat"):
        store.update("base", change)
    assert store.read("base").sequence == 1
    assert store.update("base", counted) == 2


def test_an_update_of_one_base_does_not_hold_up_another(store: SqlStore, url: str) -> None:
    other = open_store(url, patience=0.5)
    store.update("base", counted)

    def change(ledger: Ledger) -> tuple[Ledger, int]:
        assert other.update("another", counted) == 1
        assert other.read("base").sequence == 1, "and readers see what was committed"
        return counted(ledger)

    assert store.update("base", change) == 2
    other.close()


def test_a_distant_server_needs_few_round_trips(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.update("base", counted)
    trips: list[str] = []
    for name in ("script", "_send"):
        call = getattr(postgresql_connection.Connection, name)

        def counting(self: Any, *arguments: Any, name: str = name, call: Any = call) -> Any:
            trips.append(name)
            return call(self, *arguments)

        monkeypatch.setattr(postgresql_connection.Connection, name, counting)

    def change(ledger: Ledger) -> tuple[Ledger, None]:
        incidents = {f"key {number}": Incident(f"key {number}", Scope()) for number in range(100)}
        events = tuple(Event(1.0, key, "opened") for key in incidents)
        return replace(ledger, sequence=9, incidents=incidents, events=events), None

    for keys, most in ((None, 6), ((), 4), (["key 1", "key 2"], 5)):
        trips.clear()
        store.update("base", change if keys is None else counted, keys)
        assert len(trips) <= most, f"{keys}: {trips}"
    trips.clear()
    assert len(store.read("base").incidents) == 100
    assert len(trips) == 5


def test_an_old_libpq_that_has_no_pipeline_does_the_same(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_connection, "can_pipeline", lambda: False)
    incidents = {key: Incident(key, Scope()) for key in ("a", "b", "c")}
    store.update("base", lambda ledger: (replace(ledger, incidents=incidents, events=(Event(1.0, "", "x"),)), None))
    assert dict(store.read("base").incidents) == incidents
    assert store.history("base", 5) == [Event(1.0, "", "x")]


# --- parameters that libpq has, and others do not need -------------------------------------------------------------


def test_a_password_may_come_from_the_environment(postgresql: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = re.sub(r":[^:@/]+@", "@", url)
    assert bare != url
    monkeypatch.setenv("PGPASSWORD", "wrong")
    assert "Check the user and the password" in str(refused(open_store(bare)))
    monkeypatch.setenv("PGPASSWORD", password_of(url))
    assert used(bare) == 1


def test_a_password_may_come_from_a_file(
    postgresql: Any, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:{postgresql.port}:*:ansible:{password_of(url)}\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert used(re.sub(r":[^:@/]+@", "@", url)) == 1


def test_everything_may_come_from_a_service_file(
    postgresql: Any, url: str, schema: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "pg_service.conf"
    server = f"host=127.0.0.1\nport={postgresql.port}\ndbname=callgoose\nuser=ansible\npassword={password_of(url)}\n"
    file.write_text(f"[paging]\n{server}options=-csearch_path={schema}\n", encoding="utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    assert used("postgresql://?service=paging") == 1
    problem = str(refused(open_store("postgresql://?service=other")))
    assert "(service other) cannot be used" in problem and "Correct state_url" in problem


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_names_of_the_scheme_and_several_hosts_are_understood(url: str, scheme: str) -> None:
    one = url.replace("postgresql://", f"{scheme}://")
    host = re.search(r"@([^/]+)/", one)
    assert host
    assert used(one.replace(host[1], f"127.0.0.1:1,{host[1]}")) == 1
    assert used(f"{one}&target_session_attrs=read-write") == 2


def password_of(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def used(url: str) -> int:
    """Use the store that a URL names, and return how often that was done."""
    store = open_store(url)
    try:
        return store.update("base", counted)
    finally:
        store.close()


# --- tables --------------------------------------------------------------------------------------------------------


def test_tables_are_created_with_the_first_change_and_silently(
    store: SqlStore, postgresql: Any, schema: str, capfd: pytest.CaptureFixture[str]
) -> None:
    query = f"SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'"
    store.read("base")
    assert postgresql.sql(query) == [(0,)]
    store.update("base", counted)
    assert postgresql.sql(query) == [(5,)]
    assert postgresql.sql("SELECT version FROM callgoose_schema", schema) == [(2,)]
    assert capfd.readouterr() == ("", "")


def test_a_database_that_cannot_hold_every_character_loses_nothing_but_how_it_is_written(postgresql: Any) -> None:
    postgresql.sql(
        "CREATE DATABASE western OWNER ansible ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    store = open_store(postgresql.url(database="western"))
    odd = Incident("key", Scope(("日本",)), held_back="ü €")
    store.update(
        "base", lambda ledger: (replace(ledger, incidents={"key": odd}, events=(Event(1.0, "", "ü €"),)), None)
    )
    assert dict(store.read("base").incidents) == {"key": odd}
    assert store.history("base", 1)[0].text == "\\xfc \\u20ac"
    store.close()


def test_several_controllers_may_create_the_tables_at_the_same_time(store: SqlStore, url: str) -> None:
    children = [FORK.Process(target=used, args=(url,)) for _number in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 6
    assert store.read("base").sequence == 6


@pytest.fixture
def stranger(postgresql: Any, schema: str) -> Iterator[str]:
    """The URL for a user who may look into the schema, and no more."""
    role = f'{schema} "or" so'
    quoted = '"' + role.replace('"', '""') + '"'
    postgresql.sql(f"CREATE ROLE {quoted} LOGIN PASSWORD 'hunter2'")
    postgresql.sql(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
    yield postgresql.url(user=quote(role), password="hunter2", options=f"-csearch_path={schema}")
    postgresql.sql(f"DROP OWNED BY {quoted}")
    postgresql.sql(f"DROP ROLE {quoted}")


def test_a_user_who_may_not_create_tables_is_told_what_an_administrator_has_to_run(
    postgresql: Any, schema: str, stranger: str
) -> None:
    store = open_store(stranger)
    assert store.read("base").sequence == 0, "nothing is there, so nothing can be open"
    problem = refused(store)
    assert not isinstance(problem, StoreBusy)
    assert "has no tables yet, and this user may not create them: permission denied" in str(problem)
    assert "hunter2" not in str(problem)
    statements = str(problem).partition("an administrator of the database run: ")[2]
    postgresql.sql(statements, schema)
    assert store.update("base", counted) == 1
    store.close()


def test_a_user_without_rights_on_the_tables_is_told_too(
    postgresql: Any, schema: str, stranger: str, store: SqlStore
) -> None:
    store.update("base", counted)
    other = open_store(stranger)
    for use in ("read", "update"):
        problem = refused(other, use)
        assert isinstance(problem, StoreBusy), "something may be open"
        assert "permission denied" in str(problem)
    postgresql.sql(str(problem).partition("an administrator of the database run: ")[2], schema)
    assert other.update("base", counted) == 2
    other.close()


@pytest.mark.parametrize("use", ["read", "update"])
def test_a_database_of_a_newer_collection_is_left_unchanged(
    store: SqlStore, postgresql: Any, schema: str, use: str
) -> None:
    store.update("base", counted)
    postgresql.sql("UPDATE callgoose_schema SET version = 3", schema)
    problem = refused(store, use)
    assert isinstance(problem, StoreBusy)
    assert "was written by a newer version of this collection and is left unchanged" in str(problem)
    postgresql.sql("UPDATE callgoose_schema SET version = 2", schema)
    assert store.update("base", counted) == 2


@pytest.mark.parametrize("use", ["read", "update"])
def test_a_table_that_somebody_has_dropped_is_reported(store: SqlStore, postgresql: Any, schema: str, use: str) -> None:
    store.update("base", counted)
    postgresql.sql("DROP TABLE callgoose_incidents", schema)
    problem = str(refused(store, use))
    assert '"callgoose_incidents" does not exist' in problem
    postgresql.sql(problem.partition("an administrator of the database run: ")[2], schema)
    assert store.update("base", counted) == 2


def test_a_role_that_is_read_only_can_read(store: SqlStore, postgresql: Any, schema: str, url: str) -> None:
    store.update("base", counted)
    other = open_store(
        url.replace(f"search_path%3D{schema}", f"search_path%3D{schema}%20-cdefault_transaction_read_only%3Don")
    )
    problem = refused(other)
    assert not isinstance(problem, StoreBusy), "it can be read"
    assert "read-only. state_url must name a server that can be written" in str(problem)
    assert other.read("base").sequence == 1
    other.close()
