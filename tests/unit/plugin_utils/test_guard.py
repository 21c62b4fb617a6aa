# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what hosts say under a guard: who failed, who came through, and when there is something to report.

Must not need Ansible: what it knows of hosts is a value here.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils.guard import (
    BEGAN,
    CAME_THROUGH,
    GAVE_UP,
    PASSED_BY,
    REPORTED,
    UNPROVEN,
    UNREACHED,
    Finding,
    Hosts,
    NamedIdentity,
    Said,
    begun,
    from_json,
    gave_up,
    is_earlier,
    is_over,
    is_reported,
    judge,
    shares_key,
    to_json,
    was_out_of_reach,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.recorder import LOST_MESSAGE
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import (
    FAILED,
    LOST,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
)

GUARD = "guard"
BROKEN = Failure(FAILED, task="deploy", message="broken")
NO_WORD = Failure(LOST, message=LOST_MESSAGE)


def hosts(
    everyone: str = "a b c", out: str = "", batch: str | None = None, gone: Any = (), lockstep: bool = True
) -> Hosts:
    """What Ansible knows: these hosts, of which these are out of the play."""
    active = [host for host in everyone.split() if host not in out.split()]
    return Hosts(
        tuple(everyone.split()),
        frozenset(active),
        frozenset(active if batch is None else batch.split()),
        None if gone is None else dict(gone),
        lockstep,
    )


def say(what: str, names: str, **more: Any) -> list[Said]:
    """What each of these hosts says."""
    return [Said(GUARD, host, what, **more) for host in names.split()]


def test_when_all_came_through_there_is_a_success_to_report():
    found = judge(say(BEGAN, "a b c") + say(CAME_THROUGH, "a b c"), GUARD, hosts())
    assert found.report
    assert found.run("site.yml", "abc").succeeded == {"a", "b", "c"}


def test_failures_are_reported_with_who_came_through():
    said = say(BEGAN, "a b c") + say(CAME_THROUGH, "a c") + say(GAVE_UP, "b", failure=BROKEN)
    run = judge(said, GUARD, hosts()).run("site.yml", "abc")
    assert (run.failures, run.succeeded, run.hosts) == ({"b": (BROKEN,)}, {"a", "c"}, {"a", "b", "c"})


def test_as_long_as_hosts_may_still_speak_nothing_is_proven():
    said = say(BEGAN, "a b c") + say(CAME_THROUGH, "a")
    quiet = judge(said, GUARD, hosts(lockstep=False))
    assert quiet.waiting and not quiet.report
    failed = judge([*said, *say(GAVE_UP, "b", failure=BROKEN)], GUARD, hosts(lockstep=False))
    assert failed.report
    assert failed.run("site.yml", "abc").succeeded == frozenset()


def test_hosts_of_later_batches_are_waited_for():
    said = say(BEGAN, "a") + say(CAME_THROUGH, "a")
    assert judge(said, GUARD, hosts(batch="a")).waiting


def test_a_host_of_the_batch_that_did_not_begin_was_led_past_the_guard():
    said = say(BEGAN, "a b") + say(CAME_THROUGH, "a b")
    found = judge(said, GUARD, hosts())
    assert found.passed == {"c"} and found.report
    assert found.run("site.yml", "abc").hosts == {"a", "b"}


def test_what_is_not_in_lockstep_may_still_come():
    said = say(BEGAN, "a b") + say(CAME_THROUGH, "a b")
    assert judge(said, GUARD, hosts(lockstep=False)).waiting


def test_in_a_rescue_of_ones_own_nobody_is_taken_for_led_past():
    assert judge(say(CAME_THROUGH, "a b"), GUARD, hosts()).waiting


def test_hosts_that_were_led_past_in_an_earlier_batch_are_remembered():
    said = say(PASSED_BY, "a") + say(BEGAN, "b c") + say(CAME_THROUGH, "b c")
    found = judge(said, GUARD, hosts(batch="b c"))
    assert not found.waiting and found.passed == {"a"} and found.report


@pytest.mark.parametrize(
    ("gone", "failure"),
    [
        ({"c": UNREACHABLE}, Failure(UNREACHABLE)),
        ({"c": FAILED}, NO_WORD),
        ({}, None),
        # what cannot be known counts as lost: better a page too many than one too few
        (None, NO_WORD),
    ],
)
def test_a_host_that_vanished_on_the_way_was_lost_unless_it_was_ended(gone, failure):
    said = say(BEGAN, "a b c") + say(CAME_THROUGH, "a b")
    found = judge(said, GUARD, hosts(out="c", gone=gone))
    assert found.failures == ({"c": failure} if failure else {})
    assert ("c" in found.succeeded) == (failure is None)


def test_a_host_that_was_out_before_the_guard_keeps_a_success_from_being_reported():
    said = say(BEGAN, "a b") + say(CAME_THROUGH, "a b")
    found = judge(said, GUARD, hosts(out="c", gone={"c": FAILED}))
    assert found.missing == {"c"} and not found.report
    assert judge(said, GUARD, hosts(out="c", gone={})).report


def test_who_gave_up_without_a_failure_was_not_reached_where_anothers_was_fatal():
    said = say(BEGAN, "a b") + say(GAVE_UP, "b", failure=NO_WORD)
    alone = judge([*said, *say(GAVE_UP, "a", failure=BROKEN)], GUARD, hosts("a b"))
    assert alone.failures["b"] == NO_WORD
    fatal = judge([*said, *say(GAVE_UP, "a", failure=BROKEN, fatal=True)], GUARD, hosts("a b"))
    assert fatal.failures["b"].kind == NOT_REACHED


def test_a_second_round_of_the_same_guard_begins_anew():
    said = say(BEGAN, "a") + say(GAVE_UP, "a", failure=BROKEN) + say(BEGAN, "a") + say(CAME_THROUGH, "a")
    assert judge(said, GUARD, hosts("a")).failures == {}


def test_a_failure_in_an_earlier_play_counts_in_a_later_one_under_the_same_key():
    said = say(GAVE_UP, "other", failure=BROKEN) + say(CAME_THROUGH, "a b c")
    run = judge(said, GUARD, hosts()).run("site.yml", "abc")
    assert (set(run.failures), run.succeeded, run.hosts) == ({"other"}, {"a", "b", "c"}, {"a", "b", "c", "other"})


def test_a_host_that_is_not_proven_good_keeps_a_success_from_being_reported():
    found = judge(say(BEGAN, "a b c") + say(CAME_THROUGH, "a b") + say(UNPROVEN, "c"), GUARD, hosts())
    assert (found.report, found.missing, found.failures) == ("", {"c"}, {})


def test_a_host_was_out_of_reach_if_that_was_noted_since_it_began():
    away = [Said("", "a", UNREACHED)]
    assert was_out_of_reach(say(BEGAN, "a") + away, GUARD, "a")
    assert not was_out_of_reach(away + say(BEGAN, "a"), GUARD, "a")
    assert not was_out_of_reach(say(BEGAN, "a b") + away, GUARD, "b")
    inner = [Said("inner", "a", BEGAN)]
    assert was_out_of_reach(say(BEGAN, "a") + away + inner, GUARD, "a")
    assert not was_out_of_reach(say(BEGAN, "a") + away + inner, "inner", "a")


def test_a_step_belongs_to_the_guard_that_its_host_last_began_there():
    first, second = (Said(guard, "a", BEGAN, caller="site.yml:3") for guard in ("first", "second"))
    elsewhere, other_host = Said("x", "a", BEGAN, caller="site.yml:9"), Said("y", "b", BEGAN, caller="site.yml:3")
    said = [first, second, Said("second", "a", GAVE_UP, caller="site.yml:3"), elsewhere, other_host]
    assert begun(said, "a", "site.yml:3") == second
    assert begun(said, "b", "site.yml:9") is None


def test_a_key_is_shared_where_another_guard_or_another_place_has_it():
    mine = Said(GUARD, "a", BEGAN, caller="site.yml:3", key="k")
    assert not shares_key([Said(GUARD, "b", BEGAN, caller="site.yml:3", key="k")], mine)
    assert shares_key([Said(GUARD, "b", BEGAN, caller="site.yml:9", key="k")], mine)
    assert shares_key([Said("other play", "b", BEGAN, caller="site.yml:3", key="k")], mine)
    assert not shares_key([Said("other", "b", BEGAN, caller="site.yml:9", key="k")], Said(GUARD, "a", BEGAN))


def test_only_the_last_word_of_a_host_says_whether_it_has_given_up():
    said = say(GAVE_UP, "a", failure=BROKEN) + say(REPORTED, "a")
    assert gave_up(said, GUARD, "a") == BROKEN and gave_up(said, GUARD, "b") is None
    assert gave_up(said + say(BEGAN, "a"), GUARD, "a") is None


def test_what_was_reported_is_not_judged_anew_unless_hosts_were_waited_for_or_another_may_be_to_blame():
    (reported,) = say(REPORTED, "a", final=True)
    assert is_over(reported, None) and is_over(reported, BROKEN)
    assert not is_over(reported, NO_WORD)
    assert not is_over(None, None)
    assert not is_over(*say(REPORTED, "a"), None)


WORDS = st.tuples(st.sampled_from((BEGAN, CAME_THROUGH, UNPROVEN, GAVE_UP)), st.sampled_from("abc"))


@given(st.lists(WORDS), st.sampled_from(("", "a", "b c")), st.booleans())
def test_to_judge_anew_would_tell_a_host_nothing_else_once_it_is_over(words, out, lockstep):
    said = [Said(GUARD, host, what, failure=BROKEN if what == GAVE_UP else None) for what, host in words]
    now = hosts(out=out, gone=[(host, FAILED) for host in out.split()], lockstep=lockstep)
    first = judge(said, GUARD, now)
    reported = Said(GUARD, "a", REPORTED, report=first.report, final=not first.waiting)
    for host in now.active:
        failure = gave_up(said, GUARD, host)
        if is_over(reported, failure):
            again = judge([*said, reported], GUARD, now)
            assert (again.report, again.failures.get(host)) == (first.report, failure)


def test_what_is_said_of_another_guard_does_not_count():
    other = [Said("other", "a", GAVE_UP, failure=BROKEN)]
    assert judge(other + say(BEGAN, "a") + say(CAME_THROUGH, "a"), GUARD, hosts("a")).failures == {}


def test_the_same_finding_is_reported_once_and_a_new_one_again():
    said = say(BEGAN, "a b c") + say(GAVE_UP, "a", failure=BROKEN)
    first = judge(said, GUARD, hosts())
    said += [Said(GUARD, "a", REPORTED, report=first.report)]
    again = judge(said, GUARD, hosts())
    assert is_reported(said, GUARD, again.report)
    assert not is_reported(said, "other", again.report)
    more = judge([*said, *say(GAVE_UP, "b", failure=BROKEN)], GUARD, hosts())
    assert not is_reported(said, GUARD, more.report)


def test_a_batch_without_news_reports_nothing_new():
    said = say(BEGAN, "a") + say(GAVE_UP, "a", failure=BROKEN)
    first = judge(said, GUARD, hosts(batch="a"))
    said += say(BEGAN, "b") + say(CAME_THROUGH, "b")
    assert judge(said, GUARD, hosts(batch="b")).report == first.report


def test_the_mark_is_the_earliest_and_two_ledgers_prove_nothing():
    said = [
        Said(GUARD, "a", BEGAN, mark=Mark("ledger", 7)),
        Said(GUARD, "b", BEGAN, mark=Mark("ledger", 5)),
    ]
    assert judge(said, GUARD, hosts("a b")).mark == Mark("ledger", 5)
    said.append(Said(GUARD, "c", BEGAN, mark=Mark("another", 1)))
    assert judge(said, GUARD, hosts()).mark == Finding().mark


def test_a_failure_that_was_there_before_is_an_earlier_one():
    said = [Said(GUARD, "a", BEGAN, earlier="old")]
    assert is_earlier(said, GUARD, "a", "old")
    assert not is_earlier(said, GUARD, "a", "new")
    assert not is_earlier(said, GUARD, "b", "old")
    assert not is_earlier([Said(GUARD, "a", BEGAN)], GUARD, "a", "")


def test_an_own_key_is_used_as_it_is_unless_the_run_is_limited():
    assert NamedIdentity("base", "name", Scope(), "My site").key == "My site"
    limited = NamedIdentity("base", "name", Scope(limit=("web1",)), "My site").key
    assert limited.startswith("my-site-") and len(limited) <= 64


def test_an_entry_comes_back_from_the_journal_as_it_was(tmp_path):
    more = {
        "caller": "site.yml:3",
        "key": "k",
        "title": "t",
        "name": "deploy.yml",
        "earlier": "old",
        "report": "report",
        "final": True,
    }
    entry = Said(GUARD, "höst", GAVE_UP, **more, mark=Mark("ledger", 3), failure=BROKEN, fatal=True)
    assert from_json(to_json(entry)) == entry
    Journal(tmp_path).write(entry, *say(CAME_THROUGH, "a"))
    assert Journal(tmp_path).read("höst") == Journal(tmp_path).read("k") == [entry]
    assert Journal(tmp_path).last("höst") == entry and Journal(tmp_path).last(GUARD).host == "a"
    assert Journal(tmp_path).last("nobody") is None


def test_of_many_who_find_the_same_at_once_one_reports_it(tmp_path):
    Journal(tmp_path).write(*say(BEGAN, "a"), *say(CAME_THROUGH, "a"))
    winners = []

    def decide(said: list[Said]) -> tuple[tuple[Said, ...], bool]:
        report = judge(said, GUARD, hosts("a")).report
        is_new = not is_reported(said, GUARD, report)
        return ((Said(GUARD, "a", REPORTED, report=report),) if is_new else ()), is_new

    threads = [
        threading.Thread(target=lambda: winners.append(Journal(tmp_path).exchange(decide))) for _number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert winners.count(True) == 1
