# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts under one guard said, and what follows: who failed, who came through, whether others may still speak.

Must stay pure: no Ansible, no files, no clock; journal.py keeps what was said, the action reads what Ansible knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils.identity import Identity, readable_key
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.recorder import LOST_MESSAGE
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import (
    LOST,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Run,
)

# What a host can say of a guard, or what is said about it.
BEGAN = "began"
CAME_THROUGH = "came_through"
GAVE_UP = "gave_up"  # it failed, or Ansible took it into the rescue without a failure of its own
UNPROVEN = "unproven"  # it came to the end, but was out of reach on the way
PASSED_BY = "passed_by"  # a condition led it past the guard
UNREACHED = "unreached"  # it could not be reached; this stands for no guard
REPORTED = "reported"  # the engine was told what is known; this stands for the guard, not for a host

_NO_MARK = Mark("", 0)


@dataclass(frozen=True)
class Said:
    """One entry: what one host said of one guard.

    :param guard: which guard, in which play of which process.
    :param caller: when it began: where the guard is written, the same for each host and at each step.
    :param key: the user's own, if there is one. :param title: what to call it, if the user has said so.
    :param name: what is guarded, in words.
    :param mark: the ledger's when the host began, or when it first spoke.
    :param earlier: when it began: the fingerprint of the failure that Ansible still held from before; see
        :func:`is_earlier`.
    :param failure: why it gave up.
    :param fatal: its failure takes other hosts with it: ``run_once`` or ``any_errors_fatal``.
    :param report: what was reported, as :attr:`Finding.report` names it.
    :param final: nobody was waited for any more when it was reported.
    """

    guard: str
    host: str
    what: str
    caller: str = ""
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
class Finding:
    """What is known of one guard at one moment.

    :param failures: by host, why it counts as failed.
    :param succeeded: hosts that came through, or were ended on purpose (``meta: end_host``) on the way.
    :param waiting: further hosts may still speak: those of later batches, or slower ones.
    :param missing: hosts that were out of the play before the guard, or out of reach on the way: not all came through,
        and the guard is not why.
    :param passed: hosts that a condition led past the guard.
    :param mark: the ledger's mark when the first host began.
    """

    failures: Mapping[str, Failure] = field(default_factory=dict)
    succeeded: frozenset[str] = frozenset()
    waiting: bool = False
    missing: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    mark: Mark = _NO_MARK

    @property
    def report(self) -> str:
        """A name for what is to be reported now, the same as long as that is the same; empty: there is nothing."""
        if self.failures:
            known = {host: asdict(failure) for host, failure in self.failures.items()}
            return _digest("failed", known, None if self.waiting else sorted(self.succeeded))
        if self.waiting or self.missing or not self.succeeded:
            return ""
        return _digest("succeeded", sorted(self.succeeded))

    def run(self, playbook: str, all_hosts: Iterable[str]) -> Run:
        """Return what is known as a run of the guarded tasks. As long as hosts may still speak it proves nothing good.

        :param all_hosts: of the play.
        """
        return Run(
            playbook,
            failures={host: (failure,) for host, failure in sorted(self.failures.items())},
            succeeded=frozenset() if self.waiting else self.succeeded,
            hosts=(frozenset(all_hosts) | frozenset(self.failures) | self.succeeded) - self.passed,
        )


def judge(said: Iterable[Said], guard: str, hosts: Hosts) -> Finding:
    """Return what is known of a guard.

    :param said: everything that was said so far, in order; of other guards too.
    """
    entries = [entry for entry in said if entry.guard == guard]
    last = {entry.host: entry for entry in entries if entry.what != REPORTED}
    # A user's own rescue has no beginning, so whoever has not spoken there may be on the way to it.
    has_beginning = any(entry.what == BEGAN for entry in entries)
    is_fatal = any(entry.fatal for entry in last.values())
    failures: dict[str, Failure] = {}
    succeeded, missing, passed = set(), set(), set()
    is_waiting = False
    # A key can join a rescue in one play to the success in another, with other hosts.
    for host in dict.fromkeys((*hosts.all, *last)):
        entry = last.get(host)
        is_active = host in hosts.active
        if entry and entry.what == GAVE_UP and entry.failure:
            failures[host] = _explained(entry.failure, is_fatal)
        elif entry and entry.what == CAME_THROUGH:
            succeeded.add(host)
        elif entry and entry.what == UNPROVEN:
            missing.add(host)
        elif entry and entry.what == PASSED_BY:
            passed.add(host)
        elif is_active:
            if entry is None and has_beginning and hosts.lockstep and host in hosts.batch:
                passed.add(host)
            else:
                is_waiting = True
        elif _is_ended(host, hosts):
            # Ended on purpose: before the guard it has no part in it, under the guard it has done what it was to do.
            (succeeded if entry else passed).add(host)
        elif entry:
            failures[host] = _vanished(host, hosts)
        else:
            missing.add(host)
    return Finding(
        failures, frozenset(succeeded), is_waiting, frozenset(missing), frozenset(passed), _first_mark(entries)
    )


def begun(said: Iterable[Said], host: str, caller: str) -> Said | None:
    """Return what a host said when it last began the guard that is written there; None: it never did.

    Which guard it is was settled then. What names it may since have been changed by what it guards.
    """
    entries = [entry for entry in said if (entry.host, entry.what, entry.caller) == (host, BEGAN, caller)]
    return entries[-1] if entries else None


def gave_up(said: Iterable[Said], guard: str, host: str) -> Failure | None:
    """Return why a host gave up, if that is the last that it said of a guard."""
    entries = [entry for entry in said if (entry.guard, entry.host) == (guard, host) and entry.what != REPORTED]
    return entries[-1].failure if entries and entries[-1].what == GAVE_UP else None


def is_over(last: Said | None, failure: Failure | None) -> bool:
    """Return whether a host can end without judging anew what everybody said: that takes long where many did.

    :param last: the last that was said of the guard, by whomever.
    :param failure: why this host gave up. Whether it was another host's failure, only what all have said can tell.
    """
    return last is not None and last.final and not (failure and failure.kind == LOST)


def shares_key(said: Iterable[Said], beginning: Said) -> bool:
    """Return whether another guard of this call has the same key of the user's own."""
    others = [entry for entry in said if entry.what == BEGAN and entry.key and entry.key == beginning.key]
    return any((entry.guard, entry.caller) != (beginning.guard, beginning.caller) for entry in others)


def was_out_of_reach(said: Iterable[Said], guard: str, host: str) -> bool:
    """Return whether a host could not be reached for a task since it last began a guard, ignored or not."""
    is_out = False
    for entry in said:
        if entry.host == host and entry.what in (BEGAN, UNREACHED):
            is_out = entry.what == UNREACHED or (is_out and entry.guard != guard)
    return is_out


def is_reported(said: Iterable[Said], guard: str, report: str) -> bool:
    """Return whether somebody has taken it on to report this."""
    return any(entry.guard == guard and entry.report == report for entry in said)


def is_earlier(said: Iterable[Said], guard: str, host: str, fingerprint: str) -> bool:
    """Return whether the failure that Ansible holds for a host is one from before the guard.

    Ansible runs a rescue without a failure of its own when an include fails in the block, or when another host's
    failure is fatal for all; ``ansible_failed_task`` is then undefined, or still that of an earlier rescue.
    """
    began = [entry for entry in said if (entry.guard, entry.host, entry.what) == (guard, host, BEGAN)]
    return bool(fingerprint and began and began[-1].earlier == fingerprint)


def to_json(said: Said) -> str:
    """Return one entry as one line of ASCII text."""
    return json.dumps(asdict(said), separators=(",", ":"))


def from_json(line: str) -> Said:
    """Return the entry that :func:`to_json` made this line of."""
    data: dict[str, Any] = json.loads(line)
    mark, failure = data.pop("mark"), data.pop("failure")
    return Said(**data, mark=mark and Mark(**mark), failure=failure and Failure(**failure))


@dataclass(frozen=True)
class NamedIdentity(Identity):
    """An identity whose incidents have a key of the user's choice.

    A run with ``--limit`` has a key of its own, as everywhere: without a ledger it could else close what it does not
    cover.
    """

    own_key: str = ""

    @property
    def key(self) -> str:
        if not self.scope.limit:
            return self.own_key
        return readable_key(self.own_key, self.base, self.scope.limit)


def _explained(failure: Failure, is_fatal: bool) -> Failure:
    # The host whose failure was fatal may speak after those that it took with it, so this is known only now.
    if failure.kind == LOST and is_fatal:
        return replace(failure, kind=NOT_REACHED, message="")
    return failure


def _is_ended(host: str, hosts: Hosts) -> bool:
    # Where that cannot be known, a host that is gone counts as lost: better a page too many than one too few.
    return hosts.gone is not None and host not in hosts.gone


def _vanished(host: str, hosts: Hosts) -> Failure:
    if hosts.gone is not None and hosts.gone[host] == UNREACHABLE:
        return Failure(UNREACHABLE)
    return Failure(LOST, message=LOST_MESSAGE)


def _first_mark(entries: Iterable[Said]) -> Mark:
    marks = [entry.mark for entry in entries if entry.mark]
    # Several ledgers: it was lost or begun meanwhile. No mark can say what was recorded in it before the guard began.
    if len({mark.ledger_id for mark in marks}) != 1:
        return _NO_MARK
    return min(marks, key=lambda mark: mark.sequence)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("ascii")).hexdigest()
