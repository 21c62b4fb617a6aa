# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of every answer: the table of outcomes row by row, unexpected bodies, and uncertain attempts.

Must not import ansible-core or send anything.
"""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import interpret, is_doubtful, is_transient


def answer(created=False, resolved=False):
    return {
        "id": "1",
        "triggered": {"created": created, "duplicate": False},
        "resolved": {"resolved": resolved, "duplicate": False},
    }


# state, status, body, uncertain -> outcome, changed
TABLE = [
    ("triggered", 201, answer(created=True), False, "created", True),
    ("triggered", 201, answer(created=True), True, "created", True),
    ("triggered", 201, answer(created=True, resolved=True), False, "created", True),
    ("triggered", 200, answer(resolved=True), False, "failed", True),
    ("triggered", 200, answer(), False, "unmatched", False),
    ("triggered", 208, answer(), False, "duplicate", False),
    ("triggered", 208, answer(), True, "created", True),
    ("triggered", 202, answer(), False, "unmatched", False),
    ("triggered", 202, answer(), True, "unmatched", False),
    ("triggered", 401, {"message": "Unauthorized"}, False, "failed", False),
    ("resolved", 201, answer(created=True), False, "failed", True),
    ("resolved", 201, answer(created=True, resolved=True), False, "failed", True),
    ("resolved", 200, answer(resolved=True), False, "resolved", True),
    ("resolved", 200, answer(resolved=True), True, "resolved", True),
    ("resolved", 200, answer(), False, "nothing_to_resolve", False),
    ("resolved", 200, answer(), True, "nothing_to_resolve", True),
    ("resolved", 208, answer(), False, "duplicate", False),
    ("resolved", 208, answer(), True, "resolved", True),
    ("resolved", 202, answer(), False, "unmatched", False),
    ("resolved", 202, answer(), True, "unmatched", True),
    ("resolved", 401, {"message": "Unauthorized"}, False, "failed", False),
]


@pytest.mark.parametrize(("state", "status", "body", "uncertain", "name", "changed"), TABLE)
def test_each_answer_has_the_outcome_of_the_table(state, status, body, uncertain, name, changed):
    outcome = interpret(state, status, body, uncertain)
    assert (outcome.name, outcome.changed) == (name, changed)


NO_OBJECTS = [None]
LACKING = [
    {},
    {"triggered": None, "resolved": None},
    {"triggered": "yes", "resolved": ["no"]},
    {"triggered": {}, "resolved": {}},
    {"triggered": {"created": "true"}, "resolved": {"resolved": 1}},
]


@pytest.mark.parametrize("body", NO_OBJECTS + LACKING)
@pytest.mark.parametrize(
    ("state", "status", "name", "changed"),
    [
        ("triggered", 201, "created", True),
        ("triggered", 200, "failed", True),
        ("triggered", 208, "duplicate", False),
        ("triggered", 202, "unmatched", False),
        ("resolved", 201, "failed", True),
        ("resolved", 200, "resolved", True),
        ("resolved", 208, "duplicate", False),
        ("resolved", 202, "unmatched", False),
    ],
)
def test_if_the_body_is_unusable_the_status_decides_with_one_warning(body, state, status, name, changed):
    outcome = interpret(state, status, body)
    assert (outcome.name, outcome.changed, len(outcome.warnings)) == (name, changed, 1)
    assert ("not a JSON object" in outcome.warnings[0]) is (body is None)


@pytest.mark.parametrize(("state", "status", "body"), [row[:3] for row in TABLE if row[1] < 300])
def test_a_complete_body_that_agrees_with_its_status_gives_no_warning(state, status, body):
    warnings = interpret(state, status, body).warnings
    if state == "triggered" and body == answer(created=True, resolved=True):
        assert "Resolve part" in warnings[0]
    else:
        assert warnings == ()


@pytest.mark.parametrize(
    ("state", "resolved", "name"),
    [
        ("triggered", False, "unmatched"),
        ("triggered", True, "unmatched"),
        ("resolved", False, "nothing_to_resolve"),
        ("resolved", True, "resolved"),
    ],
)
def test_a_201_whose_body_denies_the_creation_warns_and_created_nothing(state, resolved, name):
    outcome = interpret(state, 201, answer(created=False, resolved=resolved))
    assert outcome.name == name
    assert "contradicts" in outcome.warnings[0]


def test_a_created_trigger_counts_even_if_the_resolve_section_is_missing():
    outcome = interpret("triggered", 201, {"triggered": {"created": True}})
    assert (outcome.name, outcome.changed, len(outcome.warnings)) == ("created", True, 1)


@pytest.mark.parametrize("state", ["triggered", "resolved"])
@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize(
    "status", [204, 206, 301, 302, 307, 400, 401, 403, 404, 405, 407, 413, 415, 418, 422, 425, 429]
)
def test_any_other_status_fails_as_unchanged_unless_an_earlier_attempt_is_uncertain(state, uncertain, status):
    for body in (None, answer(created=True, resolved=True)):
        outcome = interpret(state, status, body, uncertain)
        assert (outcome.name, outcome.changed) == ("failed", uncertain)
        assert f"HTTP {status}" in outcome.message


@pytest.mark.parametrize("state", ["triggered", "resolved"])
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_a_temporary_error_fails_as_changed(state, status):
    outcome = interpret(state, status, None)
    assert (outcome.name, outcome.changed) == ("failed", True)
    assert "retries" in outcome.message


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (301, "never followed"),
        (308, "base_url"),
        (400, "payload"),
        (401, "Incident token"),
        (401, "Request token"),
        (403, "scope"),
        (404, "base_url"),
        (405, "base_url"),
        (407, "proxy"),
        (413, "too large"),
        (415, "content_type"),
        (422, "API Filter"),
        (429, "try again"),
        (418, "not the Callgoose API"),
    ],
)
def test_a_failure_names_its_likely_cause(status, says):
    assert says in interpret("triggered", status, None).message


@pytest.mark.parametrize(
    ("state", "status", "body", "says"),
    [
        ("triggered", 200, answer(resolved=True), "Resolve part of the API Filter matches a trigger payload"),
        ("resolved", 201, answer(created=True), "Trigger part of the API Filter matches a resolve payload"),
        ("triggered", 202, answer(), "no API Filter matched"),
        ("resolved", 200, answer(), "nothing to resolve"),
        ("triggered", 208, answer(), "nothing changed"),
    ],
)
def test_a_message_says_which_part_of_the_setup_is_wrong(state, status, body, says):
    assert says in interpret(state, status, body).message


@pytest.mark.parametrize(("state", "name"), [("triggered", "created"), ("resolved", "resolved")])
def test_a_duplicate_after_an_uncertain_attempt_mentions_that_attempt(state, name):
    message = interpret(state, 208, answer(), uncertain=True).message
    assert "earlier attempt" in message
    assert f"reported as {name}" in message


def test_every_combination_of_state_status_and_body_has_an_outcome():
    names = {"created", "resolved", "duplicate", "unmatched", "nothing_to_resolve", "failed"}
    bodies = [None, {}, *(answer(*flags) for flags in itertools.product((False, True), repeat=2))]
    for state, status, body, uncertain in itertools.product(
        ("triggered", "resolved"), range(200, 600), bodies, (False, True)
    ):
        outcome = interpret(state, status, body, uncertain)
        assert outcome.name in names
        assert outcome.message
        if outcome.name in ("created", "resolved"):
            assert status in (200, 201, 208)
            assert outcome.changed
        if outcome.name == "created":
            assert state == "triggered"
        if outcome.name == "resolved":
            assert state == "resolved"


def test_only_statuses_that_ask_for_a_retry_are_transient():
    assert [status for status in range(200, 500) if is_transient(status)] == [408, 425, 429]
    assert all(is_transient(status) for status in range(500, 600))


def test_425_and_429_say_that_the_request_was_not_processed():
    assert [status for status in range(200, 502) if is_doubtful(status)] == [408, 500, 501]
