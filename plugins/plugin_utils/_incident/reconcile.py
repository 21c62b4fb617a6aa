# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies the rules after a run: records the run and its wishes in the store, and has them delivered.

Must not know what a page says or how it is sent: the caller passes functions that compose and post a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import (
    Reconciliation,
    Sender,
    deliver,
    with_trouble,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import CLOSED, Incident, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import after_run, newly_failing_keys
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    Store,
    StoreBusy,
    StoreError,
    StoreLost,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import (
    planned,
    waiting,
)


def reconcile(
    store: Store,
    base: str,
    run: RunFacts,
    policy: Policy,
    sender: Sender,
    clock: Callable[[], float] = time.time,
) -> Reconciliation:
    """Record a run in the ledger, send what waits, and return what was done. Store and API errors are not raised.

    :param base: of :class:`identity.Identity`; names the ledger.
    :param policy: its ``memory`` is replaced by that of the store.
    :param clock: seconds, the same for all runs on this store.
    """
    try:
        due = record(store, base, run_change(run, policy, store, clock), policy, sender, clock)
    except StoreError as error:
        # A duplicate page is better than none. But if the store still holds this incident as open, send no resolve:
        # once the store works again, the next failure would look like one that was already sent, and page nobody.
        known = None if isinstance(error, StoreBusy | StoreLost) else stored_incident(store, base, run.key)
        may_be_open = isinstance(error, StoreBusy) or (known is not None and bool(known.failed_hosts))
        run_to_send = replace(run, partial=True) if may_be_open else run
        result = with_trouble(reconcile(MemoryStore(), base, run_to_send, policy, sender, clock), error)
        warnings = unrecorded_run_warnings(run, known, error, result.opened_groups)
        return replace(result, warnings=(*result.warnings, *warnings), is_recorded=False)
    return deliver(store, base, due, policy, sender, clock)


def run_change(
    run: RunFacts, policy: Policy, store: Store, clock: Callable[[], float] = time.time
) -> Callable[[Ledger], tuple[Ledger, Collection[str]]]:
    """Return what a run changes in its ledger, for :func:`record`."""
    policy = replace(policy, memory=store.memory)

    def change(ledger: Ledger) -> tuple[Ledger, Collection[str]]:
        return after_run(ledger, run, policy, clock()), newly_failing_keys(ledger, run, policy)

    return change


def record(
    store: Store,
    base: str,
    change: Callable[[Ledger], tuple[Ledger, Collection[str]]],
    policy: Policy,
    sender: Sender,
    clock: Callable[[], float] = time.time,
    is_own: bool = True,
) -> tuple[Request, ...]:
    """Change the ledger of a base, make a wish for each incident that is not as it should be, and return those due.

    :param change: returns the changed ledger, and the keys of the incidents that something joined.
    :param is_own: whether a run of this base does it. Otherwise only incidents that have changed get a wish.
    :raises StoreError: the ledger could not be changed.
    """
    policy = replace(policy, memory=store.memory)

    def change_and_plan(ledger: Ledger) -> tuple[Ledger, tuple[Request, ...]]:
        before = ledger.incidents
        ledger, failing = change(ledger)
        changed = None if is_own else {key for key, one in ledger.incidents.items() if one != before.get(key)}
        ledger = planned(
            ledger, policy, clock(), sender.compose, sender.destination, set(failing), sender.reserve, changed
        )
        return ledger, waiting(ledger)

    return store.update(base, change_and_plan)


def stored_incident(store: Store, base: str, key: str) -> Incident | None:
    """Return the incident from a store that cannot be written, or None if it cannot be read or has no such incident."""
    try:
        return store.read(base).incidents.get(key)
    except StoreError:
        return None


def unrecorded_run_warnings(
    run: RunFacts, known: Incident | None, error: StoreError, groups: Collection[str] = ()
) -> list[str]:
    """Return what the user must know if a run could not be recorded and the store is out of date.

    :param known: the run's incident, as the store has it.
    :param groups: the keys of the incidents of groups that the run triggered.
    """
    reason = str(error).rstrip(".")
    is_busy = isinstance(error, StoreBusy)
    if groups:
        keys = f"incident{'s' * (len(groups) > 1)} {', '.join(groups)}"
        by_hand = f"ansible-playbook callgoose.sqibs.resolve -e callgoose_incident_key={next(iter(groups))}"
        return [f"{reason}. No later run knows {keys}, so none resolves what this one triggered. By hand: {by_hand}."]
    if run.failed or run.aborted is not None:
        if is_busy or (known is not None and known.remote_state == CLOSED):
            return [f"{reason}. Successful runs may not resolve incident {run.key} until repeat_interval has elapsed."]
    elif known is not None and known.failed_hosts:
        return [f"{reason}. Incident {run.key} cannot be resolved until the store is writable again."]
    elif is_busy and run.wholly_successful:
        return [f"{reason}. If incident {run.key} is open, the next successful run resolves it."]
    return []
