# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the events of a run: which hosts failed and why, and which succeeded. Ansible's verdict has the last word.

Must not run Ansible: tests/integration/e2e/test_run_events.py shows what it really tells.
"""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run import model as models
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    FAILED,
    NOT_REACHED,
    Failure,
    Output,
    Play,
    Run,
    Task,
    Verdict,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.recorder import Recorder

HOSTS = frozenset("abc")
TASK = Task("deploy", "command", "/p/site.yml", 7)
INCLUDE = Task("include", "include_role")
CAUGHT = Task("try", caught_by="block")
ONCE = Task("once", fatal=True)
GUARDED = Task("guarded", caught_by="block")
GUARD = Task("guard", guard=True)


def recording(hosts: frozenset[str] = HOSTS, matched: frozenset[str] | None = None, **options: bool) -> Recorder:
    """Return a recorder that has started the first batch of a play."""
    recorder = Recorder(**options)
    recorder.begin("site.yml")
    recorder.play_started(Play("1", "web", hosts, matched or hosts))
    return recorder


def ended(recorder: Recorder, unstarted: tuple[Play, ...] = (), **verdict: object) -> Run:
    """End the play with this verdict, then the run, and return the run."""
    recorder.play_ended(Verdict(**verdict))  # type: ignore[arg-type]
    return recorder.end({}, {}, unstarted)


def kinds(run: Run) -> dict[str, list[str]]:
    return {host: [failure.kind for failure in failures] for host, failures in run.failures.items()}


def test_a_failure_records_its_task_and_output() -> None:
    recorder = recording()
    recorder.failed("a", TASK, Output("no", "out", "err"))
    run = ended(recorder, failed="a")
    assert run == Run(
        "site.yml",
        {"a": (Failure(FAILED, "deploy", "command", "/p/site.yml", 7, "web", "no", "out", "err"),)},
        hosts=HOSTS,
        matched=HOSTS,
    )


def test_a_host_succeeds_if_a_task_was_ok_on_it() -> None:
    recorder = recording()
    recorder.ok("a")
    recorder.included("b", INCLUDE)
    assert ended(recorder).succeeded == {"a"}


def test_a_failure_caught_by_a_rescue_does_not_count() -> None:
    recorder = recording()
    recorder.ok("a")
    recorder.failed("a", CAUGHT, Output())
    run = ended(recorder)
    assert (run.failures, run.succeeded) == ({}, {"a"})


def test_a_failure_with_a_rescue_counts_if_the_verdict_says_so() -> None:
    recorder = recording()
    recorder.ok("a")
    recorder.failed("a", CAUGHT, Output("no"))
    run = ended(recorder, failed="a")
    assert [(failure.task, failure.message) for failure in run.failures["a"]] == [("try", "no")]
    assert not run.succeeded


def test_a_cleared_failure_is_dropped_but_the_host_does_not_count_as_succeeded() -> None:
    recorder = recording()
    recorder.ok("a")
    recorder.failed("a", TASK, Output())
    run = ended(recorder)
    assert (run.failures, run.succeeded) == ({}, frozenset())


def test_a_cleared_failure_of_an_earlier_play_is_dropped_too() -> None:
    recorder = recording()
    recorder.failed("a", TASK, Output())
    recorder.play_ended(Verdict(failed="a"))
    recorder.play_started(Play("2", "again", HOSTS, HOSTS))
    assert ended(recorder).failures == {}


def test_unreachable_is_cleared_independently_of_failed() -> None:
    recorder = recording()
    recorder.unreachable("a", TASK, Output())
    recorder.failed("a", TASK, Output())
    assert kinds(ended(recorder, failed="a")) == {"a": [FAILED]}


def test_with_ignore_unreachable_an_unreachable_host_neither_succeeded_nor_failed() -> None:
    recorder = recording(ignore_unreachable=True)
    recorder.ok("a")
    recorder.unreachable("a", TASK, Output())
    run = ended(recorder, unreachable="a")
    assert (run.failures, run.succeeded) == ({}, frozenset())


def test_a_host_with_an_ignored_unreachable_error_did_not_succeed() -> None:
    recorder = recording()
    recorder.unreachable("a", TASK, Output(), ignored=True)
    recorder.ok("a")
    run = ended(recorder)
    assert (run.failures, run.succeeded) == ({}, frozenset())


def test_a_host_dropped_without_an_error_failed_at_its_last_include() -> None:
    recorder = recording()
    recorder.included("a", INCLUDE)
    run = ended(recorder, failed="ab")
    assert kinds(run) == {"a": [DROPPED], "b": [DROPPED]}
    assert [(failure.task, failure.message) for failure in run.failures["a"]] == [("include", models.DROPPED_MESSAGE)]
    assert run.failures["b"][0].task == ""


def test_a_dropped_host_stays_dropped_if_another_host_then_ends_the_play() -> None:
    recorder = recording()
    recorder.included("a", INCLUDE)
    recorder.dropped("a")
    recorder.failed("b", ONCE, Output())
    assert kinds(ended(recorder, failed="abc")) == {"a": [DROPPED], "b": [FAILED], "c": [NOT_REACHED]}


def test_a_later_play_does_not_clear_a_play_without_results() -> None:
    recorder = recording()
    recorder.play_without_results()
    recorder.play_ended(Verdict())
    recorder.play_started(Play("2", "db", HOSTS, HOSTS))
    for host in HOSTS:
        recorder.ok(host)
    run = ended(recorder)
    assert kinds(run) == {host: [DROPPED] for host in HOSTS}
    assert run.succeeded == frozenset()


def test_hosts_stopped_by_a_fatal_failure_are_not_reached() -> None:
    recorder = recording()
    for host in "abc":
        recorder.included(host, INCLUDE)
    recorder.failed("a", ONCE, Output())
    assert kinds(ended(recorder, failed="abc")) == {"a": [FAILED], "b": [NOT_REACHED], "c": [NOT_REACHED]}


def test_hosts_with_tasks_left_are_not_reached() -> None:
    recorder = recording()
    recorder.ok("b")
    recorder.failed("a", TASK, Output())
    run = ended(recorder, failed="a", unfinished="bc")
    assert kinds(run) == {"a": [FAILED], "b": [NOT_REACHED], "c": [NOT_REACHED]}
    assert not run.succeeded


def test_batches_that_never_start_because_of_a_failure_are_not_reached() -> None:
    recorder = recording(frozenset("a"), HOSTS)
    recorder.failed("a", TASK, Output())
    assert kinds(ended(recorder, failed="a")) == {"a": [FAILED], "b": [NOT_REACHED], "c": [NOT_REACHED]}


def test_batches_that_end_play_skips_are_not_failures() -> None:
    recorder = recording(frozenset("a"), HOSTS)
    recorder.ok("a")
    run = ended(recorder, ended=True)
    assert (run.failures, run.succeeded, run.hosts) == ({}, {"a"}, HOSTS)


def test_hosts_of_the_next_batch_count_as_reached() -> None:
    recorder = recording(frozenset("a"), HOSTS)
    recorder.failed("a", TASK, Output())
    recorder.play_ended(Verdict(failed="a"))
    recorder.play_started(Play("1", "web", frozenset("bc"), HOSTS))
    recorder.ok("b")
    run = ended(recorder, failed="a")
    assert (kinds(run), run.succeeded) == ({"a": [FAILED]}, {"b"})


def test_hosts_added_to_the_inventory_during_a_play_are_not_part_of_it() -> None:
    recorder = recording(frozenset("a"), frozenset("ab"))
    recorder.failed("a", TASK, Output())
    recorder.play_ended(Verdict(failed="a"))
    recorder.play_started(Play("1", "web", frozenset("b"), HOSTS))
    run = ended(recorder, failed="a")
    assert (kinds(run), run.hosts) == ({"a": [FAILED]}, {"a", "b"})


def test_plays_that_never_start_because_of_a_failure_are_not_reached() -> None:
    recorder = recording(frozenset("a"))
    recorder.failed("a", TASK, Output())
    run = ended(recorder, (Play("2", "db", frozenset(), frozenset("ab")),), failed="a")
    assert kinds(run) == {"a": [FAILED], "b": [NOT_REACHED]}
    assert (run.failures["b"][0].play, run.hosts) == ("db", {"a", "b"})


def test_hosts_of_a_play_that_never_starts_without_a_failure_neither_fail_nor_succeed() -> None:
    recorder = recording()
    for host in HOSTS:
        recorder.ok(host)
    run = ended(recorder, (Play("2", "db", frozenset(), frozenset("ab")),))
    assert (run.failures, run.succeeded) == ({}, {"c"})


def test_a_play_with_unknown_hosts_that_never_starts_makes_the_run_dubious() -> None:
    recorder = recording()
    recorder.ok("a")
    assert ended(recorder, (Play("2", "db", frozenset(), None),)).dubious


def test_a_host_whose_failure_a_guard_reported_neither_failed_nor_succeeded() -> None:
    recorder = recording()
    for host in "ab":
        recorder.ok(host)
        recorder.failed(host, GUARDED, Output())
    recorder.failed("b", GUARD, Output())  # results of different hosts arrive in any order
    recorder.guarded(["a", "b"])
    recorder.failed("a", GUARD, Output())
    run = ended(recorder, failed="ab")
    assert (run.failures, run.succeeded) == ({}, frozenset())


def test_a_failure_that_no_guard_reported_counts() -> None:
    recorder = recording()
    recorder.guarded(["a"])
    recorder.failed("a", TASK, Output())
    recorder.failed("b", GUARD, Output("wrong options"))
    assert kinds(ended(recorder, failed="ab")) == {"a": [FAILED], "b": [FAILED]}


def test_hosts_not_reached_because_of_a_guarded_failure_neither_failed_nor_succeeded() -> None:
    recorder = recording(frozenset("a"), frozenset("ab"))
    recorder.ok("b")
    recorder.guarded(["a"])
    run = ended(recorder, failed="a")
    assert (run.failures, run.succeeded, run.guarded) == ({}, frozenset(), frozenset("a"))


def test_hosts_not_reached_because_of_an_unguarded_failure_count() -> None:
    recorder = recording(frozenset("ac"), frozenset("abc"))
    recorder.guarded(["a"])
    recorder.failed("c", TASK, Output())
    assert kinds(ended(recorder, failed="ac")) == {"b": [NOT_REACHED], "c": [FAILED]}


@pytest.mark.parametrize(
    ("failures", "unreachable", "dubious"),
    [({"a": 1}, {"b": 1}, False), ({"a": 2}, {}, True), ({}, {"b": 2}, True), ({"c": 1}, {}, True), ({}, {}, False)],
)
def test_a_run_is_dubious_if_the_statistics_show_more_than_the_events(failures, unreachable, dubious) -> None:
    recorder = recording()
    recorder.failed("a", CAUGHT, Output())
    recorder.unreachable("b", TASK, Output())
    recorder.play_ended(Verdict(unreachable="b"))
    assert recorder.end(failures, unreachable).dubious is dubious


def test_statistics_cover_all_playbooks_of_a_call() -> None:
    recorder = recording()
    recorder.failed("a", CAUGHT, Output())
    recorder.play_ended(Verdict())
    recorder.end({"a": 1}, {})
    recorder.begin("second.yml")
    run = recorder.end({"a": 1}, {})
    assert (run.playbook, run.dubious, run.hosts) == ("second.yml", False, frozenset())


def test_a_run_without_a_verdict_is_dubious() -> None:
    recorder = recording()
    recorder.play_ended(None)
    assert recorder.end({}, {}).dubious


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_aborted_run_keeps_its_failures(interrupted) -> None:
    recorder = recording()
    recorder.ok("b")
    recorder.failed("a", TASK, Output("no"))
    run = recorder.give_up(interrupted)
    assert (kinds(run), run.succeeded) == ({"a": [FAILED]}, frozenset())
    assert (run.aborted, run.interrupted, recorder.running) == (True, interrupted, False)


def test_a_run_with_an_unreadable_event_is_dubious() -> None:
    recorder = recording()
    recorder.doubt()
    assert ended(recorder).dubious


def test_the_beginning_of_a_message_and_the_end_of_an_output_are_kept() -> None:
    recorder = recording()
    recorder.failed("a", TASK, Output("b" + "m" * 10_000, "o" * 10_000 + "e", "r" * 10_000 + "f"))
    (failure,) = ended(recorder, failed="a").failures["a"]
    assert (len(failure.message), failure.message[0]) == (models.MESSAGE_LIMIT, "b")
    assert (len(failure.stdout), failure.stdout[-1]) == (models.OUTPUT_LIMIT, "e")
    assert (len(failure.stderr), failure.stderr[-1]) == (models.OUTPUT_LIMIT, "f")


def test_the_causes_of_a_failed_rescue_come_first_from_the_first_on() -> None:
    recorder = recording()
    recorder.failed("a", Task("cause", caught_by="outer"), Output("1"))
    recorder.failed("a", Task("roll back", caught_by="inner", rescues=frozenset({"outer"})), Output("2"))
    recorder.failed("a", Task("give up", rescues=frozenset({"outer"})), Output("3"))
    assert [one.task for one in ended(recorder, failed="a").failures["a"]] == ["cause", "give up"]


def test_a_fatal_failure_is_the_cause_in_the_rescue_of_the_other_hosts() -> None:
    recorder = recording()
    recorder.failed("a", Task("once", caught_by="block", fatal=True), Output("1"))
    for host in ("a", "b"):
        recorder.failed(host, Task("give up", rescues=frozenset({"block"})), Output("2"))
    run = ended(recorder, failed="ab")
    assert [[one.task for one in run.failures[host]] for host in "ab"] == [["once", "give up"]] * 2


def test_many_failed_hosts_with_much_output_take_bounded_memory() -> None:
    hosts = frozenset(f"host{number}" for number in range(10_000))
    recorder = recording(hosts)
    tracemalloc.start()
    try:
        for number, host in enumerate(sorted(hosts)):
            recorder.failed(host, TASK, Output(f"{number}" * 2000, f"{number}" * 2000, "same" * 1000))
        run = ended(recorder, failed=hosts)
        size, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(run.failures) == 10_000
    assert size < 25 * 1024 * 1024


def test_a_host_that_keeps_failing_takes_bounded_memory() -> None:
    recorder = recording()
    for _failure in range(1000):
        recorder.failed("a", TASK, Output())
    assert len(ended(recorder, failed="a").failures["a"]) == models.FAILURES_PER_HOST


hosts = st.sampled_from("abc")
events = st.lists(
    st.one_of(
        st.tuples(st.just("ok"), hosts),
        st.tuples(st.just("included"), hosts, st.just(INCLUDE)),
        st.tuples(st.just("failed"), hosts, st.sampled_from([TASK, CAUGHT, ONCE, GUARD]), st.just(Output("no"))),
        st.tuples(st.just("unreachable"), hosts, st.sampled_from([TASK, ONCE]), st.just(Output()), st.booleans()),
        st.tuples(st.just("guarded"), st.sets(hosts)),
        st.tuples(st.just("dropped"), hosts),
    ),
    max_size=12,
)


@given(
    batches=st.lists(st.tuples(events, st.sets(hosts), st.sets(hosts), st.sets(hosts)), min_size=1, max_size=4),
    ignore_unreachable=st.booleans(),
)
def test_no_host_both_failed_and_succeeded_and_every_failed_host_has_a_failure(batches, ignore_unreachable) -> None:
    recorder = Recorder(ignore_unreachable)
    recorder.begin("site.yml")
    guarded: set[str] = set()
    for number, (happened, failed, unreachable, unfinished) in enumerate(batches):
        recorder.play_started(Play(str(number), "play", HOSTS, HOSTS))
        for name, *arguments in happened:
            getattr(recorder, name)(*arguments)
            if name == "guarded":
                guarded |= arguments[0]
        recorder.play_ended(Verdict(failed, unreachable - failed, unfinished - failed - unreachable))
    run = recorder.end({}, {})
    assert not run.succeeded & run.failures.keys()
    assert run.succeeded | run.failures.keys() <= run.hosts == HOSTS
    assert all(run.failures.values())
    _happened, failed, unreachable, unfinished = batches[-1]
    if run.failures or not guarded:  # if only guarded failures ended the play, hosts not reached have no failure
        assert failed - guarded <= run.failures.keys()
        if not ignore_unreachable:
            assert unreachable - guarded <= run.failures.keys()
    assert not run.succeeded & (failed | unreachable | unfinished)
