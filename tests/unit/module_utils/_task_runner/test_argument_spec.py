# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task: what the specification refuses, what the checks of values refuse, and the request they give.

Must not send anything.
"""

from __future__ import annotations

import datetime
import json

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import CONNECTION_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_request import request_from

TOKEN = "s3cr3t"


@pytest.fixture()
def task(validate):
    """Return a function that returns the request for the given options."""

    def task(**options):
        parameters, errors = validate(api_token=TOKEN, **options)
        assert errors == []
        return request_from(parameters)

    return task


@pytest.fixture()
def refusal(task):
    """Return a function that returns the error for the given options."""

    def refusal(**options):
        with pytest.raises(OptionError) as refused:
            task(**options)
        assert str(refused.value).startswith(f"{refused.value.option}: ")
        assert TOKEN not in str(refused.value)
        return refused.value

    return refusal


# What the specification refuses


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "title, payload"),
        ({"state": "resolved"}, "title, incident_key, payload"),
        ({"state": "opened", "title": "x"}, "state must be one of"),
        ({"title": "x", "severity": "urgent"}, "severity must be one of"),
        ({"title": "x", "unmatched": "maybe"}, "unmatched must be one of"),
        ({"title": "x", "auth_method": "basic"}, "auth_method must be one of"),
        ({"title": "x", "titel": "y"}, "titel"),
        ({"title": "x", "timeout": "long"}, "timeout"),
        ({"title": "x", "retries": "some"}, "retries"),
        ({"title": "x", "retries": 1.5}, "retries"),
        ({"title": "x", "details": 5}, "details"),
        ({"title": "x", "tags": {"a": 1}}, "tags"),
        ({"title": "x", "validate_certs": "perhaps"}, "validate_certs"),
        *(
            ({"payload": {"a": 1}, name: value}, f"payload|{name}")
            for name, value in {
                "title": "x",
                "content": "x",
                "incident_key": "x",
                "tags": ["x"],
                "details": {"x": 1},
            }.items()
        ),
    ],
)
def test_the_specification_refuses_a_wrong_option_and_names_it(validate, options, says):
    _parameters, errors = validate(api_token=TOKEN, **options)
    assert len(errors) == 1
    assert says in errors[0]


@pytest.mark.parametrize("option", sorted(CONNECTION_SPEC))
def test_every_connection_option_has_an_environment_variable(validate, monkeypatch, option):
    values = {"bool": "no", "float": "2.5", "int": "7", "path": "/a", "str": "bearer"}
    expected = {"bool": False, "float": 2.5, "int": 7, "path": "/a", "str": "bearer"}
    kind = CONNECTION_SPEC[option]["type"]
    monkeypatch.setenv(f"CALLGOOSE_{option.upper()}", values[kind])
    parameters, errors = validate(title="x")
    assert (parameters[option], errors) == (expected[kind], [])


def test_white_space_around_an_environment_variable_is_no_part_of_its_value(validate, monkeypatch):
    monkeypatch.setenv("CALLGOOSE_API_TOKEN", f" {TOKEN}\n")
    monkeypatch.setenv("CALLGOOSE_AUTH_METHOD", "url_parameter\n")
    parameters, errors = validate(title="x")
    assert (parameters["api_token"], parameters["auth_method"], errors) == (TOKEN, "url_parameter", [])


@pytest.mark.parametrize("value", ["", "\n"])
@pytest.mark.parametrize("option", sorted(set(CONNECTION_SPEC) - {"source"}))
def test_an_empty_environment_variable_counts_as_unset(validate, monkeypatch, option, value):
    monkeypatch.setenv(f"CALLGOOSE_{option.upper()}", value)
    parameters, errors = validate(title="x")
    assert (parameters[option], errors) == (CONNECTION_SPEC[option].get("default"), [])


def test_the_source_may_be_empty(validate, monkeypatch):
    monkeypatch.setenv("CALLGOOSE_SOURCE", "")
    assert validate(title="x")[0]["source"] == ""


# What the checks of values refuse


@pytest.mark.parametrize("option", ["title", "incident_key"])
@pytest.mark.parametrize("state", ["triggered", "resolved"])
@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_string_is_refused_as_title_and_as_key(refusal, option, state, text):
    error = refusal(**{"state": state, "title": "x", option: text})
    assert error.option == option
    assert "empty" in str(error)


def test_a_missing_token_is_refused(validate):
    parameters, errors = validate(title="x")
    assert errors == []
    with pytest.raises(OptionError, match=r"^api_token: it is missing.*CALLGOOSE_API_TOKEN"):
        request_from(parameters)


@pytest.mark.parametrize(
    "content_type",
    [
        "image/png",
        "application/octet-stream",
        "application/pdf",
        "multipart/form-data",
        "text",
        "text/",
        "/plain",
        "text/plain\r\nX-Evil: 1",
        "text/plain; charset=utf-8\r\nX-Evil: 1",
        "text/plain\n",
        "\ttext/plain",
        " ",
        "text/plän",
        "text/plain; a=\x00",
        "text/plain; charset=latin-1",
        'text/plain; CHARSET = "utf-16"',
        "text/plain, image/png",
    ],
)
def test_a_content_type_that_the_api_ignores_is_refused(refusal, content_type):
    error = refusal(title="x", content_type=content_type)
    assert error.option == "content_type"
    assert "evil" not in str(error).lower()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "text/html",
        "text/x-yaml",
        "application/xml",
        "application/vnd.api+json",
        "application/soap+xml",
        "text/plain; charset=utf-8",
        'text/plain;charset="UTF-8"; format=flowed',
    ],
)
def test_a_text_type_is_sent_unchanged(task, content_type):
    assert task(title="x", content_type=content_type).content_type == content_type


def test_spaces_around_a_content_type_are_not_sent(task):
    assert task(title="x", content_type=" text/plain ").content_type == "text/plain"


@pytest.mark.parametrize(
    ("options", "option", "place"),
    [
        ({"title": "x", "details": {"a": [b"x"]}}, "details", "details.a[0] is of type bytes"),
        ({"title": "x", "details": {"a": float("nan")}}, "details", "details.a is nan"),
        ({"payload": {"a": {1}}}, "payload", "payload.a is of type set"),
        ({"payload": [object()]}, "payload", "payload[0] is of type object"),
        ({"payload": "\udcff"}, "payload", "payload contains bytes"),
        ({"title": "\udcff"}, "incident_key", "incident_key contains bytes"),
        ({"title": "x", "content": "\udcff"}, "content", "content contains bytes"),
        ({"title": "x", "tags": ["a", "\udcff"]}, "tags", "tags[1] contains bytes"),
        ({"title": "x", "source": "\udcff"}, "source", "source: it contains bytes"),
        ({"payload": {"a": 1}, "source": "\udcff"}, "source", "source: it contains bytes"),
        ({"payload": 5}, "payload", "not a dictionary, list or string"),
        ({"payload": True}, "payload", "not a dictionary"),
        ({"payload": {}}, "payload", "empty"),
        ({"payload": []}, "payload", "empty"),
        ({"payload": ""}, "payload", "empty"),
        ({"title": "x", "timeout": 0}, "timeout", "positive"),
        ({"title": "x", "timeout": "nan"}, "timeout", "positive"),
        ({"title": "x", "timeout": -1}, "timeout", "positive"),
        ({"title": "x", "retries": -1}, "retries", "negative"),
        ({"title": "x", "client_key": "/a"}, "client_key", "client_cert"),
        ({"title": "x", "base_url": "http://api.example"}, "base_url", "allow_http"),
    ],
)
def test_a_wrong_value_is_refused_and_the_message_says_where_it_is(refusal, options, option, place):
    error = refusal(**options)
    assert error.option == option
    assert place in str(error)


# The request


def test_the_key_defaults_to_the_title(task):
    assert task(title="Disk full").incident_key == "Disk full"
    assert task(title="Disk full", incident_key="disk").incident_key == "disk"
    assert task(state="resolved", incident_key="disk").incident_key == "disk"
    assert task(state="resolved", title="Disk full").incident_key == "Disk full"


@pytest.mark.parametrize("option", ["title", "incident_key"])
def test_white_space_around_a_title_or_a_key_is_not_sent_in_either_state(task, option):
    trigger, resolve = (
        task(**{"title": "x", option: "Disk full\n"}),
        task(state="resolved", **{option: "\t Disk full "}),
    )
    assert trigger.incident_key == resolve.incident_key == "Disk full"
    assert trigger.payload[option] == trigger.payload["incident_key"] == resolve.payload[option] == "Disk full"
    assert trigger.payload["content"] == trigger.payload["title"]


@pytest.mark.parametrize("severity", ["warning", "Warning", "WARNING", " warning\n"])
def test_capitals_and_white_space_around_a_severity_do_not_matter(task, severity):
    assert task(title="x", severity=severity).payload["severity"] == "warning"


@pytest.mark.parametrize("severity", ["warn", "war ning", "", "True"])
def test_any_other_severity_is_refused_with_the_documented_ones(validate, severity):
    _parameters, errors = validate(title="x", severity=severity)
    assert errors == [f"value of severity must be one of: critical, error, warning, info, got: {severity}"]


@pytest.mark.parametrize("content", [None, ""])
def test_the_description_of_a_trigger_is_by_default_its_title(task, content):
    assert task(title="Disk full", content=content).payload["content"] == "Disk full"
    assert task(title="Disk full", content="90 %").payload["content"] == "90 %"
    assert "content" not in task(title="Disk full", state="resolved", content=content).payload


def test_the_body_of_a_trigger_is_canonical_json(task):
    made = task(title="Disk full", tags=["b", "a"], details={"z": 1, "a": datetime.date(2026, 1, 2)})
    assert made.body == (
        b'{"content":"Disk full","details":{"a":"2026-01-02","z":1},"incident_key":"Disk full",'
        b'"severity":"critical","source":"Ansible",'
        b'"state":"triggered","tags":["b","a"],"title":"Disk full"}'
    )
    assert json.loads(made.body) == made.payload
    assert made.content_type == "application/json"


def test_the_body_of_a_resolve_has_no_severity(task):
    assert task(state="resolved", incident_key="disk").payload == {
        "state": "resolved",
        "incident_key": "disk",
        "source": "Ansible",
    }


def test_an_empty_source_is_not_sent(task):
    made = task(title="x", source="")
    assert "source" not in made.payload
    assert made.connection.source == ""


@pytest.mark.parametrize(
    ("payload", "body", "content_type"),
    [
        ({"b": 1, "a": [None]}, b'{"a":[null],"b":1}', "application/json"),
        ([1, {"a": 2}], b'[1,{"a":2}]', "application/json"),
        ("ALERT ü\n", "ALERT ü\n".encode(), "text/plain"),
    ],
)
def test_a_payload_is_sent_unchanged_and_has_no_incident_key(task, payload, body, content_type):
    made = task(payload=payload)
    assert (made.body, made.content_type, made.incident_key) == (body, content_type, None)


@pytest.mark.parametrize(("state", "default"), [("triggered", "fail"), ("resolved", "ok")])
def test_the_default_of_unmatched_depends_on_the_state(task, state, default):
    assert task(title="x", state=state).unmatched == default
    assert task(title="x", state=state, unmatched="warn").unmatched == "warn"
