# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that nothing is lost or overtaken: runs of several playbooks and tokens on one store, killed at any moment.

Must not repeat the rules' code: the machine keeps its own record of who fails, and asks the API what it holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import interpret
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import TRIGGERED, canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Sender, deliver
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger, Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import reconcile
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import Reply, unparked
from ansible_collections.callgoose.sqibs.tests.sandbox.model import Model
from ansible_collections.callgoose.sqibs.tests.sandbox.settings import NOTHING_OPEN, READINGS, Settings

HOSTS = ("a", "b")
BOTH = (0, 1)  # two playbooks, each with a token of its own
WINDOW, INTERVAL = 300.0, 4 * 3600.0
TOKEN = "sandbox-incident-token"
POLICY = Policy(repeat_interval=INTERVAL)
# What happens to a request. The process can be killed before it is sent, and before its answer is recorded.
FATES = ("answered", "lost", "answer lost", "refused", "too large", "no filter", "killed before", "killed after")
fates = st.lists(st.sampled_from(("answered", "answered", *FATES)), min_size=1, max_size=3)
failing = st.sets(st.sampled_from(HOSTS))


class Killed(BaseException):
    """The process is gone: nothing that it would have done happens any more."""


class RunStore:
    """The store of one run, which says when the run was recorded."""

    def __init__(self, store: Store, recorded: Callable[[], None]) -> None:
        self._store = store
        self.recorded: Callable[[], None] | None = recorded

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def update(self, base: str, change: Any, keys: Any = None) -> Any:
        result = self._store.update(base, change, keys)
        if self.recorded:
            self.recorded()
            self.recorded = None
        return result


class Deliveries(RuleBasedStateMachine):
    url = ""

    @initialize(reading=st.sampled_from(READINGS), nothing_open=st.sampled_from(sorted(NOTHING_OPEN)))
    def begin(self, reading: str, nothing_open: str) -> None:
        # The store keeps what earlier examples have left.
        prefix = uuid.uuid4().hex
        self.bases, self.places = [f"{prefix} site", f"{prefix} backup"], [f"{prefix} prod", f"{prefix} stage"]
        self.apis = {
            name: Model(Settings(reading=reading, window=WINDOW, nothing_open=nothing_open)) for name in self.places
        }
        self.now = 1_000_000.0
        self.failing: dict[str, frozenset[str]] = dict.fromkeys(self.bases, frozenset())
        self.composed = 0
        self.newest: dict[str, int] = {}  # by key, the number of the newest body that an API got

    def store(self) -> Store:
        return open_store(self.url)

    def kept(self, base: str) -> Ledger:
        """Return what the store holds."""
        with closing(self.store()) as store:
            return store.read(base)

    # --- what happens ---

    @rule(which=st.sampled_from(BOTH), bad=failing, fate=fates, other=st.none() | st.tuples(failing, fates))
    def a_run(self, which: int, bad: set[str], fate: list[str], other: tuple[set[str], list[str]] | None) -> None:
        """A run of a playbook. While its first request is under way, another run of it may begin and end."""
        self.run(self.bases[which], frozenset(bad), fate, other)

    @rule(which=st.sampled_from(BOTH), bad=failing)
    def a_run_that_is_killed_while_it_is_recorded(self, which: int, bad: set[str]) -> None:
        base = self.bases[which]

        def killed(_request: Request) -> Any:
            raise Killed

        before = self.kept(base).incidents
        is_recorded = self.run(base, frozenset(bad), ["killed before"], compose=killed)
        assert is_recorded or self.kept(base).incidents == before

    @rule(which=st.sampled_from(BOTH), fate=fates, retry_parked=st.booleans())
    def watch(self, which: int, fate: list[str], retry_parked: bool) -> None:
        place = self.places[which]
        if retry_parked:
            for base in self.bases:
                with closing(self.store()) as store:
                    store.update(base, lambda ledger: (unparked(ledger, place), None))
        with closing(self.store()) as store, suppress(Killed):
            deliver(store, "", (), POLICY, self.sender(place, list(fate)), self.clock)

    @rule(seconds=st.sampled_from((1.0, 60.0, 700.0, INTERVAL)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def in_the_end_the_api_holds_what_it_should(self) -> None:
        """After watch has run twice, with all faults over and nothing parked, each playbook is as its last run was."""
        for _time in range(3):
            self.now += 2 * INTERVAL
            for which in BOTH:
                self.watch(which, ["answered"], True)
        for base, place in zip(self.bases, self.places, strict=True):
            is_open = bool([one for one in self.apis[place].open_incidents if one.key == base])
            assert is_open == bool(self.failing[base]), (base, self.kept(base).incidents)

    # --- what is true at any time ---

    @invariant()
    def no_wish_is_lost(self) -> None:
        for base in self.bases:
            incident = self.kept(base).incidents.get(base)
            assert bool(incident and incident.failed_hosts) == bool(self.failing[base])
            if incident and incident.failed_hosts:
                wish = incident.wish
                assert wish and wish.state == TRIGGERED, "there is what should be in force"
                assert wish.waiting or incident.confirmed, "it waits, or the API has confirmed it"
                assert self.failing[base] <= wish.hosts

    @invariant()
    def parked_ones_stay_visible(self) -> None:
        for base in self.bases:
            for incident in self.kept(base).incidents.values():
                if incident.wish and incident.wish.waiting and not incident.wish.is_due:
                    assert incident.wish.parked

    # --- how it happens ---

    def clock(self) -> float:
        return self.now

    def facts(self, base: str, bad: frozenset[str]) -> RunFacts:
        return RunFacts(
            scope=Scope(),
            key=base,
            succeeded=frozenset(HOSTS) - bad,
            failed={host: {} for host in bad},
            inventory=frozenset(HOSTS),
            began=self.kept(base).mark,
            matched=frozenset(HOSTS),
        )

    def run(
        self,
        base: str,
        bad: frozenset[str],
        fate: list[str],
        other: tuple[set[str], list[str]] | None = None,
        compose: Callable[[Request], Any] | None = None,
    ) -> bool:
        """Let a playbook run, and return whether the run was recorded."""
        place = self.places[self.bases.index(base)]
        meanwhile = (lambda: self.run(base, frozenset(other[0]), other[1])) if other else None
        store = RunStore(self.store(), lambda: self.failing.update({base: bad}))
        sender = self.sender(place, list(fate), meanwhile)
        sender = replace(sender, compose=compose or sender.compose)
        with closing(store), suppress(Killed):
            reconcile(store, base, self.facts(base, bad), POLICY, sender, self.clock)
        return store.recorded is None

    def sender(self, place: str, waiting: list[str], meanwhile: Callable[[], None] | None = None) -> Sender:
        others = [meanwhile] if meanwhile else []

        def compose(request: Request) -> dict[str, Any]:
            self.composed += 1
            return {
                "state": request.state,
                "incident_key": request.key,
                "title": f"{len(request.hosts)} hosts",
                "details": {"episode": request.episode, "number": self.composed},
            }

        def post(wishes: Sequence[Wish], is_own: bool) -> list[Reply]:
            fate = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if fate == "killed before":
                raise Killed
            replies = [self.arrive(place, wish, fate) for wish in wishes]
            while others:
                others.pop()()
            if fate == "killed after":
                raise Killed
            return replies

        return Sender(compose, post, place, 15.0)

    def arrive(self, place: str, wish: Wish, fate: str) -> Reply:
        assert wish.destination == place
        if fate == "lost":
            return Reply(None, "No answer.")
        if fate == "refused":
            return Reply("failed", "HTTP 503.")
        if fate == "too large":
            return Reply("failed", "HTTP 413.", is_final=True)
        key, number = wish.body["incident_key"], wish.body["details"]["number"]
        assert number >= self.newest.get(key, 0), "none is delivered after a newer one"
        self.newest[key] = number
        if wish.state == TRIGGERED:
            assert self.failing[key], "no page without a failure"
        if fate == "no filter":
            return Reply("unmatched", "No filter matched.")
        body = canonical_json(wish.body)
        answer = self.apis[place].process(TOKEN, None, "application/json", body, self.now)
        if fate == "answer lost":
            return Reply(None, "No answer.")
        return Reply(interpret(wish.state, answer.status, answer.body()).name, "Answered.")


def test_nothing_is_lost(engine: Any) -> None:
    class OnEngine(Deliveries):
        url = engine.url

    examples = 60 if engine.url.startswith("sqlite") else 8
    run_state_machine_as_test(OnEngine, settings=settings(max_examples=examples, stateful_step_count=15, deadline=None))
