# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the ledger, one by one: who joins, who leaves, what is sent, and what an answer proves.

Must not need a store, an API or Ansible: ledgers, runs and answers are values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    NONE,
    SHARED,
    Incident,
    Ledger,
    Mark,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import (
    Policy,
    Request,
    RunFacts,
    aborted_host,
    after_answer,
    after_run,
    pending,
)

ALL = frozenset({"web1", "web2", "db1"})
LIMIT_WEB1 = Scope(limit=("web1",))
DEPLOY = Scope(tags=("deploy",))
HOUR = 3600.0


class Base:
    """One base's ledger, with a clock, and runs over it that say who was ok and who failed."""

    def __init__(self, **policy: Any) -> None:
        self.ledger = Ledger("first")
        self.policy = Policy(**policy)
        self.now = 1_000_000.0
        self.warnings: tuple[str, ...] = ()
        self.sent: list[Request] = []

    def run(self, ok: str = "", failed: str = "", scope: Scope = Scope(), **facts: Any) -> None:  # noqa: B008 - frozen
        """A run from begin to end, without what it sends."""
        values: dict[str, Any] = {
            "scope": scope,
            "key": key(scope),
            "succeeded": frozenset(ok.split()),
            "failed": {host: {"message": f"{host} is broken"} for host in failed.split()},
            "inventory": ALL,
            "began": self.ledger.mark,
        }
        self.ledger = after_run(self.ledger, RunFacts(**{**values, **facts}), self.policy, self.now)
        self.sent = []

    def next(self) -> tuple[str, str] | None:
        """State and key of what is to be sent next."""
        send = pending(self.ledger, self.policy, self.now, self.sent)
        return (send.state, send.key) if send else None

    def send(self) -> Request:
        send = pending(self.ledger, self.policy, self.now, self.sent)
        assert send, "nothing is to be sent"
        self.sent.append(send)
        return send

    def answered(self, outcome: str | None, send: Request | None = None, uncertain: bool = False) -> None:
        """Send what is to be sent next and get this answer."""
        send = send or self.send()
        self.ledger, self.warnings = after_answer(self.ledger, send, outcome, self.policy, self.now, uncertain)

    def hosts(self, scope: Scope = Scope()) -> set[str]:  # noqa: B008 - frozen
        incident = self.ledger.incidents.get(key(scope))
        return set(incident.failed_hosts) if incident else set()

    def __getitem__(self, scope: Scope) -> Incident:
        return self.ledger.incidents[key(scope)]


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
    """web1 and web2 failed, and the page went out."""
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
    assert opened.send().hosts == {"web2", "db1"}


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
def test_a_duplicate_for_what_is_already_open_counts_as_sent(opened: Base, change: str) -> None:
    opened.now += 4 * HOUR * (change == "time")
    opened.run(failed="db1" if change == "hosts" else "web1")
    opened.answered("duplicate")
    assert opened[WHOLE].is_settled and not opened.warnings
    opened.run(failed="web1")
    assert opened.next() is None


@pytest.mark.parametrize("outcome", ["unmatched", "failed", None])
def test_new_hosts_that_the_api_did_not_take_are_sent_again_by_the_next_run(opened: Base, outcome: str | None) -> None:
    opened.run(failed="db1")
    opened.answered(outcome)
    assert opened[WHOLE].is_settled
    assert opened.next() is None, "one run sends it once"
    opened.run(failed="db1")
    assert opened.send().hosts == ALL


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched", "failed", None])
def test_a_page_that_was_not_granted_is_not_taken_for_sent(base: Base, outcome: str | None) -> None:
    base.run(failed="web1")
    base.answered(outcome)
    assert not base[WHOLE].is_settled
    assert base.next() is None, "one run sends it once"
    base.run(failed="web1")
    assert base.next() == TRIGGER


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched"])
def test_the_user_is_warned_each_time_that_a_new_page_may_not_have_gone_out(base: Base, outcome: str) -> None:
    for _run in range(2):
        base.run(failed="web1")
        base.answered(outcome)
        (warning,) = base.warnings
        assert KEY in warning and outcome in warning and "page" in warning


@pytest.mark.parametrize("outcome", ["duplicate", "unmatched"])
def test_nobody_is_warned_of_a_page_that_is_not_wanted_any_more(base: Base, outcome: str) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered(outcome, page)
    assert not base.warnings
    base.run(failed="web1")
    base.answered(outcome, page)
    assert not base.warnings, "it is of the opening before"
    base.answered(outcome)
    assert base.warnings


def test_pages_go_before_resolves(opened: Base) -> None:
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


def test_a_limited_run_resolves_only_what_it_covers(opened: Base) -> None:
    opened.run(ok="web1", scope=LIMIT_WEB1)
    assert opened.hosts() == {"web2"}
    opened.answered("created")
    opened.run(ok="web2", scope=Scope(limit=("web2",)))
    assert opened.next() == RESOLVE


def test_a_failing_run_still_proves_the_hosts_that_succeeded_in_it(opened: Base) -> None:
    opened.run(ok="web1", failed="db1")
    assert opened.hosts() == {"web2", "db1"}


def test_a_host_that_was_neither_good_nor_bad_stays(opened: Base) -> None:
    opened.run(ok="web1 db1")
    assert opened.hosts() == {"web2"}


def test_one_failure_and_another_host_good_by_the_same_run_is_no_new_opening(base: Base) -> None:
    base.run(failed="web1")
    base.answered("created")
    base.run(ok="web1", failed="web2")
    send = base.send()
    assert (send.episode, send.hosts) == (1, {"web2"})


@pytest.mark.parametrize("page_limited_runs", [True, False])
def test_a_host_both_good_and_bad_is_bad(opened: Base, page_limited_runs: bool) -> None:
    opened.policy = Policy(page_limited_runs=page_limited_runs)
    opened.run(ok="web1 web2", failed="web1", scope=Scope(limit=("web*",)))
    assert opened.hosts() == {"web1"}


@pytest.mark.parametrize("doubt", ["partial", "dubious"])
def test_a_partial_or_dubious_run_proves_nothing_good_but_its_failures_count(opened: Base, doubt: str) -> None:
    opened.run(ok="web1 web2 db1", **{doubt: True})
    assert opened.hosts() == {"web1", "web2"}
    opened.run(ok="web1", failed="db1", **{doubt: True})
    assert opened.hosts() == ALL


@pytest.mark.parametrize("doubt", [{"partial": True}, {"dubious": True}, {"aborted": {}}])
def test_a_run_that_proves_nothing_asks_for_no_first_resolve_either(base: Base, doubt: dict[str, Any]) -> None:
    base.run(ok="web1", **doubt)
    assert base.next() in (None, TRIGGER)


# --- scopes --------------------------------------------------------------------------------------------------------


def test_a_limited_run_joins_the_incident_that_is_open(opened: Base) -> None:
    opened.run(failed="db1", scope=Scope(limit=("db1",)))
    assert opened.hosts() == ALL
    assert len(opened.ledger.incidents) == 1


def test_a_whole_run_joins_and_closes_what_a_limited_run_opened(base: Base) -> None:
    base.run(failed="web1", scope=LIMIT_WEB1)
    base.answered("created")
    base.run(failed="web1 web2")
    assert base.hosts(LIMIT_WEB1) == {"web1", "web2"} and KEY not in base.ledger.incidents
    base.answered("duplicate")
    base.run(ok="web1 web2 db1")
    assert not base.hosts(LIMIT_WEB1)
    assert base.next() == RESOLVE, "nothing is known of the run's own key"
    base.answered("nothing_to_resolve")
    assert base.next() == ("resolved", key(LIMIT_WEB1))


def test_other_tags_are_another_incident(opened: Base) -> None:
    opened.run(failed="web1", scope=DEPLOY)
    assert opened.hosts(DEPLOY) == {"web1"}
    opened.run(ok="web1 web2 db1", scope=DEPLOY)
    assert opened.hosts() == {"web1", "web2"}, "a run with tags does not cover one without"
    assert not opened.hosts(DEPLOY)


@pytest.mark.parametrize("scope", [DEPLOY, Scope(skip_tags=("slow",)), Scope(limit=("web1",), tags=("deploy",))])
def test_a_run_without_tags_covers_the_incidents_of_all_tags(base: Base, scope: Scope) -> None:
    base.run(failed="web1", scope=scope)
    base.run(ok="web1", scope=Scope(skip_tags=("other",)))
    assert base.hosts(scope) == {"web1"}
    base.run(ok="web1")
    assert not base.hosts(scope)


def test_a_run_with_the_same_tags_and_another_limit_closes_it(base: Base) -> None:
    base.run(failed="web1", scope=DEPLOY)
    base.run(ok="web1", scope=Scope(limit=("web1",), tags=("deploy",)))
    assert not base.hosts(DEPLOY)


def test_failures_of_limited_runs_can_be_left_to_whoever_sits_at_the_keyboard() -> None:
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


# --- hosts that are gone -------------------------------------------------------------------------------------------


def test_a_whole_run_drops_hosts_that_are_no_longer_in_the_inventory(opened: Base) -> None:
    opened.run(ok="web1", inventory=frozenset({"web1", "db1"}))
    assert opened.next() == RESOLVE


def test_a_limited_run_drops_no_hosts(opened: Base) -> None:
    opened.run(ok="web1", inventory=frozenset({"web1"}), scope=LIMIT_WEB1)
    assert opened.hosts() == {"web2"}


def test_a_whole_run_in_which_all_others_fail_drops_hosts_that_are_gone_too(opened: Base) -> None:
    opened.run(failed="web1", inventory=frozenset({"web1"}))
    assert opened.hosts() == {"web1"}


@pytest.mark.parametrize("facts", [{"inventory": frozenset(), "ok": "db1"}, {"inventory": frozenset({"x"}), "ok": ""}])
def test_a_broken_inventory_drops_no_hosts(opened: Base, facts: dict[str, Any]) -> None:
    opened.run(**facts)
    assert opened.hosts() == {"web1", "web2"}


def test_a_host_that_fails_is_not_dropped_because_the_inventory_lacks_it(base: Base) -> None:
    base.run(failed="new1", ok="web1")
    base.run(failed="new1", ok="web1")
    assert base.hosts() == {"new1"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_implicit_localhost_is_in_no_inventory_and_not_gone(base: Base, host: str) -> None:
    base.run(failed=host)
    base.run(ok="web1")
    assert base.hosts() == {host}


# --- aborted runs --------------------------------------------------------------------------------------------------


def test_an_aborted_run_has_failed_as_a_whole_and_proves_no_host_good(opened: Base) -> None:
    opened.run(ok="web1 web2", failed="db1", aborted={"message": "KeyError"})
    assert opened.hosts() == {"*", "db1", "web1", "web2"}
    assert opened[WHOLE].failed_hosts["*"].failure == {"message": "KeyError"}
    assert opened.next() == TRIGGER


def test_a_run_with_guarded_failures_proves_its_good_hosts_and_asks_for_no_first_resolve(opened: Base) -> None:
    opened.run(ok="web1 web2 db1", guarded=True)
    assert opened.next() == RESOLVE
    base = Base()
    base.run(ok="web1", guarded=True)
    assert base.next() is None


def test_what_was_aborted_leaves_only_by_a_wholly_successful_run(base: Base) -> None:
    base.run(aborted={})
    base.run(ok="web1", failed="web2")
    base.run(ok="web2")
    assert base.hosts() == set()


@pytest.mark.parametrize("facts", [{"failed": "db1"}, {"ok": ""}, {"dubious": True}, {"partial": True}])
def test_what_was_aborted_stays_after_any_other_run(base: Base, facts: dict[str, Any]) -> None:
    base.run(aborted={})
    base.run(**{"ok": "web1", **facts})
    assert "*" in base.hosts()


def test_aborted_runs_with_different_limits_leave_each_by_its_own_limit_or_by_none(base: Base) -> None:
    web2 = Scope(limit=("web2",))
    base.run(scope=LIMIT_WEB1, aborted={})
    base.run(scope=web2, aborted={})
    assert base.hosts(LIMIT_WEB1) == {"*web1", "*web2"} == {aborted_host(LIMIT_WEB1), aborted_host(web2)}
    base.run(ok="web1", scope=LIMIT_WEB1)
    assert base.hosts(LIMIT_WEB1) == {"*web2"}
    base.run(ok="web1")
    assert not base.hosts(LIMIT_WEB1)


def test_a_limited_success_does_not_make_good_for_a_whole_run_that_was_aborted(base: Base) -> None:
    base.run(aborted={})
    base.run(ok="web1", scope=LIMIT_WEB1)
    assert base.hosts() == {"*"}


# --- runs at the same time -----------------------------------------------------------------------------------------


def test_a_run_cannot_have_put_right_what_failed_after_it_began(base: Base) -> None:
    base.run(failed="web1")
    began = base.ledger.mark
    base.run(failed="web1 web2")
    base.run(ok="web1 web2 db1", began=began)
    assert base.hosts() == {"web1", "web2"}
    base.run(ok="web1 web2 db1")
    assert not base.hosts()


@pytest.mark.parametrize("facts", [{"ok": "web1"}, {"ok": "db1", "inventory": frozenset({"db1"})}])
def test_a_run_that_began_with_a_ledger_now_lost_makes_nobody_leave(base: Base, facts: dict[str, Any]) -> None:
    base.run(failed="web1")
    base.run(began=Mark("another", 99), **facts)
    assert base.hosts() == {"web1"}


def test_what_was_aborted_while_another_run_went_on_stays(base: Base) -> None:
    began = base.ledger.mark
    base.run(aborted={})
    base.run(ok="web1", began=began)
    assert base.hosts() == {"*"}


def test_a_page_that_went_out_for_an_incident_closed_meanwhile_is_resolved(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    assert base[WHOLE].is_settled
    base.answered("created", page)
    assert not base[WHOLE].is_settled
    assert base.next() is None, "this run has sent a resolve; the one that sent the page has not"
    assert pending(base.ledger, base.policy, base.now, [page]) is not None


def test_a_page_of_unknown_fate_for_an_incident_closed_meanwhile_is_resolved_too(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.answered(None, page)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    assert base[WHOLE].is_settled and not base.warnings


def test_a_page_granted_before_its_resolve_was_answered_is_known_to_be_open(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("created", page)
    base.answered("nothing_to_resolve")
    assert base.warnings and not base[WHOLE].is_settled


def test_a_page_for_the_opening_before_does_not_confirm_this_one(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.run(failed="web1")
    base.answered("created", page)
    assert not base[WHOLE].is_settled
    assert base.send().episode == 2


def test_a_host_that_fails_while_the_page_is_on_its_way_is_sent_too(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(failed="web2")
    base.answered("created", page)
    assert base.send().hosts == {"web1", "web2"}


def test_a_page_granted_around_its_granted_resolve_may_have_been_before_it(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("resolved")
    base.answered("created", page)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    assert base[WHOLE].is_settled and not base.warnings


def test_a_repeated_page_of_unknown_fate_does_not_make_doubtful_what_was_granted(opened: Base) -> None:
    opened.now += 5 * HOUR
    opened.run(failed="web1 web2")
    page = opened.send()
    opened.run(ok="web1 web2 db1")
    opened.answered(None, page)
    opened.answered("nothing_to_resolve")
    assert opened.warnings and not opened[WHOLE].is_settled


def test_a_resolve_of_the_opening_before_that_found_nothing_does_not_settle_this_one(base: Base) -> None:
    base.run(failed="web1")
    base.answered(None)
    base.run(ok="web1")
    resolve = base.send()
    base.run(failed="web1")
    base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve", resolve)
    assert not base[WHOLE].is_settled


def test_what_a_resolve_closed_while_a_host_failed_again_is_not_taken_for_open(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("duplicate")
    assert opened.warnings
    opened.answered("resolved", resolve)
    opened.run(failed="web1")
    opened.answered("unmatched")
    assert opened.warnings, "it is an opening of its own"
    opened.run(ok="web1")
    opened.answered("nothing_to_resolve")
    assert opened[WHOLE].is_settled and not opened.warnings


@pytest.mark.parametrize("outcome", ["resolved", None])
def test_a_resolve_that_may_have_come_after_the_page_of_a_new_failure_has_it_paged_anew(
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
def test_a_resolve_that_closed_nothing_does_not_touch_a_new_opening(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("created")
    opened.answered(outcome, resolve)
    assert opened[WHOLE].is_settled and not opened.warnings


def test_a_late_resolve_of_an_older_opening_does_not_settle_the_newer(opened: Base) -> None:
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
def test_an_open_incident_whose_resolve_is_not_granted_is_said_once_and_sent_again(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome)
    (warning,) = opened.warnings
    assert KEY in warning and outcome in warning and "open" in warning
    assert opened.next() is None, "one run sends it once"
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome)
    assert not opened[WHOLE].is_settled and not opened.warnings
    opened.run(ok="web1 web2 db1")
    opened.answered("resolved")
    assert opened[WHOLE].is_settled


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "unmatched", "duplicate", "failed"])
def test_only_a_granted_resolve_closes_what_was_confirmed_open_however_long_it_takes(
    opened: Base, outcome: str
) -> None:
    for _run in range(3):
        opened.run(ok="web1 web2 db1")
        opened.answered(outcome)
        opened.now += 5 * HOUR
    assert not opened[WHOLE].is_settled
    opened.run(failed="db1", scope=DEPLOY)
    opened.answered("created")
    assert opened.next() == RESOLVE, "any next run sends it again"
    opened.answered("resolved")
    assert opened[WHOLE].is_settled


def test_a_refused_resolve_does_not_count_against_the_next_opening(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered("nothing_to_resolve")
    opened.now += 5 * HOUR
    opened.run(failed="web1")
    opened.answered("created")
    opened.run(ok="web1")
    opened.answered("nothing_to_resolve")
    assert not opened[WHOLE].is_settled and opened.warnings


def test_a_duplicate_for_the_resolve_before_does_not_count_against_the_next_opening_either(base: Base) -> None:
    for _opening in range(2):
        base.run(failed="web1")
        base.answered(None)
        base.run(ok="web1")
        base.answered("duplicate")
        assert not base[WHOLE].is_settled
        base.now += 5 * HOUR


@pytest.mark.parametrize("outcome", ["failed", None])
def test_a_resolve_without_a_good_answer_is_sent_again_by_the_next_run(opened: Base, outcome: str | None) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome)
    assert not opened[WHOLE].is_settled and not opened.warnings
    opened.run(ok="web1 web2 db1")
    assert opened.next() == RESOLVE


def test_nothing_to_resolve_after_a_resolve_of_unknown_fate_was_that_resolve(opened: Base) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(None)
    opened.run(ok="web1 web2 db1")
    opened.answered("nothing_to_resolve")
    assert opened[WHOLE].is_settled and not opened.warnings


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "unmatched"])
def test_nothing_to_resolve_after_an_attempt_of_unknown_fate_was_that_attempt(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    opened.answered(outcome, uncertain=True)
    assert opened[WHOLE].is_settled and not opened.warnings


@pytest.mark.parametrize("outcome", ["nothing_to_resolve", "resolved"])
def test_an_attempt_of_unknown_fate_may_have_closed_the_page_of_a_new_failure_once(opened: Base, outcome: str) -> None:
    opened.run(ok="web1 web2 db1")
    resolve = opened.send()
    opened.run(failed="web1")
    opened.answered("created")
    opened.answered(outcome, resolve, uncertain=True)
    assert opened.send().episode == 3


def test_an_attempt_of_unknown_fate_may_have_opened_what_was_closed_meanwhile(base: Base) -> None:
    base.run(failed="web1")
    page = base.send()
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.answered("unmatched", page, uncertain=True)
    base.run(ok="web1")
    assert base.next() == RESOLVE


@pytest.mark.parametrize("outcome, settled", [("nothing_to_resolve", True), ("unmatched", True), ("duplicate", False)])
def test_what_was_never_known_to_be_open_is_closed_when_the_api_says_so(
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


def test_a_new_failure_before_the_resolve_was_granted_is_a_new_opening_of_something_known_to_be_open(
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


# --- nothing known -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["resolved", "nothing_to_resolve", "unmatched", "duplicate"])
def test_a_first_success_asks_the_api_once_and_any_answer_settles_it(base: Base, outcome: str) -> None:
    base.run(ok="web1")
    send = base.send()
    assert (send.state, send.key, send.episode) == ("resolved", KEY, 0)
    base.answered(outcome, send)
    assert base[WHOLE].is_settled and not base.warnings
    base.run(ok="web1")
    assert base.next() is None


@pytest.mark.parametrize("outcome", ["failed", None])
def test_a_first_success_that_got_no_answer_is_sent_by_the_next_run(base: Base, outcome: str | None) -> None:
    base.run(ok="web1")
    base.answered(outcome)
    base.run(failed="db1", scope=DEPLOY)
    base.answered("created")
    base.answered("duplicate")
    assert base[WHOLE].is_settled, "nothing was ever sent that could be open"


@pytest.mark.parametrize("facts", [{"ok": ""}, {"ok": "web1", "failed": "web2", "scope": LIMIT_WEB1}])
def test_only_a_wholly_successful_run_asks_for_a_first_resolve(facts: dict[str, Any]) -> None:
    base = Base(page_limited_runs=False)
    base.run(**facts)
    assert not base.ledger.incidents


def test_what_is_known_to_be_closed_is_asked_again_only_after_the_repeat_interval(base: Base) -> None:
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.now += 4 * HOUR - 1
    base.run(ok="web1")
    assert base.next() is None
    base.now += 1
    base.run(ok="", failed="web1", scope=DEPLOY)
    base.answered("created")
    assert base.next() is None, "only by a success of its own key"
    base.run(ok="web1")
    base.answered("resolved")
    assert base.ledger.incidents[key(DEPLOY)].remote_state == "open"
    assert base.next() == ("resolved", key(DEPLOY))


def test_a_store_that_all_controllers_share_knows_for_good() -> None:
    base = Base(memory=SHARED)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    base.now += 1000 * HOUR
    base.run(ok="web1")
    assert base.next() is None


def test_without_memory_a_failed_run_always_pages_without_episode() -> None:
    base = Base(memory=NONE, after_failures=3)
    base.run(failed="web2", ok="web1")
    send = base.send()
    assert (send.state, send.key, send.episode) == ("triggered", KEY, 0)


def test_without_memory_a_successful_run_always_resolves_without_episode() -> None:
    base = Base(memory=NONE)
    base.run(ok="web1")
    send = base.send()
    assert (send.state, send.key, send.episode) == ("resolved", KEY, 0)


def test_without_memory_a_failed_and_a_later_successful_run_of_the_same_command_meet() -> None:
    sends = []
    for facts in ({"failed": "web1"}, {"failed": "web1"}, {"ok": "web1"}, {"ok": "web1"}):
        process = Base(memory=NONE)  # each has a memory of its own, and takes it along when it ends
        process.run(scope=LIMIT_WEB1, **facts)
        send = process.send()
        process.answered("duplicate", send)
        assert process.next() is None
        assert not process.warnings, "nobody knows that it should have been new"
        sends.append((send.state, send.key, send.episode))
    limited = key(LIMIT_WEB1)
    assert sends == [("triggered", limited, 0)] * 2 + [("resolved", limited, 0)] * 2


def test_without_memory_a_page_that_matches_no_filter_is_still_said() -> None:
    base = Base(memory=NONE)
    base.run(failed="web1")
    base.answered("unmatched")
    assert base.warnings


def test_closed_incidents_are_forgotten_beyond_a_thousand(opened: Base) -> None:
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


# --- after so many failures ----------------------------------------------------------------------------------------


def test_the_first_page_waits_for_as_many_consecutive_failed_runs_as_the_user_wants() -> None:
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
    assert base.send().hosts == ALL, "once it is open every change is sent"


def test_what_is_good_again_before_the_first_page_goes_away_silently() -> None:
    base = Base(after_failures=2)
    base.run(ok="web1")
    base.answered("nothing_to_resolve")
    for _time in range(3):
        base.run(failed="web1")
        base.run(ok="web1")
        assert base.next() is None, "the count begins anew"
    assert base[WHOLE].is_settled


def test_what_nothing_was_known_of_before_is_asked_for_once_when_it_is_good_again() -> None:
    base = Base(after_failures=2)
    base.run(failed="web1")
    base.run(ok="web1")
    base.answered("duplicate")
    assert base[WHOLE].is_settled


def test_a_page_that_was_due_and_perhaps_went_out_is_resolved() -> None:
    base = Base(after_failures=2)
    base.run(failed="web1")
    base.run(failed="web1")
    base.run(ok="web1")
    assert base.next() == RESOLVE
