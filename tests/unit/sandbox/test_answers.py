# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of the emulated API over HTTP: every code of the API page, with both meanings of "similar request".

Must not test filters in detail or faults: test_filters.py and test_faults.py do.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.sandbox import Filter, Pair, Resolve, Service, Token, Trigger


def parts(response) -> dict:
    """Return the two sections of the answer, without its ID."""
    return {name: value for name, value in response.json().items() if name != "id"}


def answer(created=False, trigger_duplicate=False, resolved=False, resolve_duplicate=False) -> dict:
    return {
        "triggered": {"created": created, "duplicate": trigger_duplicate},
        "resolved": {"resolved": resolved, "duplicate": resolve_duplicate},
    }


def test_a_trigger_creates_an_incident(client, sandbox, trigger):
    response = client.post(trigger)
    assert (response.status_code, parts(response)) == (201, answer(created=True))
    (incident,) = sandbox.incidents
    assert incident["key"] == "disk"
    assert incident["title"] == "Disk full"
    assert incident["description"] == "It is full."
    assert incident["urgency"] == "high"
    assert incident["service"] == "Ansible"
    assert (incident["state"], incident["resolved"]) == ("open", None)


def test_a_resolve_closes_the_incident(client, sandbox, trigger, resolve):
    client.post(trigger)
    sandbox.advance(60)
    response = client.post(resolve)
    assert (response.status_code, parts(response)) == (200, answer(resolved=True))
    (incident,) = sandbox.incidents
    assert incident["state"] == "resolved"
    assert 60 <= incident["resolved"] - incident["opened"] < 70
    assert sandbox.open_incidents == []


def test_a_payload_that_no_filter_matches_does_nothing(client, sandbox):
    for _time in range(2):
        response = client.post({"state": "unknown"})
        assert (response.status_code, parts(response)) == (202, answer())
    assert sandbox.incidents == []


def test_a_repeated_request_is_a_duplicate_within_the_window(client, sandbox, trigger, resolve):
    client.post(trigger)
    response = client.post(trigger)
    assert (response.status_code, parts(response)) == (208, answer(trigger_duplicate=True))
    client.post(resolve)
    response = client.post(resolve)
    assert (response.status_code, parts(response)) == (208, answer(resolve_duplicate=True))
    assert len(sandbox.incidents) == 1


def test_a_similar_request_is_a_duplicate_only_by_its_mapped_value(client, sandbox, reading, trigger):
    client.post(trigger)
    response = client.post({**trigger, "content": "It is still full."})
    assert response.status_code == {"body": 201, "mapped": 208}[reading]
    assert len(sandbox.incidents) == {"body": 2, "mapped": 1}[reading]


def test_the_same_body_from_another_token_is_a_duplicate_only_by_its_mapped_value(client, sandbox, reading, trigger):
    sandbox.set(tokens=(Token(), Token("other-token")))
    client.post(trigger)
    assert client.post(trigger, token="other-token").status_code == {"body": 201, "mapped": 208}[reading]


def test_without_a_mapped_value_requests_are_compared_by_their_body(client, trigger):
    del trigger["incident_key"]
    assert client.post(trigger).status_code == 201
    assert client.post(trigger).status_code == 208
    assert client.post({**trigger, "content": "Another disk."}).status_code == 201


def test_another_mapped_value_is_another_incident(client, sandbox, trigger, resolve):
    client.post(trigger)
    assert client.post({**trigger, "incident_key": "memory"}).status_code == 201
    client.post(resolve)
    assert [incident["key"] for incident in sandbox.open_incidents] == ["memory"]


def test_a_trigger_within_the_window_is_a_duplicate_even_after_its_incident_was_resolved(client, trigger, resolve):
    client.post(trigger)
    client.post(resolve)
    assert client.post(trigger).status_code == 208


def test_after_the_window_a_trigger_opens_a_second_incident_and_one_resolve_closes_both(
    client, sandbox, trigger, resolve
):
    client.post(trigger)
    sandbox.advance(301)
    assert client.post(trigger).status_code == 201
    assert len(sandbox.open_incidents) == 2
    assert client.post(resolve).status_code == 200
    assert sandbox.open_incidents == []


def test_a_duplicate_does_not_extend_the_window(client, sandbox, trigger):
    client.post(trigger)
    sandbox.advance(200)
    assert client.post(trigger).status_code == 208
    sandbox.advance(200)
    assert client.post(trigger).status_code == 201


def test_the_window_can_be_set(client, sandbox, trigger):
    sandbox.set(window=1000)
    client.post(trigger)
    sandbox.advance(900)
    assert client.post(trigger).status_code == 208
    sandbox.set(window=0)
    assert client.post(trigger).status_code == 201


def test_with_merge_open_a_trigger_for_an_open_incident_is_a_duplicate_at_any_time(client, sandbox, trigger, resolve):
    sandbox.set(merge_open=True)
    client.post(trigger)
    sandbox.advance(10_000)
    response = client.post(trigger)
    assert (response.status_code, parts(response)) == (208, answer(trigger_duplicate=True))
    client.post(resolve)
    sandbox.advance(10_000)
    assert client.post(trigger).status_code == 201


@pytest.mark.parametrize(
    ("nothing_open", "status", "expected"),
    [
        ("resolved_false", 200, answer()),
        ("no_filter", 202, answer()),
        ("duplicate", 208, answer(resolve_duplicate=True)),
    ],
)
def test_the_answer_to_a_resolve_with_nothing_open_is_a_setting(
    client, sandbox, resolve, nothing_open, status, expected
):
    sandbox.set(nothing_open=nothing_open)
    response = client.post(resolve)
    assert (response.status_code, parts(response)) == (status, expected)


def test_a_resolve_without_the_mapped_value_closes_nothing(client, sandbox, trigger):
    client.post(trigger)
    response = client.post({"state": "resolved"})
    assert (response.status_code, parts(response)) == (200, answer())
    assert len(sandbox.open_incidents) == 1


def test_an_incident_without_a_mapped_value_cannot_be_closed(client, sandbox, trigger):
    sandbox.set_filters([Filter(Trigger(map_with=None))])
    client.post(trigger)
    assert sandbox.incidents[0]["key"] is None
    assert client.post({"state": "resolved"}).json()["resolved"] == {"resolved": False, "duplicate": False}


def test_a_payload_that_matches_both_parts_opens_and_closes_an_incident(client, sandbox, trigger):
    sandbox.set_filters([Filter(resolve=Resolve(Pair("state", ("trigger",))))])
    response = client.post(trigger)
    assert (response.status_code, parts(response)) == (201, answer(created=True, resolved=True))
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]
    response = client.post(trigger)
    assert (response.status_code, parts(response)) == (208, answer(trigger_duplicate=True, resolve_duplicate=True))


@pytest.mark.parametrize("token", ["wrong", "sandbox-request-token"])
def test_a_wrong_token_and_a_request_token_are_refused(client, sandbox, trigger, token):
    for response in (
        client.post(trigger, token=token),
        client.post(trigger, headers={}, params={"token": token}),
    ):
        assert response.status_code == 401
        assert "message" in response.json()
    assert sandbox.incidents == []


def test_a_missing_token_is_refused(client, trigger):
    assert client.post(trigger, headers={}).status_code == 401
    assert client.post(trigger, headers={"Authorization": "Basic c2FuZGJveA=="}).status_code == 401


def test_the_token_can_be_a_url_parameter(client, sandbox, trigger):
    assert client.post(trigger, headers={}, params={"token": sandbox.token}).status_code == 201


def test_every_answer_has_its_own_id(client, trigger):
    ids = {client.post(trigger).json()["id"] for _time in range(3)}
    assert len(ids) == 3


SERVICES = (
    Service("Shop", "Web"),
    Service("Blog", "Web"),
    Service("Ansible"),
)


@pytest.mark.parametrize(
    ("token", "opened"),
    [
        (Token("t", scope="global", owner=None), ["Shop", "Blog", "Ansible"]),
        (Token("t", scope="team", owner="Web"), ["Shop", "Blog"]),
        (Token("t", scope="service", owner="Blog"), ["Blog"]),
    ],
    ids=lambda value: getattr(value, "scope", ""),
)
def test_a_token_is_matched_against_every_service_in_its_scope(client, sandbox, trigger, resolve, token, opened):
    sandbox.set(services=SERVICES, tokens=(token,))
    assert client.post(trigger).status_code == 201
    assert [incident["service"] for incident in sandbox.open_incidents] == opened
    assert client.post(resolve).status_code == 200
    assert sandbox.open_incidents == []


def test_a_service_in_maintenance_creates_nothing_but_still_resolves(client, sandbox, trigger, resolve):
    client.post(trigger)
    sandbox.set(services=(Service(maintenance=True),))
    response = client.post({**trigger, "incident_key": "memory"})
    assert (response.status_code, parts(response)) == (202, answer())
    assert client.post(resolve).status_code == 200
    sandbox.set(services=(Service(),))
    assert client.post({**trigger, "incident_key": "memory"}).status_code == 201


@pytest.mark.parametrize(
    ("tags", "status"), [(["web", "db"], 202), ("db", 202), (["web"], 201), (["dbs"], 201), ([1], 201), (None, 201)]
)
def test_a_maintenance_can_be_limited_to_payloads_with_certain_tags(client, sandbox, trigger, tags, status):
    sandbox.set(services=(Service(maintenance=True, maintenance_tags=("db",)),))
    assert client.post({**trigger, "tags": tags}).status_code == status
