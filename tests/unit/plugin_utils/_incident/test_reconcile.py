# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests which requests are sent after a run, in which order and how often, and how their answers are recorded.

Must not need an API: each test gives the replies to its requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident import delivery
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Reconciliation, Sender, deliver
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import OWN, Ledger, Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import reconcile
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    StoreBusy,
    StoreError,
    StoreLost,
    Waiting,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import Reply

HOSTS = frozenset({"web1", "web2"})
LIMITED = Scope(limit=("web1",))


def composed(request: Any) -> dict[str, Any]:
    return {"state": request.state, "details": {"episode": request.episode}}


class KeptStore(MemoryStore):
    """A memory store that claims to keep its ledgers."""

    memory = OWN


class SqliteLike(KeptStore):
    """A memory store that tells which wishes of other bases wait, as those in databases do."""

    def waiting(self, now: float) -> list[Waiting]:
        return [
            Waiting(base, key, incident.wish.destination)
            for base, ledger in self._ledgers.items()
            for key, incident in ledger.incidents.items()
            if incident.wish and incident.wish.is_due and incident.wish.not_before <= now
        ]


class BrokenStore(KeptStore):
    """A store that fails after a number of updates."""

    def __init__(self, good_for: int = 0, error: type[StoreError] = StoreError) -> None:
        super().__init__()
        self._good_for = good_for
        self._error = error

    def update(self, base: str, change: Any, keys: Any = None) -> Any:
        if not self._good_for:
            raise self._error("The store is on a disk that is gone.")
        self._good_for -= 1
        return super().update(base, change, keys)


class Reporter:
    """Reconciles runs of one base, and answers each request with the next of the given replies."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or KeptStore()
        self.now = 1_000_000.0
        self.asked: list[Wish] = []

    def run(self, *replies: Reply, ok: str = "", failed: str = "", scope: Scope = LIMITED) -> Reconciliation:
        waiting = list(replies)
        self.asked = []

        def post(wishes: Sequence[Wish], is_own: bool) -> list[Reply]:
            self.asked += wishes
            return [waiting.pop(0) for _wish in wishes]

        facts = RunFacts(
            scope=scope,
            key=f"site-{','.join(scope.limit)}",
            succeeded=frozenset(ok.split()),
            failed={host: {"message": "broken"} for host in failed.split()},
            inventory=HOSTS,
            began=self.ledger.mark,
        )
        result = reconcile(self.store, "base", facts, Policy(), Sender(composed, post), lambda: self.now)
        assert not waiting, "fewer requests than replies"
        return result

    @property
    def ledger(self) -> Ledger:
        return self.store.read("base")


CREATED, RESOLVED = Reply("created", "The incident was created."), Reply("resolved", "The incident was resolved.")
NO_ANSWER = Reply(None, "The API gave no answer.")


def test_a_failure_triggers_and_a_success_resolves_it():
    reporter = Reporter()
    assert reporter.run(CREATED, failed="web1").done == ("triggered incident site-web1",)
    assert reporter.run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)
    assert not reporter.ledger.incidents["site-web1"].failed_hosts


def test_a_confirmed_trigger_is_not_sent_again():
    reporter = Reporter()
    reporter.run(CREATED, failed="web1")
    assert reporter.run(failed="web1") == Reconciliation()


def test_a_trigger_is_sent_before_a_resolve():
    reporter = Reporter()
    reporter.run(CREATED, failed="web1")
    reporter.run(CREATED, ok="web1", failed="web2", scope=Scope())
    assert [request.state for request in reporter.asked] == ["triggered"]
    reporter.run(RESOLVED, RESOLVED, ok="web1 web2", scope=Scope())
    assert [request.state for request in reporter.asked] == ["resolved", "resolved"]


@pytest.mark.parametrize("reply", [NO_ANSWER, Reply("failed", "The API token is not valid.")])
def test_a_trigger_that_failed_warns_each_time_and_is_sent_again_by_the_next_run(reply):
    reporter = Reporter()
    for _run in range(2):
        result = reporter.run(reply, failed="web1")
        assert result.warnings == (f"Incident site-web1 could not be triggered: {reply.message}",)
        assert result.done == ()
    assert reporter.run(CREATED, failed="web1").warnings == ()


def test_a_resolve_that_failed_warns_and_is_sent_again_by_the_next_run():
    reporter = Reporter()
    reporter.run(CREATED, failed="web1")
    result = reporter.run(NO_ANSWER, ok="web1")
    assert result.warnings == ("Incident site-web1 could not be resolved: The API gave no answer.",)
    assert reporter.run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)


def test_a_success_with_nothing_open_reports_nothing():
    assert Reporter().run(Reply("nothing_to_resolve", "There was nothing to resolve."), ok="web1").done == ()


def test_a_duplicate_answer_to_a_new_trigger_confirms_nothing():
    result = Reporter().run(Reply("duplicate", "The API has processed a similar request."), failed="web1")
    assert result.done == ()
    assert "may not have been paged" in result.warnings[0]


def test_a_trigger_that_matches_no_filter_warns_with_the_answers_message():
    result = Reporter().run(Reply("unmatched", "No API Filter matched it."), failed="web1")
    assert result.done == ()
    assert result.warnings[-1] == "No API Filter matched it."


def test_a_resolve_that_an_earlier_attempt_delivered_closes_the_incident():
    reporter = Reporter()
    reporter.run(CREATED, failed="web1")
    reporter.run(Reply("nothing_to_resolve", "There was nothing to resolve.", uncertain=True), ok="web1")
    assert reporter.ledger.incidents["site-web1"].remote_state == "closed"


def test_if_there_is_no_time_left_the_next_run_sends_the_rest(monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 1)
    reporter = Reporter()
    reporter.run(NO_ANSWER, failed="web1")
    late = Reply("created", "The incident was created.", in_time=False)
    result = reporter.run(late, ok="", failed="web2", scope=Scope(tags=("t",)))
    assert len(result.sent) == 1
    assert "next run" in result.notes[0]
    left = [incident.key for incident in reporter.ledger.incidents.values() if not incident.is_settled]
    assert len(left) == 1


def test_if_the_store_cannot_be_used_a_failure_still_triggers():
    reporter = Reporter(BrokenStore())
    result = reporter.run(CREATED, failed="web1")
    assert result.done == ("triggered incident site-web1",)
    assert result.notes == ("The store is on a disk that is gone.",)


def test_if_the_store_cannot_be_used_a_success_still_resolves():
    assert Reporter(BrokenStore()).run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)


def test_an_incident_open_in_a_store_that_cannot_be_written_is_not_resolved():
    store = BrokenStore(good_for=2)
    reporter = Reporter(store)
    reporter.run(CREATED, failed="web1")
    good = reporter.run(ok="web1")
    assert (good.sent, len(good.warnings)) == ((), 1)
    assert "web1 cannot be resolved" in good.warnings[0]
    again = reporter.run(CREATED, failed="web1")
    assert (again.done, again.warnings) == (("triggered incident site-web1",), ())
    store._good_for = 9
    assert reporter.run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)


def test_if_the_store_is_busy_for_too_long_nothing_is_resolved():
    result = Reporter(BrokenStore(error=StoreBusy)).run(ok="web1")
    assert (result.sent, len(result.notes)) == ((), 1)
    (warning,) = result.warnings
    assert "the next successful run resolves it" in warning


@pytest.mark.parametrize("kind", [StoreError, StoreBusy])
def test_a_trigger_that_the_store_could_not_record_warns_that_a_success_may_not_resolve_it(kind):
    reporter = Reporter(BrokenStore(good_for=2, error=kind))
    reporter.run(RESOLVED, ok="web1")
    result = reporter.run(CREATED, failed="web1")
    assert result.done == ("triggered incident site-web1",)
    (warning,) = result.warnings
    assert "may not resolve incident site-web1 until repeat_interval has elapsed" in warning


def test_a_resolve_that_counts_as_a_duplicate_is_a_note():
    result = Reporter(MemoryStore()).run(Reply("duplicate", "It was a duplicate."), ok="web1")
    assert result.warnings == ()
    (note,) = result.notes
    assert "site-web1" in note and "still open" in note


def test_a_store_that_breaks_between_request_and_answer_does_not_hide_what_was_sent():
    result = Reporter(BrokenStore(good_for=1)).run(CREATED, failed="web1")
    assert result.done == ("triggered incident site-web1",)
    assert result.notes == ("The store is on a disk that is gone.",)


def test_a_trigger_that_failed_warns_even_if_the_store_breaks_too():
    result = Reporter(BrokenStore(good_for=1)).run(NO_ANSWER, failed="web1")
    assert result.warnings == ("Incident site-web1 could not be triggered: The API gave no answer.",)


@pytest.mark.parametrize("good_for", [0, 1])
def test_data_that_a_store_has_lost_is_a_warning(good_for):
    result = Reporter(BrokenStore(good_for, StoreLost)).run(CREATED, failed="web1")
    assert (result.warnings, result.notes) == (("The store is on a disk that is gone.",), ())


def test_what_another_run_could_not_deliver_is_left_alone_for_a_minute():
    store = SqliteLike()
    reporter = Reporter(store)
    reporter.run(NO_ANSWER, failed="web1")
    asked: list[Wish] = []

    def dead(wishes: Sequence[Wish], is_own: bool) -> list[Reply]:
        asked.extend(wishes)
        return [NO_ANSWER for _wish in wishes]

    for seconds, tries in ((0, 1), (30, 1), (31, 2)):
        reporter.now += seconds
        deliver(store, "other", (), Policy(), Sender(composed, dead), lambda: reporter.now)
        assert len(asked) == tries
    assert reporter.run(CREATED, failed="web1").done == ("triggered incident site-web1",), "its own run does not wait"
