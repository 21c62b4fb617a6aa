# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the JSON form of a ledger's parts: they can be read back, and anything else is refused.

Must not need a store.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.documents import (
    head_from_json,
    head_to_json,
    incident_from_json,
    incident_to_json,
    ledger_of_version_1,
    run_from_json,
    run_to_json,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    OPEN,
    UNKNOWN,
    Event,
    FailedHost,
    Incident,
    Ledger,
    Mark,
    RunNote,
    Wish,
)

# any string that Python can hold, including bytes of a command line that are not valid UTF-8
texts = st.text(st.characters(), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, plain, max_size=3)
string_tuples = st.lists(texts, max_size=3).map(tuple)
hosts = st.frozensets(texts, max_size=3)
seconds = st.floats(0, 1e12)
scopes = st.builds(Scope, string_tuples, string_tuples, string_tuples)
wishes = st.builds(
    Wish,
    state=st.sampled_from(("triggered", "resolved")),
    hosts=hosts,
    body=plain,
    destination=texts,
    content_type=texts,
    waiting=st.booleans(),
    not_before=seconds,
    parked=texts,
    answer=texts,
)
incidents = st.builds(
    Incident,
    key=texts,
    scope=scopes,
    group=texts,
    failed_hosts=st.dictionaries(
        texts, st.builds(FailedHost, st.integers(0), objects, st.booleans(), texts), max_size=3
    ),
    episode=st.integers(0),
    remote_state=st.sampled_from((UNKNOWN, CLOSED, MAYBE, OPEN)),
    confirmed=st.booleans(),
    failed_runs=st.integers(0),
    sent_hosts=hosts,
    answered_at=seconds,
    refused_at=st.none() | seconds,
    warned=st.booleans(),
    since=seconds,
    good_revision=texts,
    wish=st.none() | wishes,
    held_back=texts,
)
runs = st.builds(
    RunNote,
    controller=texts,
    process=texts,
    began_at=seconds,
    scope=scopes,
    key=texts,
    touched_at=seconds,
    task=texts,
    max_run_time=seconds,
    about=objects,
    slice_of=texts,
)
heads = st.builds(
    Ledger,
    id=texts,
    sequence=st.integers(0),
    good_revision=texts,
    key=texts,
    name=texts,
    first_run=seconds,
    last_success=seconds,
    overdue_after=seconds,
    about=objects,
    held_back=texts,
)

HEAD = Ledger("an id", 7)
WISH = Wish("triggered", frozenset(("web1",)), {"title": "broken"}, "a destination")
INCIDENT = Incident("a key", Scope(("web",)), failed_hosts={"web1": FailedHost(7, {})}, refused_at=1.0, wish=WISH)
RUN = RunNote("a controller", "12 34", 1.0, Scope(), "a key")
# Each kind of document: what it is read with, and an example.
KINDS: dict[str, tuple[Callable[[str], object], str]] = {
    "head": (head_from_json, head_to_json(HEAD)),
    "incident": (lambda text: incident_from_json("a key", text), incident_to_json(INCIDENT)),
    "run": (run_from_json, run_to_json(RUN)),
}
VERSION_1 = {
    "id": "an id",
    "sequence": 7,
    "good_revision": "abc",
    "incidents": {
        "a key": {
            "scope": {"limit": ["web"], "tags": [], "skip_tags": []},
            "members": {"web1": [7, {"message": "broken"}, True], "*": [3, {}], "*web1,web2": [4, {}]},
            "episode": 2,
            "standing": OPEN,
            "granted": True,
            "failed_runs": 3,
            "sent_hosts": ["web1", "*web1"],
            "answered_at": 5,
            "refused_at": None,
            "warned": False,
            "since": 4.5,
            "good_revision": "abc",
        }
    },
}


@given(heads, st.lists(incidents, max_size=1), st.lists(runs, max_size=1))
def test_what_a_ledger_keeps_besides_incidents_and_runs_survives_a_round_trip(
    ledger: Ledger, some: list[Incident], notes: list[RunNote]
) -> None:
    full = replace(
        ledger,
        incidents={one.key: one for one in some},
        runs={one.key: one for one in notes},
        events=(Event(1.0, "", "something happened"),),
    )
    text = head_to_json(full)
    assert text.isascii()
    assert head_from_json(text) == ledger


@given(incidents)
def test_an_incident_survives_a_round_trip_with_its_wish(incident: Incident) -> None:
    text = incident_to_json(incident)
    assert text.isascii()
    assert incident_from_json(incident.key, text) == incident


@given(runs)
def test_a_run_survives_a_round_trip(run: RunNote) -> None:
    text = run_to_json(run)
    assert text.isascii()
    assert run_from_json(text.encode("ascii")) == run


def test_the_json_does_not_depend_on_the_order_in_which_hosts_were_recorded() -> None:
    failed_hosts = {host: FailedHost(1, {}) for host in ("web1", "web2", "db1")}
    backwards = dict(reversed(failed_hosts.items()))
    written = {
        incident_to_json(Incident("key", Scope(), failed_hosts=some, sent_hosts=frozenset(some)))
        for some in (failed_hosts, backwards)
    }
    assert len(written) == 1


@pytest.mark.parametrize("kind", [*KINDS, "version 1"])
@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"text"', "{}", "[" * 100_000, b"\xff\xfe\x00"])
def test_a_string_that_is_no_such_document_is_refused(kind: str, text: str) -> None:
    read = ledger_of_version_1 if kind == "version 1" else KINDS[kind][0]
    with pytest.raises(ValueError, match="this is not part of a ledger"):
        read(text)


@pytest.mark.parametrize(
    "kind, path, value",
    [
        ("head", ["id"], None),
        ("head", ["sequence"], "7"),
        ("head", ["sequence"], 7.0),
        ("head", ["sequence"], True),
        ("head", ["first_run"], 10**400),
        ("head", ["last_success"], None),
        ("head", ["overdue_after"], float("inf")),
        ("head", ["overdue_after"], float("nan")),
        ("head", ["about"], []),
        ("head", ["good_revision"], 7),
        ("incident", ["scope"], {}),
        ("incident", ["scope", "limit"], "web"),
        ("incident", ["scope", "limit"], [1]),
        ("incident", ["scope", "hosts"], []),
        ("incident", ["failed_hosts"], ["web1"]),
        ("incident", ["failed_hosts", "web1"], [7]),
        ("incident", ["failed_hosts", "web1"], ["7", {}]),
        ("incident", ["failed_hosts", "web1"], [7, "broken"]),
        ("incident", ["failed_hosts", "web1"], [7, {}, "yes"]),
        ("incident", ["failed_hosts", "web1"], [7, {}, True, None]),
        ("incident", ["episode"], "2"),
        ("incident", ["remote_state"], "ajar"),
        ("incident", ["remote_state"], []),
        ("incident", ["confirmed"], 1),
        ("incident", ["failed_runs"], None),
        ("incident", ["sent_hosts"], [None]),
        ("incident", ["answered_at"], None),
        ("incident", ["answered_at"], True),
        ("incident", ["refused_at"], "never"),
        ("incident", ["refused_at"], 10**400),
        ("incident", ["warned"], "no"),
        ("incident", ["group"], None),
        ("incident", ["wish"], []),
        ("incident", ["wish"], {}),
        ("incident", ["wish", "state"], "opened"),
        ("incident", ["wish", "hosts"], "web1"),
        ("incident", ["wish", "waiting"], None),
        ("incident", ["wish", "not_before"], "soon"),
        ("run", ["began_at"], "yesterday"),
        ("run", ["max_run_time"], None),
        ("run", ["process"], 12),
        ("run", ["scope", "tags"], None),
        ("run", ["about"], None),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_when_it_is_read(kind: str, path: list[str], value: Any) -> None:
    read, text = KINDS[kind]
    read(text)
    with pytest.raises(ValueError, match="this is not part of a ledger"):
        read(changed(json.loads(text), path, value))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_field_and_an_unknown_one_are_refused(kind: str) -> None:
    read, text = KINDS[kind]
    for name in json.loads(text):
        data = json.loads(text)
        del data[name]
        with pytest.raises(ValueError, match=name):
            read(json.dumps(data))
    with pytest.raises(ValueError, match="missing or unknown: later"):
        read(changed(json.loads(text), ["later"], 1))


@pytest.mark.parametrize("name", vars(WISH))
def test_a_wish_needs_all_its_fields(name: str) -> None:
    data = json.loads(incident_to_json(INCIDENT))
    del data["wish"][name]
    with pytest.raises(ValueError, match=name):
        incident_from_json("a key", json.dumps(data))


def test_a_long_value_does_not_make_a_long_message() -> None:
    with pytest.raises(ValueError) as refused:
        incident_from_json("a key", changed(json.loads(incident_to_json(INCIDENT)), ["group"], ["x" * 50] * 10_000))
    assert len(str(refused.value)) < 500


def test_a_whole_number_of_seconds_is_read_as_a_float() -> None:
    ledger = head_from_json(changed(json.loads(head_to_json(HEAD)), ["first_run"], 10))
    assert isinstance(ledger.first_run, float)


# --- version 1 -----------------------------------------------------------------------------------------------------


def test_a_ledger_of_version_1_is_read_with_all_that_is_open() -> None:
    ledger = ledger_of_version_1(json.dumps(VERSION_1))
    assert ledger == Ledger(
        "an id",
        7,
        good_revision="abc",
        incidents={
            "a key": Incident(
                "a key",
                Scope(("web",)),
                failed_hosts={
                    "web1": FailedHost(7, {"message": "broken"}, added=True),
                    "*": FailedHost(3, {}),
                    "*(web1,web2)": FailedHost(4, {}),
                },
                episode=2,
                remote_state=OPEN,
                confirmed=True,
                failed_runs=3,
                sent_hosts=frozenset(("web1", "*(web1)")),
                answered_at=5.0,
                since=4.5,
                good_revision="abc",
            )
        },
    )
    assert head_from_json(head_to_json(ledger)).id == "an id"
    assert incident_from_json("a key", incident_to_json(ledger.incidents["a key"])) == ledger.incidents["a key"]


def test_the_first_ledgers_of_version_1_lack_what_came_later() -> None:
    data = copy.deepcopy(VERSION_1)
    incident = data["incidents"]["a key"]
    del data["good_revision"], incident["good_revision"], incident["since"]
    ledger = ledger_of_version_1(json.dumps(data))
    assert (ledger.good_revision, ledger.incidents["a key"].good_revision) == ("", "")
    assert ledger.incidents["a key"].since == 0.0
    assert not ledger.incidents["a key"].failed_hosts["*"].added


@pytest.mark.parametrize(
    "path, value",
    [
        (["id"], 1),
        (["sequence"], "7"),
        (["incidents"], []),
        (["incidents", "a key"], 1),
        (["incidents", "a key"], {}),
        (["incidents", "a key", "standing"], "ajar"),
        (["incidents", "a key", "members"], ["web1"]),
        (["incidents", "a key", "granted"], 1),
        (["incidents", "a key", "answered_at"], 10**400),
        (["incidents", "a key", "since"], None),
        (["good_revision"], 7),
    ],
)
def test_a_wrong_value_in_version_1_is_refused(path: list[str], value: Any) -> None:
    with pytest.raises(ValueError, match="this is not part of a ledger"):
        ledger_of_version_1(changed(copy.deepcopy(VERSION_1), path, value))


def test_the_mark_is_the_current_position_in_the_history() -> None:
    assert HEAD.mark == Mark("an id", 7)


def changed(data: Any, path: list[str], value: Any) -> str:
    """Return the JSON of data in which one value is another."""
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(data)
