# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggers, resolves, pauses and faults in any order, checked against the incidents of the sandbox.

Must not use the rules of the outcome table: only the open incidents and the answers decide what is right.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import ARGUMENT_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_runner import run_task
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

WINDOW = 300.0
# A busy machine can take long for an answer that no fault delays: this must not become a timeout.
LONG = 60.0
# After these the client cannot know whether the request was processed.
DOUBTFUL_KINDS = frozenset(("reset", "hang", "cut_off", "delay"))
DOUBTFUL_STATUSES = frozenset((408, 500, 503))
FAULTS = st.one_of(
    st.builds(dict, kind=st.sampled_from(["reset", "cut_off"]), processed=st.booleans()),
    st.builds(dict, kind=st.just("status"), status=st.sampled_from([408, 500, 503]), processed=st.booleans()),
    st.builds(dict, kind=st.just("status"), status=st.sampled_from([400, 401, 425, 429])),
    st.builds(dict, kind=st.just("redirect"), location=st.just("/elsewhere")),
    st.builds(dict, kind=st.just("body"), body=st.sampled_from(["", "<html>", "{}", '{"triggered": 1}'])),
)
# Each of these costs a timeout, so they are drawn rarely.
SLOW_FAULTS = st.one_of(
    st.builds(dict, kind=st.just("hang"), processed=st.booleans()),
    st.builds(dict, kind=st.just("delay"), seconds=st.just(60.0), processed=st.booleans()),
)
KEYS = st.sampled_from(["disk", "cpu"])
STATES = st.sampled_from(["triggered", "resolved"])
RETRIES = st.integers(0, 2)


class Incidents(RuleBasedStateMachine):
    """One API, two keys, and one task after another."""

    def __init__(self, sandbox: Sandbox, reading: str) -> None:
        super().__init__()
        self.sandbox = sandbox
        sandbox.reset()
        sandbox.set(reading=reading, window=WINDOW)

    @rule(seconds=st.sampled_from([WINDOW / 2, WINDOW + 1]))
    def wait(self, seconds: float) -> None:
        """Wait for half of the duplicate window, or until it is over."""
        self.sandbox.advance(seconds)

    @rule(nothing_open=st.sampled_from(["resolved_false", "no_filter", "duplicate"]), merge_open=st.booleans())
    def read_otherwise(self, nothing_open: str, merge_open: bool) -> None:
        """Change how the API behaves where its documentation leaves it open."""
        self.sandbox.set(nothing_open=nothing_open, merge_open=merge_open)

    @rule(key=KEYS, state=STATES, retries=RETRIES)
    def run(self, key: str, state: str, retries: int) -> None:
        """Run a task without faults."""
        self._run_and_check(key, state, retries)

    @rule(key=KEYS, state=STATES, retries=RETRIES, faults=st.lists(FAULTS, min_size=1, max_size=3))
    def run_badly(self, key: str, state: str, retries: int, faults: list[dict[str, Any]]) -> None:
        """Run a task with one fault or several."""
        for fault in faults:
            self.sandbox.queue_fault(**fault)
        self._run_and_check(key, state, retries)

    @rule(key=KEYS, state=STATES, fault=FAULTS)
    def run_once(self, key: str, state: str, fault: dict[str, Any]) -> None:
        """Run a task whose only attempt meets a fault."""
        self.sandbox.queue_fault(**fault)
        self._run_and_check(key, state, retries=0)

    @rule(key=KEYS, state=STATES, retries=RETRIES, fault=SLOW_FAULTS, rarely=st.integers(1, 6))
    def run_slowly(self, key: str, state: str, retries: int, fault: dict[str, Any], rarely: int) -> None:
        """Run a task whose first attempt gets no answer in time."""
        timeout = LONG
        if rarely == 6:
            self.sandbox.queue_fault(**fault)
            timeout = 0.15
        self._run_and_check(key, state, retries, timeout)

    def _run_and_check(self, key: str, state: str, retries: int, timeout: float = LONG) -> None:
        before, logged = self.sandbox.incidents, len(self.sandbox.requests)
        result = run_task(options(self.sandbox, key, state, retries, timeout), check_mode=False, diff=False)
        after, requests = self.sandbox.incidents, self.sandbox.requests[logged:]
        self.sandbox.clear_faults()

        opened, closed = len(after) > len(before), resolved(after) > resolved(before)
        doubts = [doubtful(request) for request in requests]
        # If the body is unusable, the status decides, and the result has a warning.
        unclear = any("body" in warning for warning in result.get("warnings", []))

        assert result["attempts"] == len(requests) <= retries + 1
        assert {incident["key"] for incident in after if incident not in before} <= {key}
        if result["outcome"] == "created":
            assert state == "triggered"
            assert opened or (result["status_code"] == 208 and any(doubts[:-1]))
        if result["outcome"] == "resolved":
            assert state == "resolved"
            assert closed or (result["status_code"] == 208 and any(doubts[:-1])) or unclear
        if opened or closed:
            assert result["changed"]
        if result["changed"]:
            assert opened or closed or any(doubts) or unclear
        if result["outcome"] in ("created", "resolved"):
            assert result["changed"]
            assert not result.get("failed")
        if result["status_code"] is None:
            assert result["failed"]


def options(sandbox: Sandbox, key: str, state: str, retries: int, timeout: float) -> dict[str, Any]:
    """Return a task's options as validated by the argument specification."""
    defaults = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    given = {"state": state, "title": key, "incident_key": key, "retries": retries, "timeout": timeout}
    return {**defaults, "base_url": sandbox.base_url, "api_token": sandbox.token, **given}


def resolved(incidents: list[dict[str, Any]]) -> int:
    """Count the resolved incidents."""
    return sum(incident["state"] == "resolved" for incident in incidents)


def doubtful(request: dict[str, Any]) -> bool:
    """Return whether the sender of this request cannot know whether the API processed it."""
    return request["fault"] in DOUBTFUL_KINDS or request["status"] in DOUBTFUL_STATUSES


def test_success_means_confirmed_by_the_api_and_changed_means_possibly_changed(reading):
    with Sandbox(reading=reading) as sandbox:
        run_state_machine_as_test(
            lambda: Incidents(sandbox, reading),
            settings=settings(
                max_examples=50,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
