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

from ansible_collections.callgoose.sqibs.plugins.module_utils import outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils.event import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.incidents import (
    Policy,
    RunFacts,
    Send,
    after_answer,
    after_run,
    pending,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import CLOSED, Incident, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.store import (
    MemoryStore,
    Store,
    StoreBusy,
    StoreError,
    StoreLost,
)

# What an answer that grants the wish is called in the line that the user sees.
_DONE = {outcomes.CREATED: "raised", outcomes.DUPLICATE: "updated", outcomes.RESOLVED: "resolved"}


@dataclass(frozen=True)
class Reply:
    """What came of one request.

    :param outcome: a name of ``module_utils.outcome``; None when nobody knows whether the API has processed it.
    :param message: one sentence for the user.
    :param uncertain: whether an earlier attempt may have been processed.
    :param in_time: whether there is time for another request.
    """

    outcome: str | None
    message: str
    uncertain: bool = False
    in_time: bool = True


@dataclass(frozen=True)
class Sent:
    """One request that was made, and what came of it."""

    send: Send
    reply: Reply

    @property
    def is_granted(self) -> bool:
        """Whether the API has granted it: a duplicate is a page that went out before, or one that never did."""
        outcome = self.reply.outcome
        if self.send.state == TRIGGERED:
            return outcome == outcomes.CREATED or (outcome == outcomes.DUPLICATE and self.send.incident.granted)
        return outcome == outcomes.RESOLVED


@dataclass(frozen=True)
class Settlement:
    """What was done about a run.

    :param sent: the requests, in order.
    :param warnings: what the user must know: a page that did not go out, an incident that may still be open.
    :param notes: what explains how it went, for those who ask.
    """

    sent: tuple[Sent, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[str, ...]:
        """What the API granted, in words."""
        return tuple(
            f"{_DONE[sent.reply.outcome]} incident {sent.send.key}"
            for sent in self.sent
            if sent.reply.outcome in _DONE and sent.is_granted
        )


@dataclass
class _Account:
    sent: list[Sent] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def settlement(self) -> Settlement:
        return Settlement(tuple(self.sent), tuple(self.warnings), tuple(self.notes))


def with_trouble(settlement: Settlement, error: StoreError) -> Settlement:
    """Add what is wrong with the store, if it does not say so yet: a note, or a warning where something is lost."""
    if str(error) in (*settlement.warnings, *settlement.notes):
        return settlement
    if isinstance(error, StoreLost):
        return replace(settlement, warnings=(*settlement.warnings, str(error)))
    return replace(settlement, notes=(*settlement.notes, str(error)))


def settle(
    store: Store,
    base: str,
    run: RunFacts,
    policy: Policy,
    post: Callable[[Send], Reply],
    clock: Callable[[], float] = time.time,
) -> Settlement:
    """Note a run in the ledger, send what is due, and return what was done. Never raises for a store or an API.

    :param base: the ledger's name, of :class:`identity.Identity`.
    :param policy: its ``memory`` is the store's, whatever is handed in.
    :param post: makes one request.
    :param clock: seconds, the same for all runs on this store.
    """
    account = _Account()
    policy = replace(policy, memory=store.memory)

    def note_run(ledger: Ledger) -> tuple[Ledger, Send | None]:
        ledger = after_run(ledger, run, policy, clock())
        return ledger, pending(ledger, policy, clock())

    try:
        due = store.update(base, note_run)
    except StoreError as error:
        # A page that is sent twice is better than none. A resolve of which a ledger that comes back knows nothing is
        # not: the next failure would pass for one that is open, and page nobody.
        known = _known(store, base, run.key, error)
        is_kept = isinstance(error, StoreBusy) or (known is not None and bool(known.members))
        noted = replace(run, partial=True) if is_kept else run
        settlement = with_trouble(settle(MemoryStore(), base, noted, policy, post, clock), error)
        warnings = _unnoted(run, known, error)
        return replace(settlement, warnings=(*settlement.warnings, *warnings))
    while due:
        send = due
        reply = post(send)
        account.sent.append(Sent(send, reply))
        try:
            warnings, due = store.update(base, _note_answer(send, reply, policy, clock, account.sent))
        except StoreError as error:
            account.warnings += _failures(send, reply)
            return with_trouble(account.settlement(), error)
        account.warnings += warnings
        if send.state == RESOLVED and reply.outcome == outcomes.DUPLICATE and not warnings:
            account.notes.append(
                f"The API took the resolve of incident {send.key} for one that it has had before. "
                "If that was before the incident was raised, it is still open."
            )
        if not reply.in_time and due:
            account.notes.append("There was no time left for all requests; the next run makes the rest.")
            break
    return account.settlement()


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
        if is_busy or (known is not None and known.standing == CLOSED):
            return [f"{because}. Runs that succeed may not resolve incident {run.key} before repeat_interval is over."]
    elif known is not None and known.members:
        return [f"{because}. Until it can be written again, incident {run.key} cannot be resolved."]
    elif is_busy and run.wholly_successful:
        return [f"{because}. If incident {run.key} is open, the next run that succeeds resolves it."]
    return []


def _note_answer(
    send: Send, reply: Reply, policy: Policy, clock: Callable[[], float], sent: list[Sent]
) -> Callable[[Ledger], tuple[Ledger, tuple[list[str], Send | None]]]:
    def change(ledger: Ledger) -> tuple[Ledger, tuple[list[str], Send | None]]:
        ledger, doubts = after_answer(ledger, send, reply.outcome, policy, clock(), reply.uncertain)
        # Why no filter matched is for the user to find out: the answer's own words tell where to look.
        why = [reply.message] if doubts and reply.outcome == outcomes.UNMATCHED else []
        warnings = _failures(send, reply) or [*doubts, *why]
        return ledger, (warnings, pending(ledger, policy, clock(), [one.send for one in sent]))

    return change


def _failures(send: Send, reply: Reply) -> list[str]:
    if reply.outcome not in (None, outcomes.FAILED):
        return []
    wish = "raised" if send.state == TRIGGERED else "resolved"
    return [f"Incident {send.key} could not be {wish}: {reply.message}"]
