# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks after runs and wishes that no run looks after itself: killed, hanging and overdue runs, undelivered requests.

Must not print, nor know who asks: the next run of the same base, or ``callgoose_watch``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import this_machine
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import (
    NOTHING_DONE,
    Reconciliation,
    Sender,
    deliver,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import record
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.watching import found
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import unparked
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._noted_run import gone_runs, settle, without_ended
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.about import read_about
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.reasons import describe
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor

# Parked requests that are named.
_SHOWN = 20


@dataclass(frozen=True)
class Watched:
    """What a look at the store found and did.

    :param found: by base and in words, the runs that were killed, hang, or are missing.
    :param would_send: in check mode, the incident keys and states of what would be sent.
    :param result: what was sent.
    :param parked: by incident key, why a request is not sent again by itself.
    """

    found: tuple[tuple[str, str], ...] = ()
    would_send: tuple[tuple[str, str], ...] = ()
    result: Reconciliation = NOTHING_DONE
    parked: tuple[tuple[str, str], ...] = ()


def watch(store: Store, redactor: Redactor, sender: Sender, retry_parked: bool = False) -> Watched:
    """Look at all runs in the store, and send what waits there for this destination.

    :param retry_parked: also send what the API refused before.
    :raises StoreError: the store cannot be used.
    """
    everything = []
    for base in store.bases(watched=True):
        everything += watch_base(store, base, redactor, sender)
    for one in store.parked() if retry_parked else ():
        store.update(one.base, lambda ledger: (unparked(ledger, sender.destination), None), (one.key,))
    result = deliver(store, "", (), Policy(), sender)
    return Watched(tuple(everything), result=result, parked=_parked(store, sender))


def watch_base(
    store: Store, base: str, redactor: Redactor, sender: Sender, clock: Callable[[], float] = time.time
) -> list[tuple[str, str]]:
    """Record which runs of a base were killed, hang, or are missing, and return them in words. Nothing is sent.

    :raises StoreError: the store cannot be used.
    """
    stories: dict[str, Mapping[str, Any]] = {}
    words: list[tuple[str, str]] = []
    known: set[str] = set()

    def change(ledger: Ledger) -> tuple[Ledger, Collection[str]]:
        before = ledger
        known.update(ledger.runs)
        ledger = without_ended(ledger, clock())
        gone = gone_runs(ledger, this_machine().name)
        ledger, failing = found(ledger, gone, describe, _policy(store, ledger), clock())
        stories.update(dict.fromkeys(ledger.incidents, ledger.about) | failing)
        new = ledger.events[len(before.events) :]
        words[:] = [(ledger.name, event.text) for event in new if not event.key]
        return ledger, failing

    def compose(request: Request) -> dict[str, Any]:
        subject, options, _policy = read_about(stories[request.key])
        return payload_for(request, subject, options, 0, redactor).body()

    policy = _policy(store, store.read(base))
    record(store, base, change, policy, replace(sender, compose=compose, reserve=0.0), clock, is_own=False)
    settle(known)
    return words


def foresee(store: Store, sender: Sender, retry_parked: bool = False) -> Watched:
    """Return what :func:`watch` would do, without doing it.

    :raises StoreError: the store cannot be used.
    """
    now = time.time()
    everything, would_send = [], []
    for base in store.bases(watched=True):
        ledger = store.read(base)
        after, failing = found(ledger, gone_runs(ledger, this_machine().name), describe, _policy(store, ledger), now)
        everything += [(ledger.name, event.text) for event in after.events if not event.key]
        would_send += [(key, "triggered") for key in failing]
    due = [*store.waiting(now), *(store.parked() if retry_parked else ())]
    for base in sorted({one.base for one in due}):
        for key, incident in unparked(store.read(base), sender.destination if retry_parked else "").incidents.items():
            wish = incident.wish
            if wish and wish.is_due and wish.not_before <= now and wish.destination == sender.destination:
                would_send.append((key, wish.state))
    sent = {key for key, _state in would_send}
    parked = tuple(one for one in _parked(store, sender) if one[0] not in sent)
    return Watched(tuple(everything), tuple(dict.fromkeys(would_send)), parked=parked)


def _parked(store: Store, sender: Sender) -> tuple[tuple[str, str], ...]:
    """Return why requests are parked, by incident key."""
    found = []
    for one in store.parked()[:_SHOWN]:
        incident = store.read(one.base, (one.key,)).incidents.get(one.key)
        reason = incident.wish.parked if incident and incident.wish else ""
        other = "" if one.destination == sender.destination else " It was meant for another API token or base URL."
        found.append((one.key, f"{reason}{other}"))
    return tuple(found)


def _policy(store: Store, ledger: Ledger) -> Policy:
    """Return the policy of the last run of a base, for what is found out about it."""
    return replace(read_about(ledger.about)[2], memory=store.memory)
