# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the JSON form of a ledger: it can be read back, and anything else is refused.

Must not need a store.
"""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    OPEN,
    UNKNOWN,
    FailedHost,
    Incident,
    Ledger,
    Mark,
    from_json,
    to_json,
)

# any string that Python can hold, including bytes of a command line that are not valid UTF-8
texts = st.text(st.characters(), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
string_tuples = st.lists(texts, max_size=3).map(tuple)
seconds = st.floats(0, 1e12)
incidents = st.builds(
    Incident,
    key=texts,
    scope=st.builds(Scope, string_tuples, string_tuples, string_tuples),
    failed_hosts=st.dictionaries(
        texts,
        st.builds(FailedHost, st.integers(0), st.dictionaries(texts, plain, max_size=3), st.booleans()),
        max_size=3,
    ),
    episode=st.integers(0),
    remote_state=st.sampled_from((UNKNOWN, CLOSED, MAYBE, OPEN)),
    confirmed=st.booleans(),
    failed_runs=st.integers(0),
    sent_hosts=st.frozensets(texts, max_size=3),
    answered_at=seconds,
    refused_at=st.none() | seconds,
    warned=st.booleans(),
    since=seconds,
    good_revision=texts,
)
ledgers = st.builds(
    Ledger,
    id=texts,
    sequence=st.integers(0),
    incidents=st.lists(incidents, max_size=3).map(lambda some: {incident.key: incident for incident in some}),
    good_revision=texts,
)

LEDGER = Ledger(
    "an id",
    7,
    {
        "a key": Incident(
            "a key", Scope(limit=("web",)), {"web1": FailedHost(7, {"message": "broken"})}, 2, refused_at=1.0
        )
    },
)


@given(ledgers)
def test_a_ledger_survives_a_round_trip_through_json(ledger: Ledger) -> None:
    text = to_json(ledger)
    assert text.isascii()
    assert from_json(text) == ledger


def test_the_json_does_not_depend_on_the_order_in_which_hosts_were_recorded() -> None:
    failed_hosts = {host: FailedHost(1, {}) for host in ("web1", "web2", "db1")}
    backwards = dict(reversed(failed_hosts.items()))
    texts = {
        to_json(Ledger("an id", 1, {"key": Incident("key", Scope(), some, sent_hosts=frozenset(some))}))
        for some in (failed_hosts, backwards)
    }
    assert len(texts) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"id": "an id", "sequence": 1, "incidents": []}',
        '{"id": "an id", "sequence": 1, "incidents": {"key": 1}}',
        '{"id": "an id", "sequence": 1, "incidents": {"key": {}}}',
        "[" * 100_000,
    ],
)
def test_a_string_that_is_not_a_ledger_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not a ledger"):
        from_json(text)


@pytest.mark.parametrize(
    "path, value",
    [
        (["id"], None),
        (["sequence"], "7"),
        (["incidents", "a key", "scope"], {}),
        (["incidents", "a key", "scope", "limit"], "web"),
        (["incidents", "a key", "scope", "limit"], [1]),
        (["incidents", "a key", "members"], ["web1"]),
        (["incidents", "a key", "members", "web1"], [7]),
        (["incidents", "a key", "members", "web1"], ["7", {}]),
        (["incidents", "a key", "members", "web1"], [7, "broken"]),
        (["incidents", "a key", "members", "web1"], [7, {}, "yes"]),
        (["incidents", "a key", "episode"], "2"),
        (["incidents", "a key", "standing"], "ajar"),
        (["incidents", "a key", "granted"], 1),
        (["incidents", "a key", "failed_runs"], None),
        (["incidents", "a key", "sent_hosts"], [None]),
        (["incidents", "a key", "answered_at"], None),
        (["incidents", "a key", "answered_at"], 10**400),
        (["incidents", "a key", "refused_at"], "never"),
        (["incidents", "a key", "warned"], "no"),
        (["incidents", "a key", "since"], None),
        (["incidents", "a key", "good_revision"], None),
        (["good_revision"], 7),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_when_it_is_read(path: list[str], value: Any) -> None:
    data = json.loads(to_json(LEDGER))
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(ValueError, match="this is not a ledger"):
        from_json(json.dumps(data))


@pytest.mark.parametrize("name", sorted(json.loads(to_json(LEDGER))["incidents"]["a key"]))
def test_a_missing_field_is_refused(name: str) -> None:
    data = json.loads(to_json(LEDGER))
    del data["incidents"]["a key"][name]
    with pytest.raises(ValueError, match=name):
        from_json(json.dumps(data))


def test_the_mark_is_the_current_position_in_the_history() -> None:
    assert LEDGER.mark == Mark("an id", 7)
