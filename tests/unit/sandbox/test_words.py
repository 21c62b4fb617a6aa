# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that each answer is explained: what became of a request, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.tests.sandbox import Filter, Pair, Trigger
from ansible_collections.callgoose.sqibs.tests.sandbox.model import Model
from ansible_collections.callgoose.sqibs.tests.sandbox.settings import Service, Settings
from ansible_collections.callgoose.sqibs.tests.sandbox.state import Request
from ansible_collections.callgoose.sqibs.tests.sandbox.words import answer_of, clock, duration

TRIGGER = {"state": "triggered", "incident_key": "disk", "title": "Disk full"}
RESOLVE = {"state": "resolved", "incident_key": "disk"}
TOKEN = "sandbox-incident-token"


def told(*payloads: Any, settings: Settings | None = None, token: str = TOKEN, fault: str | None = None) -> str:
    """Return what is said of the last of these payloads, which are sent a minute apart."""
    model = Model(settings)
    for minute, payload in enumerate(payloads):
        body = json.dumps(payload)
        answer = model.process(token, None, "application/json", body.encode(), 60.0 * minute)
    headers = {"Content-Type": "application/json"}
    log = Request("POST", "/", "/", {}, headers, token, body, 1, None, fault, 0.0, effects=answer.effects)
    return answer_of(log, model.settings)


IN_MAINTENANCE = Settings(services=(Service(maintenance=True),))
TWO_PAIRS = Filter(Trigger((Pair("a", ("x",)), Pair("b", ("x",)))), None)
TWO_FILTERS = Settings(services=(Service(filters=(TWO_PAIRS, Filter())),))


@pytest.mark.parametrize(
    ("words", "payloads", "settings"),
    [
        ("Opened incident-1 in service Ansible.", [TRIGGER], None),
        ("Duplicate of the request at 0:00:00 (incident-1).", [TRIGGER, TRIGGER], None),
        ("Duplicate: incident-1 is open.", [TRIGGER, {**TRIGGER, "n": 1}], Settings(merge_open=True)),
        ("Resolved incident-1 in service Ansible.", [TRIGGER, RESOLVE], None),
        ("Duplicate of the request at 0:01:00 (incident-1).", [TRIGGER, RESOLVE, RESOLVE], None),
        ("Nothing to resolve: no incident with this mapped value is open.", [RESOLVE], None),
        ("Duplicate: nothing is open.", [RESOLVE], Settings(nothing_open="duplicate")),
        ("Nothing happened: service Ansible is in maintenance.", [TRIGGER], IN_MAINTENANCE),
        (
            "No filter of service Ansible matched. Filter 1, Trigger: 'state' is 'ok' and must contain 'triggered'. "
            "Resolve: 'state' is 'ok' and must contain 'resolved'.",
            [{"state": "ok"}],
            None,
        ),
        (
            "No filter of service Ansible matched. Filter 1, Trigger and Resolve: the payload has no key 'state'.",
            [{}],
            None,
        ),
        (
            "No filter of service Ansible matched. Filter 1, Trigger: the payload has no key 'a', and the payload has "
            "no key 'b'. Filter 2, Trigger and Resolve: the payload has no key 'state'.",
            [{}],
            TWO_FILTERS,
        ),
        ("No filter of service Ansible matched. It has none.", [TRIGGER], Settings(services=(Service(filters=()),))),
    ],
)
def test_an_answer_is_explained(words: str, payloads: list[Any], settings: Settings | None) -> None:
    assert told(*payloads, settings=settings) == words


def test_a_refused_token_and_an_injected_fault_are_named() -> None:
    assert told(TRIGGER, token="other") == "Refused: this is no incident token."
    assert told(TRIGGER, fault="hang") == "Opened incident-1 in service Ansible. A fault was injected: hang."
    lost = Request("POST", "/", "/", {}, {}, TOKEN, "", 1, None, "reset", 0.0)
    assert answer_of(lost, Settings()) == "Not processed. A fault was injected: reset."


def test_a_long_value_is_cut() -> None:
    assert f"'{'x' * 59}…'" in told({"state": "x" * 100})


def test_a_filter_that_matches_by_now_is_not_blamed() -> None:
    request = Request("POST", "/", "/", {}, {"Content-Type": "text/json"}, TOKEN, json.dumps(TRIGGER), 1, None, None, 0)
    effects = Model(Settings(services=(Service(filters=()),))).process(TOKEN, None, "", b"", 0.0).effects
    assert answer_of(replace(request, effects=effects), Settings()).endswith("matched. Filter 1 would match now.")


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, "0:00:00"), (75.0, "0:01:15"), (7261.0, "2:01:01")])
def test_a_time_of_the_clock_is_readable(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(30, "30 s"), (300, "5 min"), (3600, "1 h"), (90, "90 s"), (0, "0 s")])
def test_a_duration_has_the_largest_unit_that_fits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
