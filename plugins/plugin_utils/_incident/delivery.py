# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the wishes that wait in the store, several at a time, and records each answer.

Must not know what a page says or how it is sent: the caller passes functions that compose and post a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger, Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    Store,
    StoreError,
    StoreLost,
    Waiting,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import (
    Reply,
    after_answer,
    postponed,
    request_of,
    waiting,
)

# How the line that the user sees describes a confirmed request.
_DONE = {outcomes.CREATED: "triggered", outcomes.DUPLICATE: "updated", outcomes.RESOLVED: "resolved"}
# How many requests are posted, and their answers recorded, together. More would be faster; but if the process is killed
# in between, the store has none of their answers, and the next run sends all of them again.
BATCH = 16
# Seconds before the next run tries what a run of another playbook could not deliver. While the API does not answer,
# that holds up one run a minute, not each.
_PAUSE = 60.0


@dataclass(frozen=True)
class Sender:
    """How requests are made and sent.

    :param compose: returns the body of a request.
    :param post: sends wishes, several at the same time, and returns a reply for each. The second argument says whether
        the run made them: then each may be tried several times.
    :param destination: a digest of where it sends, and with which token.
    :param reserve: seconds for which wishes are left to the run that made them.
    """

    compose: Callable[[Request], Any]
    post: Callable[[Sequence[Wish], bool], Sequence[Reply]]
    destination: str = ""
    reserve: float = 0.0


@dataclass(frozen=True)
class Delivery:
    """One request that was made, and its result.

    :param is_own: whether it is about the run's own base.
    """

    request: Request
    reply: Reply
    is_own: bool = True

    @property
    def is_confirmed(self) -> bool:
        """Whether the API confirmed the request.

        A duplicate alone confirms nothing: the API may have opened an incident for the earlier request, or none at all.
        """
        outcome = self.reply.outcome
        if self.request.state == TRIGGERED:
            return outcome == outcomes.CREATED or (outcome == outcomes.DUPLICATE and self.request.incident.confirmed)
        return outcome == outcomes.RESOLVED


@dataclass(frozen=True)
class Reconciliation:
    """What was done after a run.

    :param sent: the requests, in order.
    :param warnings: what the user must know: a page that was not sent, an incident that may still be open.
    :param notes: further explanations, shown with ``-v``.
    :param before: what was done while the run went on, in words.
    :param is_recorded: whether the store knows of the run.
    """

    sent: tuple[Delivery, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    is_recorded: bool = True

    @property
    def opened_groups(self) -> tuple[str, ...]:
        """The keys of the incidents of groups that were triggered."""
        return tuple(sent.request.key for sent in self.sent if sent.request.incident.group and sent.request.hosts)

    @property
    def done(self) -> tuple[str, ...]:
        """What the API confirmed, as phrases for the user."""
        return self.before + tuple(
            f"{_DONE[sent.reply.outcome]} incident {sent.request.key}"
            for sent in self.sent
            if sent.reply.outcome in _DONE and sent.is_confirmed
        )


NOTHING_DONE = Reconciliation()


def with_trouble(result: Reconciliation, error: StoreError) -> Reconciliation:
    """Return the result with a problem of the store added once: as a warning if something was lost, else as a note."""
    if str(error) in (*result.warnings, *result.notes):
        return result
    if isinstance(error, StoreLost):
        return replace(result, warnings=(*result.warnings, str(error)))
    return replace(result, notes=(*result.notes, str(error)))


def deliver(
    store: Store,
    base: str,
    due: Iterable[Request],
    policy: Policy,
    sender: Sender,
    clock: Callable[[], float] = time.time,
) -> Reconciliation:
    """Send the wishes of a base, then those that other runs have left in the store, and return what was done.

    :param base: empty if there is none of one's own.
    :param due: the wishes of this base.
    """
    delivery = _Deliveries(store, replace(policy, memory=store.memory), sender, clock)
    try:
        delivery.send_own(base, due)
        if delivery.in_time:
            delivery.send_others(base)
    except StoreError as error:
        return with_trouble(delivery.result, error)
    return delivery.result


class _Deliveries:
    """Sends wishes and records the answers."""

    def __init__(self, store: Store, policy: Policy, sender: Sender, clock: Callable[[], float]) -> None:
        self._store = store
        self._policy = policy
        self._sender = sender
        self._clock = clock
        self._sent: list[Delivery] = []
        self._warnings: list[str] = []
        self._notes: list[str] = []
        self.in_time = True

    @property
    def result(self) -> Reconciliation:
        return Reconciliation(tuple(self._sent), tuple(self._warnings), tuple(self._notes))

    def send_own(self, base: str, due: Iterable[Request]) -> None:
        """Send the wishes that this run made, each once, and those that the answers call for."""
        waiting, tried = list(due), set[Request]()
        while waiting and self.in_time:
            some, waiting = waiting[:BATCH], waiting[BATCH:]
            tried.update(some)
            more = self._send([(base, request) for request in some], is_own=True)
            waiting += [one for one in more if one not in tried and one not in waiting]
        if waiting:
            self._notes.append("max_delay was too short for all requests. The next run sends the rest.")

    def send_others(self, own: str) -> None:
        """Send what runs of other bases have left. If no answer comes, stop: the others would get none either."""
        waiting = [one for one in self._store.waiting(self._clock()) if one.base != own]
        here = [one for one in waiting if one.destination == self._sender.destination]
        while here and self.in_time:
            some, here = here[:BATCH], here[BATCH:]
            taken = [(one.base, request) for one in some if (request := self._take(one))]
            if taken:
                self._send(taken, is_own=False)
                if any(sent.reply.outcome is None for sent in self._sent[-len(taken) :]):
                    break
        elsewhere = len(waiting) - sum(one.destination == self._sender.destination for one in waiting)
        if elsewhere:
            incidents = f"{elsewhere} incident{'s' if elsewhere > 1 else ''}"
            self._notes.append(f"{incidents} waited for another API token or base URL.")

    def _take(self, one: Waiting) -> Request | None:
        """Leave a wish to this process for a while, and return it; None if another one was faster."""
        now = self._clock()

        def change(ledger: Ledger) -> tuple[Ledger, Request | None]:
            incident = ledger.incidents.get(one.key)
            wish = incident.wish if incident else None
            if not incident or not wish or not wish.is_due or wish.not_before > now:
                return ledger, None
            incident = replace(incident, wish=replace(wish, not_before=now + self._sender.reserve))
            return replace(ledger, incidents={**ledger.incidents, one.key: incident}), request_of(incident)

        return self._store.update(one.base, change, (one.key,))

    def _send(self, requests: Sequence[tuple[str, Request]], is_own: bool) -> list[Request]:
        """Send wishes together, record the answers, and return what waits now in their ledgers.

        :raises StoreError: an answer could not be recorded.
        """
        wishes = [request.incident.wish for _base, request in requests]
        replies = self._sender.post([wish for wish in wishes if wish], is_own)
        self._sent += [
            Delivery(request, reply, is_own) for (_base, request), reply in zip(requests, replies, strict=True)
        ]
        self.in_time = all(reply.in_time for reply in replies)
        answers: dict[str, list[tuple[Request, Reply]]] = {}
        for (base, request), reply in zip(requests, replies, strict=True):
            answers.setdefault(base, []).append((request, reply))
        # The run that made a wish has warned of it. Who only passes it on need not be told again.
        warnings = self._warnings if is_own else self._notes
        due: list[Request] = []
        recorded = 0
        try:
            for base, some in answers.items():
                doubts, more = self._record(base, some, is_own)
                due += more
                recorded += len(some)
                for (request, reply), doubt in zip(some, doubts, strict=True):
                    warnings += self._explained(request, reply, doubt)
        except StoreError:
            unrecorded = [pair for some in answers.values() for pair in some][recorded:]
            warnings += [failure for pair in unrecorded for failure in _failures(*pair)]
            raise
        return due

    def _record(
        self, base: str, answers: Sequence[tuple[Request, Reply]], is_own: bool
    ) -> tuple[list[tuple[str, ...]], tuple[Request, ...]]:
        def change(ledger: Ledger) -> tuple[Ledger, tuple[list[tuple[str, ...]], tuple[Request, ...]]]:
            doubts = []
            for request, reply in answers:
                ledger, doubt = after_answer(ledger, request, reply, self._policy, self._clock())
                doubts.append(doubt)
                ledger = ledger if is_own else postponed(ledger, request.key, self._clock() + _PAUSE)
            return ledger, (doubts, waiting(ledger))

        return self._store.update(base, change, [request.key for request, _reply in answers])

    def _explained(self, request: Request, reply: Reply, doubts: tuple[str, ...]) -> list[str]:
        """Return what the user must know about an answer."""
        # The user has to find out why no filter matched, and the answer's message says where to look.
        reason = [reply.message] if doubts and reply.outcome == outcomes.UNMATCHED else []
        warnings = _failures(request, reply) or [*doubts, *reason]
        if request.state == RESOLVED and reply.outcome == outcomes.DUPLICATE and not warnings:
            self._notes.append(
                f"The API treated the resolve of incident {request.key} as a duplicate of an earlier resolve. "
                "If that one was sent before the incident was triggered, the incident is still open."
            )
        return warnings


def _failures(request: Request, reply: Reply) -> list[str]:
    if reply.outcome not in (None, outcomes.FAILED):
        return []
    return [f"Incident {request.key} could not be {request.state}: {reply.message}"]
