# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request body: its fields, the conversion of Ansible's types, and equal bytes for equal values.

Must not import ansible-core: the tests have stand-ins for its tagged strings and vault values.
"""

from __future__ import annotations

import collections
import datetime
import enum
import json
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import (
    NotPlainError,
    Payload,
    canonical_json,
    plain,
)

FULL = {
    "incident_key": "disk",
    "title": "Disk full",
    "content": "It is full.",
    "severity": "critical",
    "source": "Ansible",
    "tags": ("db", "eu"),
    "details": {"host": "db1"},
}
LONE = "bad\udcff"


class TaggedString(str):
    """Like the tagged and unsafe strings of ansible-core: a subclass of str, here with another repr."""

    def __repr__(self):
        return "tagged"


class Vaulted:
    """Like the vault values of ansible-core: not a str, but convertible by str()."""

    __ENCRYPTED__ = True

    def __str__(self):
        return "opened"


class Level(enum.IntEnum):
    HIGH = 3


def test_a_trigger_has_every_field():
    body = Payload("triggered", **FULL).body()
    assert body == {"state": "triggered", **FULL, "tags": ["db", "eu"]}


def test_a_resolve_has_no_severity_and_no_tags():
    body = Payload("resolved", **FULL).body()
    assert sorted(body) == ["content", "details", "incident_key", "source", "state", "title"]


@pytest.mark.parametrize("state", ["triggered", "resolved"])
def test_empty_fields_are_omitted(state):
    assert Payload(state, "disk").body() == {"state": state, "incident_key": "disk"}


@pytest.mark.parametrize("state", ["triggered", "resolved"])
def test_empty_values_within_details_are_kept(state):
    details = {"a": "", "b": None, "c": [], "d": 0, "e": False}
    assert Payload(state, "disk", details=details).body()["details"] == details


def test_canonical_json_is_sorted_compact_utf_8():
    assert canonical_json({"b": [1, None], "a": {"ü": True}}) == '{"a":{"ü":true},"b":[1,null]}'.encode()


def test_canonical_json_refuses_what_json_cannot_express():
    with pytest.raises(ValueError, match="JSON"):
        canonical_json([float("nan")])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(values)
def test_plain_values_stay_unchanged_and_survive_a_round_trip(value):
    assert plain(value, "details") == value
    assert json.loads(canonical_json(plain(value, "details")).decode("utf-8")) == value


@given(st.dictionaries(st.text(), values).flatmap(lambda d: st.tuples(st.just(d), st.permutations(sorted(d)))))
def test_the_order_of_keys_does_not_change_the_bytes(case):
    value, order = case
    assert canonical_json({key: value[key] for key in order}) == canonical_json(value)


def exact(value):
    """Return the value with the exact type at every place."""
    if isinstance(value, dict):
        return {(type(key), key): exact(item) for key, item in value.items()}
    return (type(value), [exact(item) for item in value] if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TaggedString("text"), "text"),
        (Vaulted(), "opened"),
        ({TaggedString("key"): [TaggedString("item")]}, {"key": ["item"]}),
        ({1: "int", None: "none", 2.5: "float"}, {"1": "int", "None": "none", "2.5": "float"}),
        (("a", "b"), ["a", "b"]),
        (collections.deque(["a"]), ["a"]),
        (collections.OrderedDict(a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.UserDict(a=1), {"a": 1}),
        (collections.UserList([1]), [1]),
        (Level.HIGH, 3),
        (True, True),
        (10**30, 10**30),
        (-0.5, -0.5),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), "2026-01-02T03:04:05+00:00"),
        (datetime.time(3, 4), "03:04:00"),
        ("ü€😀", "ü€😀"),
    ],
)
def test_ansible_types_become_plain_json_types(value, expected):
    assert exact(plain(value, "details")) == exact(expected)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (-float("inf"), "-inf"),
        ({1, 2}, "set"),
        (frozenset(), "frozenset"),
        (b"bytes", "bytes"),
        (bytearray(b"bytes"), "bytearray"),
        (1j, "complex"),
        (object(), "object"),
        (datetime.timedelta(1), "timedelta"),
        ((item for item in ()), "generator"),
        (LONE, "UTF-8"),
        (10**4000, "too long"),
    ],
)
def test_a_value_without_a_json_form_is_refused_and_the_message_says_where_it_is(value, says):
    for holder, place in (
        (value, "details"),
        ({"a": [0, {"b": value}]}, "details.a[1].b"),
        (("x", value), "details[1]"),
    ):
        with pytest.raises(NotPlainError) as refused:
            plain(holder, "details")
        assert str(refused.value).startswith(place + " ")
        assert says in str(refused.value)


def test_a_key_that_is_not_valid_utf_8_is_refused():
    with pytest.raises(NotPlainError, match=r"^details\.a contains bytes"):
        plain({"a": {LONE: 1}}, "details")


@pytest.mark.parametrize("name", ["incident_key", "title", "content", "severity", "source"])
def test_the_message_names_a_field_that_is_not_valid_utf_8(name):
    with pytest.raises(NotPlainError, match=f"^{name} contains bytes"):
        Payload("triggered", **{**FULL, name: LONE}).body()


def test_the_message_names_a_tag_that_is_not_valid_utf_8():
    with pytest.raises(NotPlainError, match=r"^tags\[1\] contains bytes"):
        Payload("triggered", "disk", tags=("ok", LONE)).body()
