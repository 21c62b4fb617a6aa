# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out what the rules want after a run: notes the run, sends what is due, and notes each answer.

Must not know what a page says, how it is sent, or who asks: callback and role hand these in.
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
    pending,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    Store,
    StoreBusy,
    StoreError,
    StoreLost,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore

# What an answer that grants the wish is called in the line that the user sees.
_DONE = {outcomes.CREATED: "triggered", outcomes.DUPLICATE: "updated", outcomes.RESOLVED: "resolved"}


@dataclass(frozen=True)
class Reply:
    """What came of one request.

    :param outcome: a name of ``module_utils._outcome``; None when nobody knows whether the API has processed it.
    :param message: one sentence for the user.
    :param uncertain: whether an earlier attempt may have been processed.
    :param in_time: whether there is time for another request.
    """

    outcome: str | None
    message: str
    uncertain: bool = False
    in_time: bool = True


@dataclass(frozen=True)
class Delivery:
    """One request that was made, and what came of it."""

    request: Request
    reply: Reply

    @property
    def is_confirmed(self) -> bool:
        """Whether the API has confirmed it: a duplicate is a page that went out before, or one that never did."""
        outcome = self.reply.outcome
        if self.request.state == TRIGGERED:
            return outcome == outcomes.CREATED or (outcome == outcomes.DUPLICATE and self.request.incident.confirmed)
        return outcome == outcomes.RESOLVED


@dataclass(frozen=True)
class Reconciliation:
    """What was done about a run.

    :param sent: the requests, in order.
    :param warnings: what the user must know: a page that did not go out, an incident that may still be open.
    :param notes: what explains how it went, for those who ask.
    """

    sent: tuple[Delivery, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[str, ...]:
        """What the API confirmed, in words."""
        return tuple(
            f"{_DONE[sent.reply.outcome]} incident {sent.request.key}"
            for sent in self.sent
            if sent.reply.outcome in _DONE and sent.is_confirmed
        )


@dataclass
class _Account:
    sent: list[Delivery] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def result(self) -> Reconciliation:
        return Reconciliation(tuple(self.sent), tuple(self.warnings), tuple(self.notes))


def with_trouble(result: Reconciliation, error: StoreError) -> Reconciliation:
    """Add what is wrong with the store, if it does not say so yet: a note, or a warning where something is lost."""
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
    """Note a run in the ledger, send what is due, and return what was done. Never raises for a store or an API.

    :param base: the ledger's name, of :class:`identity.Identity`.
    :param policy: its ``memory`` is the store's, whatever is handed in.
    :param post: makes one request.
    :param clock: seconds, the same for all runs on this store.
    """
    account = _Account()
    policy = replace(policy, memory=store.memory)

    def note_run(ledger: Ledger) -> tuple[Ledger, Request | None]:
        ledger = after_run(ledger, run, policy, clock())
        return ledger, pending(ledger, policy, clock())

    try:
        due = store.update(base, note_run)
    except StoreError as error:
        # A page that is sent twice is better than none. A resolve of which a ledger that comes back knows nothing is
        # not: the next failure would pass for one that is open, and page nobody.
        known = _known(store, base, run.key, error)
        is_kept = isinstance(error, StoreBusy) or (known is not None and bool(known.failed_hosts))
        noted = replace(run, partial=True) if is_kept else run
        result = with_trouble(reconcile(MemoryStore(), base, noted, policy, post, clock), error)
        warnings = _unnoted(run, known, error)
        return replace(result, warnings=(*result.warnings, *warnings))
    while due:
        request = due
        reply = post(request)
        account.sent.append(Delivery(request, reply))
        try:
            warnings, due = store.update(base, _note_answer(request, reply, policy, clock, account.sent))
        except StoreError as error:
            account.warnings += _failures(request, reply)
            return with_trouble(account.result(), error)
        account.warnings += warnings
        if request.state == RESOLVED and reply.outcome == outcomes.DUPLICATE and not warnings:
            account.notes.append(
                f"The API took the resolve of incident {request.key} for one that it has had before. "
                "If that was before the incident was triggered, it is still open."
            )
        if not reply.in_time and due:
            account.notes.append("There was no time left for all requests; the next run makes the rest.")
            break
    return account.result()


def _known(store: Store, base: str, key: str, error: StoreError) -> Incident | None:
    """Return what a store that cannot be written holds of this incident, if it can be read."""
    if isinstance(error, StoreBusy | StoreLost):
        return None
    try:
        return store.read(base).incidents.get(key)
    except StoreError:
        return None


def _unnoted(run: RunFacts, known: Incident | None, error: StoreError) -> list[str]:
    """Return what the user must know of a run that could not be noted, now that the store says something else."""
    because = str(error).rstrip(".")
    is_busy = isinstance(error, StoreBusy)
    if run.failed or run.aborted is not None:
        if is_busy or (known is not None and known.remote_state == CLOSED):
            return [f"{because}. Runs that succeed may not resolve incident {run.key} before repeat_interval is over."]
    elif known is not None and known.failed_hosts:
        return [f"{because}. Until it can be written again, incident {run.key} cannot be resolved."]
    elif is_busy and run.wholly_successful:
        return [f"{because}. If incident {run.key} is open, the next run that succeeds resolves it."]
    return []


def _note_answer(
    request: Request, reply: Reply, policy: Policy, clock: Callable[[], float], sent: list[Delivery]
) -> Callable[[Ledger], tuple[Ledger, tuple[list[str], Request | None]]]:
    def change(ledger: Ledger) -> tuple[Ledger, tuple[list[str], Request | None]]:
        ledger, doubts = after_answer(ledger, request, reply.outcome, policy, clock(), reply.uncertain)
        # Why no filter matched is for the user to find out: the answer's own words tell where to look.
        why = [reply.message] if doubts and reply.outcome == outcomes.UNMATCHED else []
        warnings = _failures(request, reply) or [*doubts, *why]
        return ledger, (warnings, pending(ledger, policy, clock(), [one.request for one in sent]))

    return change


def _failures(request: Request, reply: Reply) -> list[str]:
    if reply.outcome not in (None, outcomes.FAILED):
        return []
    wish = "triggered" if request.state == TRIGGERED else "resolved"
    return [f"Incident {request.key} could not be {wish}: {reply.message}"]
