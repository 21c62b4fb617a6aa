# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how the records of a guard are evaluated: which hosts failed or succeeded, and when there is a report.

Must not need Ansible: what it knows about hosts is a plain value here.
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
    finished,
    from_json,
    is_due,
    is_earlier,
    is_final,
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
NO_MESSAGE = Failure(DROPPED, message=DROPPED_MESSAGE)


def hosts(
    everyone: str = "a b c", out: str = "", batch: str | None = None, gone: Any = (), lockstep: bool = True
) -> Hosts:
    """Return what Ansible knows about these hosts; those in ``out`` have left the play."""
    active = [host for host in everyone.split() if host not in out.split()]
    return Hosts(
        tuple(everyone.split()),
        frozenset(active),
        frozenset(active if batch is None else batch.split()),
        None if gone is None else dict(gone),
        lockstep,
    )


def record(type: RecordType, names: str, **more: Any) -> list[Record]:
    """Return a record of this type for each of these hosts."""
    return [Record(GUARD, host, type, **more) for host in names.split()]


def test_once_all_hosts_succeed_there_is_a_success_to_report():
    evaluation = evaluate(record(RecordType.BEGAN, "a b c") + record(RecordType.SUCCEEDED, "a b c"), GUARD, hosts())
    assert evaluation.report
    assert evaluation.run("site.yml", "abc").succeeded == {"a", "b", "c"}


def test_failures_are_reported_with_the_hosts_that_succeeded():
    records = (
        record(RecordType.BEGAN, "a b c")
        + record(RecordType.SUCCEEDED, "a c")
        + record(RecordType.FAILED, "b", failure=BROKEN)
    )
    run = evaluate(records, GUARD, hosts()).run("site.yml", "abc")
    assert (run.failures, run.succeeded, run.hosts) == ({"b": (BROKEN,)}, {"a", "c"}, {"a", "b", "c"})


def test_what_led_to_a_failure_comes_before_it():
    records = [from_json(to_json(one)) for one in record(RecordType.FAILED, "b", failure=BROKEN, causes=(NO_MESSAGE,))]
    assert evaluate(records, GUARD, hosts()).run("site.yml", "abc").failures == {"b": (NO_MESSAGE, BROKEN)}


def test_while_further_hosts_are_expected_no_host_counts_as_succeeded():
    records = record(RecordType.BEGAN, "a b c") + record(RecordType.SUCCEEDED, "a")
    waiting = evaluate(records, GUARD, hosts(lockstep=False))
    assert waiting.waiting and not waiting.report
    failed = evaluate([*records, *record(RecordType.FAILED, "b", failure=BROKEN)], GUARD, hosts(lockstep=False))
    assert failed.report
    assert failed.run("site.yml", "abc").succeeded == frozenset()


def test_hosts_of_later_batches_are_waited_for():
    records = record(RecordType.BEGAN, "a") + record(RecordType.SUCCEEDED, "a")
    assert evaluate(records, GUARD, hosts(batch="a")).waiting


def test_a_host_of_the_batch_that_did_not_begin_has_skipped_the_guard():
    records = record(RecordType.BEGAN, "a b") + record(RecordType.SUCCEEDED, "a b")
    evaluation = evaluate(records, GUARD, hosts())
    assert evaluation.skipped == {"c"} and evaluation.report
    assert evaluation.run("site.yml", "abc").hosts == {"a", "b"}


def test_without_lockstep_hosts_that_did_not_begin_are_still_expected():
    records = record(RecordType.BEGAN, "a b") + record(RecordType.SUCCEEDED, "a b")
    assert evaluate(records, GUARD, hosts(lockstep=False)).waiting


def test_in_a_users_own_rescue_no_host_counts_as_skipped():
    assert evaluate(record(RecordType.SUCCEEDED, "a b"), GUARD, hosts()).waiting


def test_hosts_that_skipped_the_guard_in_an_earlier_batch_are_remembered():
    records = record(RecordType.SKIPPED, "a") + record(RecordType.BEGAN, "b c") + record(RecordType.SUCCEEDED, "b c")
    evaluation = evaluate(records, GUARD, hosts(batch="b c"))
    assert not evaluation.waiting and evaluation.skipped == {"a"} and evaluation.report


@pytest.mark.parametrize(
    ("gone", "failure"),
    [
        ({"c": UNREACHABLE}, Failure(UNREACHABLE)),
        ({"c": FAILED}, NO_MESSAGE),
        ({}, None),
        # if it cannot be determined, the host counts as dropped: better one page too many than one too few
        (None, NO_MESSAGE),
    ],
)
def test_a_host_that_left_the_play_was_dropped_unless_it_was_ended_deliberately(gone, failure):
    records = record(RecordType.BEGAN, "a b c") + record(RecordType.SUCCEEDED, "a b")
    evaluation = evaluate(records, GUARD, hosts(out="c", gone=gone))
    assert evaluation.failures == ({"c": (failure,)} if failure else {})
    assert ("c" in evaluation.succeeded) == (failure is None)


def test_a_host_that_left_the_play_before_the_guard_prevents_a_success():
    records = record(RecordType.BEGAN, "a b") + record(RecordType.SUCCEEDED, "a b")
    evaluation = evaluate(records, GUARD, hosts(out="c", gone={"c": FAILED}))
    assert evaluation.missing == {"c"} and not evaluation.report
    assert evaluate(records, GUARD, hosts(out="c", gone={})).report


@pytest.mark.parametrize(("gone", "matched"), [({"c": FAILED}, {"a", "b", "c"}), ((), {"a", "b"}), (None, None)])
def test_a_host_that_an_earlier_play_lost_counts_as_one_that_the_play_may_match(gone, matched):
    evaluation = evaluate(record(RecordType.SUCCEEDED, "a b"), GUARD, hosts("a b", gone=gone))
    assert evaluation.report
    assert evaluation.run("site.yml", "ab").matched == matched


def test_a_host_without_an_error_of_its_own_was_not_reached_if_another_failure_was_fatal():
    records = record(RecordType.BEGAN, "a b") + record(RecordType.FAILED, "b", failure=NO_MESSAGE)
    alone = evaluate([*records, *record(RecordType.FAILED, "a", failure=BROKEN)], GUARD, hosts("a b"))
    assert alone.failures["b"] == (NO_MESSAGE,)
    fatal = evaluate([*records, *record(RecordType.FAILED, "a", failure=BROKEN, fatal=True)], GUARD, hosts("a b"))
    assert fatal.failures["b"][-1].kind == NOT_REACHED


def test_a_second_round_of_the_same_guard_starts_again():
    records = (
        record(RecordType.BEGAN, "a")
        + record(RecordType.FAILED, "a", failure=BROKEN)
        + record(RecordType.BEGAN, "a")
        + record(RecordType.SUCCEEDED, "a")
    )
    assert evaluate(records, GUARD, hosts("a")).failures == {}


def test_a_failure_in_an_earlier_play_counts_in_a_later_one_with_the_same_key():
    records = record(RecordType.FAILED, "other", failure=BROKEN) + record(RecordType.SUCCEEDED, "a b c")
    run = evaluate(records, GUARD, hosts()).run("site.yml", "abc")
    assert (set(run.failures), run.succeeded, run.hosts) == ({"other"}, {"a", "b", "c"}, {"a", "b", "c", "other"})


def test_a_host_that_was_unreachable_prevents_a_success():
    evaluation = evaluate(
        record(RecordType.BEGAN, "a b c") + record(RecordType.SUCCEEDED, "a b") + record(RecordType.UNPROVEN, "c"),
        GUARD,
        hosts(),
    )
    assert (evaluation.report, evaluation.missing, evaluation.failures) == ("", {"c"}, {})


def test_a_host_was_unreachable_if_that_was_recorded_since_it_began():
    unreachable = [Record("", "a", RecordType.UNREACHABLE)]
    assert was_unreachable(record(RecordType.BEGAN, "a") + unreachable, GUARD, "a")
    assert not was_unreachable(unreachable + record(RecordType.BEGAN, "a"), GUARD, "a")
    assert not was_unreachable(record(RecordType.BEGAN, "a b") + unreachable, GUARD, "b")
    inner = [Record("inner", "a", RecordType.BEGAN)]
    assert was_unreachable(record(RecordType.BEGAN, "a") + unreachable + inner, GUARD, "a")
    assert not was_unreachable(record(RecordType.BEGAN, "a") + unreachable + inner, "inner", "a")


def test_a_step_belongs_to_the_guard_that_its_host_last_began_at_that_place():
    first, second = (Record(guard, "a", RecordType.BEGAN, include="site.yml:3") for guard in ("first", "second"))
    elsewhere, other_host = (
        Record("x", "a", RecordType.BEGAN, include="site.yml:9"),
        Record("y", "b", RecordType.BEGAN, include="site.yml:3"),
    )
    records = [first, second, Record("second", "a", RecordType.FAILED, include="site.yml:3"), elsewhere, other_host]
    assert begin_record(records, "a", "site.yml:3") == second
    assert begin_record(records, "b", "site.yml:9") is None


def test_a_key_is_shared_if_another_guard_or_another_place_has_it():
    mine = Record(GUARD, "a", RecordType.BEGAN, include="site.yml:3", key="k")
    assert not shares_key([Record(GUARD, "b", RecordType.BEGAN, include="site.yml:3", key="k")], mine)
    assert shares_key([Record(GUARD, "b", RecordType.BEGAN, include="site.yml:9", key="k")], mine)
    assert shares_key([Record("other play", "b", RecordType.BEGAN, include="site.yml:3", key="k")], mine)
    assert not shares_key(
        [Record("other", "b", RecordType.BEGAN, include="site.yml:9", key="k")], Record(GUARD, "a", RecordType.BEGAN)
    )


def test_only_the_last_record_of_a_host_determines_whether_it_has_failed():
    records = record(RecordType.FAILED, "a", failure=BROKEN) + record(RecordType.REPORTED, "a")
    assert failure_of(records, GUARD, "a") == BROKEN and failure_of(records, GUARD, "b") is None
    assert failure_of(records + record(RecordType.BEGAN, "a"), GUARD, "a") is None


def test_a_final_report_is_not_evaluated_again_unless_another_host_may_be_the_cause():
    (reported,) = record(RecordType.REPORTED, "a", final=True)
    assert is_final(reported, None) and is_final(reported, BROKEN)
    assert not is_final(reported, NO_MESSAGE)
    assert not is_final(None, None)
    assert not is_final(*record(RecordType.REPORTED, "a"), None)


STEPS = st.tuples(
    st.sampled_from((RecordType.BEGAN, RecordType.SUCCEEDED, RecordType.UNPROVEN, RecordType.FAILED)),
    st.sampled_from("abc"),
)


@given(st.lists(STEPS), st.sampled_from(("", "a", "b c")), st.booleans())
def test_after_a_final_report_another_evaluation_gives_a_host_the_same_result(steps, out, lockstep):
    records = [Record(GUARD, host, type, failure=BROKEN if type == RecordType.FAILED else None) for type, host in steps]
    now = hosts(out=out, gone=[(host, FAILED) for host in out.split()], lockstep=lockstep)
    first = evaluate(records, GUARD, now)
    reported = Record(GUARD, "a", RecordType.REPORTED, report=first.report, final=not first.waiting)
    for host in now.active:
        failure = failure_of(records, GUARD, host)
        if is_final(reported, failure):
            again = evaluate([*records, reported], GUARD, now)
            assert (again.report, again.failures.get(host)) == (first.report, failure and (failure,))


def test_hosts_that_have_run_all_guarded_tasks_without_another_record_have_succeeded():
    records = record(RecordType.BEGAN, "a b c d") + record(RecordType.FAILED, "b", failure=BROKEN)
    records += [Record("", "c", RecordType.UNREACHABLE)]  # of a task with ignore_unreachable
    assert [(one.host, one.type) for one in finished(records, GUARD, "abc")] == [
        ("a", RecordType.SUCCEEDED),
        ("c", RecordType.UNPROVEN),
    ]
    assert finished(records, "other", "abc") == []
    done = records + finished(records, GUARD, "abcd")
    assert finished(done, GUARD, "abcd") == []
    assert evaluate(done, GUARD, hosts("a b c d")).succeeded == {"a", "d"}


def test_records_of_another_guard_do_not_count():
    other = [Record("other", "a", RecordType.FAILED, failure=BROKEN)]
    assert (
        evaluate(other + record(RecordType.BEGAN, "a") + record(RecordType.SUCCEEDED, "a"), GUARD, hosts("a")).failures
        == {}
    )


@pytest.mark.parametrize("lockstep", [True, False])
def test_the_same_evaluation_is_reported_once(lockstep):
    records = record(RecordType.BEGAN, "a b c") + record(RecordType.FAILED, "a", failure=BROKEN)
    first = evaluate(records, GUARD, hosts())
    assert is_due(records, GUARD, first, lockstep)
    records += [Record(GUARD, "a", RecordType.REPORTED, report=first.report)]
    assert not is_due(records, GUARD, evaluate(records, GUARD, hosts()), lockstep)
    assert is_due(records, "other", first, lockstep)


def test_without_lockstep_further_failures_are_reported_once_when_no_host_is_expected_any_more():
    records = record(RecordType.BEGAN, "a b c") + record(RecordType.FAILED, "a", failure=BROKEN)
    records += [Record(GUARD, "a", RecordType.REPORTED, report=evaluate(records, GUARD, hosts()).report)]
    records += record(RecordType.FAILED, "b", failure=BROKEN)
    assert not is_due(records, GUARD, evaluate(records, GUARD, hosts()), False)
    assert is_due(records, GUARD, evaluate(records, GUARD, hosts()), True), "a batch in step is reported at once"
    records += record(RecordType.FAILED, "c", failure=BROKEN)
    assert is_due(records, GUARD, evaluate(records, GUARD, hosts()), False)


def test_a_batch_without_news_reports_nothing_new():
    records = record(RecordType.BEGAN, "a") + record(RecordType.FAILED, "a", failure=BROKEN)
    first = evaluate(records, GUARD, hosts(batch="a"))
    records += record(RecordType.BEGAN, "b") + record(RecordType.SUCCEEDED, "b")
    assert evaluate(records, GUARD, hosts(batch="b")).report == first.report


def test_the_mark_is_the_earliest_one_and_marks_of_two_ledgers_are_ignored():
    records = [
        Record(GUARD, "a", RecordType.BEGAN, mark=Mark("ledger", 7)),
        Record(GUARD, "b", RecordType.BEGAN, mark=Mark("ledger", 5)),
    ]
    assert evaluate(records, GUARD, hosts("a b")).mark == Mark("ledger", 5)
    records.append(Record(GUARD, "c", RecordType.BEGAN, mark=Mark("another", 1)))
    assert evaluate(records, GUARD, hosts()).mark == Evaluation().mark


def test_a_failure_from_before_the_guard_is_an_earlier_one():
    records = [Record(GUARD, "a", RecordType.BEGAN, earlier="old")]
    assert is_earlier(records, GUARD, "a", "old")
    assert not is_earlier(records, GUARD, "a", "new")
    assert not is_earlier(records, GUARD, "b", "old")
    assert not is_earlier([Record(GUARD, "a", RecordType.BEGAN)], GUARD, "a", "")


def test_a_users_own_key_is_used_unchanged_unless_the_run_is_limited():
    assert NamedIdentity("base", "name", Scope(), "My site").key == "My site"
    limited = NamedIdentity("base", "name", Scope(limit=("web1",)), "My site").key
    assert limited.startswith("my-site-") and len(limited) <= 64


def test_a_record_is_read_from_the_journal_unchanged(tmp_path):
    more = {
        "include": "site.yml:3",
        "key": "k",
        "title": "t",
        "name": "deploy.yml",
        "earlier": "old",
        "report": "report",
        "final": True,
    }
    one = Record(GUARD, "höst", RecordType.FAILED, **more, mark=Mark("ledger", 3), failure=BROKEN, fatal=True)
    assert from_json(to_json(one)) == one
    Journal(tmp_path).write(one, *record(RecordType.SUCCEEDED, "a"))
    assert Journal(tmp_path).read("höst") == Journal(tmp_path).read("k") == [one]
    assert Journal(tmp_path).last("höst") == one and Journal(tmp_path).last(GUARD).host == "a"
    assert Journal(tmp_path).last("nobody") is None


def test_if_many_hosts_reach_the_same_evaluation_at_once_one_reports_it(tmp_path):
    Journal(tmp_path).write(*record(RecordType.BEGAN, "a"), *record(RecordType.SUCCEEDED, "a"))
    winners = []

    def decide(records: list[Record]) -> tuple[tuple[Record, ...], bool]:
        evaluation = evaluate(records, GUARD, hosts("a"))
        report, is_new = evaluation.report, is_due(records, GUARD, evaluation, True)
        return ((Record(GUARD, "a", RecordType.REPORTED, report=report),) if is_new else ()), is_new

    threads = [
        threading.Thread(target=lambda: winners.append(Journal(tmp_path).exchange(decide))) for _number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert winners.count(True) == 1
