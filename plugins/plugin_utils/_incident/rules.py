# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: how a run changes the incidents of its base, which request is due, and what an answer proves.

Must stay pure: no clock (``now`` is handed in), no randomness, no store, no network, no Ansible.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    NONE,
    OPEN,
    OWN,
    SHARED,
    UNKNOWN,
    FailedHost,
    Incident,
    Ledger,
    Mark,
)

# ansible-core creates these hosts if a play names one that is not in the inventory (constants.LOCALHOST).
_IMPLICIT = frozenset(("localhost", "127.0.0.1", "::1"))
# Each new --limit adds an incident, so the ledger has to be bounded. If a dropped key recurs, that costs one resolve.
_CLOSED_KEPT = 1000
_NO_EFFECT = (outcomes.DUPLICATE, outcomes.UNMATCHED, outcomes.NOTHING_TO_RESOLVE)


@dataclass(frozen=True)
class Policy:
    """The parameters of the rules, which come from the user and the store.

    :param after_failures: consecutive failed runs before the first page.
    :param repeat_interval: seconds after which an open incident is sent again, and a resolve may be.
    :param page_limited_runs: whether failures of a run with ``--limit`` count; its successes always do.
    :param memory: what the store remembers: ``NONE``, ``OWN`` or ``SHARED``.
    """

    after_failures: int = 1
    repeat_interval: float = 4 * 3600.0
    page_limited_runs: bool = True
    memory: str = OWN


@dataclass(frozen=True)
class RunFacts:
    """What the rules need to know about a finished run. Callers must not pass check-mode runs.

    :param key: of the run's base and scope.
    :param succeeded: hosts on which the run succeeded.
    :param failed: by host, plain redacted data for the page.
    :param inventory: all hosts of the inventory, read when the run ended.
    :param added: those hosts that no source of the inventory names: the run's tasks have added them.
    :param aborted: None if the run reached its end; otherwise data for the page, as in ``failed``.
    :param partial: it ran with ``--start-at-task`` or ``--step``, or was interrupted: no host counts as recovered.
    :param dubious: its events and its statistics disagree: no host counts as recovered.
    :param guarded: a guard has reported failures of it, in an incident of its own.
    :param matched: every host that one of its plays matched; None if another call may match others.
    :param unlimited_key: if AWX relaunched a job with a limit: the key of the same run without it. The limit is either
        the hosts that failed, or that of the relaunched job, and the run cannot tell which.
    :param began: the ledger's mark when the run began.
    :param revision: the project's revision; empty if unknown.
    """

    scope: Scope
    key: str
    succeeded: frozenset[str]
    failed: Mapping[str, Mapping[str, Any]]
    inventory: frozenset[str]
    began: Mark
    aborted: Mapping[str, Any] | None = None
    partial: bool = False
    dubious: bool = False
    guarded: bool = False
    added: frozenset[str] = frozenset()
    matched: frozenset[str] | None = None
    unlimited_key: str = ""
    revision: str = ""

    @property
    def successes_count(self) -> bool:
        """Whether its successes count."""
        return self.aborted is None and not self.partial and not self.dubious

    @property
    def wholly_successful(self) -> bool:
        """Whether it succeeded on its whole scope."""
        return self.successes_count and not self.failed and not self.guarded and bool(self.succeeded)


@dataclass(frozen=True)
class Request:
    """One request to make. Two requests are equal if they say the same, even if the incident has changed otherwise.

    :param state: ``triggered`` or ``resolved``.
    :param episode: for ``details.episode``; 0 sends none.
    :param hosts: the incident's failed hosts; none for a resolve.
    :param incident: as it was when the request was decided, for the page.
    """

    state: str
    key: str
    episode: int
    hosts: frozenset[str]
    incident: Incident = field(compare=False, repr=False)


def aborted_host(scope: Scope) -> str:
    """Return the pseudo-host that stands for an aborted run of this scope in an incident. It starts with ``*``."""
    return "*" + ",".join(scope.limit)


def after_run(ledger: Ledger, run: RunFacts, policy: Policy, now: float) -> Ledger:
    """Return the ledger after a run: recovered hosts leave their incidents, and failed hosts join one.

    :param now: clock time in seconds, from the clock that :func:`pending` and :func:`after_answer` use too.
    """
    run = _without_needless_limit(run, ledger)
    before = ledger.incidents
    incidents = {key: _without_recovered(incident, run, ledger) for key, incident in before.items()}
    sequence = ledger.sequence
    joining = _joining(run, policy)
    key = failing_key(ledger, run, policy)
    if key is not None:
        sequence += 1
        incident = incidents.get(key, Incident(key, run.scope))
        if key not in before or not before[key].failed_hosts:
            incident = _opened(incident, policy, ledger, now)
        failed_hosts = {host: FailedHost(sequence, failure, host in run.added) for host, failure in joining.items()}
        incidents[key] = _counted(replace(incident, failed_hosts={**incident.failed_hosts, **failed_hosts}), policy)
    if run.wholly_successful:
        incidents[run.key] = _resolve_unknown(incidents.get(run.key), run, policy, now)
        if run.scope == Scope() and run.revision:
            ledger = replace(ledger, good_revision=run.revision)
    return replace(ledger, sequence=sequence, incidents=_without_oldest(incidents))


def failing_key(ledger: Ledger, run: RunFacts, policy: Policy) -> str | None:
    """Return the key of the incident that the failed hosts of a run join, or None if no failure of it counts.

    :param ledger: as it was before the run. If all hosts of an incident recover while others fail, it stays one.
    """
    run = _without_needless_limit(run, ledger)
    if not _joining(run, policy):
        return None
    incidents = ledger.incidents.items()
    return next((key for key, incident in incidents if incident.failed_hosts and _same_tags(incident, run)), run.key)


def pending(
    ledger: Ledger, policy: Policy, now: float, sent: Collection[Request] = (), failing: str | None = None
) -> Request | None:
    """Return the next request to send for any incident of this ledger, triggers before resolves, or None.

    :param now: clock time in seconds.
    :param sent: the requests that this run has already made, whatever their result: a run makes none twice.
    :param failing: what :func:`failing_key` returned for this run. If ``repeat_interval`` has elapsed, only this
        incident is triggered again: a run that succeeds pages nobody about what was paged before.
    """
    requests = (_wanted(incident, policy, now, incident.key == failing) for incident in ledger.incidents.values())
    return min(
        (request for request in requests if request and request not in sent),
        key=lambda request: (request.state == RESOLVED, request.key),
        default=None,
    )


def after_answer(
    ledger: Ledger, request: Request, outcome: str | None, policy: Policy, now: float, uncertain: bool = False
) -> tuple[Ledger, tuple[str, ...]]:
    """Return the ledger after an answer, and warnings for the user. State changes only if the API confirms it.

    Other runs may have changed the incident since ``request`` was decided.

    :param outcome: a name of ``module_utils._outcome``; None if it is unknown whether the API processed the request.
    :param now: clock time in seconds.
    :param uncertain: whether the API may have processed an earlier attempt of the same request.
    """
    incident = ledger.incidents.get(request.key)
    if incident is None:  # the ledger was lost meanwhile: the next successful run with this key sends a resolve
        return ledger, ()
    apply = _after_trigger if request.state == TRIGGERED else _after_resolve
    if uncertain and outcome in _NO_EFFECT:
        # The earlier attempt may have opened an incident that should be closed by now, or closed one already.
        incident = apply(incident, request, None, policy, now)
    after = apply(incident, request, outcome, policy, now)
    warnings: tuple[str, ...] = ()
    # Repeat the warning that a page may be missing, but say only once that an incident may still be open.
    is_known = request.state == RESOLVED and after.warned
    if outcome in _NO_EFFECT and _is_in_doubt(after, request, outcome, policy) and not is_known:
        after = replace(after, warned=request.state == RESOLVED)
        warnings = (_WARNINGS[request.state].format(key=request.key, outcome=outcome),)
    return replace(ledger, incidents={**ledger.incidents, request.key: after}), warnings


_WARNINGS = {
    TRIGGERED: "The API did not open incident {key} ({outcome}), so the on-call engineer may not have been paged. "
    "The next run sends the trigger again.",
    RESOLVED: "The API did not resolve incident {key} ({outcome}), so it may still be open. "
    "The next run sends the resolve again.",
}


def _is_in_doubt(incident: Incident, request: Request, outcome: str, policy: Policy) -> bool:
    """Return whether to warn the user that the request may have had no effect."""
    if request.state == RESOLVED:
        return not incident.failed_hosts and incident.remote_state == OPEN
    # Without a store, a duplicate is normal: an earlier run may have opened the incident.
    is_expected = policy.memory == NONE and outcome == outcomes.DUPLICATE
    is_wanted = request.episode == incident.episode and bool(incident.failed_hosts)
    return is_wanted and not incident.confirmed and not is_expected


def _without_needless_limit(run: RunFacts, ledger: Ledger) -> RunFacts:
    """Return a relaunched run as unlimited, if all hosts that had failed recovered, or if it covers the inventory."""
    if not run.unlimited_key:
        return run
    failed = [incident.hosts for incident in ledger.incidents.values() if incident.hosts and _same_tags(incident, run)]
    covers_failed = bool(failed) and run.successes_count and all(hosts <= run.succeeded for hosts in failed)
    covers_all = bool(run.inventory) and run.matched is not None and run.inventory <= run.matched
    if not covers_failed and not covers_all:
        return run
    scope = replace(run.scope, limit=())
    # Its plays matched no more than the limit, so that proves nothing about other hosts.
    return replace(run, scope=scope, key=run.unlimited_key, unlimited_key="", matched=None)


def _has_elapsed(since: float, policy: Policy, now: float) -> bool:
    # abs: if the clock was set back, the incident must not stay silent; if it is seconds behind, it must not repeat.
    return abs(now - since) >= policy.repeat_interval


def _same_tags(incident: Incident, run: RunFacts) -> bool:
    return (incident.scope.tags, incident.scope.skip_tags) == (run.scope.tags, run.scope.skip_tags)


def _without_recovered(incident: Incident, run: RunFacts, ledger: Ledger) -> Incident:
    covered = _same_tags(incident, run) or not (run.scope.tags or run.scope.skip_tags)
    if not run.successes_count or not covered or run.began.ledger_id != ledger.id:
        return incident
    failed_hosts = {
        host: failed
        for host, failed in incident.failed_hosts.items()
        if failed.sequence > run.began.sequence or not _has_recovered(host, failed.added, run)
    }
    return replace(incident, failed_hosts=failed_hosts)


def _has_recovered(host: str, was_added: bool, run: RunFacts) -> bool:
    """Return whether the host recovered in a run whose successes count, or no longer takes part.

    A host takes part if it is in the inventory and a play matches it, even if it skips all tasks.

    :param was_added: whether the run in which the host failed had added it to the inventory.
    """
    if host.startswith("*"):
        return run.wholly_successful and (not run.scope.limit or host == aborted_host(run.scope))
    if host in run.failed:
        return False
    if host in run.succeeded:
        return True
    # A broken dynamic inventory is empty, or lacks all hosts of the plays.
    is_trusted = not run.scope.limit and bool(run.inventory) and bool(run.succeeded or run.failed)
    if is_trusted and host not in run.inventory and host not in _IMPLICIT:
        # A run that fails may have ended before the task that adds the host.
        return not was_added or (run.wholly_successful and run.matched is not None and host not in run.matched)
    is_complete = run.wholly_successful and run.scope == Scope()
    return is_complete and run.matched is not None and host not in run.matched


def _joining(run: RunFacts, policy: Policy) -> dict[str, Mapping[str, Any]]:
    if run.scope.limit and not policy.page_limited_runs:
        return {}
    aborted = {} if run.aborted is None else {aborted_host(run.scope): run.aborted}
    return {**run.failed, **aborted}


def _opened(incident: Incident, policy: Policy, ledger: Ledger, now: float) -> Incident:
    incident = replace(incident, confirmed=False, failed_runs=0, refused_at=None, warned=False)
    if policy.memory == NONE:
        # Each run would open it anew, and its page would differ each time.
        return replace(incident, episode=0)
    return replace(incident, episode=incident.episode + 1, since=now, good_revision=ledger.good_revision)


def _counted(incident: Incident, policy: Policy) -> Incident:
    incident = replace(incident, failed_runs=incident.failed_runs + 1)
    if _is_due(incident, policy) and incident.remote_state in (UNKNOWN, CLOSED):
        # From here on a trigger may be sent, and this ledger might never learn its result.
        return replace(incident, remote_state=MAYBE)
    return incident


def _is_due(incident: Incident, policy: Policy) -> bool:
    # Without a store, failed runs cannot be counted.
    return incident.confirmed or policy.memory == NONE or incident.failed_runs >= policy.after_failures


def _resolve_unknown(own: Incident | None, run: RunFacts, policy: Policy, now: float) -> Incident:
    """Return the incident of a wholly successful run's key, as unknown if a lost ledger may have opened one."""
    if own is None:
        return Incident(run.key, run.scope)
    if own.remote_state != CLOSED or policy.memory == SHARED or not _has_elapsed(own.answered_at, policy, now):
        return own
    return replace(own, remote_state=UNKNOWN)


def _without_oldest(incidents: dict[str, Incident]) -> dict[str, Incident]:
    closed = [incident for incident in incidents.values() if not incident.failed_hosts and incident.is_settled]
    oldest = sorted(closed, key=lambda incident: incident.answered_at)[:-_CLOSED_KEPT]
    dropped = {incident.key for incident in oldest}
    return {key: incident for key, incident in incidents.items() if key not in dropped}


def _wanted(incident: Incident, policy: Policy, now: float, is_failing: bool) -> Request | None:
    if not incident.failed_hosts:
        if incident.remote_state == CLOSED:
            return None
        return Request(RESOLVED, incident.key, incident.episode, frozenset(), incident)
    # A smaller set of failed hosts is no reason to page again.
    is_news = not incident.confirmed or not incident.hosts <= incident.sent_hosts
    is_repeat = is_failing and _has_elapsed(incident.answered_at, policy, now)
    if not _is_due(incident, policy) or not (is_news or is_repeat):
        return None
    return Request(TRIGGERED, incident.key, incident.episode, incident.hosts, incident)


def _after_trigger(incident: Incident, request: Request, outcome: str | None, policy: Policy, now: float) -> Incident:
    if incident.failed_hosts and request.episode == incident.episode:
        # Open only on 201, or on 208 if it was already confirmed open.
        if outcome == outcomes.CREATED or (outcome == outcomes.DUPLICATE and incident.confirmed):
            return replace(incident, confirmed=True, remote_state=OPEN, sent_hosts=request.hosts, answered_at=now)
        return incident
    # Another run has closed or reopened it since. If a resolve was confirmed meanwhile, it is unknown whether the API
    # processed this trigger before or after it.
    if outcome == outcomes.CREATED and incident.remote_state != CLOSED:
        return replace(incident, remote_state=OPEN)
    if outcome in (outcomes.CREATED, None) and incident.remote_state != OPEN:
        return replace(incident, remote_state=MAYBE)
    return incident


def _after_resolve(incident: Incident, request: Request, outcome: str | None, policy: Policy, now: float) -> Incident:
    if incident.failed_hosts:
        return _reopened(incident) if outcome in (outcomes.RESOLVED, None) else incident
    is_same = request.episode == incident.episode
    if outcome in (outcomes.RESOLVED, None) and not (outcome and is_same):
        return replace(incident, remote_state=MAYBE) if incident.remote_state == OPEN else incident
    # An incident that was confirmed open is resolved only on 200 with "resolved": true. No other answer closes it.
    if outcome == outcomes.FAILED or not is_same or (outcome in _NO_EFFECT and incident.remote_state == OPEN):
        return incident
    if outcome == outcomes.DUPLICATE and incident.remote_state == MAYBE:
        # The API processed a similar resolve before, perhaps before the trigger. If it still answers so after
        # repeat_interval, when no deduplication window can be the reason, there is nothing to resolve.
        since = now if incident.refused_at is None else incident.refused_at
        if not _has_elapsed(since, policy, now):
            return replace(incident, refused_at=since)
    return replace(incident, remote_state=CLOSED, answered_at=now)


def _reopened(incident: Incident) -> Incident:
    """Return the incident as a new episode: a resolve may have closed it after the trigger for its failed hosts."""
    return replace(incident, episode=incident.episode + 1, confirmed=False, remote_state=MAYBE)
