# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the rules one by one: which hosts join and leave an incident, what is sent, and what an answer proves.

Must not need a store, an API or Ansible: ledgers, runs and answers are plain values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    NONE,
    OWN,
    SHARED,
    Incident,
    Ledger,
    Mark,
    RunNote,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import aborted_host
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import after_run, failing_keys
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import (
    Reply,
    after_answer,
    planned,
    waiting,
)

ALL = frozenset({"web1", "web2", "db1"})
LIMIT_WEB1 = Scope(limit=("web1",))
DEPLOY = Scope(tags=("deploy",))
HOUR = 3600.0


class Base:
    """The ledger of one base with a clock. Its runs are given by the hosts that succeeded and those that failed."""

    def __init__(self, **policy: Any) -> None:
        self.ledger = Ledger("first")
        self.policy = Policy(**policy)
        self.now = 1_000_000.0
        self.warnings: tuple[str, ...] = ()
        self.sent: list[Request] = []

    def run(self, ok: str = "", failed: str = "", scope: Scope = Scope(), **facts: Any) -> None:  # noqa: B008 - frozen
        """Record a run from its beginning to its end, without its requests."""
        values: dict[str, Any] = {
            "scope": scope,
            "key": key(scope),
            "succeeded": frozenset(ok.split()),
            "failed": {host: {"message": f"{host} is broken"} for host in failed.split()},
            "inventory": ALL,
            "began": self.ledger.mark,
        }
        run = RunFacts(**{**values, **facts})
        failing = failing_keys(self.ledger, run, self.policy).values()
        self.ledger = after_run(self.ledger, run, self.policy, self.now)
        self.ledger = planned(self.ledger, self.policy, self.now, composed, "here", failing)
        self.sent = []

    def next(self) -> tuple[str, str] | None:
        """Return state and key of the next request, or None."""
        send = self.pending()
        return (send.state, send.key) if send else None

    def pending(self) -> Request | None:
        return next((request for request in waiting(self.ledger) if request not in self.sent), None)

    def send(self) -> Request:
        send = self.pending()
        assert send, "no request is due"
        self.sent.append(send)
        return send

    def answered(self, outcome: str | None, send: Request | None = None, uncertain: bool = False) -> None:
        """Record this answer to the given request, by default to the next one."""
        send = send or self.send()
        reply = Reply(outcome, f"It was {outcome}.", uncertain)
        self.ledger, self.warnings = after_answer(self.ledger, send, reply, self.policy, self.now)

    def hosts(self, scope: Scope = Scope()) -> set[str]:  # noqa: B008 - frozen
        incident = self.ledger.incidents.get(key(scope))
        return set(incident.failed_hosts) if incident else set()

    def __getitem__(self, scope: Scope) -> Incident:
        return self.ledger.incidents[key(scope)]


def composed(request: Request) -> dict[str, Any]:
    return {"state": request.state, "hosts": sorted(request.hosts), "details": {"episode": request.episode}}


def key(scope: Scope) -> str:
    return "key " + " ".join((*scope.limit, *scope.tags, *scope.skip_tags))


KEY = key(Scope())
WHOLE = Scope()
TRIGGER, RESOLVE = ("triggered", KEY), ("resolved", KEY)


@pytest.fixture
def base() -> Base:
    return Base()


@pytest.fixture
def opened(base: Base) -> Base:
    """A base with an open incident: web1 and web2 failed, and the API confirmed the trigger."""
    base.run(failed="web1 web2", ok="db1")
    base.answered("created")
    return base


# --- opening and sending -------------------------------------------------------------------------------------------


def test_a_failed_run_opens_one_incident_for_all_its_hosts(base: Base) -> None:
    base.run(failed="web1 web2", ok="db1")
    send = base.send()
    assert (send.state, send.key, send.episode, send.hosts) == ("triggered", KEY, 1, {"web1", "web2"})
    assert send.incident.failed_hosts["web1"].failure == {"message": "web1 is broken"}
    base.answered("created", send)
    assert base[WHOLE].is_settled
    assert base.next() is None


def test_the_same_failure_again_sends_nothing(opened: Base) -> None:
    opened.run(failed="web1 web2", ok="db1")
    assert opened.next() is None


def test_a_changed_set_of_failed_hosts_is_sent_with_the_same_episode(opened: Base) -> None:
    opened.run(failed="db1")
    send = opened.send()
    assert (send.state, send.episode, send.hosts) == ("triggered", 1, ALL)
    opened.answered("created", send)
    opened.run(ok="web1", scope=LIMIT_WEB1)
    assert opened.next() == ("resolved", key(LIMIT_WEB1)), "a smaller set of failed hosts is no reason to page again"
    assert opened.hosts() == {"web2", "db1"}


@pytest.mark.parametrize("ok", ["", "db1"])
def test_a_run_in_which_nothing_of_an_incident_failed_does_not_trigger_it_again(opened: Base, ok: str) -> None:
    opened.now += 100 * HOUR
    opened.run(ok=ok, scope=Scope(limit=("db1",)))
    assert opened.next() != TRIGGER
    opened.run(failed="db1", scope=DEPLOY)
    assert opened.next() == ("triggered", key(DEPLOY)), "that failure belongs to another incident"
    opened.answered("created")
    assert opened.next() != TRIGGER
    opened.run(failed="web1")
    assert opened.next() == TRIGGER


def test_a_page_that_never_went_out_is_sent_by_a_successful_run_too(base: Base) -> None:
    base.run(failed="web1")
    base.answered("failed")
    base.run(ok="db1")
    assert base.send().hosts == {"web1"}


def test_a_wholly_successful_run_drops_hosts_that_no_play_matches_any_more(opened: Base) -> None:
    opened.run(ok="db1", matched=frozenset({"db1", "web2"}))
    assert opened.hosts() == {"web2"}, "web2 was matched and only skipped its tasks, so it stays"
    opened.run(ok="db1", matched=frozenset({"db1"}))
    assert (opened.hosts(), opened.next()) == (set(), RESOLVE)


@pytest.mark.parametrize(
    "facts",
    [
        {"ok": "db1", "failed": "web2"},
        {"ok": "db1", "scope": Scope(limit=("db1",))},
        {"ok": "db1", "scope": Scope(skip_tags=("slow",))},
        {"ok": "db1", "dubious": True},
        {"ok": "db1", "matched": None},
        {"ok": ""},
    ],
    ids=str,
)
def test_any_other_run_drops_no_host_that_its_plays_do_not_match(opened: Base, facts: dict[str, Any]) -> None:
    opened.run(**{"matched": frozenset({"db1"}), **facts})
    assert "web1" in opened.hosts()


def test_an_open_incident_is_sent_again_after_the_repeat_interval(opened: Base) -> None:
    opened.now += 4 * HOUR - 1
    opened.run(failed="web1 web2")
    assert opened.next() is None
    opened.now += 1
    opened.run(failed="web1 web2")
    opened.answered("created")
    assert opened.next() is None
    opened.now += 4 * HOUR - 1
    assert opened.next() is None


@pytest.mark.parametrize("step, sends", [(-30.0, False), (-5 * HOUR, True)])
def test_a_clock_that_went_back_neither_silences_nor_repeats(opened: Base, step: float, sends: bool) -> None:
    opened.now += step
    opened.run(failed="web1 web2")
    assert bool(opened.next()) is sends


@pytest.mark.parametrize("change", ["hosts", "time"])
def test_a_duplicate_counts_as_sent_if_the_incident_is_already_open(opened: Base, change: str) -> None:
    opened.now += 4 * HOUR * (change == "time")
    opened.run(failed="db1" if change == "hosts" else "web1")
    opened.answered("duplicate")
    assert opened[WHOLE].is_settled and not opened.warnings
    opened.run(failed="web1")
    assert opened.next() is None


@pytest.mark.parametrize("outcome", ["unmatched", "failed", None])
def test_new_failed_hosts_that_the_api_did_not_confirm_are_sent_again_by_the_next_run(
    opened: Base, outcome: str | None
) -> None:
    opened.run(failed="db1")
    opened.answered(outcome)
    assert opened[WHOLE].is_settled
    assert opened.next() is None, "a run sends a request only once"
    opened.run(failed="db1")
    assert opened.send().hosts == ALL


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched", "failed", None])
def test_a_trigger_that_was_not_confirmed_does_not_count_as_sent(base: Base, outcome: str | None) -> None:
    base.run(failed="web1")
    base.answered(outcome)
    assert not base[WHOLE].is_settled
    assert base.next() is None, "a run sends a request only once"
    base.run(failed="web1")
    assert base.next() == TRIGGER


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched"])
def test_the_user_is_warned_each_time_a_trigger_may_not_have_paged_anyone(base: Base, outcome: str) -> None:
    for _run in range(2):
        base.run(failed="web1")
        base.answered(outcome)
        (warning,) = base.warnings
        assert KEY in warning and outcome in warning and "page" in warning


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched"])
def test_no_warning_is_given_for_a_trigger_that_is_no_longer_wanted(base: Base, outcome: str) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered(outcome, page)
    assert not base.warnings
    base.run(failed="web1")
    base.answered(outcome, page)
    assert not base.warnings, "the answer is for the previous episode"
    base.answered(outcome)
    assert base.warnings


def test_triggers_are_sent_before_resolves(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    opened.run(failed="db1", scope=DEPLOY)
    assert opened.next() == ("triggered", key(DEPLOY))
    opened.answered("created")
    assert opened.next() == RESOLVE


# --- closing -------------------------------------------------------------------------------------------------------


def test_a_successful_run_closes_the_incident_and_the_next_one_sends_nothing(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    send = opened.send()
    assert (send.state, send.key, send.episode, send.hosts) == ("resolved", KEY, 1, frozenset())
    opened.answered("resolved", send)
    assert opened[WHOLE].is_settled
    opened.run(ok="web1 web2 db1")
    assert opened.next() is None


def test_the_next_opening_has_a_new_episode(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered("resolved")
    opened.run(failed="web1 web2")
    assert opened.send().episode == 2


def test_an_incident_keeps_the_time_and_the_last_good_revision_of_its_opening(base: Base) -> None:
    base.run(ok="web1 web2 db1", revision="good")
    base.now += HOUR
    base.run(failed="web1", revision="bad")
    opening = base.now
    for _time in range(2):
        base.now += 5 * HOUR
        base.run(failed="web1 web2", revision="worse")
        base.answered("created")
        assert (base[WHOLE].since, base[WHOLE].good_revision) == (opening, "good")
    base.run(ok="web1 web2 db1", revision="better")
    base.now += HOUR
    base.run(failed="db1")
    assert (base[WHOLE].since, base[WHOLE].good_revision) == (base.now, "better")


def test_a_run_that_waits_for_a_second_failure_counts_from_the_first() -> None:
    base = Base(after_failures=2)
    base.run(failed="web1")
    first = base.now
    base.now += HOUR
    base.run(failed="web1")
    assert base[WHOLE].since == first


@pytest.mark.parametrize(
    "facts", [{"scope": LIMIT_WEB1}, {"scope": DEPLOY}, {"partial": True}, {"dubious": True}, {"revision": ""}]
)
def test_a_run_of_a_part_or_without_a_revision_is_no_last_good_run(base: Base, facts: dict[str, Any]) -> None:
    base.run(ok="web1 web2 db1", revision="good")
    base.run(ok="web1", **{"revision": "part", **facts})
    assert base.ledger.good_revision == "good"


def test_a_limited_run_resolves_only_what_it_covers(opened: Base) -> None:
    opened.run(ok="web1", scope=LIMIT_WEB1)
    assert opened.hosts() == {"web2"}
    opened.answered("created")
    opened.run(ok="web2", scope=Scope(limit=("web2",)))
    assert opened.next() == RESOLVE


def test_hosts_that_succeed_in_a_failing_run_still_recover(opened: Base) -> None:
    opened.run(ok="web1", failed="db1")
    assert opened.hosts() == {"web2", "db1"}


def test_a_host_that_neither_succeeded_nor_failed_stays_in_the_incident(opened: Base) -> None:
    opened.run(ok="web1 db1")
    assert opened.hosts() == {"web2"}


def test_if_one_host_fails_while_the_last_one_recovers_the_episode_stays_the_same(base: Base) -> None:
    base.run(failed="web1")
    base.answered("created")
    base.run(ok="web1", failed="web2")
    send = base.send()
    assert (send.episode, send.hosts) == (1, {"web2"})


@pytest.mark.parametrize("page_limited_runs", [True, False])
def test_a_host_that_both_succeeded_and_failed_counts_as_failed(opened: Base, page_limited_runs: bool) -> None:
    opened.policy = Policy(page_limited_runs=page_limited_runs)
    opened.run(ok="web1 web2", failed="web1", scope=Scope(limit=("web*",)))
    assert opened.hosts() == {"web1"}


@pytest.mark.parametrize("doubt", ["partial", "dubious"])
def test_in_a_partial_or_dubious_run_no_host_recovers_but_failures_count(opened: Base, doubt: str) -> None:
    opened.run(ok="web1 web2 db1", **{doubt: True})
    assert opened.hosts() == {"web1", "web2"}
    opened.run(ok="web1", failed="db1", **{doubt: True})
    assert opened.hosts() == ALL


@pytest.mark.parametrize("doubt", [{"partial": True}, {"dubious": True}, {"aborted": {}}])
def test_a_run_whose_successes_do_not_count_sends_no_first_resolve(base: Base, doubt: dict[str, Any]) -> None:
    base.run(ok="web1", **doubt)
    assert base.next() in (None, TRIGGER)


# --- scopes --------------------------------------------------------------------------------------------------------


def test_a_limited_run_joins_the_incident_that_is_open(opened: Base) -> None:
    opened.run(failed="db1", scope=Scope(limit=("db1",)))
    assert opened.hosts() == ALL
    assert len(opened.ledger.incidents) == 1


def test_an_unlimited_run_joins_and_resolves_the_incident_that_a_limited_run_opened(base: Base) -> None:
    base.run(failed="web1", scope=LIMIT_WEB1)
    base.answered("created")
    base.run(failed="web1 web2")
    assert base.hosts(LIMIT_WEB1) == {"web1", "web2"} and KEY not in base.ledger.incidents
    base.answered("duplicate")
    base.run(ok="web1 web2 db1")
    assert not base.hosts(LIMIT_WEB1)
    assert base.next() == RESOLVE, "nothing is known about the run's own key"
    base.answered("nothing_to_resolve")
    assert base.next() == ("resolved", key(LIMIT_WEB1))


def test_runs_with_other_tags_have_their_own_incident(opened: Base) -> None:
    opened.run(failed="web1", scope=DEPLOY)
    assert opened.hosts(DEPLOY) == {"web1"}
    opened.run(ok="web1 web2 db1", scope=DEPLOY)
    assert opened.hosts() == {"web1", "web2"}, "a run with tags does not cover the incident of runs without"
    assert not opened.hosts(DEPLOY)


@pytest.mark.parametrize("scope", [DEPLOY, Scope(skip_tags=("slow",)), Scope(limit=("web1",), tags=("deploy",))])
def test_a_run_without_tags_covers_the_incidents_of_all_tags(base: Base, scope: Scope) -> None:
    base.run(failed="web1", scope=scope)
    base.run(ok="web1", scope=Scope(skip_tags=("other",)))
    assert base.hosts(scope) == {"web1"}
    base.run(ok="web1")
    assert not base.hosts(scope)


def test_a_run_with_the_same_tags_and_another_limit_resolves_the_incident(base: Base) -> None:
    base.run(failed="web1", scope=DEPLOY)
    base.run(ok="web1", scope=Scope(limit=("web1",), tags=("deploy",)))
    assert not base.hosts(DEPLOY)


def relaunch(opened: Base, ok: str, **facts: Any) -> None:
    """A job that AWX relaunched with a limit on web1."""
    opened.run(ok=ok, scope=LIMIT_WEB1, unlimited_key=KEY, matched=frozenset(ok.split()), **facts)


def test_a_relaunch_on_the_failed_hosts_resolves_the_incident_of_the_whole_job(opened: Base) -> None:
    relaunch(opened, ok="web1 web2")
    assert (opened.hosts(), opened.next()) == (set(), RESOLVE)
    opened.answered("resolved")
    assert opened.next() is None, "and asks for no other"


def test_a_relaunch_that_covers_only_a_part_is_a_limited_run(opened: Base) -> None:
    relaunch(opened, ok="web1")
    assert opened.hosts() == {"web2"}
    assert opened.next() == ("resolved", key(LIMIT_WEB1)), "never the incident of the whole job"


def test_a_relaunch_that_covers_the_inventory_is_an_unlimited_run(base: Base) -> None:
    relaunch(base, ok="web1 web2 db1")
    assert base.next() == RESOLVE
    base.answered("nothing_to_resolve")
    base.run(failed="web1", aborted={}, ok="")
    assert base.hosts() == {"web1", aborted_host(WHOLE)}
    relaunch(base, ok="web1")
    assert base.hosts() == {aborted_host(WHOLE)}, "what aborted needs the whole job"


def test_failures_of_limited_runs_can_be_configured_not_to_page() -> None:
    base = Base(page_limited_runs=False)
    base.run(failed="web1", scope=LIMIT_WEB1)
    base.run(scope=LIMIT_WEB1, aborted={})
    assert base.next() is None and not base.ledger.incidents
    base.run(failed="web1")
    base.answered("created")
    base.run(failed="db1", scope=Scope(limit=("db1",)))
    assert base.hosts() == {"web1"}
    base.run(ok="web1", scope=LIMIT_WEB1)
    assert base.next() == RESOLVE, "its successes count"


# --- hosts removed from the inventory ------------------------------------------------------------------------------


def test_an_unlimited_run_drops_hosts_that_are_no_longer_in_the_inventory(opened: Base) -> None:
    opened.run(ok="web1", inventory=frozenset({"web1", "db1"}))
    assert opened.next() == RESOLVE


def test_a_limited_run_drops_no_hosts(opened: Base) -> None:
    opened.run(ok="web1", inventory=frozenset({"web1"}), scope=LIMIT_WEB1)
    assert opened.hosts() == {"web2"}


def test_an_unlimited_run_in_which_every_host_fails_also_drops_removed_hosts(opened: Base) -> None:
    opened.run(failed="web1", inventory=frozenset({"web1"}))
    assert opened.hosts() == {"web1"}


@pytest.mark.parametrize("facts", [{"inventory": frozenset(), "ok": "db1"}, {"inventory": frozenset({"x"}), "ok": ""}])
def test_a_broken_inventory_drops_no_hosts(opened: Base, facts: dict[str, Any]) -> None:
    opened.run(**facts)
    assert opened.hosts() == {"web1", "web2"}


def test_a_failing_host_is_not_dropped_if_the_inventory_does_not_contain_it(base: Base) -> None:
    base.run(failed="new1", ok="web1")
    base.run(failed="new1", ok="web1")
    assert base.hosts() == {"new1"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_implicit_localhost_does_not_count_as_removed_from_the_inventory(base: Base, host: str) -> None:
    base.run(failed=host)
    base.run(ok="web1")
    assert base.hosts() == {host}


# --- hosts that a run has added to the inventory itself ------------------------------------------------------------

ADDED = {"failed": "new1", "inventory": ALL | {"new1"}, "added": frozenset({"new1"})}
# all of it ran, and it neither added the host nor matched it
WITHOUT = {"ok": "web1", "matched": ALL}


def test_an_added_host_leaves_by_a_wholly_successful_run_that_lacks_it(base: Base) -> None:
    base.run(**ADDED)
    base.run(**WITHOUT)
    assert base.hosts() == set()


@pytest.mark.parametrize("facts", [{"failed": "db1"}, {"guarded": True}, {"ok": ""}, {"matched": None}])
def test_an_added_host_stays_after_a_run_that_may_have_ended_before_it_was_added(base: Base, facts: Any) -> None:
    base.run(**ADDED)
    base.run(**{**WITHOUT, **facts})
    assert "new1" in base.hosts()


def test_an_added_host_leaves_by_a_run_with_its_tags(base: Base) -> None:
    base.run(scope=DEPLOY, **ADDED)
    base.run(scope=Scope(tags=("other",)), **WITHOUT)
    assert base.hosts(DEPLOY) == {"new1"}
    base.run(scope=DEPLOY, **WITHOUT)
    assert base.hosts(DEPLOY) == set()


def test_an_added_host_stays_if_a_play_matched_it_and_the_inventory_was_read_again(base: Base) -> None:
    base.run(**ADDED)
    base.run(ok="web1", matched=ALL | {"new1"})
    assert base.hosts() == {"new1"}


# --- aborted runs --------------------------------------------------------------------------------------------------


def test_an_aborted_run_fails_as_a_whole_and_no_host_recovers_in_it(opened: Base) -> None:
    opened.run(ok="web1 web2", failed="db1", aborted={"message": "KeyError"})
    assert opened.hosts() == {"*", "db1", "web1", "web2"}
    assert opened[WHOLE].failed_hosts["*"].failure == {"message": "KeyError"}
    assert opened.next() == TRIGGER


def test_in_a_run_with_guarded_failures_hosts_recover_but_no_first_resolve_is_sent(opened: Base) -> None:
    opened.run(ok="web1 web2 db1", guarded=True)
    assert opened.next() == RESOLVE
    base = Base()
    base.run(ok="web1", guarded=True)
    assert base.next() is None


def test_an_aborted_run_leaves_the_incident_only_by_a_wholly_successful_run(base: Base) -> None:
    base.run(aborted={})
    base.run(ok="web1", failed="web2")
    base.run(ok="web2")
    assert base.hosts() == set()


@pytest.mark.parametrize("facts", [{"failed": "db1"}, {"ok": ""}, {"dubious": True}, {"partial": True}])
def test_an_aborted_run_stays_in_the_incident_after_any_other_run(base: Base, facts: dict[str, Any]) -> None:
    base.run(aborted={})
    base.run(**{"ok": "web1", **facts})
    assert "*" in base.hosts()


def test_an_aborted_run_leaves_by_a_success_with_the_same_limit_or_without_a_limit(base: Base) -> None:
    web2 = Scope(limit=("web2",))
    base.run(scope=LIMIT_WEB1, aborted={})
    base.run(scope=web2, aborted={})
    assert base.hosts(LIMIT_WEB1) == {"*(web1)", "*(web2)"} == {aborted_host(LIMIT_WEB1), aborted_host(web2)}
    base.run(ok="web1", scope=LIMIT_WEB1)
    assert base.hosts(LIMIT_WEB1) == {"*(web2)"}
    base.run(ok="web1")
    assert not base.hosts(LIMIT_WEB1)


def test_a_limited_success_does_not_clear_an_aborted_unlimited_run(base: Base) -> None:
    base.run(aborted={})
    base.run(ok="web1", scope=LIMIT_WEB1)
    assert base.hosts() == {"*"}


# --- runs at the same time -----------------------------------------------------------------------------------------


def test_a_run_does_not_clear_failures_recorded_after_it_began(base: Base) -> None:
    base.run(failed="web1")
    began = base.ledger.mark
    base.run(failed="web1 web2")
    base.run(ok="web1 web2 db1", began=began)
    assert base.hosts() == {"web1", "web2"}
    base.run(ok="web1 web2 db1")
    assert not base.hosts()


@pytest.mark.parametrize("facts", [{"ok": "web1"}, {"ok": "db1", "inventory": frozenset({"db1"})}])
def test_no_host_leaves_by_a_run_that_began_with_a_ledger_that_is_now_lost(base: Base, facts: dict[str, Any]) -> None:
    base.run(failed="web1")
    base.run(began=Mark("another", 99), **facts)
    assert base.hosts() == {"web1"}


def test_a_run_that_aborts_while_another_is_running_stays_in_the_incident(base: Base) -> None:
    began = base.ledger.mark
    base.run(aborted={})
    base.run(ok="web1", began=began)
    assert base.hosts() == {"*"}


def test_a_trigger_confirmed_after_the_incident_was_closed_is_resolved(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    assert base[WHOLE].is_settled
    base.answered("created", page)
    assert not base[WHOLE].is_settled
    assert base.next() is None, "this run has sent a resolve; the run that sent the trigger has not"
    assert [request.state for request in waiting(base.ledger)] == ["resolved"]


def test_a_trigger_with_unknown_result_for_an_incident_closed_meanwhile_is_resolved_too(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.answered(None, page)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    assert base[WHOLE].is_settled and not base.warnings


def test_a_trigger_confirmed_before_the_answer_to_its_resolve_leaves_the_incident_open(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("created", page)
    base.answered("nothing_to_resolve")
    assert base.warnings and not base[WHOLE].is_settled


def test_a_trigger_of_the_previous_episode_does_not_confirm_the_current_one(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.run(failed="web1")
    base.answered("created", page)
    assert not base[WHOLE].is_settled
    assert base.send().episode == 2


def test_a_host_that_fails_while_the_trigger_is_being_sent_is_sent_too(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(failed="web2")
    base.answered("created", page)
    assert base.send().hosts == {"web1", "web2"}


def test_a_trigger_confirmed_after_its_resolve_may_have_been_processed_before_it(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("resolved")
    base.answered("created", page)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    assert base[WHOLE].is_settled and not base.warnings


def test_a_repeated_trigger_with_unknown_result_does_not_undo_the_confirmation(opened: Base) -> None:
    opened.now += 5 * HOUR
    opened.run(failed="web1 web2")
    page = opened.send()
    opened.run(ok="web1 web2 db1")
    opened.answered(None, page)
    opened.answered("nothing_to_resolve")
    assert opened.warnings and not opened[WHOLE].is_settled


def test_a_resolve_of_the_previous_episode_that_found_nothing_does_not_settle_this_one(base: Base) -> None:
    base.run(failed="web1")
    base.answered(None)
    base.run(ok="web1")
    resolve = base.send()
    base.run(failed="web1")
    base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve", resolve)
    assert not base[WHOLE].is_settled


def test_an_incident_resolved_while_a_host_failed_again_does_not_count_as_open(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("duplicate")
    assert opened.warnings
    opened.answered("resolved", resolve)
    opened.run(failed="web1")
    opened.answered("unmatched")
    assert opened.warnings, "it is a new episode"
    opened.run(ok="web1")
    opened.answered("nothing_to_resolve")
    assert opened[WHOLE].is_settled and not opened.warnings


@pytest.mark.parametrize("outcome", ["resolved", None])
def test_if_a_resolve_may_have_closed_the_incident_of_a_new_failure_it_is_triggered_again(
    opened: Base, outcome: str | None
) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("created")
    assert opened[WHOLE].is_settled
    opened.answered(outcome, resolve)
    assert not opened[WHOLE].is_settled
    assert opened.send().episode == 3


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched", "nothing_to_resolve", "failed"])
def test_a_resolve_that_closed_nothing_does_not_affect_a_new_episode(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("created")
    opened.answered(outcome, resolve)
    assert opened[WHOLE].is_settled and not opened.warnings


def test_a_late_resolve_of_an_older_episode_does_not_settle_the_newer_one(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    page = opened.send()
    opened.run(ok="web1")
    opened.answered("resolved", resolve)
    assert not opened[WHOLE].is_settled
    opened.answered("created", page)
    opened.answered("resolved")
    assert opened[WHOLE].is_settled


def test_an_answer_for_a_ledger_that_was_lost_meanwhile_changes_nothing(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.ledger = Ledger("second")
    base.answered("created", page)
    assert base.ledger == Ledger("second")


# --- resolves that are not confirmed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "unmatched", "duplicate"])
def test_an_unconfirmed_resolve_of_an_open_incident_warns_once_and_is_sent_again(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome)
    (warning,) = opened.warnings
    assert KEY in warning and outcome in warning and "open" in warning
    assert opened.next() is None, "a run sends a request only once"
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome)
    assert not opened[WHOLE].is_settled and not opened.warnings
    opened.run(ok="web1 web2 db1")
    opened.answered("resolved")
    assert opened[WHOLE].is_settled


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "unmatched", "duplicate", "failed"])
def test_only_a_confirmed_resolve_closes_a_confirmed_incident_however_long_it_takes(opened: Base, outcome: str) -> None:
    for _run in range(3):
        opened.run(ok="web1 web2 db1")
        opened.answered(outcome)
        opened.now += 5 * HOUR
    assert not opened[WHOLE].is_settled
    opened.run(failed="db1", scope=DEPLOY)
    opened.answered("created")
    assert opened.next() == RESOLVE, "the next run sends it again, whatever it is"
    opened.answered("resolved")
    assert opened[WHOLE].is_settled


def test_a_refused_resolve_does_not_affect_the_next_episode(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered("nothing_to_resolve")
    opened.now += 5 * HOUR
    opened.run(failed="web1")
    opened.answered("created")
    opened.run(ok="web1")
    opened.answered("nothing_to_resolve")
    assert not opened[WHOLE].is_settled and opened.warnings


def test_a_duplicate_answer_to_the_previous_resolve_does_not_affect_the_next_episode(base: Base) -> None:
    for _opening in range(2):
        base.run(failed="web1")
        base.answered(None)
        base.run(ok="web1")
        base.answered("duplicate")
        assert not base[WHOLE].is_settled
        base.now += 5 * HOUR


@pytest.mark.parametrize("outcome", ["failed", None])
def test_a_resolve_that_failed_or_got_no_answer_is_sent_again_by_the_next_run(
    opened: Base, outcome: str | None
) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome)
    assert not opened[WHOLE].is_settled and not opened.warnings
    opened.run(ok="web1 web2 db1")
    assert opened.next() == RESOLVE


def test_nothing_to_resolve_after_a_resolve_with_unknown_result_means_that_it_was_processed(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(None)
    opened.run(ok="web1 web2 db1")
    opened.answered("nothing_to_resolve")
    assert opened[WHOLE].is_settled and not opened.warnings


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "unmatched"])
def test_nothing_to_resolve_after_an_uncertain_attempt_means_that_it_was_processed(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome, uncertain=True)
    assert opened[WHOLE].is_settled and not opened.warnings


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "resolved"])
def test_an_uncertain_resolve_may_have_closed_the_incident_of_a_new_failure_once(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("created")
    opened.answered(outcome, resolve, uncertain=True)
    assert opened.send().episode == 3


def test_an_uncertain_trigger_may_have_opened_an_incident_that_was_closed_meanwhile(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.answered("unmatched", page, uncertain=True)
    base.run(ok="web1")
    assert base.next() == RESOLVE


@pytest.mark.parametrize("outcome, settled", [("nothing_to_resolve", True), ("unmatched", True), ("duplicate", False)])
def test_an_incident_never_confirmed_open_is_closed_once_the_api_says_so(
    base: Base, outcome: str, settled: bool
) -> None:
    base.run(failed="web1")
    base.answered(None)
    base.run(ok="web1")
    base.answered(outcome)
    assert base[WHOLE].is_settled is settled and not base.warnings
    base.now += 4 * HOUR
    base.run(ok="web1")
    base.answered(outcome)
    assert base[WHOLE].is_settled


def test_a_failure_before_the_resolve_is_confirmed_starts_a_new_episode_of_an_open_incident(
    opened: Base,
) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered("duplicate")
    opened.run(failed="web1")
    send = opened.send()
    assert send.episode == 2
    opened.answered("duplicate", send)
    assert opened.warnings and not opened[WHOLE].is_settled
    opened.run(ok="web1")
    opened.answered("nothing_to_resolve")
    assert opened.warnings and not opened[WHOLE].is_settled


# --- no record of the key ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["resolved", "nothing_to_resolve", "unmatched", "duplicate"])
def test_a_first_success_sends_one_resolve_and_any_answer_settles_it(base: Base, outcome: str) -> None:
    base.run(ok="web1")
    send = base.send()
    assert (send.state, send.key, send.episode) == ("resolved", KEY, 0)
    base.answered(outcome, send)
    assert base[WHOLE].is_settled and not base.warnings
    base.run(ok="web1")
    assert base.next() is None


@pytest.mark.parametrize("outcome", ["failed", None])
def test_a_first_resolve_that_got_no_answer_is_sent_again_by_the_next_run(base: Base, outcome: str | None) -> None:
    base.run(ok="web1")
    base.answered(outcome)
    base.run(failed="db1", scope=DEPLOY)
    base.answered("created")
    base.answered("duplicate")
    assert base[WHOLE].is_settled, "nothing was ever sent that could be open"


@pytest.mark.parametrize("facts", [{"ok": ""}, {"ok": "web1", "failed": "web2", "scope": LIMIT_WEB1}])
def test_only_a_wholly_successful_run_sends_a_first_resolve(facts: dict[str, Any]) -> None:
    base = Base(page_limited_runs=False)
    base.run(**facts)
    assert not base.ledger.incidents


def test_a_closed_incident_is_resolved_again_only_after_the_repeat_interval(base: Base) -> None:
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.now += 4 * HOUR - 1
    base.run(ok="web1")
    assert base.next() is None
    base.now += 1
    base.run(ok="", failed="web1", scope=DEPLOY)
    base.answered("created")
    assert base.next() is None, "only a success with the same key sends it"
    base.run(ok="web1")
    base.answered("resolved")
    assert base.ledger.incidents[key(DEPLOY)].remote_state == "open"
    assert base.next() == ("resolved", key(DEPLOY))


def test_with_a_store_shared_by_all_controllers_a_closed_incident_is_not_resolved_again() -> None:
    base = Base(memory=SHARED)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.now += 1000 * HOUR
    base.run(ok="web1")
    assert base.next() is None


def test_without_a_store_a_failed_run_always_triggers_without_an_episode() -> None:
    base = Base(memory=NONE, after_failures=3)
    base.run(failed="web2", ok="web1")
    send = base.send()
    assert (send.state, send.key, send.episode) == ("triggered", KEY, 0)


def test_without_a_store_a_successful_run_always_resolves_without_an_episode() -> None:
    base = Base(memory=NONE)
    base.run(ok="web1")
    send = base.send()
    assert (send.state, send.key, send.episode) == ("resolved", KEY, 0)


def test_without_a_store_failed_and_successful_runs_of_one_command_use_the_same_key() -> None:
    sends = []
    for facts in ({"failed": "web1"}, {"failed": "web1"}, {"ok": "web1"}, {"ok": "web1"}):
        process = Base(memory=NONE)  # each process has its own memory, which is lost when it ends
        process.run(scope=LIMIT_WEB1, **facts)
        send = process.send()
        process.answered("duplicate", send)
        assert process.next() is None
        assert not process.warnings, "without a store, a duplicate is normal"
        sends.append((send.state, send.key, send.episode))
    limited = key(LIMIT_WEB1)
    assert sends == [("triggered", limited, 0)] * 2 + [("resolved", limited, 0)] * 2


def test_without_a_store_a_trigger_that_matches_no_filter_still_warns() -> None:
    base = Base(memory=NONE)
    base.run(failed="web1")
    base.answered("unmatched")
    assert base.warnings


def test_at_most_a_thousand_closed_incidents_are_kept(opened: Base) -> None:
    closed = {
        name: Incident(name, Scope(), remote_state="closed", answered_at=float(age))
        for age, name in enumerate(f"key {number}" for number in range(1010))
    }
    opened.ledger = replace(opened.ledger, incidents={**closed, **opened.ledger.incidents})
    asked = Incident("not answered yet", Scope())
    opened.ledger = replace(opened.ledger, incidents={**opened.ledger.incidents, asked.key: asked})
    opened.run(failed="web1")
    assert len(opened.ledger.incidents) == 1002
    assert opened.hosts() == {"web1", "web2"} and asked.key in opened.ledger.incidents
    assert "key 10" in opened.ledger.incidents and "key 9" not in opened.ledger.incidents


# --- after_failures ------------------------------------------------------------------------------------------------


def test_the_first_trigger_is_sent_after_the_configured_number_of_failed_runs() -> None:
    base = Base(after_failures=3)
    for failed in ("web1", "web2"):
        base.run(failed=failed)
        assert base.next() is None
    base.run(failed="web1")
    send = base.send()
    assert send.hosts == {"web1", "web2"}
    base.answered("created", send)
    base.policy = Policy(after_failures=9)
    base.run(failed="db1")
    assert base.send().hosts == ALL, "once the incident is open, every change is sent"


def test_if_hosts_recover_before_the_first_trigger_nothing_is_sent() -> None:
    base = Base(after_failures=2)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    for _time in range(3):
        base.run(failed="web1")
        base.run(ok="web1")
        assert base.next() is None, "the count starts again"
    assert base[WHOLE].is_settled


def test_if_nothing_was_known_before_recovery_sends_one_resolve() -> None:
    base = Base(after_failures=2)
    base.run(failed="web1")
    base.run(ok="web1")
    base.answered("duplicate")
    assert base[WHOLE].is_settled


def test_a_trigger_that_was_due_and_may_have_been_sent_is_resolved() -> None:
    base = Base(after_failures=2)
    base.run(failed="web1")
    base.run(failed="web1")
    base.run(ok="web1")
    assert base.next() == RESOLVE


@pytest.mark.parametrize(("seconds", "is_sent_as_it_was"), [(0.5, True), (20.0, False)])
def test_a_run_that_fails_while_another_sends_the_same_sends_the_same_bytes(
    base: Base, seconds: float, is_sent_as_it_was: bool
) -> None:
    base.run(failed="web1", key=KEY)
    link = {"url": "the first job"}
    ledger = planned(base.ledger, base.policy, base.now, lambda _request: link, "here", {KEY}, reserve=15.0)
    later = base.now + seconds
    again = planned(ledger, base.policy, later, lambda _request: {"url": "the second job"}, "here", {KEY}, reserve=15.0)
    wish = again.incidents[KEY].wish
    assert wish and (wish.body == link) == is_sent_as_it_was


# --- slices of an AWX job ------------------------------------------------------------------------------------------


def run_slice(base: Base, ok: str = "", failed: str = "", job: str = "40", **facts: Any) -> None:
    """A slice of a job. Its inventory lacks the hosts of the other slices."""
    base.run(ok=ok, failed=failed, slice_of=job, inventory=frozenset(), **facts)


def test_a_slice_resolves_only_what_its_own_hosts_have_failed(opened: Base) -> None:
    run_slice(opened, ok="db1")
    assert opened.hosts() == {"web1", "web2"}
    run_slice(opened, ok="web1")
    assert opened.next() is None
    run_slice(opened, ok="web2")
    assert opened.next() == RESOLVE


@pytest.mark.parametrize(("memory", "request_made"), [(NONE, None), (OWN, None), (SHARED, RESOLVE)])
def test_a_slice_resolves_what_its_store_does_not_know_only_if_all_slices_share_the_store(
    memory: str, request_made: Any
) -> None:
    base = Base(memory=memory)
    run_slice(base, ok="db1")
    assert base.next() == request_made


def test_a_slice_that_was_aborted_is_not_made_good_by_another_slice_of_the_same_job(base: Base) -> None:
    run_slice(base, aborted={"message": "out of memory"})
    base.answered("created")
    run_slice(base, ok="web2")
    assert base.hosts() == {aborted_host(WHOLE)}
    run_slice(base, ok="web1", job="41")
    assert base.next() == RESOLVE


def test_a_success_of_a_slice_is_none_of_a_revision_but_is_not_overdue(base: Base) -> None:
    run_slice(base, ok="web1", revision="a1")
    assert (base.ledger.last_success, base.ledger.good_revision) == (base.now, ""), "another slice may fail yet"


def test_a_slice_that_hangs_stays_until_a_slice_of_another_job_succeeds(base: Base) -> None:
    note = RunNote("pod", "", base.now - HOUR, WHOLE, KEY, max_run_time=60.0, slice_of="40")
    base.ledger = replace(base.ledger, runs={"hanging": note})
    run_slice(base, ok="web2")
    assert set(base.ledger.runs) == {"hanging"}
    run_slice(base, ok="web2", job="41")
    assert not base.ledger.runs
