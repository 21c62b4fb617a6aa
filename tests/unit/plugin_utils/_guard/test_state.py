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

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.state import (
    Evaluation,
    Hosts,
    Record,
    RecordType,
    begin_record,
    evaluate,
    failure_of,
    from_json,
    is_earlier,
    is_final,
    is_reported,
    shares_key,
    to_json,
    was_unreachable,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import NamedIdentity, Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    DROPPED_MESSAGE,
    FAILED,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
)

GUARD = "guard"
BROKEN = Failure(FAILED, task="deploy", message="broken")
NO_WORD = Failure(DROPPED, message=DROPPED_MESSAGE)


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


def say(type: RecordType, names: str, **more: Any) -> list[Record]:
    """What each of these hosts says."""
    return [Record(GUARD, host, type, **more) for host in names.split()]


def test_when_all_came_through_there_is_a_success_to_report():
    found = evaluate(say(RecordType.BEGAN, "a b c") + say(RecordType.SUCCEEDED, "a b c"), GUARD, hosts())
    assert found.report
    assert found.run("site.yml", "abc").succeeded == {"a", "b", "c"}


def test_failures_are_reported_with_who_came_through():
    said = (
        say(RecordType.BEGAN, "a b c") + say(RecordType.SUCCEEDED, "a c") + say(RecordType.FAILED, "b", failure=BROKEN)
    )
    run = evaluate(said, GUARD, hosts()).run("site.yml", "abc")
    assert (run.failures, run.succeeded, run.hosts) == ({"b": (BROKEN,)}, {"a", "c"}, {"a", "b", "c"})


def test_as_long_as_hosts_may_still_speak_nothing_is_proven():
    said = say(RecordType.BEGAN, "a b c") + say(RecordType.SUCCEEDED, "a")
    quiet = evaluate(said, GUARD, hosts(lockstep=False))
    assert quiet.waiting and not quiet.report
    failed = evaluate([*said, *say(RecordType.FAILED, "b", failure=BROKEN)], GUARD, hosts(lockstep=False))
    assert failed.report
    assert failed.run("site.yml", "abc").succeeded == frozenset()


def test_hosts_of_later_batches_are_waited_for():
    said = say(RecordType.BEGAN, "a") + say(RecordType.SUCCEEDED, "a")
    assert evaluate(said, GUARD, hosts(batch="a")).waiting


def test_a_host_of_the_batch_that_did_not_begin_was_led_past_the_guard():
    said = say(RecordType.BEGAN, "a b") + say(RecordType.SUCCEEDED, "a b")
    found = evaluate(said, GUARD, hosts())
    assert found.skipped == {"c"} and found.report
    assert found.run("site.yml", "abc").hosts == {"a", "b"}


def test_what_is_not_in_lockstep_may_still_come():
    said = say(RecordType.BEGAN, "a b") + say(RecordType.SUCCEEDED, "a b")
    assert evaluate(said, GUARD, hosts(lockstep=False)).waiting


def test_in_a_rescue_of_ones_own_nobody_is_taken_for_led_past():
    assert evaluate(say(RecordType.SUCCEEDED, "a b"), GUARD, hosts()).waiting


def test_hosts_that_were_led_past_in_an_earlier_batch_are_remembered():
    said = say(RecordType.SKIPPED, "a") + say(RecordType.BEGAN, "b c") + say(RecordType.SUCCEEDED, "b c")
    found = evaluate(said, GUARD, hosts(batch="b c"))
    assert not found.waiting and found.skipped == {"a"} and found.report


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
    said = say(RecordType.BEGAN, "a b c") + say(RecordType.SUCCEEDED, "a b")
    found = evaluate(said, GUARD, hosts(out="c", gone=gone))
    assert found.failures == ({"c": failure} if failure else {})
    assert ("c" in found.succeeded) == (failure is None)


def test_a_host_that_was_out_before_the_guard_keeps_a_success_from_being_reported():
    said = say(RecordType.BEGAN, "a b") + say(RecordType.SUCCEEDED, "a b")
    found = evaluate(said, GUARD, hosts(out="c", gone={"c": FAILED}))
    assert found.missing == {"c"} and not found.report
    assert evaluate(said, GUARD, hosts(out="c", gone={})).report


def test_who_gave_up_without_a_failure_was_not_reached_where_anothers_was_fatal():
    said = say(RecordType.BEGAN, "a b") + say(RecordType.FAILED, "b", failure=NO_WORD)
    alone = evaluate([*said, *say(RecordType.FAILED, "a", failure=BROKEN)], GUARD, hosts("a b"))
    assert alone.failures["b"] == NO_WORD
    fatal = evaluate([*said, *say(RecordType.FAILED, "a", failure=BROKEN, fatal=True)], GUARD, hosts("a b"))
    assert fatal.failures["b"].kind == NOT_REACHED


def test_a_second_round_of_the_same_guard_begins_anew():
    said = (
        say(RecordType.BEGAN, "a")
        + say(RecordType.FAILED, "a", failure=BROKEN)
        + say(RecordType.BEGAN, "a")
        + say(RecordType.SUCCEEDED, "a")
    )
    assert evaluate(said, GUARD, hosts("a")).failures == {}


def test_a_failure_in_an_earlier_play_counts_in_a_later_one_under_the_same_key():
    said = say(RecordType.FAILED, "other", failure=BROKEN) + say(RecordType.SUCCEEDED, "a b c")
    run = evaluate(said, GUARD, hosts()).run("site.yml", "abc")
    assert (set(run.failures), run.succeeded, run.hosts) == ({"other"}, {"a", "b", "c"}, {"a", "b", "c", "other"})


def test_a_host_that_is_not_proven_good_keeps_a_success_from_being_reported():
    found = evaluate(
        say(RecordType.BEGAN, "a b c") + say(RecordType.SUCCEEDED, "a b") + say(RecordType.UNPROVEN, "c"),
        GUARD,
        hosts(),
    )
    assert (found.report, found.missing, found.failures) == ("", {"c"}, {})


def test_a_host_was_out_of_reach_if_that_was_noted_since_it_began():
    away = [Record("", "a", RecordType.UNREACHABLE)]
    assert was_unreachable(say(RecordType.BEGAN, "a") + away, GUARD, "a")
    assert not was_unreachable(away + say(RecordType.BEGAN, "a"), GUARD, "a")
    assert not was_unreachable(say(RecordType.BEGAN, "a b") + away, GUARD, "b")
    inner = [Record("inner", "a", RecordType.BEGAN)]
    assert was_unreachable(say(RecordType.BEGAN, "a") + away + inner, GUARD, "a")
    assert not was_unreachable(say(RecordType.BEGAN, "a") + away + inner, "inner", "a")


def test_a_step_belongs_to_the_guard_that_its_host_last_began_there():
    first, second = (Record(guard, "a", RecordType.BEGAN, include="site.yml:3") for guard in ("first", "second"))
    elsewhere, other_host = (
        Record("x", "a", RecordType.BEGAN, include="site.yml:9"),
        Record("y", "b", RecordType.BEGAN, include="site.yml:3"),
    )
    said = [first, second, Record("second", "a", RecordType.FAILED, include="site.yml:3"), elsewhere, other_host]
    assert begin_record(said, "a", "site.yml:3") == second
    assert begin_record(said, "b", "site.yml:9") is None


def test_a_key_is_shared_where_another_guard_or_another_place_has_it():
    mine = Record(GUARD, "a", RecordType.BEGAN, include="site.yml:3", key="k")
    assert not shares_key([Record(GUARD, "b", RecordType.BEGAN, include="site.yml:3", key="k")], mine)
    assert shares_key([Record(GUARD, "b", RecordType.BEGAN, include="site.yml:9", key="k")], mine)
    assert shares_key([Record("other play", "b", RecordType.BEGAN, include="site.yml:3", key="k")], mine)
    assert not shares_key(
        [Record("other", "b", RecordType.BEGAN, include="site.yml:9", key="k")], Record(GUARD, "a", RecordType.BEGAN)
    )


def test_only_the_last_word_of_a_host_says_whether_it_has_given_up():
    said = say(RecordType.FAILED, "a", failure=BROKEN) + say(RecordType.REPORTED, "a")
    assert failure_of(said, GUARD, "a") == BROKEN and failure_of(said, GUARD, "b") is None
    assert failure_of(said + say(RecordType.BEGAN, "a"), GUARD, "a") is None


def test_what_was_reported_is_not_judged_anew_unless_hosts_were_waited_for_or_another_may_be_to_blame():
    (reported,) = say(RecordType.REPORTED, "a", final=True)
    assert is_final(reported, None) and is_final(reported, BROKEN)
    assert not is_final(reported, NO_WORD)
    assert not is_final(None, None)
    assert not is_final(*say(RecordType.REPORTED, "a"), None)


WORDS = st.tuples(
    st.sampled_from((RecordType.BEGAN, RecordType.SUCCEEDED, RecordType.UNPROVEN, RecordType.FAILED)),
    st.sampled_from("abc"),
)


@given(st.lists(WORDS), st.sampled_from(("", "a", "b c")), st.booleans())
def test_to_judge_anew_would_tell_a_host_nothing_else_once_it_is_over(words, out, lockstep):
    said = [Record(GUARD, host, what, failure=BROKEN if what == RecordType.FAILED else None) for what, host in words]
    now = hosts(out=out, gone=[(host, FAILED) for host in out.split()], lockstep=lockstep)
    first = evaluate(said, GUARD, now)
    reported = Record(GUARD, "a", RecordType.REPORTED, report=first.report, final=not first.waiting)
    for host in now.active:
        failure = failure_of(said, GUARD, host)
        if is_final(reported, failure):
            again = evaluate([*said, reported], GUARD, now)
            assert (again.report, again.failures.get(host)) == (first.report, failure)


def test_what_is_said_of_another_guard_does_not_count():
    other = [Record("other", "a", RecordType.FAILED, failure=BROKEN)]
    assert (
        evaluate(other + say(RecordType.BEGAN, "a") + say(RecordType.SUCCEEDED, "a"), GUARD, hosts("a")).failures == {}
    )


def test_the_same_finding_is_reported_once_and_a_new_one_again():
    said = say(RecordType.BEGAN, "a b c") + say(RecordType.FAILED, "a", failure=BROKEN)
    first = evaluate(said, GUARD, hosts())
    said += [Record(GUARD, "a", RecordType.REPORTED, report=first.report)]
    again = evaluate(said, GUARD, hosts())
    assert is_reported(said, GUARD, again.report)
    assert not is_reported(said, "other", again.report)
    more = evaluate([*said, *say(RecordType.FAILED, "b", failure=BROKEN)], GUARD, hosts())
    assert not is_reported(said, GUARD, more.report)


def test_a_batch_without_news_reports_nothing_new():
    said = say(RecordType.BEGAN, "a") + say(RecordType.FAILED, "a", failure=BROKEN)
    first = evaluate(said, GUARD, hosts(batch="a"))
    said += say(RecordType.BEGAN, "b") + say(RecordType.SUCCEEDED, "b")
    assert evaluate(said, GUARD, hosts(batch="b")).report == first.report


def test_the_mark_is_the_earliest_and_two_ledgers_prove_nothing():
    said = [
        Record(GUARD, "a", RecordType.BEGAN, mark=Mark("ledger", 7)),
        Record(GUARD, "b", RecordType.BEGAN, mark=Mark("ledger", 5)),
    ]
    assert evaluate(said, GUARD, hosts("a b")).mark == Mark("ledger", 5)
    said.append(Record(GUARD, "c", RecordType.BEGAN, mark=Mark("another", 1)))
    assert evaluate(said, GUARD, hosts()).mark == Evaluation().mark


def test_a_failure_that_was_there_before_is_an_earlier_one():
    said = [Record(GUARD, "a", RecordType.BEGAN, earlier="old")]
    assert is_earlier(said, GUARD, "a", "old")
    assert not is_earlier(said, GUARD, "a", "new")
    assert not is_earlier(said, GUARD, "b", "old")
    assert not is_earlier([Record(GUARD, "a", RecordType.BEGAN)], GUARD, "a", "")


def test_an_own_key_is_used_as_it_is_unless_the_run_is_limited():
    assert NamedIdentity("base", "name", Scope(), "My site").key == "My site"
    limited = NamedIdentity("base", "name", Scope(limit=("web1",)), "My site").key
    assert limited.startswith("my-site-") and len(limited) <= 64


def test_an_entry_comes_back_from_the_journal_as_it_was(tmp_path):
    more = {
        "include": "site.yml:3",
        "key": "k",
        "title": "t",
        "name": "deploy.yml",
        "earlier": "old",
        "report": "report",
        "final": True,
    }
    entry = Record(GUARD, "höst", RecordType.FAILED, **more, mark=Mark("ledger", 3), failure=BROKEN, fatal=True)
    assert from_json(to_json(entry)) == entry
    Journal(tmp_path).write(entry, *say(RecordType.SUCCEEDED, "a"))
    assert Journal(tmp_path).read("höst") == Journal(tmp_path).read("k") == [entry]
    assert Journal(tmp_path).last("höst") == entry and Journal(tmp_path).last(GUARD).host == "a"
    assert Journal(tmp_path).last("nobody") is None


def test_of_many_who_find_the_same_at_once_one_reports_it(tmp_path):
    Journal(tmp_path).write(*say(RecordType.BEGAN, "a"), *say(RecordType.SUCCEEDED, "a"))
    winners = []

    def decide(said: list[Record]) -> tuple[tuple[Record, ...], bool]:
        report = evaluate(said, GUARD, hosts("a")).report
        is_new = not is_reported(said, GUARD, report)
        return ((Record(GUARD, "a", RecordType.REPORTED, report=report),) if is_new else ()), is_new

    threads = [
        threading.Thread(target=lambda: winners.append(Journal(tmp_path).exchange(decide))) for _number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert winners.count(True) == 1
