# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what the stores in SQLite and PostgreSQL promise alike: nothing is lost, whoever else uses them.

Must not know a particular database; test_sqlite_store.py and test_postgresql_store.py do.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    OPEN,
    Event,
    FailedHost,
    Incident,
    Ledger,
    RunNote,
    Wish,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sql_store import SqlStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreBusy, StoreLost, Waiting
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store

FORK = multiprocessing.get_context("fork")
RUN = RunNote("a controller", "12 34", 1.0, Scope(("web",)), "key", about={"name": "site.yml"})
# A release is tested with more.
KILLS = int(os.environ.get("SQIBS_TEST_KILLS", "25"))
ODD = "ü \0 \udc80 % ? $1 ' \" \\"


def counted(ledger: Ledger) -> tuple[Ledger, int]:
    return replace(ledger, sequence=ledger.sequence + 1), ledger.sequence + 1


def put(store: SqlStore, base: str, *incidents: Incident, keys: tuple[str, ...] | None = None, **fields: Any) -> None:
    """Add these incidents to a ledger, and set these fields of it."""

    def change(ledger: Ledger) -> tuple[Ledger, None]:
        added = {incident.key: incident for incident in incidents}
        return replace(ledger, incidents={**ledger.incidents, **added}, **fields), None

    store.update(base, change, keys)


def incident(key: str, wish: Wish | None = None, host: str = "web1") -> Incident:
    return Incident(key, Scope(), failed_hosts={host: FailedHost(1, {"message": "broken"})}, wish=wish)


def wish(not_before: float = 0.0, **fields: Any) -> Wish:
    return Wish("triggered", frozenset(("web1",)), {"title": "broken"}, "here", not_before=not_before, **fields)


@pytest.fixture
def store(engine: Any) -> SqlStore:
    return engine.store()


# --- keeping -------------------------------------------------------------------------------------------------------


def test_one_process_reads_what_another_wrote(engine: Any, store: SqlStore) -> None:
    assert store.update("base", counted) == 1
    again = engine.store()
    assert again.update("base", counted) == 2
    assert again.read("base") == store.read("base")
    assert store.read("base").sequence == 2


def test_each_base_has_its_own_ledger(store: SqlStore) -> None:
    store.update("base", counted)
    assert store.update("another", counted) == 1
    assert store.read("base").id != store.read("another").id
    assert store.bases() == ["another", "base"]


def test_everything_in_a_ledger_is_kept(store: SqlStore) -> None:
    full = Incident(
        "key",
        Scope(("web",), ("a",), ("b",)),
        group=ODD,
        failed_hosts={ODD: FailedHost(3, {ODD: [1, 0.5, None, True, ODD]}, added=True)},
        episode=4,
        remote_state=OPEN,
        confirmed=True,
        failed_runs=2,
        sent_hosts=frozenset((ODD,)),
        answered_at=1.7e9 + 0.123456,
        refused_at=2.0,
        warned=True,
        since=3.0,
        good_revision="abc",
        wish=wish(1.7e9 + 0.654321, parked=ODD, answer=ODD),
        held_back=ODD,
    )
    fields = {
        "key": "key",
        "name": ODD,
        "first_run": 1.5,
        "last_success": 2.5,
        "overdue_after": 3.5,
        "about": {"a": ODD},
    }
    put(store, "base", full, incident("other"), runs={"one": RUN, "two": RUN}, good_revision="abc", **fields)
    ledger = store.read("base")
    assert dict(ledger.incidents) == {"key": full, "other": incident("other")}
    assert dict(ledger.runs) == {"one": RUN, "two": RUN}
    assert {name: getattr(ledger, name) for name in fields} == fields


def test_what_left_a_ledger_is_gone(store: SqlStore) -> None:
    put(store, "base", incident("one"), incident("two"), runs={"one": RUN, "two": RUN})
    store.update("base", lambda ledger: (replace(ledger, incidents={"two": incident("two")}, runs={"two": RUN}), None))
    assert list(store.read("base").incidents) == ["two"]
    assert list(store.read("base").runs) == ["two"]


def test_reading_what_is_not_there_gives_an_empty_ledger_and_creates_nothing(engine: Any, store: SqlStore) -> None:
    assert store.read("base") != store.read("base"), "each has an id of its own"
    assert (store.bases(), store.waiting(1.0), store.bases_of("key"), store.history("base", 9)) == ([], [], [], [])
    store.update("base", counted)
    assert store.read("another").sequence == 0
    assert store.bases() == ["base"]


def test_a_change_that_fails_changes_nothing_and_leaves_no_lock(engine: Any, store: SqlStore) -> None:
    store.update("base", counted)
    for exception in (ZeroDivisionError, KeyboardInterrupt):

        def change(_ledger: Ledger, exception: type[BaseException] = exception) -> tuple[Ledger, None]:
            raise exception

        with pytest.raises(exception):
            store.update("base", change)
    with pytest.raises(TypeError):
        put(store, "base", incident("a"), incident("b", replace(wish(), body=object())))
    assert store.read("base").incidents == {}
    assert engine.store(patience=1.0).update("base", counted) == 2
    assert store.update("base", counted) == 3


def test_a_key_and_a_base_may_have_any_characters(store: SqlStore) -> None:
    put(store, ODD, incident(ODD))
    assert len(store.read(ODD).incidents) == 1
    assert len(store.bases_of(ODD)) == len(store.bases()) == 1


def test_a_store_can_be_used_after_it_was_closed(store: SqlStore) -> None:
    store.close()
    store.update("base", counted)
    store.close()
    store.close()
    assert store.update("base", counted) == 2


# --- some incidents only -------------------------------------------------------------------------------------------


def test_an_update_of_some_incidents_leaves_the_others(store: SqlStore) -> None:
    put(store, "base", incident("one"), incident("two"), incident("three"), runs={"run": RUN})

    def change(ledger: Ledger) -> tuple[Ledger, list[str]]:
        incidents = {"one": incident("one", host="web2"), "new": incident("new")}
        return replace(ledger, incidents=incidents, runs={**ledger.runs, "another": RUN}), list(ledger.incidents)

    assert store.update("base", change, ("two", "one", "unknown")) == ["one", "two"]
    ledger = store.read("base")
    assert sorted(ledger.incidents) == ["new", "one", "three"], "only what was seen can be taken out"
    assert ledger.incidents["one"].hosts == {"web2"}
    assert sorted(ledger.runs) == ["another", "run"]


def test_reading_some_incidents_reads_no_others(store: SqlStore) -> None:
    put(store, "base", incident("one"), incident("two"), runs={"run": RUN}, name="site.yml")
    assert list(store.read("base", ("two", "unknown")).incidents) == ["two"]
    assert (store.read("base", ()).incidents, store.read("base", ()).runs) == ({}, {"run": RUN})
    assert store.read("base", ()).name == "site.yml"


def test_many_incidents_can_be_named(store: SqlStore) -> None:
    keys = [f"key {number:04}" for number in range(1234)]
    put(store, "base", *map(incident, keys))
    assert sorted(store.read("base", [*keys, "unknown"]).incidents) == keys


# --- runs, wishes, history -----------------------------------------------------------------------------------------


def test_a_run_is_touched_where_it_is_noted(store: SqlStore) -> None:
    store.touch("base", "run", "a task", 5.0)
    put(store, "base", runs={"run": RUN, "other": RUN})
    store.touch("base", "run", ODD, 5.5)
    store.touch("base", "unknown", "a task", 5.0)
    store.touch("another", "run", "a task", 5.0)
    assert dict(store.read("base").runs) == {"run": replace(RUN, task=ODD, touched_at=5.5), "other": RUN}


def test_a_note_that_cannot_be_read_is_not_touched(engine: Any, store: SqlStore) -> None:
    put(store, "base", runs={"run": RUN})
    engine.execute("UPDATE callgoose_runs SET document = '{}'")
    store.touch("base", "run", "a task", 5.0)
    with pytest.raises(StoreLost):
        store.read("base")


def test_wishes_wait_in_the_order_of_their_time(store: SqlStore) -> None:
    put(store, "b", incident("late", wish(10.0)), incident("soon", wish(5.0)), incident("none"))
    put(store, "a", incident("first", wish(1.0)), incident("also soon", wish(5.0)))
    put(store, "c", incident("parked", wish(parked="413")), incident("confirmed", wish(waiting=False)))
    everything = [Waiting("a", "first", "here"), Waiting("a", "also soon", "here"), Waiting("b", "soon", "here")]
    assert store.waiting(9.999) == everything
    assert store.waiting(10.0) == [*everything, Waiting("b", "late", "here")]
    put(store, "a", incident("first", wish(waiting=False)), incident("also soon"))
    assert store.waiting(9.999) == everything[2:]


def test_the_bases_to_watch_are_those_with_runs_or_a_deadline(store: SqlStore) -> None:
    put(store, "plain", incident("key"))
    put(store, "running", runs={"run": RUN})
    put(store, "with a deadline", overdue_after=60.0)
    put(store, "both", runs={"run": RUN}, overdue_after=60.0)
    put(store, "ended", runs={"run": RUN})
    put(store, "ended", runs={})
    assert store.bases() == ["both", "ended", "plain", "running", "with a deadline"]
    assert store.bases(watched=True) == ["both", "running", "with a deadline"]


def test_the_bases_of_a_key_are_found(store: SqlStore) -> None:
    put(store, "b", incident("key"), incident("other"))
    put(store, "a", incident("key"))
    assert store.bases_of("key") == ["a", "b"]
    assert store.bases_of("unknown") == []


def test_the_history_keeps_the_last_entries_of_each_base(store: SqlStore) -> None:
    for number in range(30):
        put(store, "base", events=tuple(Event(float(number), "key", f"event {number}.{part}") for part in range(10)))
    put(store, "another", events=(Event(1.5, "", ODD),))
    texts = [f"event {number}.{part}" for number in range(10, 30) for part in range(10)]
    assert [event.text for event in store.history("base", 1000)] == texts
    assert [event.text for event in store.history("base", 3)] == texts[-3:]
    assert store.history("base", 1) == [Event(29.0, "key", "event 29.9")]
    assert store.history("another", 10)[0].at == 1.5
    assert store.read("base").events == (), "a ledger has only what was added to it"


def test_more_events_than_are_kept_can_be_added_at_once(store: SqlStore) -> None:
    put(store, "base", events=tuple(Event(0.0, "", str(number)) for number in range(1000)))
    put(store, "base", events=(Event(0.0, "", "last"),))
    assert [event.text for event in store.history("base", 9999)] == [*map(str, range(801, 1000)), "last"]


# --- what cannot be read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", ["{", '{"id": 1}', "7", ""])
@pytest.mark.parametrize("table", ["ledgers", "incidents", "runs"])
@pytest.mark.parametrize("use", ["read", "update"])
def test_an_unreadable_ledger_is_renamed_and_reported_once_and_the_others_stay(
    engine: Any, store: SqlStore, document: str, table: str, use: str
) -> None:
    for base in ("base", "another"):
        put(store, base, incident("key", wish()), runs={"run": RUN}, sequence=1, overdue_after=1.0)
    engine.execute(f"UPDATE callgoose_{table} SET document = '{document}' WHERE base = 'base'")
    with pytest.raises(StoreLost, match=r"A ledger in .* is unreadable .* was renamed there") as refused:
        if use == "read":
            store.read("base")
        else:
            store.update("base", counted)
    assert store.place in str(refused.value)
    assert store.read("base").sequence == 0
    assert store.bases() == store.bases(watched=True) == store.bases_of("key") == ["another"]
    assert store.waiting(1.0) == [Waiting("another", "key", "here")]
    assert store.update("base", counted) == 1
    assert store.read("another").sequence == 1
    kept = engine.execute(f"SELECT document FROM callgoose_{table} WHERE base = 'unreadable base'")
    assert len(kept) == (0 if table == "runs" else 1)


def test_a_ledger_that_another_process_has_set_aside_meanwhile_is_left_alone(
    engine: Any, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.update("base", counted)
    engine.execute("UPDATE callgoose_ledgers SET document = '{'")
    begin, other = store._writing, engine.store()

    def after_another(base: str) -> Any:
        with pytest.raises(StoreLost):
            other.read("base")
        other.update("base", counted)
        return begin(base)

    monkeypatch.setattr(store, "_writing", after_another)
    assert store.read("base").sequence == 1


# --- several processes ---------------------------------------------------------------------------------------------


def add_hosts(url: str, names: list[str]) -> None:
    store = open_store(url, patience=30.0)
    for name in names:

        def change(ledger: Ledger, name: str = name) -> tuple[Ledger, None]:
            one = ledger.incidents.get("key", Incident("key", Scope()))
            failed_hosts = {**one.failed_hosts, name: FailedHost(ledger.sequence + 1, {})}
            incidents = {**ledger.incidents, "key": replace(one, failed_hosts=failed_hosts)}
            events = (Event(0.0, "key", name),)
            return replace(ledger, sequence=ledger.sequence + 1, incidents=incidents, events=events), None

        store.update("base", change)
    store.close()


def in_children(target: Callable[..., object], *arguments: tuple[Any, ...]) -> None:
    """Call a function in several processes at the same time, which must all end well."""
    children = [FORK.Process(target=target, args=some) for some in arguments]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0] * len(children)


def test_concurrent_updates_never_lose_each_others_hosts(engine: Any, store: SqlStore) -> None:
    names = [[f"host{process}-{number}" for number in range(20)] for process in range(4)]
    in_children(add_hosts, *((engine.url, some) for some in names))
    everything = {name for some in names for name in some}
    ledger = store.read("base")
    assert ledger.incidents["key"].hosts == everything
    assert sorted(failed.sequence for failed in ledger.incidents["key"].failed_hosts.values()) == list(range(1, 81))
    assert {event.text for event in store.history("base", 1000)} == everything


def test_a_store_that_was_used_before_a_fork_can_be_used_after_it(store: SqlStore) -> None:
    store.update("base", counted)
    in_children(lambda: store.update("base", counted), ())
    assert store.update("base", counted) == 3, "and the parent's connection still works"
    in_children(store.close, ())
    assert store.update("base", counted) == 4


@pytest.mark.parametrize("patience", [0.1, 0.5])
def test_an_update_waits_for_another_one_no_longer_than_its_patience(
    engine: Any, store: SqlStore, patience: float
) -> None:
    store.update("base", counted)
    holds, released = FORK.Event(), FORK.Event()

    def hold(ledger: Ledger) -> tuple[Ledger, None]:
        holds.set()
        released.wait(30)
        return replace(ledger, sequence=10), None

    child = FORK.Process(target=lambda: open_store(engine.url).update("base", hold))
    child.start()
    assert holds.wait(30)
    changes: list[Ledger] = []
    impatient = engine.store(patience)
    began = time.monotonic()
    with pytest.raises(StoreBusy, match="cannot be used"):
        impatient.update("base", lambda ledger: (changes.append(ledger), counted(ledger))[1])
    assert patience * 0.8 < time.monotonic() - began < patience + 1.5
    assert not changes, "a change that cannot be written is not computed"
    released.set()
    child.join(30)
    assert impatient.update("base", counted) == 11


# --- killed --------------------------------------------------------------------------------------------------------


def move(ledger: Ledger) -> tuple[Ledger, None]:
    """Change all parts of a ledger together: each is to have the same number."""
    number = ledger.sequence + 1
    incidents = {key: incident(key, wish(float(number)), f"web{number}") for key in ("one", "two", str(number))}
    events = (Event(float(number), "", str(number)),)
    return replace(ledger, sequence=number, incidents=incidents, runs={str(number): RUN}, events=events), None


def assert_whole(store: SqlStore, least: int) -> int:
    """No part of the ledger is of another update than the rest. Return its number."""
    # A server goes on with what a killed process has sent, and keeps others out until it has done it.
    store.update("base", lambda ledger: (ledger, None))
    ledger = store.read("base")
    number = ledger.sequence
    assert number >= least, "what was committed is not lost"
    if number:
        assert sorted(ledger.incidents) == sorted((str(number), "one", "two"))
        assert {host for one in ledger.incidents.values() for host in one.hosts} == {f"web{number}"}
        assert list(ledger.runs) == [str(number)]
        assert {one.key for one in store.waiting(float(number))} == {str(number), "one", "two"}
        assert store.waiting(number - 0.5) == []
        assert [event.text for event in store.history("base", 1)] == [str(number)]
    return number


@pytest.mark.parametrize("statement", range(12))
def test_a_process_killed_between_two_statements_has_changed_all_or_nothing(
    engine: Any, store: SqlStore, statement: int
) -> None:
    store.update("base", move)

    def die() -> None:
        class Dying:
            """Counts statements and kills its process before one of them."""

            def __init__(self, statements: Any) -> None:
                self._statements, self._left = statements, statement

            def __getattr__(self, name: str) -> Any:
                if not self._left:
                    os.kill(os.getpid(), signal.SIGKILL)
                self._left -= 1
                return getattr(self._statements, name)

        own = engine.store()
        begin = own._writing

        class Wrapped:
            def __init__(self, base: str) -> None:
                self._context = begin(base)

            def __enter__(self) -> Any:
                return Dying(self._context.__enter__())

            def __exit__(self, *problem: Any) -> Any:
                return self._context.__exit__(*problem)

        own._writing = Wrapped  # type: ignore[method-assign]
        own.update("base", move)
        os.kill(os.getpid(), signal.SIGKILL)

    child = FORK.Process(target=die)
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert assert_whole(store, 1) in (1, 2)
    store.update("base", move)


def test_processes_killed_at_random_moments_lose_and_mix_nothing(engine: Any, store: SqlStore) -> None:
    store.update("base", move)
    chance = random.Random(20)
    committed = FORK.RawValue("i", 1)  # without a lock, with which a process could be killed

    def keep_moving() -> None:
        own = engine.store(patience=20.0)
        while True:
            own.update("base", lambda ledger: (move(ledger)[0], None))
            committed.value = own.read("base", ()).sequence

    for _time in range(KILLS):
        child = FORK.Process(target=keep_moving)
        child.start()
        # Some die while they connect. However busy the machine is, others die after they have changed something.
        least, end = committed.value + chance.choice((0, 1, 2)), time.monotonic() + 20
        while committed.value < least and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.03))
        os.kill(child.pid, signal.SIGKILL)
        child.join(30)
        assert_whole(store, committed.value)
    assert store.read("base").sequence > 10
