# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How filters and content types make incidents out of payloads, over HTTP and on the value objects themselves.

Must not test duplicates: every request here is a new one.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.callgoose.sqibs.tests.sandbox import Filter, Pair, Resolve, SetupError, Trigger

EVERYTHING = Filter(Trigger(pairs=()), resolve=None)


@pytest.mark.parametrize(
    ("source", "payload", "title"),
    [
        ("Ansible", {"title": "Disk full"}, "Ansible - Disk full"),
        (None, {"title": "Disk full"}, "Disk full"),
        ("", {"title": "Disk full"}, "Disk full"),
        ("Ansible", {}, "Incident from Ansible"),
        (None, {}, "Incident from unknown source"),
        ("Größe & Co", {"title": "…"}, "Größe & Co - …"),
        ("Ansible", {"title": 5}, "Ansible - 5"),
    ],
)
def test_the_source_and_the_payload_make_the_title(client, sandbox, source, payload, title):
    sandbox.set_filters([EVERYTHING])
    client.post(payload, source=source)
    assert [incident["title"] for incident in sandbox.incidents] == [title]


def test_the_filter_names_the_keys_that_the_incident_is_made_of(client, sandbox):
    sandbox.set_filters([Filter(Trigger((), "headline", "text", "id", "low"), Resolve(Pair("done", ("true",)), "ref"))])
    client.post({"headline": "Disk full", "text": {"free": 0}, "id": 7, "title": "not this"})
    (incident,) = sandbox.incidents
    assert (incident["title"], incident["description"]) == ("Disk full", '{"free":0}')
    assert (incident["key"], incident["urgency"]) == ("7", "low")
    assert client.post({"done": True, "ref": 7}).json()["resolved"]["resolved"] is True


def test_without_its_description_key_the_whole_payload_is_the_description(client, sandbox, trigger):
    del trigger["content"]
    client.text(json.dumps(trigger), "application/json")
    assert sandbox.incidents[0]["description"] == json.dumps(trigger)


def test_both_pairs_must_match_and_each_must_contain_all_its_strings(client, sandbox):
    pairs = (Pair("state", ("trig", "gered")), Pair("tags", ("prod", "db")))
    sandbox.set_filters([Filter(Trigger(pairs), resolve=None)])
    for payload in (
        {"state": "triggered"},
        {"state": "trig", "tags": ["prod", "db"]},
        {"state": "triggered", "tags": ["db"]},
    ):
        assert client.post(payload).status_code == 202
    assert client.post({"state": "triggered", "tags": ["prod", "db"]}).status_code == 201


def test_a_key_that_is_null_is_a_key_that_is_not_there(client, sandbox):
    sandbox.set_filters([Filter(Trigger((Pair("state", ("null",)),)))])
    assert client.post({"state": None}).status_code == 202


def test_the_first_filter_that_matches_is_used(client, sandbox):
    warning = Filter(Trigger((Pair("severity", ("warning",)),), urgency="low"))
    sandbox.set_filters([warning, Filter()])
    client.post({"state": "triggered", "severity": "warning", "incident_key": "a"})
    client.post({"state": "triggered", "severity": "critical", "incident_key": "b"})
    assert [incident["urgency"] for incident in sandbox.incidents] == ["low", "high"]


def test_a_resolve_closes_only_what_the_filter_that_is_used_has_opened(client, sandbox):
    one, other = (Filter(Trigger((Pair("from", (name,)),)), Resolve(Pair("end", (name,)))) for name in ("one", "other"))
    sandbox.set_filters([one, other])
    client.post({"from": "one", "incident_key": "disk"})
    client.post({"end": "other", "incident_key": "disk"})
    assert len(sandbox.open_incidents) == 1
    client.post({"end": "one", "incident_key": "disk"})
    assert sandbox.open_incidents == []


def test_a_filter_without_a_resolve_part_never_closes(client, sandbox, trigger, resolve):
    sandbox.set_filters([Filter(resolve=None)])
    client.post(trigger)
    assert client.post(resolve).status_code == 202
    sandbox.set_filters([Filter()])  # as the user puts it right in the dashboard
    assert client.post(resolve).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "text/plain", "TEXT/HTML", "application/problem+json"],
)
def test_json_of_any_text_type_is_read(client, trigger, content_type):
    assert client.text(json.dumps(trigger), content_type).status_code == 201


@pytest.mark.parametrize("content_type", ["audio/mpeg", "image/png", "application/octet-stream", None])
def test_a_type_that_is_no_text_is_an_empty_payload(client, sandbox, trigger, content_type):
    assert client.text(json.dumps(trigger), content_type).status_code == 202
    sandbox.set_filters([EVERYTHING])
    assert client.text(json.dumps(trigger) + " ", content_type).status_code == 201
    (incident,) = sandbox.incidents
    assert (incident["title"], incident["description"]) == ("Incident from unknown source", "")


@pytest.mark.parametrize("text", ["state: triggered", '["state", "triggered"]', '"state"', "{", "", "[" * 100_000])
def test_a_text_has_no_keys_and_only_a_filter_without_pairs_takes_it(client, sandbox, text):
    assert client.text(text, "text/plain").status_code == 202
    sandbox.set_filters([EVERYTHING])
    assert client.text(text, "text/plain").status_code == 201
    assert sandbox.incidents[0]["description"] == text


def test_bytes_that_are_no_utf8_are_read_as_far_as_they_go(client, sandbox):
    sandbox.set_filters([EVERYTHING])
    assert client.text(b"gr\xfcn", "text/plain").status_code == 201
    assert sandbox.incidents[0]["description"] == "gr\ufffdn"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pair("", ("a",)), "key must be a non-empty string"),
        (lambda: Pair("state", ()), "1 to 10 strings"),
        (lambda: Pair("state", ("a",) * 11), "1 to 10 strings"),
        (lambda: Pair("state", ("a" * 51,)), "over 50 characters"),
        (lambda: Pair("state", ("",)), "must be a non-empty string"),
        (lambda: Trigger((Pair("state", ("a",)),) * 3), "at most 2 pairs"),
        (lambda: Trigger(title_from=""), "title_from must be a non-empty string"),
        (lambda: Trigger(urgency=""), "urgency must be a non-empty string"),
        (lambda: Resolve(mapped_with=""), "mapped_with must be a non-empty string"),
    ],
)
def test_what_the_dashboard_does_not_take_is_refused(make, words):
    with pytest.raises(SetupError, match=words):
        make()


def test_the_dashboards_limits_themselves_are_taken():
    pair = Pair("state", ("a" * 50,) * 10)
    assert Trigger((pair, pair)).pairs == (pair, pair)
