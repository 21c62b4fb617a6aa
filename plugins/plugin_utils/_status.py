# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the store for people: each incident, each playbook, what runs, and why nothing was sent.

Must not change the store, nor send anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import this_machine
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._durations import shown
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    OPEN,
    UNKNOWN,
    Incident,
    Ledger,
    RunNote,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import is_hanging
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._noted_run import gone_runs
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.reasons import utc

_CONFIRMED = {OPEN: "open", CLOSED: "closed", UNKNOWN: "nothing was sent"}


@dataclass(frozen=True)
class Filter:
    """Which incidents to read. Empty values select everything.

    :param playbook: a pattern for the name of the playbook or job template.
    :param state: ``open``, ``closed``, ``waiting`` or ``parked``.
    """

    incident_key: str = ""
    playbook: str = ""
    state: str = ""


def read_status(store: Store, destination: str, filter: Filter, history: int) -> dict[str, Any]:
    """Return where the store is, and the incidents and the playbooks in it, as plain data.

    :param destination: where this machine's token leads; empty if it has none.
    :param history: how many of the last events of each playbook to read.
    :raises StoreError: the store cannot be used.
    """
    now = time.time()
    incidents, playbooks = [], []
    for base in [base for key in [filter.incident_key] for base in (store.bases_of(key) if key else store.bases())]:
        ledger = store.read(base)
        name = ledger.name or "(unknown)"
        if filter.playbook and not fnmatchcase(name, filter.playbook):
            continue
        found = [_incident(one, name, destination) for one in ledger.incidents.values()]
        incidents += [one for one in found if _fits(one, filter)]
        if not filter.state:
            playbooks.append(_playbook(store, base, ledger, now, history))
    incidents.sort(key=lambda one: (not one["failed_hosts"], one["playbook"], one["incident_key"]))
    return {
        "store": store.place,
        "incidents": incidents,
        "playbooks": sorted(playbooks, key=lambda one: str(one["playbook"])),
    }


def _fits(incident: dict[str, Any], filter: Filter) -> bool:
    if filter.incident_key and incident["incident_key"] != filter.incident_key:
        return False
    return {
        "": True,
        "open": incident["wanted"] == "open",
        "closed": incident["wanted"] == "closed",
        "waiting": incident["waiting"],
        "parked": bool(incident["parked"]),
    }[filter.state]


def _incident(incident: Incident, playbook: str, destination: str) -> dict[str, Any]:
    wish = incident.wish
    return {
        "incident_key": incident.key,
        "playbook": playbook,
        "group": incident.group,
        "wanted": "open" if incident.failed_hosts else "closed",
        "confirmed": _CONFIRMED.get(incident.remote_state, "not known"),
        "failed_hosts": sorted(incident.failed_hosts),
        "limit": list(incident.scope.limit),
        "tags": list(incident.scope.tags),
        "skip_tags": list(incident.scope.skip_tags),
        "since": utc(incident.since) if incident.failed_hosts else "",
        "episode": incident.episode,
        "failed_runs": incident.failed_runs,
        "waiting": bool(wish and wish.is_due),
        "parked": wish.parked if wish else "",
        "last_answer": wish.answer if wish else "",
        "title": str(wish.body.get("title", "")) if wish and isinstance(wish.body, dict) else "",
        "why": _why(incident, destination),
    }


def _why(incident: Incident, destination: str) -> str:
    """Return why the last failed run paged nobody, or why a request waits; empty if nothing was kept back."""
    wish = incident.wish
    if wish and wish.parked:
        return f"parked: {wish.parked}"
    if wish and wish.waiting and destination and wish.destination != destination:
        return "waits for another API token or base URL"
    if wish and wish.waiting:
        return f"waits for the next run: {wish.answer}" if wish.answer else "waits for the next run"
    return incident.held_back if incident.failed_hosts else ""


def _playbook(store: Store, base: str, ledger: Ledger, now: float, history: int) -> dict[str, Any]:
    gone = gone_runs(ledger, this_machine().name)
    last = ledger.last_success or ledger.first_run
    return {
        "playbook": ledger.name or "(unknown)",
        "incident_key": ledger.key,
        "first_run": utc(ledger.first_run),
        "last_success": utc(ledger.last_success),
        "good_revision": ledger.good_revision,
        "overdue_after": shown(ledger.overdue_after) if ledger.overdue_after else "",
        "overdue": 0 < ledger.overdue_after < now - last,
        "why": ledger.held_back,
        "runs": [_run(run, id in gone, now) for id, run in sorted(ledger.runs.items())],
        "history": list(_history(store, base, history)),
    }


def _run(run: RunNote, is_gone: bool, now: float) -> dict[str, Any]:
    return {
        "controller": run.controller,
        "began": utc(run.began_at),
        "last_task_at": utc(run.touched_at),
        "task": run.task,
        "limit": list(run.scope.limit),
        "state": "killed" if is_gone else "hanging" if is_hanging(run, now) else "running",
    }


def _history(store: Store, base: str, most: int) -> Iterator[dict[str, str]]:
    for event in store.history(base, most) if most > 0 else ():
        yield {"at": utc(event.at), "incident_key": event.key, "event": event.text}
