# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task from its options to its result, against an emulated API.

Must not inspect the client: the sandbox knows what was sent.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._task_runner import EMPTY_RESULT, run_task
from ansible_collections.callgoose.sqibs.tests.sandbox import Filter, Sandbox, Trigger


@pytest.fixture()
def sandbox(reading):
    """A sandbox, once for each possible meaning of "duplicate"."""
    with Sandbox(reading=reading) as running:
        yield running


@pytest.fixture()
def run(sandbox, validate):
    """Return a function that runs a task with the given options against the sandbox."""

    def run(check_mode=False, diff=False, **options):
        given = {"base_url": sandbox.base_url, "api_token": sandbox.token, **options}
        parameters, errors = validate(**given)
        assert errors == []
        result = run_task(parameters, check_mode=check_mode, diff=diff)
        assert set(EMPTY_RESULT) <= set(result)
        json.dumps(result)
        assert parameters["api_token"] not in json.dumps(result)
        return result

    return run


def told(result):
    return result["outcome"], result["changed"], result.get("failed", False), result["status_code"]


def test_a_repeated_trigger_and_a_repeated_resolve_are_duplicates(run, sandbox):
    assert told(run(title="Disk full")) == ("created", True, False, 201)
    assert told(run(title="Disk full")) == ("duplicate", False, False, 208)
    assert len(sandbox.open_incidents) == 1
    assert told(run(state="resolved", title="Disk full")) == ("resolved", True, False, 200)
    assert told(run(state="resolved", title="Disk full")) == ("duplicate", False, False, 208)
    assert sandbox.open_incidents == []


def test_a_resolve_with_nothing_open_succeeds(run):
    assert told(run(state="resolved", incident_key="disk")) == ("nothing_to_resolve", False, False, 200)


def test_a_result_contains_what_was_sent_and_answered(run, sandbox):
    result = run(title="Disk full", incident_key="disk")
    assert result["payload"] == json.loads(sandbox.requests[0]["body"])
    assert result["incident_key"] == "disk"
    assert result["api_id"] == "sandbox-1"
    assert result["triggered"] == {"created": True, "duplicate": False}
    assert result["resolved"] == {"resolved": False, "duplicate": False}
    assert result["attempts"] == 1
    assert result["msg"] == "The incident was created."
    assert "warnings" not in result
    assert "diff" not in result


@pytest.mark.parametrize(
    ("state", "unmatched", "failed", "warned"),
    [
        ("triggered", None, True, False),
        ("triggered", "warn", False, True),
        ("triggered", "ok", False, False),
        ("resolved", None, False, False),
        ("resolved", "fail", True, False),
        ("resolved", "warn", False, True),
    ],
)
def test_unmatched_decides_whether_an_unmatched_payload_fails(run, sandbox, state, unmatched, failed, warned):
    sandbox.set_filters([])
    result = run(title="x", state=state, **({"unmatched": unmatched} if unmatched else {}))
    assert told(result) == ("unmatched", False, failed, 202)
    assert bool(result.get("warnings")) is warned
    assert "API Filter" in result["msg"]


def test_an_invalid_token_fails_and_the_message_names_the_token_kinds(run, sandbox):
    result = run(title="x", api_token=sandbox.request_token)
    assert told(result) == ("failed", False, True, 401)
    assert "Request token" in result["msg"]


def test_a_resolve_that_opens_an_incident_fails_as_changed(run, sandbox):
    sandbox.set_filters([Filter(trigger=Trigger(pairs=()), resolve=None)])
    result = run(state="resolved", title="x")
    assert told(result) == ("failed", True, True, 201)
    assert len(sandbox.open_incidents) == 1


@pytest.mark.parametrize("processed", [False, True])
def test_a_final_500_fails_as_changed(run, sandbox, processed):
    sandbox.queue_fault("status", status=500, processed=processed)
    result = run(title="x", retries=0)
    assert told(result) == ("failed", True, True, 500)


@pytest.mark.parametrize("processed", [False, True])
def test_a_missing_answer_fails_as_changed(run, sandbox, processed):
    sandbox.queue_fault("reset", count=None, processed=processed)
    result = run(title="x", retries=1)
    assert told(result) == ("failed", True, True, None)
    assert result["attempts"] == 2
    assert "may have processed" in result["msg"]


def test_a_refused_connection_fails_as_unchanged(run, sandbox):
    sandbox.close()
    result = run(title="x", retries=1)
    assert told(result) == ("failed", False, True, None)
    assert result["attempts"] == 2


def test_a_duplicate_after_a_lost_answer_is_reported_as_created(run, sandbox):
    sandbox.queue_fault("cut_off")
    result = run(title="x")
    assert told(result) == ("created", True, False, 208)
    assert "earlier attempt" in result["msg"]


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"id": 5, "triggered": "x", "resolved": []}'])
def test_an_unexpected_body_is_a_warning_and_the_result_has_all_keys(run, sandbox, body):
    sandbox.queue_fault("body", body=body)
    result = run(title="x")
    assert told(result) == ("created", True, False, 201)
    assert result["warnings"][0].startswith("Callgoose: the answer's body")
    assert (result["triggered"], result["resolved"]) == ({}, {})


NESTED = "[" * 300 + "]" * 300


@pytest.mark.parametrize(
    ("value", "api_id"),
    [
        ('"a1"', "a1"),
        ("5", "5"),
        ("true", None),
        ("1.5", None),
        ("null", None),
        (NESTED, None),
        ('{"a": {}}', None),
        ("NaN", None),
        ("Infinity", None),
        ("9" * 4000, None),
        ('"\\ud800"', None),
    ],
)
def test_the_id_of_an_answer_is_a_string_or_missing(run, sandbox, value, api_id):
    sandbox.queue_fault("body", body=f'{{"id": {value}, "triggered": {{"created": true}}}}')
    result = run(title="x")
    assert (told(result), result["api_id"]) == (("created", True, False, 201), api_id)


def test_only_scalars_are_passed_on_from_the_sections_of_an_answer(run, sandbox):
    odd = f'"a": {NESTED}, "b": {{}}, "c": NaN, "d": -Infinity, "e": 1e999, "f": "\\ud800", "\\udfff": 1'
    good = '"created": true, "note": "ü", "count": 2, "share": 0.5, "since": null'
    sandbox.queue_fault("body", body=f'{{"triggered": {{{odd}, {good}}}, "resolved": {{{odd}}}}}')
    result = run(title="x")
    assert result["triggered"] == {"created": True, "note": "ü", "count": 2, "share": 0.5, "since": None}
    assert result["resolved"] == {}


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_an_answer_nested_too_deep_for_the_parser_is_not_an_object(run, sandbox, opening):
    sandbox.queue_fault("body", body=opening * (60_000 // len(opening)))
    result = run(title="x")
    assert told(result) == ("created", True, False, 201)
    assert "not a JSON object" in result["warnings"][0]


@pytest.mark.parametrize("state", ["triggered", "resolved"])
def test_check_mode_sends_nothing_and_returns_the_payload(run, sandbox, state):
    result = run(check_mode=True, title="x", state=state)
    assert told(result) == ("would_send", True, False, None)
    assert result["payload"]["state"] == state
    assert result["attempts"] == 0
    assert sandbox.requests == []


def test_check_mode_refuses_what_a_run_would_refuse(run):
    assert run(check_mode=True, title=" ")["failed"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_diff_mode_shows_the_payload(run, check_mode):
    result = run(check_mode=check_mode, diff=True, title="x")
    assert json.loads(result["diff"]["after"]) == result["payload"]
    assert result["diff"]["before"] == ""


def test_diff_mode_shows_a_string_payload_unchanged_and_no_diff_without_a_change(run):
    assert run(check_mode=True, diff=True, payload="ALERT")["diff"]["after"] == "ALERT\n"
    run(title="x")
    assert "diff" not in run(diff=True, title="x")


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"api_token": "a\nb"}, "api_token"),
        ({"source": "a\nb"}, "source"),
        ({"base_url": "https://api.example\n/x"}, "base_url"),
        ({"base_url": "api.example"}, "base_url"),
        ({"base_url": "https://user:word@api.example"}, "base_url"),
        ({"base_url": "http://api.example"}, "base_url"),
        ({"title": ""}, "title"),
        ({"content_type": "image/png"}, "content_type"),
        ({"client_key": "/nowhere/key.pem"}, "client_key"),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path"),
        ({"client_cert": "/nowhere/cert.pem"}, "client_cert"),
        ({"details": {"a": {1, 2}}}, "details"),
        ({"timeout": -1}, "timeout"),
        ({"retries": -1}, "retries"),
    ],
)
def test_wrong_input_fails_before_any_request_and_names_the_option(run, sandbox, options, option):
    result = run(**{"title": "x", **options})
    assert result["failed"]
    assert not result["changed"]
    assert result["msg"].startswith(f"{option}: ")
    assert sandbox.requests == []
