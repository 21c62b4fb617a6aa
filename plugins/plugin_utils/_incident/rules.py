# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: how a run changes the incidents of its base, and which request is due for each.

Must stay pure: no clock (``now`` is handed in), no randomness, no store, no network, no Ansible.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope, key_of_group
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    NONE,
    SHARED,
    UNKNOWN,
    Event,
    FailedHost,
    Incident,
    Ledger,
    RunNote,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import (
    OVERDUE,
    RUNNING,
    aborted_host,
    in_words,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.recovery import (
    is_same_job,
    same_tags,
    without_recovered,
)

# Each new --limit adds an incident, so the ledger has to be bounded. If a dropped key recurs, that costs one resolve.
_CLOSED_KEPT = 1000


def after_run(ledger: Ledger, run: RunFacts, policy: Policy, now: float) -> Ledger:
    """Return the ledger after a run: recovered hosts leave their incidents, and failed hosts join one of their group.

    :param now: clock time in seconds, from the clock that all functions here and in wishes.py use.
    """
    run = _without_needless_limit(run, ledger)
    before = ledger.incidents
    runs = {id: note for id, note in ledger.runs.items() if id != run.id}
    if run.wholly_successful:
        # A run that hangs on a machine that is gone never ends: a success takes its place, unless both are slices.
        runs = {id: note for id, note in runs.items() if not is_hanging(note, now) or is_same_job(note.slice_of, run)}
    ledger = replace(ledger, runs=runs)
    is_hung = any(is_hanging(note, now) for note in runs.values())
    incidents = {key: without_recovered(incident, run, ledger, is_hung) for key, incident in before.items()}
    joining, keys = _joining(run, policy), failing_keys(ledger, run, policy)
    ledger = joined(
        replace(ledger, incidents=incidents),
        {key: {host: joining[host] for host in joining if _group(host, run) == group} for group, key in keys.items()},
        run.scope,
        policy,
        now,
        groups={key: group for group, key in keys.items()},
        opened={key for key in keys.values() if key not in before or not before[key].failed_hosts},
        added=run.added,
        noticed=run.noticed,
        slice_of=run.slice_of,
    )
    has_failed = bool(run.failed or run.aborted is not None)
    ledger = replace(ledger, held_back=LIMITED if has_failed and not keys else "" if has_failed else ledger.held_back)
    if has_failed and not keys:
        ledger = with_event(ledger, now, "", f"a run failed, and nothing was sent: {LIMITED}")
    incidents = dict(ledger.incidents)
    if run.wholly_successful:
        if not run.slice_of or policy.memory == SHARED:
            incidents[run.key] = _resolve_unknown(incidents.get(run.key), run, policy, now)
        if run.scope == Scope():
            # Another slice of the same revision may fail yet.
            revision = "" if run.slice_of else run.revision
            ledger = replace(ledger, good_revision=revision or ledger.good_revision, last_success=now, held_back="")
    return replace(ledger, incidents=_without_oldest(incidents))


# Why a failed run joins no incident.
LIMITED = "it was a run with --limit, and page_limited_runs is false"


def joined(
    ledger: Ledger,
    joining: Mapping[str, Mapping[str, Mapping[str, Any]]],
    scope: Scope,
    policy: Policy,
    now: float,
    groups: Mapping[str, str] | None = None,
    opened: Collection[str] | None = None,
    added: Collection[str] = (),
    noticed: frozenset[str] = frozenset(),
    slice_of: str = "",
) -> Ledger:
    """Return the ledger after hosts, or pseudo-hosts, joined incidents.

    :param joining: by key of the incident and by host, the data for the page.
    :param scope: of the run that failed.
    :param groups: by key, the group of the incident.
    :param opened: the keys of the incidents that open by it; None means those that have no failed hosts.
    :param added: those hosts that the run had added to the inventory.
    :param noticed: those whose failure was recorded when it happened: then the run was counted.
    :param slice_of: the job of which the run was a slice.
    """
    if not joining:
        return ledger
    sequence = ledger.sequence + 1
    incidents = dict(ledger.incidents)
    for key, failures in joining.items():
        incident = incidents.get(key) or Incident(key, scope, group=(groups or {}).get(key, ""))
        is_opened = not incident.failed_hosts if opened is None else key in opened
        if is_opened:
            incident = _opened(incident, policy, ledger, now)
        failed_hosts = {
            host: FailedHost(sequence, failure, host in added, slice_of) for host, failure in failures.items()
        }
        is_counted = not noticed.isdisjoint(incident.failed_hosts)
        incident = replace(incident, failed_hosts={**incident.failed_hosts, **failed_hosts})
        incidents[key] = incident if is_counted else _counted(incident, policy)
        if is_counted and noticed.issuperset(failures):
            continue  # the history has it
        shown = ", ".join(map(in_words, sorted(failures)[:5]))
        names = shown + (f" and {len(failures) - 5} more" if len(failures) > 5 else "")
        ledger = with_event(ledger, now, key, f"{'opened by' if is_opened else 'failed again on'} {names}")
    return replace(ledger, sequence=sequence, incidents=incidents)


def failing_keys(ledger: Ledger, run: RunFacts, policy: Policy) -> dict[str, str]:
    """Return, by group, the key of the incident that its failed hosts join; nothing if no failure of the run counts.

    :param ledger: as it was before the run. If all hosts of an incident recover while others fail, it stays one.
    """
    run = _without_needless_limit(run, ledger)
    standing = {
        i.group: i.key for i in reversed(list(ledger.incidents.values())) if i.failed_hosts and same_tags(i, run)
    }
    groups = sorted({_group(host, run) for host in _joining(run, policy)})
    return {group: standing.get(group) or key_of_group(run.key, group) for group in groups}


def newly_failing_keys(ledger: Ledger, run: RunFacts, policy: Policy) -> set[str]:
    """Return the keys of :func:`failing_keys` without those of which all was recorded when it happened."""
    groups = {_group(host, run) for host in _joining(run, policy) if host not in run.noticed}
    return {key for group, key in failing_keys(ledger, run, policy).items() if group in groups}


def wanted(incident: Incident, policy: Policy, now: float, is_failing: bool) -> Request | None:
    """Return the request that is due for an incident after a run of its base, or None if it is in force.

    :param is_failing: whether hosts joined it in this run. If ``repeat_interval`` has elapsed, only such an incident is
        triggered again: a run that succeeds pages nobody about what was paged before.
    """
    if not incident.failed_hosts:
        if incident.remote_state == CLOSED:
            return None
        return Request(RESOLVED, incident.key, incident.episode, frozenset(), incident)
    # A smaller set of failed hosts is no reason to page again.
    is_news = not incident.confirmed or not incident.hosts <= incident.sent_hosts
    is_repeat = is_failing and has_elapsed(incident.answered_at, policy, now)
    if not is_due(incident, policy) or not (is_news or is_repeat):
        return None
    return Request(TRIGGERED, incident.key, incident.episode, incident.hosts, incident)


def is_due(incident: Incident, policy: Policy) -> bool:
    """Return whether enough runs have failed for a page."""
    if incident.confirmed or policy.memory == NONE:  # without a store, failed runs cannot be counted
        return True
    return incident.failed_runs >= policy.after_failures or not incident.hosts.isdisjoint((RUNNING, OVERDUE))


def is_hanging(run: RunNote, now: float) -> bool:
    """Return whether a run has lasted longer than it may."""
    return 0 < run.max_run_time < now - run.began_at


def has_elapsed(since: float, policy: Policy, now: float) -> bool:
    """Return whether ``repeat_interval`` has passed."""
    # abs: if the clock was set back, the incident must not stay silent; if it is seconds behind, it must not repeat.
    return abs(now - since) >= policy.repeat_interval


def with_event(ledger: Ledger, now: float, key: str, text: str) -> Ledger:
    """Return the ledger with another entry of its history."""
    return replace(ledger, events=(*ledger.events, Event(now, key, text)))


def _without_needless_limit(run: RunFacts, ledger: Ledger) -> RunFacts:
    """Return a relaunched run as unlimited, if all hosts that had failed recovered, or if it covers the inventory."""
    if not run.unlimited_key:
        return run
    failed = [incident.hosts for incident in ledger.incidents.values() if incident.hosts and same_tags(incident, run)]
    covers_failed = bool(failed) and run.successes_count and all(hosts <= run.succeeded for hosts in failed)
    covers_all = bool(run.inventory) and run.matched is not None and run.inventory <= run.matched
    if not covers_failed and not covers_all:
        return run
    scope = replace(run.scope, limit=())
    # Its plays matched no more than the limit, so that proves nothing about other hosts.
    return replace(run, scope=scope, key=run.unlimited_key, unlimited_key="", matched=None)


def _joining(run: RunFacts, policy: Policy) -> dict[str, Mapping[str, Any]]:
    if run.scope.limit and not policy.page_limited_runs:
        return {}
    aborted = {} if run.aborted is None else {aborted_host(run.scope): run.aborted}
    return {**run.failed, **aborted}


def _group(host: str, run: RunFacts) -> str:
    return run.groups.get(host, "")


def _opened(incident: Incident, policy: Policy, ledger: Ledger, now: float) -> Incident:
    incident = replace(incident, confirmed=False, failed_runs=0, refused_at=None, warned=False)
    if policy.memory == NONE:
        # Each run would open it anew, and its page would differ each time.
        return replace(incident, episode=0)
    return replace(incident, episode=incident.episode + 1, since=now, good_revision=ledger.good_revision)


def _counted(incident: Incident, policy: Policy) -> Incident:
    incident = replace(incident, failed_runs=incident.failed_runs + 1)
    if is_due(incident, policy) and incident.remote_state in (UNKNOWN, CLOSED):
        # From here on a trigger may be sent, and this ledger might never learn its result.
        return replace(incident, remote_state=MAYBE)
    return incident


def _resolve_unknown(own: Incident | None, run: RunFacts, policy: Policy, now: float) -> Incident:
    """Return the incident of a wholly successful run's key, as unknown if a lost ledger may have opened one."""
    if own is None:
        return Incident(run.key, run.scope)
    if own.remote_state != CLOSED or policy.memory == SHARED or not has_elapsed(own.answered_at, policy, now):
        return own
    return replace(own, remote_state=UNKNOWN)


def _without_oldest(incidents: dict[str, Incident]) -> dict[str, Incident]:
    closed = [incident for incident in incidents.values() if not incident.failed_hosts and incident.is_settled]
    oldest = sorted(closed, key=lambda incident: incident.answered_at)[:-_CLOSED_KEPT]
    dropped = {incident.key for incident in oldest}
    return {key: incident for key, incident in incidents.items() if key not in dropped}
