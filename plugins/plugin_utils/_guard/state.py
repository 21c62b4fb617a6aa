# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates the records of one guard: which hosts failed, which succeeded, and whether others are still to come.

Must stay pure: no Ansible, no files, no clock. journal.py keeps the records, hosts.py reads what Ansible knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import digest
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import NO_MARK, Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    DROPPED_MESSAGE,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Run,
)


class RecordType(str, Enum):
    """What a record says about a host."""

    BEGAN = "began"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # the host failed, or Ansible ran the rescue on it without a failure of its own
    UNPROVEN = "unproven"  # the host reached the end, but was unreachable in between
    SKIPPED = "skipped"  # a condition made the host skip the guard
    UNREACHABLE = "unreachable"  # the host was unreachable for a task, ignored or not; belongs to no guard
    REPORTED = "reported"  # the guard's state was reported; says nothing about a host


@dataclass(frozen=True)
class Record:
    """What happened to one host under one guard.

    :param guard: identifies the guard in one play of one process.
    :param include: for ``BEGAN``: the guard's place in the playbook, the same for each host and step.
    :param key: the user's own incident key, if there is one.
    :param title: the user's own title, if there is one.
    :param name: the name of the guarded files or roles.
    :param mark: the ledger's mark when the host began, or at its first record.
    :param earlier: for ``BEGAN``: the fingerprint of a failure that Ansible still held from before the guard; see
        :func:`is_earlier`.
    :param failure: for ``FAILED``: why the host failed.
    :param causes: for ``FAILED``: the failures that led to it, the first cause first.
    :param fatal: the failure also ends other hosts: ``run_once`` or ``any_errors_fatal``.
    :param report: for ``REPORTED``: :attr:`Evaluation.report` of what was reported.
    :param final: for ``REPORTED``: no further host was expected.
    """

    guard: str
    host: str
    type: RecordType
    include: str = ""
    key: str = ""
    title: str = ""
    name: str = ""
    mark: Mark | None = None
    earlier: str = ""
    failure: Failure | None = None
    causes: tuple[Failure, ...] = ()
    fatal: bool = False
    report: str = ""
    final: bool = False


@dataclass(frozen=True)
class Hosts:
    """What Ansible knows about a play's hosts at one moment.

    :param all: ``ansible_play_hosts_all``, which includes later batches.
    :param active: the hosts that Ansible continues with, or will begin with in a later batch.
    :param batch: the active hosts of the current batch.
    :param gone: by host, whether it counts as failed or unreachable; None if that cannot be determined.
    :param lockstep: the strategy runs each task on all hosts of a batch before the next task.
    """

    all: tuple[str, ...]
    active: frozenset[str]
    batch: frozenset[str]
    gone: Mapping[str, str] | None
    lockstep: bool


@dataclass(frozen=True)
class Evaluation:
    """The state of one guard at one moment.

    :param failures: by host, why it counts as failed: the failures that led to that first, the last one last.
    :param succeeded: hosts that succeeded, or were ended deliberately (``meta: end_host``).
    :param waiting: further hosts are expected: those of later batches, or slower ones.
    :param running: hosts that have begun are still running the guarded tasks.
    :param missing: hosts that left the play before the guard, or were unreachable under it. They neither succeeded nor
        failed because of the guard.
    :param skipped: hosts that skipped the guard because of a condition.
    :param mark: the ledger's mark when the first host began.
    :param lost: hosts that failed or were unreachable so far, in any play; None if that cannot be determined.
    """

    failures: Mapping[str, tuple[Failure, ...]] = field(default_factory=dict)
    succeeded: frozenset[str] = frozenset()
    waiting: bool = False
    running: bool = False
    missing: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    mark: Mark = NO_MARK
    lost: frozenset[str] | None = frozenset()

    @property
    def report(self) -> str:
        """An id for what is to be reported now. Equal reports have equal ids; empty if there is nothing to report."""
        if self.failures:
            known = {host: [asdict(one) for one in failures] for host, failures in sorted(self.failures.items())}
            return digest("failed", known, None if self.waiting else sorted(self.succeeded))
        if self.waiting or self.missing or not self.succeeded:
            return ""
        return digest("succeeded", sorted(self.succeeded))

    def run(self, playbook: str, all_hosts: Iterable[str], may_match_others: bool = False) -> Run:
        """Return the state as a run of the guarded tasks. While hosts are still expected, no host counts as succeeded.

        :param all_hosts: all hosts of the play.
        :param may_match_others: whether another call of the playbook may have other hosts.
        """
        all_hosts = frozenset(all_hosts)
        return Run(
            playbook,
            failures=dict(sorted(self.failures.items())),
            succeeded=frozenset() if self.waiting else self.succeeded,
            hosts=(all_hosts | frozenset(self.failures) | self.succeeded) - self.skipped,
            # A host that only skipped the guard still belongs to the play. So may one that was lost in an earlier play:
            # the pattern may be a group that tasks of that play make.
            matched=None if may_match_others or self.lost is None else all_hosts | self.lost,
        )


def evaluate(records: Iterable[Record], guard: str, hosts: Hosts) -> Evaluation:
    """Return the current state of a guard.

    :param records: all records so far, in order; they may include those of other guards.
    """
    own = [record for record in records if record.guard == guard]
    last = {record.host: record for record in own if record.type != RecordType.REPORTED}
    # A user's own rescue has no BEGAN records, so any host without a record may still reach it.
    has_beginning = any(record.type == RecordType.BEGAN for record in own)
    is_fatal = any(record.fatal for record in last.values())
    failures: dict[str, tuple[Failure, ...]] = {}
    succeeded, missing, skipped = set(), set(), set()
    is_waiting = is_running = False
    # With a key, a rescue in one play and a success in another one share an incident, with different hosts.
    for host in dict.fromkeys((*hosts.all, *last)):
        record = last.get(host)
        is_active = host in hosts.active
        if record and record.type == RecordType.FAILED and record.failure:
            failures[host] = (*record.causes, explained(record.failure, is_fatal))
        elif record and record.type == RecordType.SUCCEEDED:
            succeeded.add(host)
        elif record and record.type == RecordType.UNPROVEN:
            missing.add(host)
        elif record and record.type == RecordType.SKIPPED:
            skipped.add(host)
        elif is_active:
            if record is None and has_beginning and hosts.lockstep and host in hosts.batch:
                skipped.add(host)
            else:
                is_waiting = True
                is_running = is_running or record is not None
        elif _is_ended(host, hosts):
            # Ended deliberately: before the guard, it has skipped it; under the guard, it has succeeded.
            (succeeded if record else skipped).add(host)
        elif record:
            failures[host] = (_gone_failure(host, hosts),)
        else:
            missing.add(host)
    return Evaluation(
        failures,
        frozenset(succeeded),
        is_waiting,
        is_running,
        frozenset(missing),
        frozenset(skipped),
        _first_mark(own),
        None if hosts.gone is None else frozenset(hosts.gone),
    )


def finished(records: Iterable[Record], guard: str, hosts: Iterable[str]) -> list[Record]:
    """Return what is to be recorded of hosts that have run all guarded tasks: those with no other record succeeded.

    :param hosts: hosts that Ansible continues with.
    """
    records = list(records)
    last = {record.host: record for record in records if record.guard == guard and record.type != RecordType.REPORTED}
    away = {record.host for record in records if record.type == RecordType.UNREACHABLE}
    added = []
    for host in sorted(hosts):
        record = last.get(host)
        if record and record.type == RecordType.BEGAN:
            is_away = host in away and was_unreachable(records, guard, host)
            type = RecordType.UNPROVEN if is_away else RecordType.SUCCEEDED
            added.append(replace(record, type=type))
    return added


def begin_record(records: Iterable[Record], host: str, include: str) -> Record | None:
    """Return a host's last ``BEGAN`` record for the guard at this place; None if there is none.

    The guard's identity is fixed when it begins: the guarded tasks may change the variables that name it.
    """
    own = [
        record for record in records if (record.host, record.type, record.include) == (host, RecordType.BEGAN, include)
    ]
    return own[-1] if own else None


def failure_of(records: Iterable[Record], guard: str, host: str) -> Failure | None:
    """Return why a host failed, if that is its last record of the guard; otherwise None."""
    own = [
        record
        for record in records
        if (record.guard, record.host) == (guard, host) and record.type != RecordType.REPORTED
    ]
    return own[-1].failure if own and own[-1].type == RecordType.FAILED else None


def is_final(last: Record | None, failure: Failure | None) -> bool:
    """Return whether a host can finish without evaluating all records again, which is slow with many hosts.

    :param last: the last record of the guard, of any host.
    :param failure: why this host failed. A dropped host needs the evaluation: another host's failure may be the cause.
    """
    return last is not None and last.final and not (failure and failure.kind == DROPPED)


def shares_key(records: Iterable[Record], beginning: Record) -> bool:
    """Return whether another guard of this call has the same user-defined key."""
    others = [
        record for record in records if record.type == RecordType.BEGAN and record.key and record.key == beginning.key
    ]
    return any((record.guard, record.include) != (beginning.guard, beginning.include) for record in others)


def was_unreachable(records: Iterable[Record], guard: str, host: str) -> bool:
    """Return whether a host was unreachable for a task, ignored or not, since it last began the guard."""
    is_unreachable = False
    for record in records:
        if record.host == host and record.type in (RecordType.BEGAN, RecordType.UNREACHABLE):
            is_unreachable = record.type == RecordType.UNREACHABLE or (is_unreachable and record.guard != guard)
    return is_unreachable


def is_due(records: Iterable[Record], guard: str, evaluation: Evaluation, lockstep: bool) -> bool:
    """Return whether there is something to report that no host has reported or is reporting.

    The first failure is reported at once. Under a strategy that does not keep hosts in step, further ones wait until no
    host runs the guarded tasks any more: otherwise ten hosts that fail one after another would send ten requests.

    :param lockstep: of :class:`Hosts`. Then one report covers the batch, after which the play may end.
    """
    reports = [record.report for record in records if record.guard == guard and record.type == RecordType.REPORTED]
    if not evaluation.report or evaluation.report in reports:
        return False
    return lockstep or not (evaluation.failures and evaluation.running and reports)


def is_earlier(records: Iterable[Record], guard: str, host: str, fingerprint: str) -> bool:
    """Return whether the failure that Ansible holds for a host dates from before the guard.

    If an include fails in the block, or another host's failure is fatal for all, Ansible runs the rescue on a host
    without a failure of its own. ``ansible_failed_task`` is then undefined, or left over from an earlier rescue.
    """
    began = [
        record for record in records if (record.guard, record.host, record.type) == (guard, host, RecordType.BEGAN)
    ]
    return bool(fingerprint and began and began[-1].earlier == fingerprint)


def to_json(record: Record) -> str:
    """Return a record as one line of ASCII characters."""
    return json.dumps(asdict(record), separators=(",", ":"))


def from_json(line: str) -> Record:
    """Return the record that :func:`to_json` serialized."""
    data: dict[str, Any] = json.loads(line)
    mark, failure = data.pop("mark"), data.pop("failure")
    data["type"] = RecordType(data["type"])
    data["causes"] = tuple(Failure(**cause) for cause in data["causes"])
    return Record(**data, mark=mark and Mark(**mark), failure=failure and Failure(**failure))


def explained(failure: Failure, is_fatal: bool) -> Failure:
    """Return the failure of a host, with another host's failure as its cause if that was fatal."""
    # The host whose failure was fatal may be recorded after the hosts that it ended, so this is known only now.
    if failure.kind == DROPPED and is_fatal:
        return replace(failure, kind=NOT_REACHED, message="")
    return failure


def _is_ended(host: str, hosts: Hosts) -> bool:
    # If that cannot be determined, the host counts as dropped: better one page too many than one too few.
    return hosts.gone is not None and host not in hosts.gone


def _gone_failure(host: str, hosts: Hosts) -> Failure:
    if hosts.gone is not None and hosts.gone[host] == UNREACHABLE:
        return Failure(UNREACHABLE)
    return Failure(DROPPED, message=DROPPED_MESSAGE)


def _first_mark(own: Iterable[Record]) -> Mark:
    marks = [record.mark for record in own if record.mark]
    # If the marks are of several ledgers, the ledger was lost or created meanwhile, and no mark is valid.
    if len({mark.ledger_id for mark in marks}) != 1:
        return NO_MARK
    return min(marks, key=lambda mark: mark.sequence)
