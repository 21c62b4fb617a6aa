# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery: what is sent after a run, in which order, how often, and what is told and kept of the answers.

Must not need an API: each request is answered by a list of replies.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import OWN, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import (
    Reconciliation,
    Reply,
    reconcile,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import (
    Policy,
    Request,
    RunFacts,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    StoreBusy,
    StoreError,
    StoreLost,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore

HOSTS = frozenset({"web1", "web2"})
LIMITED = Scope(limit=("web1",))


class KeptStore(MemoryStore):
    """A store that remembers, as far as the rules are told."""

    memory = OWN


class BrokenStore(KeptStore):
    """A store that can be used a number of times, and then no more."""

    def __init__(self, good_for: int = 0, error: type[StoreError] = StoreError) -> None:
        super().__init__()
        self._good_for = good_for
        self._error = error

    def update(self, base: str, change: Any) -> Any:
        if not self._good_for:
            raise self._error("The store is on a disk that is gone.")
        self._good_for -= 1
        return super().update(base, change)


class IncidentReporter:
    """Settles runs of one base, and answers each request with the next of the replies it is given."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or KeptStore()
        self.now = 1_000_000.0
        self.asked: list[Request] = []

    def run(self, *replies: Reply, ok: str = "", failed: str = "", scope: Scope = LIMITED) -> Reconciliation:
        waiting = list(replies)
        self.asked = []

        def post(request: Request) -> Reply:
            self.asked.append(request)
            return waiting.pop(0)

        facts = RunFacts(
            scope=scope,
            key=f"site-{','.join(scope.limit)}",
            succeeded=frozenset(ok.split()),
            failed={host: {"message": "broken"} for host in failed.split()},
            inventory=HOSTS,
            began=self.ledger.mark,
        )
        result = reconcile(self.store, "base", facts, Policy(), post, lambda: self.now)
        assert not waiting, "fewer requests than replies"
        return result

    @property
    def ledger(self) -> Ledger:
        return self.store.read("base")


CREATED, RESOLVED = Reply("created", "The incident was created."), Reply("resolved", "The incident was resolved.")
DROPPED = Reply(None, "The API gave no answer.")


def test_a_failure_triggers_and_a_success_resolves_it():
    desk = IncidentReporter()
    assert desk.run(CREATED, failed="web1").done == ("triggered incident site-web1",)
    assert desk.run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)
    assert not desk.ledger.incidents["site-web1"].failed_hosts


def test_what_is_granted_already_is_not_sent_again():
    desk = IncidentReporter()
    desk.run(CREATED, failed="web1")
    assert desk.run(failed="web1") == Reconciliation()


def test_a_page_goes_out_before_a_resolve():
    desk = IncidentReporter()
    desk.run(CREATED, failed="web1")
    desk.run(CREATED, ok="web1", failed="web2", scope=Scope())
    assert [request.state for request in desk.asked] == ["triggered"]
    desk.run(RESOLVED, RESOLVED, ok="web1 web2", scope=Scope())
    assert [request.state for request in desk.asked] == ["resolved", "resolved"]


@pytest.mark.parametrize("reply", [DROPPED, Reply("failed", "The API token is not valid.")])
def test_a_page_that_did_not_go_out_is_told_each_time_and_sent_again_by_the_next_run(reply):
    desk = IncidentReporter()
    for _run in range(2):
        result = desk.run(reply, failed="web1")
        assert result.warnings == (f"Incident site-web1 could not be triggered: {reply.message}",)
        assert result.done == ()
    assert desk.run(CREATED, failed="web1").warnings == ()


def test_a_resolve_that_was_not_granted_is_told_and_sent_again_by_the_next_run():
    desk = IncidentReporter()
    desk.run(CREATED, failed="web1")
    result = desk.run(DROPPED, ok="web1")
    assert result.warnings == ("Incident site-web1 could not be resolved: The API gave no answer.",)
    assert desk.run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)


def test_a_success_with_nothing_open_says_nothing():
    assert IncidentReporter().run(Reply("nothing_to_resolve", "There was nothing to resolve."), ok="web1").done == ()


def test_a_duplicate_answer_to_a_new_page_is_no_page():
    result = IncidentReporter().run(Reply("duplicate", "The API has processed a similar request."), failed="web1")
    assert result.done == ()
    assert "may not have gone out" in result.warnings[0]


def test_a_page_that_no_filter_matches_says_where_to_look():
    result = IncidentReporter().run(Reply("unmatched", "No API Filter matched it."), failed="web1")
    assert result.done == ()
    assert result.warnings[-1] == "No API Filter matched it."


def test_a_resolve_that_came_through_in_an_earlier_attempt_leaves_nothing_confirmed():
    desk = IncidentReporter()
    desk.run(CREATED, failed="web1")
    desk.run(Reply("nothing_to_resolve", "There was nothing to resolve.", uncertain=True), ok="web1")
    assert desk.ledger.incidents["site-web1"].remote_state == "closed"


def test_without_time_the_rest_is_left_to_the_next_run():
    desk = IncidentReporter()
    desk.run(DROPPED, failed="web1")
    late = Reply("created", "The incident was created.", in_time=False)
    result = desk.run(late, ok="", failed="web2", scope=Scope(tags=("t",)))
    assert len(result.sent) == 1
    assert "next run" in result.notes[0]
    left = [incident.key for incident in desk.ledger.incidents.values() if not incident.is_settled]
    assert len(left) == 1


def test_with_a_store_that_cannot_be_used_the_page_goes_out_all_the_same():
    desk = IncidentReporter(BrokenStore())
    result = desk.run(CREATED, failed="web1")
    assert result.done == ("triggered incident site-web1",)
    assert result.notes == ("The store is on a disk that is gone.",)


def test_with_a_store_that_cannot_be_used_a_success_still_resolves():
    assert IncidentReporter(BrokenStore()).run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)


def test_what_is_open_in_a_store_that_cannot_be_written_is_not_resolved_behind_its_back():
    store = BrokenStore(good_for=2)
    desk = IncidentReporter(store)
    desk.run(CREATED, failed="web1")
    good = desk.run(ok="web1")
    assert (good.sent, len(good.warnings)) == ((), 1)
    assert "web1 cannot be resolved" in good.warnings[0]
    again = desk.run(CREATED, failed="web1")
    assert (again.done, again.warnings) == (("triggered incident site-web1",), ())
    store._good_for = 9
    assert desk.run(RESOLVED, ok="web1").done == ("resolved incident site-web1",)


def test_a_store_that_is_busy_for_long_may_hold_it_open_so_nothing_is_resolved():
    result = IncidentReporter(BrokenStore(error=StoreBusy)).run(ok="web1")
    assert (result.sent, len(result.notes)) == ((), 1)
    (warning,) = result.warnings
    assert "the next run that succeeds resolves it" in warning


@pytest.mark.parametrize("kind", [StoreError, StoreBusy])
def test_a_page_that_a_store_could_not_note_warns_that_a_success_may_not_resolve_it(kind):
    desk = IncidentReporter(BrokenStore(good_for=2, error=kind))
    desk.run(RESOLVED, ok="web1")
    result = desk.run(CREATED, failed="web1")
    assert result.done == ("triggered incident site-web1",)
    (warning,) = result.warnings
    assert "may not resolve incident site-web1 before repeat_interval is over" in warning


def test_a_resolve_that_counts_as_a_duplicate_is_a_note():
    result = IncidentReporter(MemoryStore()).run(Reply("duplicate", "It was a duplicate."), ok="web1")
    assert result.warnings == ()
    (note,) = result.notes
    assert "site-web1" in note and "still open" in note


def test_a_store_that_breaks_between_request_and_answer_takes_nothing_of_what_was_sent():
    result = IncidentReporter(BrokenStore(good_for=1)).run(CREATED, failed="web1")
    assert result.done == ("triggered incident site-web1",)
    assert result.notes == ("The store is on a disk that is gone.",)


def test_a_page_that_did_not_go_out_is_told_even_when_the_store_breaks_too():
    result = IncidentReporter(BrokenStore(good_for=1)).run(DROPPED, failed="web1")
    assert result.warnings == ("Incident site-web1 could not be triggered: The API gave no answer.",)


@pytest.mark.parametrize("good_for", [0, 1])
def test_what_a_store_has_lost_is_a_warning(good_for):
    result = IncidentReporter(BrokenStore(good_for, StoreLost)).run(CREATED, failed="web1")
    assert (result.warnings, result.notes) == (("The store is on a disk that is gone.",), ())
