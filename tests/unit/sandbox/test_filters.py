# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How filters and content types turn payloads into incidents, over HTTP and with the value objects.

Must not test duplicates: every request here is new.
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
def test_the_title_is_made_of_source_and_payload(client, sandbox, source, payload, title):
    sandbox.set_filters([EVERYTHING])
    client.post(payload, source=source)
    assert [incident["title"] for incident in sandbox.incidents] == [title]


def test_the_filter_names_the_keys_of_the_incident(client, sandbox):
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


def test_a_null_key_counts_as_missing(client, sandbox):
    sandbox.set_filters([Filter(Trigger((Pair("state", ("null",)),)))])
    assert client.post({"state": None}).status_code == 202


def test_the_first_filter_that_matches_is_used(client, sandbox):
    warning = Filter(Trigger((Pair("severity", ("warning",)),), urgency="low"))
    sandbox.set_filters([warning, Filter()])
    client.post({"state": "triggered", "severity": "warning", "incident_key": "a"})
    client.post({"state": "triggered", "severity": "critical", "incident_key": "b"})
    assert [incident["urgency"] for incident in sandbox.incidents] == ["low", "high"]


def test_a_resolve_closes_only_incidents_of_its_own_filter(client, sandbox):
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
    sandbox.set_filters([Filter()])  # the user corrects the filter in the dashboard
    assert client.post(resolve).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "text/plain", "TEXT/HTML", "application/problem+json"],
)
def test_json_is_read_with_any_text_type(client, trigger, content_type):
    assert client.text(json.dumps(trigger), content_type).status_code == 201


@pytest.mark.parametrize("content_type", ["audio/mpeg", "image/png", "application/octet-stream", None])
def test_a_body_without_a_text_type_is_an_empty_payload(client, sandbox, trigger, content_type):
    assert client.text(json.dumps(trigger), content_type).status_code == 202
    sandbox.set_filters([EVERYTHING])
    assert client.text(json.dumps(trigger) + " ", content_type).status_code == 201
    (incident,) = sandbox.incidents
    assert (incident["title"], incident["description"]) == ("Incident from unknown source", "")


@pytest.mark.parametrize("text", ["state: triggered", '["state", "triggered"]', '"state"', "{", "", "[" * 100_000])
def test_a_plain_text_matches_only_a_filter_without_pairs(client, sandbox, text):
    assert client.text(text, "text/plain").status_code == 202
    sandbox.set_filters([EVERYTHING])
    assert client.text(text, "text/plain").status_code == 201
    assert sandbox.incidents[0]["description"] == text


def test_invalid_utf_8_is_read_as_far_as_possible(client, sandbox):
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
def test_a_filter_that_the_dashboard_would_refuse_is_refused(make, words):
    with pytest.raises(SetupError, match=words):
        make()


def test_a_filter_at_the_limits_of_the_dashboard_is_accepted():
    pair = Pair("state", ("a" * 50,) * 10)
    assert Trigger((pair, pair)).pairs == (pair, pair)
