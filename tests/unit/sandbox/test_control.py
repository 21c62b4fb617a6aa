# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API, with which playbooks, the demo and people read and change the sandbox without Python.

Must not test the effects of settings: it is enough that both interfaces lead to the same state.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.callgoose.sqibs.tests.sandbox import SetupError

FILTER = {
    "trigger": {
        "pairs": [{"key": "level", "contains": ["crit"]}],
        "title_from": "name",
        "description_from": None,
        "map_with": "id",
        "urgency": "low",
    },
    "resolve": {"pair": {"key": "level", "contains": ["ok"]}, "mapped_with": "id"},
}
ALERT = {"level": "critical", "name": "Disk", "id": "disk"}


def test_the_state_shows_everything(client, sandbox, trigger, reading):
    sandbox.queue_fault("delay", seconds=0, count=2)
    client.post(trigger)
    state = client.control("GET", "state").json()
    assert state["settings"]["reading"] == reading
    assert [incident["key"] for incident in state["incidents"]] == ["disk"]
    assert [request["status"] for request in state["requests"]] == [201]
    assert [(fault["kind"], fault["count"]) for fault in state["faults"]] == [("delay", 1)]
    assert (state["connections"], state["handshakes"]) == (1, 0)
    for name in ("incidents", "requests", "settings", "faults"):
        assert client.control("GET", name).json() == state[name]
    assert state["incidents"] == sandbox.incidents
    assert state["requests"] == json.loads(json.dumps(sandbox.requests))


def test_the_default_setup_is_the_documented_filter(client):
    settings = client.control("GET", "settings").json()
    (service,) = settings["services"]
    assert (service["name"], service["maintenance"]) == ("Ansible", False)
    assert service["filters"] == [
        {
            "trigger": {
                "pairs": [{"key": "state", "contains": ["triggered"]}],
                "title_from": "title",
                "description_from": "content",
                "map_with": "incident_key",
                "urgency": "high",
            },
            "resolve": {"pair": {"key": "state", "contains": ["resolved"]}, "mapped_with": "incident_key"},
        }
    ]
    tokens = [(token["value"], token["kind"]) for token in settings["tokens"]]
    assert tokens == [("sandbox-incident-token", "incident"), ("sandbox-request-token", "request")]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_settings_can_be_changed_one_by_one(client, method, reading):
    response = client.control(method, "settings", {"window": 5, "nothing_open": "no_filter", "merge_open": True})
    assert response.status_code == 200
    settings = client.control("GET", "settings").json()
    assert response.json() == settings
    assert (settings["reading"], settings["window"]) == (reading, 5)
    assert (settings["nothing_open"], settings["merge_open"]) == ("no_filter", True)


def test_the_shown_settings_can_be_restored(client):
    settings = client.control("GET", "settings").json()
    assert client.control("PUT", "settings", settings).json() == settings


def test_services_and_tokens_can_be_set(client, sandbox):
    shop = {"name": "Shop", "team": "Web", "filters": [FILTER], "maintenance": True, "maintenance_tags": ["db"]}
    tokens = [{"value": "all", "scope": "global", "owner": None}, {"value": "web", "scope": "team", "owner": "Web"}]
    response = client.control("POST", "settings", {"services": [shop, {"name": "Blog"}], "tokens": tokens})
    assert response.status_code == 200
    assert client.post(ALERT, token="web").status_code == 201
    assert client.post({**ALERT, "tags": ["db"]}, token="all").status_code == 202
    assert [incident["service"] for incident in sandbox.incidents] == ["Shop"]


@pytest.mark.parametrize("body", [[FILTER], {"filters": [FILTER]}, {"filters": [FILTER], "service": "Ansible"}])
def test_filters_can_be_replaced(client, sandbox, trigger, body):
    assert client.control("POST", "filters", body).status_code == 200
    assert client.post(trigger).status_code == 202
    assert client.post(ALERT, source="Ansible").status_code == 201
    (incident,) = sandbox.incidents
    assert (incident["title"], incident["key"], incident["urgency"]) == ("Ansible - Disk", "disk", "low")
    assert client.post({"level": "ok", "id": "disk"}).status_code == 200


def test_a_filter_may_omit_defaults_and_the_resolve_part(client, trigger, resolve):
    client.control("POST", "filters", [{"resolve": None}])
    assert client.post(trigger).status_code == 201
    assert client.post(resolve).status_code == 202


@pytest.mark.parametrize("as_list", [False, True])
def test_faults_are_queued_and_cleared(client, trigger, as_list):
    fault = {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}, "count": None}
    assert client.control("POST", "faults", [fault] if as_list else fault).json()[0]["status"] == 503
    assert client.post(trigger).status_code == 503
    assert client.control("DELETE", "faults").json() == []
    assert client.post(trigger).status_code == 201


def test_the_clock_can_be_advanced(client, trigger):
    client.post(trigger)
    assert client.control("POST", "clock", {"advance": 301}).json()["time"] >= 301
    assert client.post(trigger).status_code == 201


def test_the_clock_cannot_be_advanced_beyond_any_number(client):
    assert client.control("POST", "clock", {"advance": 1e308}).status_code == 200
    response = client.control("POST", "clock", {"advance": 1e308})
    assert response.status_code == 400
    assert "advance must keep the clock's time finite" in response.json()["error"]
    assert client.control("GET", "state").json()["time"] < float("inf")
    assert client.session.get(client.sandbox.page_url, timeout=10).status_code == 200


def test_a_reset_clears_everything(client, sandbox, trigger):
    client.post(trigger)
    client.control("PUT", "settings", {"window": 1})
    state = client.control("POST", "reset").json()
    assert (state["incidents"], state["requests"], state["settings"]["window"]) == ([], [], 300)
    assert sandbox.incidents == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("settings", [], "settings must be an object"),
        ("settings", {"colour": "red"}, "there is no setting colour; use reading, window"),
        ("settings", {"window": "5"}, "window must be a number of seconds"),
        ("settings", {"reading": ["body"]}, "reading must be one of"),
        ("settings", {"services": {}}, "services must be a list"),
        (
            "settings",
            {"services": [{"name": "Shop"}]},
            "is for the service 'Ansible', which does not exist",
        ),
        ("settings", {"services": [{}, {}]}, "two services have the same name"),
        ("settings", {"services": [{"name": 5}]}, "a service's name must be a non-empty string"),
        ("settings", {"services": [{"maintenance": ["db"]}]}, "maintenance of service 'Ansible' must be true or false"),
        (
            "settings",
            {"services": [{"maintenance_tags": [1]}]},
            "maintenance_tags of service 'Ansible' must be strings",
        ),
        ("settings", {"tokens": [{"value": "a"}, {"value": "a"}]}, "two tokens have the same value"),
        ("settings", {"tokens": [{"kind": "admin"}]}, "a token's kind must be one of incident, request"),
        ("settings", {"tokens": [{"scope": "galaxy"}]}, "a token's scope must be one of"),
        ("settings", {"tokens": [{"scope": ["team"]}]}, "a token's scope must be one of"),
        ("settings", {"tokens": [{"scope": "global"}]}, "a global token has none"),
        ("filters", None, "give a list of filters, or an object with filters and service"),
        ("filters", {"filters": {}}, "filters must be a list"),
        ("filters", {"filters": [], "service": "Shop"}, "there is no service 'Shop'"),
        ("filters", {"filters": [], "service": ["Ansible"]}, "there is no service"),
        ("filters", [5], "a filter must be an object"),
        ("filters", [{"triggers": {}}], "a filter has no triggers; it has trigger, resolve"),
        ("filters", [{"trigger": None}], "a trigger must be an object"),
        ("filters", [{"trigger": {"pairs": [{"key": "state"}]}}], "a pair needs contains"),
        ("filters", [{"trigger": {"pairs": [{"key": "state", "contains": "a"}]}}], "contains must be a list"),
        (
            "filters",
            [{"trigger": {"pairs": [{"key": "state", "contains": [1]}]}}],
            "'state' must be a non-empty string",
        ),
        ("filters", [{"resolve": {"pair": None}}], "a pair must be an object"),
        ("faults", {"kind": "status"}, "a status fault needs status"),
        ("faults", {"status": 500}, "a fault needs kind"),
        ("faults", 5, "a fault must be an object"),
        ("clock", {"advance": -1}, "advance must be a number of seconds, 0 or more"),
        ("clock", {"advance": 10**400}, "advance must be a number of seconds, 0 or more"),
        ("clock", {}, 'give {"advance": seconds}'),
    ],
)
def test_wrong_input_is_refused_with_a_message_and_changes_nothing(client, name, value, words):
    before = client.control("GET", "settings").json()
    response = client.control("POST", name, value)
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert client.control("GET", "settings").json() == before
    assert client.control("GET", "faults").json() == []


def test_a_list_with_a_wrong_fault_queues_none(client):
    assert client.control("POST", "faults", [{"kind": "hang"}, {"kind": "hung"}]).status_code == 400
    assert client.control("GET", "faults").json() == []


def test_a_body_that_is_not_json_is_refused(client, sandbox):
    response = client.session.post(f"{sandbox.control_url}/settings", data="{", timeout=10)
    assert response.status_code == 400
    assert "the body must be JSON" in response.json()["error"]


def test_the_errors_for_an_unknown_path_or_method_name_the_known_ones(client):
    response = client.control("GET", "nothing")
    assert response.status_code == 404
    assert "/sandbox/incidents" in response.json()["error"]
    response = client.control("DELETE", "settings")
    assert response.status_code == 405
    assert "GET, PUT, POST" in response.json()["error"]


def test_the_python_interface_raises_the_same_errors(sandbox):
    with pytest.raises(SetupError, match="there is no setting colour"):
        sandbox.set(colour="red")
    with pytest.raises(SetupError, match="window must be"):
        sandbox.set(window=-1)
    with pytest.raises(SetupError, match="there is no service 'Shop'"):
        sandbox.set_filters([], service="Shop")
    with pytest.raises(SetupError, match="advance must be"):
        sandbox.advance(-1)
