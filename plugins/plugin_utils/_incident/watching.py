# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, hang or never happen: which of them join an incident, as the pseudo-hosts of pseudo_hosts.py.

Must stay pure, like rules.py: the caller says which processes are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger, RunNote
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import (
    HANGING,
    KILLED,
    MISSING,
    OVERDUE,
    RUNNING,
    aborted_host,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import is_hanging, joined, with_event

# Returns the data for the page from the kind of a failure, the task that ran, a limit in seconds, and a clock time.
Describe = Callable[[str, str, float, float], Mapping[str, Any]]


def begun(
    ledger: Ledger, id: str, run: RunNote, key: str, name: str, overdue_after: float | None, now: float
) -> Ledger:
    """Return the ledger with a run that begins now.

    :param id: of the run, random.
    :param key: the key of an incident of the whole base, for a missing success.
    :param name: the playbook or job template, for people.
    :param overdue_after: seconds after which a success of the base is missing; 0 means never. None leaves it as it is:
        a run by hand, without the options of the schedule, must not switch the watch off.
    """
    return replace(
        ledger,
        runs={**ledger.runs, id: run},
        key=key,
        name=name,
        about=run.about,
        first_run=ledger.first_run or now,
        overdue_after=ledger.overdue_after if overdue_after is None else overdue_after,
    )


def ended(ledger: Ledger, id: str, now: float) -> Ledger:
    """Return the ledger after a run that counts neither as failed nor as successful, such as an interrupted one."""
    ledger = replace(ledger, runs={other: run for other, run in ledger.runs.items() if other != id})
    if any(is_hanging(run, now) for run in ledger.runs.values()):
        return ledger
    incidents = {
        key: replace(incident, failed_hosts={h: f for h, f in incident.failed_hosts.items() if h != RUNNING})
        if RUNNING in incident.failed_hosts
        else incident
        for key, incident in ledger.incidents.items()
    }
    return replace(ledger, incidents=incidents)


def found(
    ledger: Ledger, gone: Collection[str], describe: Describe, policy: Policy, now: float
) -> tuple[Ledger, dict[str, Mapping[str, Any]]]:
    """Return the ledger after a look at its runs, and the keys of the incidents that something joined.

    Each key comes with what the ledger keeps about the run, for the page.

    :param gone: the ids of the runs whose processes no longer exist.
    """
    failing: dict[str, Mapping[str, Any]] = {}
    for id in sorted(gone & ledger.runs.keys()):
        run = ledger.runs[id]
        ledger = ended(ledger, id, now)
        ledger = with_event(ledger, now, "", f"a run was killed{_in_task(run)}")
        if run.scope.limit and not policy.page_limited_runs:
            continue
        failure = describe(KILLED, run.task, 0.0, 0.0)
        host = aborted_host(run.scope)
        ledger, key = join(ledger, host, run.scope, run.key, failure, policy, now, run.slice_of)
        failing[key] = run.about
    for run in [run for run in ledger.runs.values() if is_hanging(run, now)]:
        if any(RUNNING in incident.failed_hosts for incident in ledger.incidents.values()):
            break
        ledger = with_event(ledger, now, "", f"a run hangs{_in_task(run)}")
        failure = describe(HANGING, run.task, run.max_run_time, 0.0)
        ledger, key = join(ledger, RUNNING, run.scope, run.key, failure, policy, now)
        failing[key] = run.about
    last = ledger.last_success or ledger.first_run
    is_missing = 0 < ledger.overdue_after < now - last
    if is_missing and not any(OVERDUE in incident.failed_hosts for incident in ledger.incidents.values()):
        ledger = with_event(ledger, now, "", "a success is overdue")
        failure = describe(MISSING, "", ledger.overdue_after, ledger.last_success)
        ledger, key = join(ledger, OVERDUE, Scope(), ledger.key, failure, policy, now)
        failing[key] = ledger.about
    return ledger, failing


def join(
    ledger: Ledger,
    host: str,
    scope: Scope,
    key: str,
    failure: Mapping[str, Any],
    policy: Policy,
    now: float,
    slice_of: str = "",
) -> tuple[Ledger, str]:
    """Return the ledger after a pseudo-host joined an incident, and the key of that.

    :param key: of the incident that opens if none with the tags of this scope is open.
    :param failure: plain, redacted data for the page.
    :param slice_of: the job of which the run was a slice.
    """
    tags = (scope.tags, scope.skip_tags)
    of_tags = (i for i in ledger.incidents.values() if i.failed_hosts and not i.group)
    standing = next((i.key for i in of_tags if (i.scope.tags, i.scope.skip_tags) == tags), key)
    return joined(ledger, {standing: {host: failure}}, scope, policy, now, slice_of=slice_of), standing


def _in_task(run: RunNote) -> str:
    return f" in the task {run.task}" if run.task else ""
