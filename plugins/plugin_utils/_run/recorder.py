# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a `Run` from its events: which hosts failed and why, and which hosts succeeded.

Must not know Ansible's objects (`_ansible/events` reads them), and must keep strings only within the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.causes import Causes
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.failures import BoundedStrings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    DROPPED_MESSAGE,
    FAILED,
    FAILURES_PER_HOST,
    MESSAGE_LIMIT,
    NO_HOSTS,
    NO_RESULTS,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Output,
    Play,
    Run,
    Task,
    Verdict,
)


class Recorder:
    """Records the runs of one ansible-playbook call, one after another.

    Events say why a host failed; Ansible's verdict at the end of each play says which hosts failed. Each host that the
    verdict counts as failed gets a failure, and each host that it no longer counts loses its failures.

    :param ignore_unreachable: if true, unreachable hosts count neither as failed nor as succeeded.
    """

    def __init__(self, ignore_unreachable: bool = False) -> None:
        self._ignores_unreachable = ignore_unreachable
        # Ansible's statistics cover all playbooks of the call, so these counts do too.
        self._failed_events: Counter[str] = Counter()
        self._unreachable_events: Counter[str] = Counter()
        self.running = False

    def begin(self, playbook: str, check_mode: bool = False, is_templated: bool = False) -> None:
        """Start a new run.

        :param is_templated: whether the hosts of one of its plays are a template.
        """
        self._is_templated = is_templated
        self.running = True
        self._run = Run(playbook, check_mode=check_mode)
        self._strings = BoundedStrings()
        self._play: Play | None = None
        self._play_ended = False
        self._started: set[str] = set()  # hosts of the play's batches so far
        self._hosts: set[str] = set()
        self._ok: set[str] = set()  # hosts on which a real task was ok
        self._unproven: set[str] = set()  # hosts that do not count as succeeded, whatever was ok on them
        self._guarded: set[str] = set()
        self._continued: set[str] = set()  # guarded hosts on which a task was ok after the guard had reported them
        self._failures: dict[str, list[Failure]] = {}
        self._without_results: dict[str, Failure] = {}  # by host; what a later play does cannot clear it
        self._unreachable: set[str] = set()  # hosts that are still unreachable
        self._left_out: dict[str, str] = {}  # by host, the play that ended before the host's batch started
        self._is_dubious = self._is_interrupted = False
        self._clear_play_state()

    def play_started(self, play: Play) -> None:
        """Note the start of a play or of its next batch. The previous one must have ended."""
        if self._play is None or play.id != self._play.id:
            self._leave_play()
            self._started = set()
            self._play = play
        else:
            # Ansible forms the batches when a play starts. Hosts added to the inventory later are in no batch.
            self._play = replace(play, matched=self._play.matched)
        self._play_ended = False
        self._started |= play.hosts
        self._hosts |= play.hosts | (self._play.matched or NO_HOSTS)
        self._clear_play_state()

    def ok(self, host: str) -> None:
        """Note that a real task was ok on a host."""
        self._ok.add(host)
        if host in self._guarded:
            self._continued.add(host)

    def included(self, host: str, task: Task) -> None:
        """Note that a task includes a file or role on a host. If that does not load, ansible-core may drop the host."""
        self._includes[host] = task
        if host in self._guarded:
            self._continued.add(host)

    def rescued(self, host: str, block: str) -> None:
        """Note that a host is in the rescue of this block since its last include: that did not load.

        ansible-core 2.18 and earlier send no event of it.
        """
        task = self._includes.get(host)
        if task and block and block == task.caught_by and not self._causes.of(host, frozenset((block,))):
            self._causes.caught(host, block, (self._failure(DROPPED, task, Output(DROPPED_MESSAGE)),))

    def dropped(self, host: str) -> None:
        """Note that Ansible has counted a host as failed since its last include, without an error message."""
        if host not in self._failures and not self._is_reported(host):
            self._add_unreported(host)

    def cleared(self, hosts: Iterable[str]) -> None:
        """Note that Ansible has cleared the failures of these hosts and continues with them.

        A cleared failure is no failure of the run, nor the cause of a later one.
        """
        for host in hosts:
            self._failures.pop(host, None)

    def play_without_results(self) -> None:
        """Note that tasks of the play started, but none had any result on any host, not even a skipped one.

        ansible-core reports no error if it cannot fork, or cannot write its output.
        """
        if self._play is None:
            return
        for host in self._play.hosts - self._failures.keys() - self._unreachable:
            self._without_results.setdefault(host, Failure(DROPPED, play=self._play.name, message=NO_RESULTS))

    def failed(self, host: str, task: Task, output: Output) -> None:
        """Note that a task failed on a host and that the failure is not ignored."""
        self._failed_events[host] += 1
        if task.guard and host in self._guarded:
            self._guard_failed.add(host)
            return
        failure = self._failure(FAILED, task, output)
        # The failure that started a rescue is usually the cause of the failure in it.
        causes = self._causes.of(host, task.rescues)
        if task.fatal:
            self._note_fatal(host, failure, task.caught_by)
        if task.caught_by:
            self._causes.caught(host, task.caught_by, (*causes, failure))
            self._includes.pop(host, None)
            return
        # If Ansible clears this failure, only a later task can prove that the host succeeds.
        self._ok.discard(host)
        self._causes.forget(host, task.rescues)
        for one in (*causes, failure):
            self._add(host, one)

    def unreachable(self, host: str, task: Task, output: Output, ignored: bool = False) -> None:
        """Note that a host is unreachable. No rescue catches that."""
        self._unproven.add(host)
        if ignored:
            return
        self._unreachable_events[host] += 1
        failure = self._failure(UNREACHABLE, task, output)
        if task.fatal:
            self._note_fatal(host, failure)
        self._unreachable.add(host)
        if not self._ignores_unreachable:
            self._add(host, failure)

    def guarded(self, hosts: Iterable[str]) -> None:
        """Note that a guard has reported the failures of these hosts so far. They belong to the guard's incident."""
        for host in hosts:
            self._guarded.add(host)
            self._continued.discard(host)
            self._unproven.add(host)
            self._failures.pop(host, None)
            self._causes.forget(host)
            self._includes.pop(host, None)

    def interrupt(self) -> None:
        """Note that the run is being ended deliberately."""
        self._is_interrupted = True

    def doubt(self) -> None:
        """Note that something could not be read. No host then counts as recovered."""
        self._is_dubious = True

    def play_ended(self, verdict: Verdict | None) -> None:
        """Note the end of the play or batch.

        :param verdict: how Ansible counts the hosts; ``None`` if that cannot be determined.
        """
        if self._play is None or self._play_ended:
            return
        self._play_ended = True
        if not self._play.hosts:
            return  # nothing ran, so there is no verdict
        if verdict is None:
            self.doubt()
            return
        self._drop_cleared(verdict)
        hosts = self._play.hosts
        for host in sorted(hosts.intersection(verdict.failed)):
            if host not in self._failures and not self._is_reported(host):
                self._add_unreported(host)
        for host in sorted(hosts.intersection(verdict.unreachable)):
            if host not in self._unreachable and host not in self._guarded:
                self._unproven.add(host)
                if not self._ignores_unreachable:
                    self._add_unreported(host)
        for host in sorted(hosts.intersection(verdict.unfinished)):
            if host not in self._failures and host not in self._unreachable:
                self._unproven.add(host)
                if host not in self._guarded:
                    self._add(host, self._not_reached(self._play.name))
        if verdict.ended:
            self._started |= self._play.matched or NO_HOSTS
        self._clear_play_state()

    def so_far(self) -> Run:
        """Return the run so far, with the failures that count as long as Ansible does not clear them."""
        return Run(self._run.playbook, {host: tuple(failures) for host, failures in self._failures.items()})

    def end(self, failures: Mapping[str, int], unreachable: Mapping[str, int], unstarted: Iterable[Play] = ()) -> Run:
        """End the run and return it.

        :param failures: number of failures by host in Ansible's statistics of the whole call, including rescued ones.
        :param unreachable: likewise, the number of times each host was unreachable.
        :param unstarted: plays of the playbook that never started.
        """
        self._leave_play()
        for host in sorted(self._without_results):
            self._add(host, self._without_results[host])
        for play in unstarted:
            if play.matched is None:
                self.doubt()
            for host in play.matched or ():
                self._left_out.setdefault(host, play.name)
        self._hosts.update(self._left_out)
        # Without any failure, hosts whose plays never started do not count as failed: the run is merely incomplete.
        if self._failures or self._unreachable:
            for host, name in sorted(self._left_out.items()):
                if host not in self._failures and host not in self._unreachable:
                    self._add(host, self._not_reached(name))
        self._unproven.update(self._left_out)
        kinds = {failure.kind for failures_of_host in self._failures.values() for failure in failures_of_host}
        if self._guarded and kinds <= {NOT_REACHED}:
            # The failure that ended the play for these hosts already has an incident: the guard's.
            self._unproven.update(self._failures)
            self._failures.clear()
        if _shows_more(failures, self._failed_events) or _shows_more(unreachable, self._unreachable_events):
            self.doubt()
        succeeded = self._ok - self._unproven - self._failures.keys()
        return self._finish(succeeded=frozenset(succeeded), interrupted=self._is_interrupted, dubious=self._is_dubious)

    def give_up(self, interrupted: bool = False, last_task: Task | None = None, error: str = "") -> Run:
        """End the run as aborted, and return it with the failures so far.

        :param interrupted: whether the run was ended deliberately.
        :param last_task: the task that started last, if any did.
        :param error: the message of the error that ended it; empty if it is not known.
        """
        return self._finish(
            aborted=True,
            interrupted=interrupted,
            last_task=last_task,
            error=error[:MESSAGE_LIMIT],
            dubious=self._is_dubious,
        )

    def _finish(self, **facts: object) -> Run:
        self.running = False
        failures = {host: tuple(self._failures[host]) for host in sorted(self._failures)}
        return replace(
            self._run,
            failures=failures,
            hosts=frozenset(self._hosts),
            matched=None if self._is_templated else frozenset(self._hosts),
            guarded=frozenset(self._guarded),
            **facts,  # type: ignore[arg-type]
        )

    def _clear_play_state(self) -> None:
        self._includes: dict[str, Task] = {}  # the last include on each host
        self._causes = Causes()
        self._guard_failed: set[str] = set()  # guarded hosts on which the guard has failed again

    def _leave_play(self) -> None:
        """Note the hosts of the play whose batches never started."""
        if self._play is not None:
            for host in (self._play.matched or NO_HOSTS) - self._started:
                self._left_out.setdefault(host, self._play.name)

    def _note_fatal(self, host: str, failure: Failure, block: str = "") -> None:
        """Note that a fatal task failed: from now on, Ansible may drop any host from the play because of it."""
        self._includes.clear()
        self._causes.fatal(host, failure, block)

    def _drop_cleared(self, verdict: Verdict) -> None:
        """Drop the failures that Ansible no longer counts: a rescue or ``clear_host_errors`` cleared them.

        Such a host counts as succeeded if a task was ok on it afterwards.
        """
        for host, failures in list(self._failures.items()):
            kept = [
                failure
                for failure in failures
                if host in (verdict.unreachable if failure.kind == UNREACHABLE else verdict.failed)
                or (failure.kind == DROPPED and host in verdict.unreachable)
            ]
            if kept:
                self._failures[host] = kept
            else:
                del self._failures[host]
        self._unreachable.intersection_update(verdict.unreachable)

    def _is_reported(self, host: str) -> bool:
        """Return whether a guard has reported why Ansible counts this host as failed.

        With ``incident_guard_fail: false`` the host continues. What fails on it later is not the guard's.
        """
        return host in self._guard_failed or (host in self._guarded and host not in self._continued)

    def _add_unreported(self, host: str) -> None:
        """Add why Ansible counts a host as failed although no event reported it."""
        task = self._includes.get(host)
        for cause in self._causes.of(host, task.rescues) if task else ():
            self._add(host, cause)
        self._add(host, self._unreported(host))

    def _unreported(self, host: str) -> Failure:
        """Return the likely reason why Ansible counts a host as failed although no event reported it."""
        play = self._play.name if self._play else ""
        task = self._includes.get(host)
        caught = self._causes.last(host)
        if task is None and caught:
            return caught  # tags skipped the rescue, or the rescue did not clear the failure
        if task is None and self._causes.last_fatal:
            culprit, failure = self._causes.last_fatal
            # On ansible-core 2.21, a rescue clears a failed run_once task for the host that ran it and for no other.
            return self._not_reached(play) if culprit in self._failures or culprit == host else failure
        dropped = self._failure(DROPPED, task or Task(""), Output(DROPPED_MESSAGE))
        return replace(dropped, play=play)

    def _not_reached(self, play: str) -> Failure:
        return Failure(NOT_REACHED, play=play)

    def _failure(self, kind: str, task: Task, output: Output) -> Failure:
        return self._strings.failure(kind, task, output, self._play.name if self._play else "")

    def _add(self, host: str, failure: Failure) -> None:
        failures = self._failures.setdefault(host, [])
        if len(failures) < FAILURES_PER_HOST:
            failures.append(failure)


def _shows_more(statistics: Mapping[str, int], events: Mapping[str, int]) -> bool:
    """Return whether the statistics count more on any host than the events reported."""
    return any(count > events.get(host, 0) for host, count in statistics.items())
