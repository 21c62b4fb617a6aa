# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies the rules after a run: records the run in the store, sends the requests that are due, records each answer.

Must not know what a page says or how it is sent: the caller passes a function that posts a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import CLOSED, Incident, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import (
    Policy,
    Request,
    RunFacts,
    after_answer,
    after_run,
    failing_key,
    pending,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    Store,
    StoreBusy,
    StoreError,
    StoreLost,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore

# How the line that the user sees describes a confirmed request.
_DONE = {outcomes.CREATED: "triggered", outcomes.DUPLICATE: "updated", outcomes.RESOLVED: "resolved"}


@dataclass(frozen=True)
class Reply:
    """The result of one request.

    :param outcome: a name of ``module_utils._outcome``; None if it is unknown whether the API processed the request.
    :param message: one sentence for the user.
    :param uncertain: whether the API may have processed an earlier attempt.
    :param in_time: whether there is time for another request.
    """

    outcome: str | None
    message: str
    uncertain: bool = False
    in_time: bool = True


@dataclass(frozen=True)
class Delivery:
    """One request that was made, and its result."""

    request: Request
    reply: Reply

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
    """

    sent: tuple[Delivery, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[str, ...]:
        """What the API confirmed, as phrases for the user."""
        return tuple(
            f"{_DONE[sent.reply.outcome]} incident {sent.request.key}"
            for sent in self.sent
            if sent.reply.outcome in _DONE and sent.is_confirmed
        )


@dataclass
class _Progress:
    sent: list[Delivery] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def result(self) -> Reconciliation:
        return Reconciliation(tuple(self.sent), tuple(self.warnings), tuple(self.notes))


def with_trouble(result: Reconciliation, error: StoreError) -> Reconciliation:
    """Return the result with a problem of the store added once: as a warning if something was lost, else as a note."""
    if str(error) in (*result.warnings, *result.notes):
        return result
    if isinstance(error, StoreLost):
        return replace(result, warnings=(*result.warnings, str(error)))
    return replace(result, notes=(*result.notes, str(error)))


def reconcile(
    store: Store,
    base: str,
    run: RunFacts,
    policy: Policy,
    post: Callable[[Request], Reply],
    clock: Callable[[], float] = time.time,
) -> Reconciliation:
    """Record a run in the ledger, send what is due, and return what was done. Store and API errors are not raised.

    :param base: of :class:`identity.Identity`; names the ledger.
    :param policy: its ``memory`` is replaced by that of the store.
    :param post: makes one request.
    :param clock: seconds, the same for all runs on this store.
    """
    progress = _Progress()
    policy = replace(policy, memory=store.memory)

    def record_run(ledger: Ledger) -> tuple[Ledger, tuple[Request | None, str | None]]:
        failing = failing_key(ledger, run, policy)
        ledger = after_run(ledger, run, policy, clock())
        return ledger, (pending(ledger, policy, clock(), failing=failing), failing)

    try:
        due, failing = store.update(base, record_run)
    except StoreError as error:
        # A duplicate page is better than none. But if the store still holds this incident as open, send no resolve:
        # once the store works again, the next failure would look like one that was already sent, and page nobody.
        known = _stored_incident(store, base, run.key, error)
        may_be_open = isinstance(error, StoreBusy) or (known is not None and bool(known.failed_hosts))
        run_to_send = replace(run, partial=True) if may_be_open else run
        result = with_trouble(reconcile(MemoryStore(), base, run_to_send, policy, post, clock), error)
        warnings = _unrecorded_run_warnings(run, known, error)
        return replace(result, warnings=(*result.warnings, *warnings))
    while due:
        request = due
        reply = post(request)
        progress.sent.append(Delivery(request, reply))
        try:
            warnings, due = store.update(base, _record_answer(request, reply, policy, clock, progress.sent, failing))
        except StoreError as error:
            progress.warnings += _failures(request, reply)
            return with_trouble(progress.result(), error)
        progress.warnings += warnings
        if request.state == RESOLVED and reply.outcome == outcomes.DUPLICATE and not warnings:
            progress.notes.append(
                f"The API treated the resolve of incident {request.key} as a duplicate of an earlier resolve. "
                "If that one was sent before the incident was triggered, the incident is still open."
            )
        if not reply.in_time and due:
            progress.notes.append("max_delay was too short for all requests. The next run sends the rest.")
            break
    return progress.result()


def _stored_incident(store: Store, base: str, key: str, error: StoreError) -> Incident | None:
    """Return the incident from a store that cannot be written, or None if it cannot be read or has no such incident."""
    if isinstance(error, StoreBusy | StoreLost):
        return None
    try:
        return store.read(base).incidents.get(key)
    except StoreError:
        return None


def _unrecorded_run_warnings(run: RunFacts, known: Incident | None, error: StoreError) -> list[str]:
    """Return what the user must know if a run could not be recorded and the store is out of date."""
    reason = str(error).rstrip(".")
    is_busy = isinstance(error, StoreBusy)
    if run.failed or run.aborted is not None:
        if is_busy or (known is not None and known.remote_state == CLOSED):
            return [f"{reason}. Successful runs may not resolve incident {run.key} until repeat_interval has elapsed."]
    elif known is not None and known.failed_hosts:
        return [f"{reason}. Incident {run.key} cannot be resolved until the store is writable again."]
    elif is_busy and run.wholly_successful:
        return [f"{reason}. If incident {run.key} is open, the next successful run resolves it."]
    return []


def _record_answer(
    request: Request,
    reply: Reply,
    policy: Policy,
    clock: Callable[[], float],
    sent: list[Delivery],
    failing: str | None,
) -> Callable[[Ledger], tuple[Ledger, tuple[list[str], Request | None]]]:
    def change(ledger: Ledger) -> tuple[Ledger, tuple[list[str], Request | None]]:
        ledger, doubts = after_answer(ledger, request, reply.outcome, policy, clock(), reply.uncertain)
        # The user has to find out why no filter matched, and the answer's message says where to look.
        reason = [reply.message] if doubts and reply.outcome == outcomes.UNMATCHED else []
        warnings = _failures(request, reply) or [*doubts, *reason]
        return ledger, (warnings, pending(ledger, policy, clock(), [one.request for one in sent], failing))

    return change


def _failures(request: Request, reply: Reply) -> list[str]:
    if reply.outcome not in (None, outcomes.FAILED):
        return []
    return [f"Incident {request.key} could not be {request.state}: {reply.message}"]
