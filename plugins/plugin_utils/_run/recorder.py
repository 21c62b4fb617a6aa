# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one `Run` out of what happened in it, event by event: which host failed, and why; which one is proven good.

Must not know Ansible's objects (ansible_events.py reads them), nor keep more than bounded texts of what it is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    DROPPED_MESSAGE,
    FAILED,
    FAILURES_PER_HOST,
    MESSAGE_LIMIT,
    NO_HOSTS,
    NOT_REACHED,
    OUTPUT_LIMIT,
    SHORT_LIMIT,
    TOTAL_LIMIT,
    UNREACHABLE,
    Failure,
    Output,
    Play,
    Run,
    Task,
    Verdict,
)


class Recorder:
    """Records the runs of one ansible-playbook call, one after the other.

    Events say why a host failed, and Ansible's verdict at the end of each play says which hosts did: a host that it
    counts as failed always has a failure, and one that it does not count any more has none.

    :param ignore_unreachable: hosts that cannot be reached do not count as failed (nor as good).
    """

    def __init__(self, ignore_unreachable: bool = False) -> None:
        self._ignores_unreachable = ignore_unreachable
        # Ansible's statistics are summed over all playbooks of the call, so what they are compared with is too.
        self._failed_events: Counter[str] = Counter()
        self._unreachable_events: Counter[str] = Counter()
        self.running = False

    def begin(self, playbook: str, check_mode: bool = False) -> None:
        """Take up a new run."""
        self.running = True
        self._run = Run(playbook, check_mode=check_mode)
        self._texts = _Texts()
        self._play: Play | None = None
        self._play_ended = False
        self._started: set[str] = set()  # hosts of the play's batches so far
        self._hosts: set[str] = set()
        self._good: set[str] = set()  # a real task was ok on it
        self._unproven: set[str] = set()  # good or not: it proves nothing
        self._guarded: set[str] = set()
        self._failures: dict[str, list[Failure]] = {}
        self._away: set[str] = set()  # unreachable and nothing has put that right
        self._left_out: dict[str, str] = {}  # by host, the play that ended before its batch started
        self._is_dubious = False
        self._forget_play()

    def play_started(self, play: Play) -> None:
        """Note a play, or its next batch. The one before must have been ended."""
        if self._play is None or play.id != self._play.id:
            self._leave_play()
            self._started = set()
            self._play = play
        else:
            # Batches are made when a play starts; what joins the inventory later is in none.
            self._play = replace(play, matched=self._play.matched)
        self._play_ended = False
        self._started |= play.hosts
        self._hosts |= play.hosts | (self._play.matched or NO_HOSTS)
        self._forget_play()

    def ok(self, host: str) -> None:
        """Note that a real task was ok."""
        self._good.add(host)

    def included(self, host: str, task: Task) -> None:
        """Note that a task is about to include a file or a role on a host: ansible-core may lose the host here."""
        self._includes[host] = task

    def dropped(self, host: str) -> None:
        """Note that Ansible counts a host as failed since its last include, of which it said nothing."""
        if host not in self._failures:
            self._add(host, self._unsaid(host))

    def failed(self, host: str, task: Task, output: Output) -> None:
        """Note a failure that is not ignored."""
        self._failed_events[host] += 1
        if task.guard and host in self._guarded:
            return
        if task.fatal:
            self._fatal(task)
        failure = self._failure(FAILED, task, output)
        if task.caught:
            self._caught[host] = failure
            self._includes.pop(host, None)
        else:
            self._add(host, failure)

    def unreachable(self, host: str, task: Task, output: Output, ignored: bool = False) -> None:
        """Note that a host could not be reached. No rescue catches that."""
        self._unproven.add(host)
        if ignored:
            return
        self._unreachable_events[host] += 1
        if task.fatal:
            self._fatal(task)
        self._away.add(host)
        if not self._ignores_unreachable:
            self._add(host, self._failure(UNREACHABLE, task, output))

    def guarded(self, hosts: Iterable[str]) -> None:
        """Note that a guard has reported what failed on these hosts so far: that has its incident."""
        for host in hosts:
            self._guarded.add(host)
            self._unproven.add(host)
            self._failures.pop(host, None)
            self._caught.pop(host, None)
            self._includes.pop(host, None)

    def doubt(self) -> None:
        """Note that something could not be read: the run proves nothing good."""
        self._is_dubious = True

    def play_ended(self, verdict: Verdict | None) -> None:
        """Note that the play, or its batch, is over.

        :param verdict: what Ansible holds of the hosts; ``None`` where that cannot be known.
        """
        if self._play is None or self._play_ended:
            return
        self._play_ended = True
        if not self._play.hosts:
            return  # nothing ran, and nobody passed a verdict
        if verdict is None:
            self.doubt()
            return
        self._forgive(verdict)
        hosts = self._play.hosts
        for host in sorted(hosts.intersection(verdict.failed)):
            if host not in self._failures and host not in self._guarded:
                self._add(host, self._unsaid(host))
        for host in sorted(hosts.intersection(verdict.unreachable)):
            if host not in self._away and host not in self._guarded:
                self._unproven.add(host)
                if not self._ignores_unreachable:
                    self._add(host, self._unsaid(host))
        for host in sorted(hosts.intersection(verdict.unfinished)):
            if host not in self._failures and host not in self._away:
                self._unproven.add(host)
                if host not in self._guarded:
                    self._add(host, self._not_reached(self._play.name))
        if verdict.ended:
            self._started |= self._play.matched or NO_HOSTS
        self._forget_play()

    def end(self, failures: Mapping[str, int], unreachable: Mapping[str, int], unstarted: Iterable[Play] = ()) -> Run:
        """Return the run, which has come to its end.

        :param failures: by host, how many failures Ansible's statistics show, rescued ones too, in the whole call.
        :param unreachable: likewise.
        :param unstarted: plays of the playbook that never started.
        """
        self._leave_play()
        for play in unstarted:
            if play.matched is None:
                self.doubt()
            for host in play.matched or ():
                self._left_out.setdefault(host, play.name)
        self._hosts.update(self._left_out)
        # Without a failure, what never started shows that the run is not whole, and nothing more.
        if self._failures or self._away:
            for host, name in sorted(self._left_out.items()):
                if host not in self._failures and host not in self._away:
                    self._add(host, self._not_reached(name))
        self._unproven.update(self._left_out)
        kinds = {failure.kind for failures_of_host in self._failures.values() for failure in failures_of_host}
        if self._guarded and kinds <= {NOT_REACHED}:
            # What cut them short has an incident already: the guard's.
            self._unproven.update(self._failures)
            self._failures.clear()
        if _shows_more(failures, self._failed_events) or _shows_more(unreachable, self._unreachable_events):
            self.doubt()
        succeeded = self._good - self._unproven - self._failures.keys()
        return self._over(succeeded=frozenset(succeeded), dubious=self._is_dubious)

    def give_up(self, interrupted: bool = False) -> Run:
        """Return the run, which will never come to its end, with the failures that were seen until now.

        :param interrupted: because somebody wanted that.
        """
        return self._over(aborted=True, interrupted=interrupted, dubious=self._is_dubious)

    def _over(self, **facts: object) -> Run:
        self.running = False
        failures = {host: tuple(self._failures[host]) for host in sorted(self._failures)}
        return replace(
            self._run,
            failures=failures,
            hosts=frozenset(self._hosts),
            guarded=frozenset(self._guarded),
            **facts,  # type: ignore[arg-type]
        )

    def _forget_play(self) -> None:
        self._includes: dict[str, Task] = {}  # the last include on each host
        self._caught: dict[str, Failure] = {}  # the last failure on each host that a rescue was to catch
        self._fatal_seen = False

    def _leave_play(self) -> None:
        """Note which hosts of the play's later batches it never came to."""
        if self._play is not None:
            for host in (self._play.matched or NO_HOSTS) - self._started:
                self._left_out.setdefault(host, self._play.name)

    def _fatal(self, task: Task) -> None:
        """Note that from here on Ansible may take any host out of the play because of this task."""
        self._fatal_seen = True
        self._includes.clear()
        self._caught.clear()

    def _forgive(self, verdict: Verdict) -> None:
        """Drop the failures of hosts that Ansible no longer counts: they were rescued, or cleared on purpose.

        Such a host has still missed tasks, so it is not proven good either, unless a rescue took them over; and what
        rescues take over is seldom recorded as a failure at all.
        """
        for host, failures in list(self._failures.items()):
            kept = [
                failure
                for failure in failures
                if host in (verdict.unreachable if failure.kind == UNREACHABLE else verdict.failed)
                or (failure.kind == DROPPED and host in verdict.unreachable)
            ]
            if len(kept) < len(failures):
                self._unproven.add(host)
            if kept:
                self._failures[host] = kept
            else:
                del self._failures[host]
        self._away.intersection_update(verdict.unreachable)

    def _unsaid(self, host: str) -> Failure:
        """Return why Ansible counts a host as failed for which no failure counts, by what is known to do that."""
        play = self._play.name if self._play else ""
        task = self._includes.get(host)
        if task is None and host in self._caught:
            return self._caught[host]  # the rescue was left out by tags, or did not put it right
        if task is None and self._fatal_seen:
            return self._not_reached(play)
        lost = self._failure(DROPPED, task or Task(""), Output(DROPPED_MESSAGE))
        return replace(lost, play=play)

    def _not_reached(self, play: str) -> Failure:
        return Failure(NOT_REACHED, play=play)

    def _failure(self, kind: str, task: Task, output: Output) -> Failure:
        kept = self._texts
        return Failure(
            kind=kind,
            task=task.name,
            action=task.action,
            path=task.path,
            line=task.line,
            play=self._play.name if self._play else "",
            message=kept.beginning(output.message),
            stdout=kept.end(output.stdout),
            stderr=kept.end(output.stderr),
        )

    def _add(self, host: str, failure: Failure) -> None:
        failures = self._failures.setdefault(host, [])
        if len(failures) < FAILURES_PER_HOST:
            failures.append(failure)


class _Texts:
    """Cuts texts, and keeps each only once: a thousand hosts often fail with the same words."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._left = TOTAL_LIMIT

    def beginning(self, text: str) -> str:
        return self._keep(text[: self._limit(MESSAGE_LIMIT)])

    def end(self, text: str) -> str:
        return self._keep(text[-self._limit(OUTPUT_LIMIT) :])

    def _limit(self, limit: int) -> int:
        return limit if self._left > 0 else SHORT_LIMIT

    def _keep(self, text: str) -> str:
        known = self._known.get(text)
        if known is None:
            self._left -= len(text)
            known = self._known[text] = text
        return known


def _shows_more(statistics: Mapping[str, int], events: Mapping[str, int]) -> bool:
    """Return whether the statistics count something on a host that no event told of."""
    return any(count > events.get(host, 0) for host, count in statistics.items())
