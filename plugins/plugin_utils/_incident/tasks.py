# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does to the store: a request that the API did not answer is queued, one that it confirmed is recorded.

Must stay pure, like rules.py.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope, digest
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    FailedHost,
    Incident,
    Ledger,
    Wish,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import OVERDUE, TASK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import with_event

# The base that all queued requests of tasks share.
BASE = digest("tasks")
NAME = "tasks of playbooks"


def queued(ledger: Ledger, key: str, wish: Wish, now: float) -> Ledger:
    """Return the ledger of :data:`BASE` with a request that waits. It replaces an earlier one with the same key."""
    sequence = ledger.sequence + 1
    is_trigger = wish.state == TRIGGERED
    incident = replace(
        ledger.incidents.get(key) or Incident(key, Scope()),
        failed_hosts={TASK: FailedHost(sequence, {})} if is_trigger else {},
        episode=0,
        remote_state=MAYBE,
        # For a task, unlike for a run, a duplicate means that the incident is there.
        confirmed=is_trigger,
        since=now if is_trigger else 0.0,
        wish=wish,
    )
    ledger = replace(ledger, name=NAME, sequence=sequence, incidents={**ledger.incidents, key: incident})
    return with_event(ledger, now, key, f"a task queued it as {wish.state}: {wish.answer}")


def superseded(ledger: Ledger, key: str) -> Ledger:
    """Return the ledger after the API answered a newer request of a task: the one that waits must not overtake it.

    The newer request needed no queue, so nothing is left to look after.
    """
    incident = ledger.incidents.get(key)
    if not incident or not incident.wish or not incident.wish.waiting:
        return ledger
    wish = replace(incident.wish, waiting=False, parked="")
    incident = replace(incident, failed_hosts={}, remote_state=CLOSED, confirmed=False, wish=wish, held_back="")
    return replace(ledger, incidents={**ledger.incidents, key: incident})


def emptied(ledger: Ledger, key: str, now: float) -> Ledger:
    """Return the ledger after the API resolved this incident for a task: its next failure must page again."""
    incident = ledger.incidents.get(key)
    if not incident:
        return ledger
    wish = incident.wish and replace(incident.wish, waiting=False, parked="")
    if OVERDUE in incident.failed_hosts:
        # Somebody has dealt with it. Otherwise each look would page again, also for a playbook that no longer exists.
        ledger = replace(ledger, overdue_after=0.0)
    incident = replace(
        incident, failed_hosts={}, remote_state=CLOSED, confirmed=False, answered_at=now, wish=wish, held_back=""
    )
    ledger = replace(ledger, incidents={**ledger.incidents, key: incident})
    return with_event(ledger, now, key, "resolved by a task")
