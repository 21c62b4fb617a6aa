# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts under one guard said, and what follows: who failed, who came through, whether others may still speak.

Must stay pure: no Ansible, no files, no clock; journal.py keeps what was said, the action reads what Ansible knows.
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
    """What one record says of a host and a guard."""

    BEGAN = "began"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # it failed, or Ansible took it into the rescue without a failure of its own
    UNPROVEN = "unproven"  # it reached the end, but was unreachable on the way
    SKIPPED = "skipped"  # a condition led it past the guard
    UNREACHABLE = "unreachable"  # of a task, ignored or not; this stands for no guard
    REPORTED = "reported"  # the reporter was told what is known; this stands for the guard, not for a host


@dataclass(frozen=True)
class Record:
    """One record: what one host said of one guard.

    :param guard: which guard, in which play of which process.
    :param include: when it began: where the guard is written, the same for each host and at each step.
    :param key: the user's own, if there is one. :param title: what to call it, if the user has said so.
    :param name: what is guarded, in words.
    :param mark: the ledger's when the host began, or when it first spoke.
    :param earlier: when it began: the fingerprint of the failure that Ansible still held from before; see
        :func:`is_earlier`.
    :param failure: why it gave up.
    :param fatal: its failure takes other hosts with it: ``run_once`` or ``any_errors_fatal``.
    :param report: what was reported, as :attr:`Evaluation.report` names it.
    :param final: nobody was waited for any more when it was reported.
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
    fatal: bool = False
    report: str = ""
    final: bool = False


@dataclass(frozen=True)
class Hosts:
    """What Ansible knows of a play's hosts at one moment.

    :param all: ``ansible_play_hosts_all``: batches that are still to come count too.
    :param active: ``ansible_play_hosts``.
    :param batch: ``ansible_play_batch``: the active ones of this batch.
    :param gone: by host that counts as failed or unreachable, which of both; None where that cannot be known.
    :param lockstep: the strategy takes all hosts of a batch through the tasks side by side.
    """

    all: tuple[str, ...]
    active: frozenset[str]
    batch: frozenset[str]
    gone: Mapping[str, str] | None
    lockstep: bool


@dataclass(frozen=True)
class Evaluation:
    """What is known of one guard at one moment.

    :param failures: by host, why it counts as failed.
    :param succeeded: hosts that came through, or were ended on purpose (``meta: end_host``) on the way.
    :param waiting: further hosts may still speak: those of later batches, or slower ones.
    :param missing: hosts that were out of the play before the guard, or out of reach on the way: not all came through,
        and the guard is not why.
    :param skipped: hosts that a condition led past the guard.
    :param mark: the ledger's mark when the first host began.
    """

    failures: Mapping[str, Failure] = field(default_factory=dict)
    succeeded: frozenset[str] = frozenset()
    waiting: bool = False
    missing: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    mark: Mark = NO_MARK

    @property
    def report(self) -> str:
        """A name for what is to be reported now, the same as long as that is the same; empty: there is nothing."""
        if self.failures:
            known = {host: asdict(failure) for host, failure in sorted(self.failures.items())}
            return digest("failed", known, None if self.waiting else sorted(self.succeeded))
        if self.waiting or self.missing or not self.succeeded:
            return ""
        return digest("succeeded", sorted(self.succeeded))

    def run(self, playbook: str, all_hosts: Iterable[str]) -> Run:
        """Return what is known as a run of the guarded tasks. As long as hosts may still speak it proves nothing good.

        :param all_hosts: of the play.
        """
        return Run(
            playbook,
            failures={host: (failure,) for host, failure in sorted(self.failures.items())},
            succeeded=frozenset() if self.waiting else self.succeeded,
            hosts=(frozenset(all_hosts) | frozenset(self.failures) | self.succeeded) - self.skipped,
        )


def evaluate(records: Iterable[Record], guard: str, hosts: Hosts) -> Evaluation:
    """Return what is known of a guard.

    :param records: everything that was said so far, in order; of other guards too.
    """
    own = [record for record in records if record.guard == guard]
    last = {record.host: record for record in own if record.type != RecordType.REPORTED}
    # A user's own rescue has no beginning, so whoever has not spoken there may be on the way to it.
    has_beginning = any(record.type == RecordType.BEGAN for record in own)
    is_fatal = any(record.fatal for record in last.values())
    failures: dict[str, Failure] = {}
    succeeded, missing, skipped = set(), set(), set()
    is_waiting = False
    # A key can join a rescue in one play to the success in another, with other hosts.
    for host in dict.fromkeys((*hosts.all, *last)):
        record = last.get(host)
        is_active = host in hosts.active
        if record and record.type == RecordType.FAILED and record.failure:
            failures[host] = _explained(record.failure, is_fatal)
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
        elif _is_ended(host, hosts):
            # Ended on purpose: before the guard it has no part in it, under the guard it has done what it was to do.
            (succeeded if record else skipped).add(host)
        elif record:
            failures[host] = _vanished(host, hosts)
        else:
            missing.add(host)
    return Evaluation(
        failures, frozenset(succeeded), is_waiting, frozenset(missing), frozenset(skipped), _first_mark(own)
    )


def begin_record(records: Iterable[Record], host: str, include: str) -> Record | None:
    """Return what a host said when it last began the guard that is written there; None: it never did.

    Which guard it is was settled then. What names it may since have been changed by what it guards.
    """
    own = [
        record for record in records if (record.host, record.type, record.include) == (host, RecordType.BEGAN, include)
    ]
    return own[-1] if own else None


def failure_of(records: Iterable[Record], guard: str, host: str) -> Failure | None:
    """Return why a host gave up, if that is the last that it said of a guard."""
    own = [
        record
        for record in records
        if (record.guard, record.host) == (guard, host) and record.type != RecordType.REPORTED
    ]
    return own[-1].failure if own and own[-1].type == RecordType.FAILED else None


def is_final(last: Record | None, failure: Failure | None) -> bool:
    """Return whether a host can end without judging anew what everybody said: that takes long where many did.

    :param last: the last that was said of the guard, by whomever.
    :param failure: why this host gave up. Whether it was another host's failure, only what all have said can tell.
    """
    return last is not None and last.final and not (failure and failure.kind == DROPPED)


def shares_key(records: Iterable[Record], beginning: Record) -> bool:
    """Return whether another guard of this call has the same key of the user's own."""
    others = [
        record for record in records if record.type == RecordType.BEGAN and record.key and record.key == beginning.key
    ]
    return any((record.guard, record.include) != (beginning.guard, beginning.include) for record in others)


def was_unreachable(records: Iterable[Record], guard: str, host: str) -> bool:
    """Return whether a host could not be reached for a task since it last began a guard, ignored or not."""
    is_out = False
    for record in records:
        if record.host == host and record.type in (RecordType.BEGAN, RecordType.UNREACHABLE):
            is_out = record.type == RecordType.UNREACHABLE or (is_out and record.guard != guard)
    return is_out


def is_reported(records: Iterable[Record], guard: str, report: str) -> bool:
    """Return whether somebody has taken it on to report this."""
    return any(record.guard == guard and record.report == report for record in records)


def is_earlier(records: Iterable[Record], guard: str, host: str, fingerprint: str) -> bool:
    """Return whether the failure that Ansible holds for a host is one from before the guard.

    Ansible runs a rescue without a failure of its own when an include fails in the block, or when another host's
    failure is fatal for all; ``ansible_failed_task`` is then undefined, or still that of an earlier rescue.
    """
    began = [
        record for record in records if (record.guard, record.host, record.type) == (guard, host, RecordType.BEGAN)
    ]
    return bool(fingerprint and began and began[-1].earlier == fingerprint)


def to_json(record: Record) -> str:
    """Return one entry as one line of ASCII text."""
    return json.dumps(asdict(record), separators=(",", ":"))


def from_json(line: str) -> Record:
    """Return the entry that :func:`to_json` made this line of."""
    data: dict[str, Any] = json.loads(line)
    mark, failure = data.pop("mark"), data.pop("failure")
    data["type"] = RecordType(data["type"])
    return Record(**data, mark=mark and Mark(**mark), failure=failure and Failure(**failure))


def _explained(failure: Failure, is_fatal: bool) -> Failure:
    # The host whose failure was fatal may speak after those that it took with it, so this is known only now.
    if failure.kind == DROPPED and is_fatal:
        return replace(failure, kind=NOT_REACHED, message="")
    return failure


def _is_ended(host: str, hosts: Hosts) -> bool:
    # Where that cannot be known, a host that is gone counts as lost: better a page too many than one too few.
    return hosts.gone is not None and host not in hosts.gone


def _vanished(host: str, hosts: Hosts) -> Failure:
    if hosts.gone is not None and hosts.gone[host] == UNREACHABLE:
        return Failure(UNREACHABLE)
    return Failure(DROPPED, message=DROPPED_MESSAGE)


def _first_mark(own: Iterable[Record]) -> Mark:
    marks = [record.mark for record in own if record.mark]
    # Several ledgers: it was lost or begun meanwhile. No mark can say what was recorded in it before the guard began.
    if len({mark.ledger_id for mark in marks}) != 1:
        return NO_MARK
    return min(marks, key=lambda mark: mark.sequence)
