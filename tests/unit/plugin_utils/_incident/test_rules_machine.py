# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the guarantees of the rules over random histories: overlapping runs, lost answers, a lost ledger, duplicates.

Must not repeat the rules' code: the machine keeps its own records of failures, triggers, and the API's incidents.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import interpret
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import (
    RESOLVED,
    TRIGGERED,
    Payload,
    canonical_json,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.documents import (
    head_from_json,
    head_to_json,
    incident_from_json,
    incident_to_json,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    OPEN,
    Ledger,
    Mark,
    Wish,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import aborted_host
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import after_run, failing_keys
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import (
    Reply,
    after_answer,
    planned,
    waiting,
)
from ansible_collections.callgoose.sqibs.tests.sandbox.model import Model
from ansible_collections.callgoose.sqibs.tests.sandbox.settings import NOTHING_OPEN, READINGS, Settings

HOSTS = ("a", "b")  # few of everything, so that runs often affect each other
WINDOW, INTERVAL = 300.0, 4 * 3600.0
SCOPES = [Scope(limit, tags) for limit in ((), ("a",)) for tags in ((), ("t",))]
WHOLE = Scope()
TOKEN = "sandbox-incident-token"
statuses = st.fixed_dictionaries({host: st.sampled_from(("ok", "ok", "failed", "none")) for host in HOSTS})
scopes = st.sampled_from(SCOPES)
doubts = st.sampled_from(("", "", "", "", "", "", "aborted", "partial", "dubious"))
# What happens to a request: it arrives or is lost; its answer arrives or is lost; a proxy refuses it; or the service is
# in maintenance, so that it does not open an incident.
FATES = ("answered", "lost", "answer lost", "refused", "maintenance")
fates = st.sampled_from(("answered", "answered", "answered", *FATES))
RUNNING, OVER, SENDING, ANSWERED = "running", "over", "sending", "answered"


@dataclass
class InFlight:
    request: Request
    outcome: str | None = None
    is_over: bool = False


@dataclass
class Process:
    """One ansible-playbook process: it runs, then it sends."""

    scope: Scope
    began: Mark
    began_at: int
    generation: int
    runs: bool = True
    failed: str | None = None  # as the machine's own record says
    sent: list[Request] = field(default_factory=list)
    in_flight: InFlight | None = None

    @property
    def stage(self) -> str:
        if self.runs:
            return RUNNING
        if not self.in_flight:
            return OVER
        return ANSWERED if self.in_flight.is_over else SENDING


class Runs(RuleBasedStateMachine):
    @initialize(
        reading=st.sampled_from(READINGS),
        nothing_open=st.sampled_from(sorted(NOTHING_OPEN)),
        merge_open=st.booleans(),
        after_failures=st.sampled_from((1, 1, 2)),
        page_limited_runs=st.sampled_from((True, True, False)),
    )
    def begin(self, reading, nothing_open, merge_open, after_failures, page_limited_runs) -> None:
        self.policy = Policy(after_failures, INTERVAL, page_limited_runs)
        self.api = Model(Settings(reading=reading, window=WINDOW, nothing_open=nothing_open, merge_open=merge_open))
        self.ledger = Ledger("0")
        self.generation = 0  # of the ledger
        self.now, self.step = 1_000_000.0, 0
        self.inventory = frozenset(HOSTS)
        self.matched = frozenset(HOSTS)  # by the plays
        self.added: frozenset[str] = frozenset()  # by runs, to the inventory
        self.processes: list[Process] = []
        # the machine's own record, by tags and host: the step of the last failure, and the key of its incident
        self.failing: dict[tuple[tuple[str, ...], str], tuple[int, str]] = {}
        self.failed_as_added: set[tuple[tuple[str, ...], str]] = set()
        self.openings: Counter[str] = Counter()
        self.confirmed: dict[str, tuple[int, int, frozenset[str], float]] = {}
        self.orphaned: set[str] = set()  # keys of lost ledgers
        self.by_hand: set[str] = set()  # keys closed in the dashboard

    # --- what happens ---

    @rule(scope=scopes)
    @precondition(lambda self: len(self.processes) < 3)
    def a_run_begins(self, scope: Scope) -> None:
        self.processes.append(Process(scope, self.ledger.mark, self.step, self.generation))

    @rule(which=st.integers(0, 2), status=statuses, doubt=doubts)
    @precondition(lambda self: self.that(RUNNING))
    def a_run_ends(self, which: int, status: dict[str, str], doubt: str) -> None:
        self.end(self.that(RUNNING, which), status, doubt)

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.that(OVER))
    def a_process_sends(self, which: int) -> None:
        process = self.that(OVER, which)
        if not self.take_request(process):
            self.processes.remove(process)

    @rule(which=st.integers(0, 2), fate=fates)
    @precondition(lambda self: self.that(SENDING))
    def a_request_arrives_or_not(self, which: int, fate: str) -> None:
        self.meet(self.that(SENDING, which), fate)

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.that(ANSWERED))
    def an_answer_is_recorded(self, which: int) -> None:
        self.record(self.that(ANSWERED, which))

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.that(OVER))
    def a_process_dies_between_two_requests(self, which: int) -> None:
        self.processes.remove(self.that(OVER, which))

    @rule(scope=scopes, status=statuses, doubt=doubts, fate=fates)
    def a_run_from_begin_to_end(self, scope: Scope, status: dict[str, str], doubt: str, fate: str) -> None:
        process = Process(scope, self.ledger.mark, self.step, self.generation)
        self.end(process, status, doubt)
        self.deliver(process, fate)

    @rule(seconds=st.sampled_from((1.0, 60.0, WINDOW, INTERVAL)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(inventory=st.sets(st.sampled_from(HOSTS)))
    def the_inventory_changes(self, inventory: set[str]) -> None:
        self.inventory = frozenset(inventory)

    @rule(matched=st.sets(st.sampled_from(HOSTS)))
    def hosts_leave_or_join_the_plays(self, matched: set[str]) -> None:
        self.matched = frozenset(matched)

    @rule(added=st.sets(st.sampled_from(HOSTS)))
    def a_source_names_other_hosts(self, added: set[str]) -> None:
        self.added = frozenset(added)

    @rule()
    @precondition(lambda self: self.ledger.incidents)
    def the_ledger_is_lost(self) -> None:
        self.orphaned |= set(self.ledger.incidents)
        self.generation += 1
        self.ledger = Ledger(str(self.generation))
        self.failing.clear()
        self.openings.clear()

    @rule()
    @precondition(lambda self: self.api.open_incidents)
    def a_user_closes_an_incident_in_the_dashboard(self) -> None:
        key = self.api.open_incidents[0].key
        self.by_hand.add(key)
        body = canonical_json(Payload(RESOLVED, key, source=f"dashboard {self.step}").body())
        self.api.process(TOKEN, None, "application/json", body, self.now)

    @rule()
    @precondition(lambda self: not self.processes)
    def an_unlimited_success_leaves_nothing_open(self) -> None:
        self.now += WINDOW
        self.inventory = self.matched = frozenset(HOSTS)
        self.whole_success()
        denies_clearly = self.api.settings.nothing_open != "duplicate"
        assert not self.failing
        for key, incident in self.ledger.incidents.items():
            assert not incident.failed_hosts
            if key not in self.orphaned:
                assert key not in self.open_keys
            if key not in self.orphaned | self.by_hand:
                assert incident.is_settled or (not denies_clearly and incident.remote_state != OPEN), incident
        # incidents opened by a lost ledger, or whose resolve had no visible effect, are resolved after repeat_interval
        self.now += INTERVAL
        self.whole_success()
        assert name(WHOLE) not in self.open_keys
        for key, incident in self.ledger.incidents.items():
            assert incident.is_settled or (incident.remote_state == OPEN and key in self.by_hand), incident

    # --- what is true at any time ---

    @invariant()
    def the_ledger_knows_exactly_who_fails(self) -> None:
        known = sorted(
            (incident.scope.tags, host) for incident in self.ledger.incidents.values() for host in incident.failed_hosts
        )
        assert known == sorted(self.failing)

    @invariant()
    def at_most_one_incident_is_wanted_open_for_the_same_tags(self) -> None:
        tags = [incident.scope.tags for incident in self.ledger.incidents.values() if incident.failed_hosts]
        assert len(tags) == len(set(tags))

    @invariant()
    def what_counts_as_confirmed_is_so_at_the_api(self) -> None:
        in_flight = {process.in_flight.request.key for process in self.processes if process.in_flight}
        for key, incident in self.ledger.incidents.items():
            if key in in_flight or key in self.by_hand:
                continue
            if incident.failed_hosts and incident.is_settled:
                assert key in self.open_keys
            if incident.remote_state == CLOSED and key not in self.orphaned:
                assert key not in self.open_keys

    @invariant()
    def the_ledger_survives_the_store(self) -> None:
        assert head_from_json(head_to_json(self.ledger)) == replace(self.ledger, incidents={}, runs={})
        for key, incident in self.ledger.incidents.items():
            assert incident_from_json(key, incident_to_json(incident)) == incident

    # --- how it happens ---

    @property
    def open_keys(self) -> set[str | None]:
        return {incident.key for incident in self.api.open_incidents}

    def that(self, stage: str, which: int = 0) -> Process | None:
        fitting = [process for process in self.processes if process.stage == stage]
        return fitting[which % len(fitting)] if fitting else None

    def whole_success(self) -> None:
        process = Process(WHOLE, self.ledger.mark, self.step, self.generation)
        self.end(process, dict.fromkeys(HOSTS, "ok"), "")
        self.deliver(process, "answered")

    def deliver(self, process: Process, fate: str) -> None:
        for _request in range(20):
            if not self.take_request(process):
                return
            self.meet(process, fate)
            self.record(process)
        raise AssertionError("one run never stops sending")

    def end(self, process: Process, status: dict[str, str], doubt: str) -> None:
        self.step += 1
        process.runs = False
        covered = self.inventory & self.matched & set(process.scope.limit or HOSTS)
        run = RunFacts(
            scope=process.scope,
            key=name(process.scope),
            succeeded=frozenset(host for host in covered if status[host] == "ok"),
            failed={host: {"step": self.step} for host in covered if status[host] == "failed"},
            inventory=self.inventory,
            began=process.began,
            aborted={} if doubt == "aborted" else None,
            partial=doubt == "partial",
            dubious=doubt == "dubious",
            added=self.added & self.inventory,
            matched=covered,
        )
        failing = failing_keys(self.ledger, run, self.policy).values()
        self.account(process, run, doubt)
        ledger = after_run(self.ledger, run, self.policy, self.now)
        before, self.ledger = ledger, planned(ledger, self.policy, self.now, composed, "here", failing)
        for key, incident in self.ledger.incidents.items():
            if incident.wish and incident.wish.waiting and incident.wish.state == TRIGGERED:
                self.check_wish(process, key, incident.wish, before.incidents[key].wish)

    def account(self, process: Process, run: RunFacts, doubt: str) -> None:
        """Update the machine's own record of failed hosts, as the design describes it."""
        before = dict(self.failing)
        tags, limit = run.scope.tags, run.scope.limit
        if not doubt and process.generation == self.generation:
            for (other_tags, host), (since, _key) in before.items():
                if tags in ((), other_tags) and since <= process.began_at:
                    is_whole_success = bool(run.succeeded) and not run.failed
                    has_succeeded = host in run.succeeded
                    is_removed = not host.startswith("*") and not limit and host not in self.inventory
                    is_removed = is_removed and bool(run.succeeded or run.failed)
                    was_added = (other_tags, host) in self.failed_as_added
                    is_removed = is_removed and (is_whole_success or not was_added)
                    has_left = is_whole_success and run.scope == WHOLE and host not in self.matched
                    has_left = has_left and not host.startswith("*")
                    is_covered_abort = host == aborted_host(run.scope) if limit else host.startswith("*")
                    if has_succeeded or is_removed or has_left or (is_whole_success and is_covered_abort):
                        del self.failing[other_tags, host]
        failed = {*run.failed, *([aborted_host(run.scope)] if doubt == "aborted" else [])}
        if failed and (self.policy.page_limited_runs or not limit):
            key = next((key for (other_tags, _host), (_since, key) in before.items() if other_tags == tags), None)
            if key is None:
                key = run.key
                self.openings[key] += 1
            process.failed = key
            for host in failed:
                self.failing[tags, host] = (self.step, key)
                self.failed_as_added.discard((tags, host))
                if host in run.added:
                    self.failed_as_added.add((tags, host))

    def check_wish(self, process: Process, key: str, wish: Wish, before: Wish | None) -> None:
        """Check a trigger that a run wants to be sent."""
        generation, episode, hosts, at = self.confirmed.get(key, (-1, 0, frozenset(), 0.0))
        is_repeated = (generation, episode) == (self.generation, self.openings[key]) and wish.hosts <= hosts
        if is_repeated and not (before and before.waiting):
            assert self.now - at >= INTERVAL, "one trigger per episode, new host and interval"
            assert process.failed == key, "a run that succeeds pages nobody again"

    def take_request(self, process: Process) -> bool:
        request = next((request for request in waiting(self.ledger) if request not in process.sent), None)
        if not request:
            return False
        process.sent.append(request)
        process.in_flight = InFlight(request)
        failing = {host for (_tags, host), (_since, key) in self.failing.items() if key == request.key}
        assert failing <= request.hosts, "a trigger names the failed hosts"
        assert bool(failing) == (request.state == TRIGGERED), "no page without a failure, no resolve with one"
        if request.state == TRIGGERED:
            assert request.episode == self.openings[request.key]
            assert self.ledger.incidents[request.key].wish.body["details"]["episode"] == request.episode
        return True

    def meet(self, process: Process, fate: str) -> None:
        assert process.in_flight
        request, process.in_flight.is_over = process.in_flight.request, True
        if fate == "refused":
            process.in_flight.outcome = "failed"
        if fate == "maintenance" and request.state == TRIGGERED:
            process.in_flight.outcome = "unmatched"
        elif fate in ("answered", "answer lost", "maintenance"):
            event = Payload(
                request.state,
                request.key,
                title=f"{len(request.hosts)} hosts",
                details={"episode": request.episode, "hosts": sorted(request.hosts)},
            )
            answer = self.api.process(TOKEN, None, "application/json", canonical_json(event.body()), self.now)
            if fate != "answer lost":
                process.in_flight.outcome = interpret(request.state, answer.status, answer.body()).name

    def record(self, process: Process) -> None:
        assert process.in_flight
        request, outcome, process.in_flight = process.in_flight.request, process.in_flight.outcome, None
        before = self.ledger.incidents.get(request.key)
        self.ledger, _warnings = after_answer(
            self.ledger, request, Reply(outcome, f"It was {outcome}."), self.policy, self.now
        )
        after = self.ledger.incidents.get(request.key)
        if not before or not after:
            return
        if request.state == RESOLVED and before.failed_hosts and outcome in ("resolved", None):
            self.openings[request.key] += 1  # it may have closed the incident, so a new episode begins
        if request.state == TRIGGERED and after.failed_hosts and request.episode == after.episode:
            was_confirmed = self.confirmed.get(request.key, (-1, 0))[:2] == (self.generation, request.episode)
            if outcome == "created" or (outcome == "duplicate" and was_confirmed):
                self.confirmed[request.key] = (self.generation, request.episode, request.hosts, self.now)
        if after.failed_hosts and after.is_settled and not before.is_settled:
            assert (request.state, outcome) == (TRIGGERED, "created"), "only a confirmed trigger counts as sent"
        if before.remote_state == OPEN and after.remote_state == CLOSED:
            assert outcome == "resolved", "only a confirmed resolve closes a confirmed incident"


def composed(request: Request) -> dict[str, Any]:
    return {"hosts": sorted(request.hosts), "details": {"episode": request.episode}}


def name(scope: Scope) -> str:
    return "-".join(("key", *scope.limit, *scope.tags))


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
