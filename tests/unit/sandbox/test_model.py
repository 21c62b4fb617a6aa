# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model without HTTP: its boundaries, its values, and what is true after any sequence of requests.

Must not start a server.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.tests.sandbox import Answer, Model, Settings

TOKEN = "sandbox-incident-token"


def process(model: Model, state: str, key: str, now: float, content: str = "") -> Answer:
    body = json.dumps({"state": state, "incident_key": key, "content": content}).encode()
    return model.process(TOKEN, "Ansible", "application/json", body, now)


def test_the_window_ends_exactly_after_its_last_second(reading):
    model = Model(Settings(reading=reading, window=10))
    assert process(model, "triggered", "disk", 0).status == 201
    assert process(model, "triggered", "disk", 9.99).status == 208
    assert process(model, "triggered", "disk", 10).status == 201


def test_answers_can_be_compared(reading):
    assert process(Model(Settings(reading=reading)), "triggered", "disk", 0) == Answer(201, "sandbox-1", created=True)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["triggered", "resolved", "other"]),
        st.sampled_from(["disk", "memory"]),
        st.sampled_from(["", "more"]),
        st.sampled_from([0, 5, 20]),
    ),
    max_size=30,
)
SETTINGS = st.builds(
    Settings,
    reading=st.sampled_from(["body", "mapped"]),
    window=st.sampled_from([0, 10]),
    nothing_open=st.sampled_from(["resolved_false", "no_filter", "duplicate"]),
    merge_open=st.booleans(),
)


@given(settings=SETTINGS, steps=STEPS)
def test_after_any_sequence_the_answers_agree_with_the_incidents(settings, steps):
    model, now = Model(settings), 0.0
    for state, key, content, seconds in steps:
        now += seconds
        before = model.incidents
        open_before = [one for one in model.open_incidents if one.key == key]
        answer = process(model, state, key, now, content)
        open_after = [one for one in model.open_incidents if one.key == key]
        assert answer.created == (len(model.incidents) == len(before) + 1) == (answer.status == 201)
        assert answer.resolved == bool(open_before and not open_after)
        if state != "triggered":
            assert not answer.created
        if state == "other":
            assert (answer.status, model.incidents) == (202, before)
        if settings.merge_open:
            assert len(open_after) <= 1
        if settings.window == 0 and state == "resolved":
            assert open_after == []
        assert not (answer.created and answer.trigger_duplicate)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reading": "both"}, "reading must be one of body, mapped"),
        ({"window": -1}, "window must be a number of seconds"),
        ({"window": float("nan")}, "window must be a number of seconds"),
        ({"window": True}, "window must be a number of seconds"),
        ({"nothing_open": "x"}, "nothing_open must be one of"),
        ({"merge_open": 1}, "merge_open must be true or false"),
        ({"services": []}, "services must be a list"),
        ({"services": ()}, "which does not exist"),
    ],
)
def test_wrong_settings_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Settings(**change)
