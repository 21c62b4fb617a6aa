# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: what a run means for the incidents of its base, what is to be sent, and what an answer proves.

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

# ansible-core makes these hosts up when a play names one that the inventory lacks (constants.LOCALHOST).
_IMPLICIT = frozenset(("localhost", "127.0.0.1", "::1"))
# A --limit of its own in each run would let a ledger grow for ever; forgetting one costs a resolve when it comes again.
_CLOSED_KEPT = 1000
_NOTHING_DONE = (outcomes.DUPLICATE, outcomes.UNMATCHED, outcomes.NOTHING_TO_RESOLVE)


@dataclass(frozen=True)
class Policy:
    """What the user and the store decide about the rules.

    :param after_failures: consecutive failed runs before the first page.
    :param repeat_interval: seconds until an open incident is sent again, and a known resolve may be.
    :param page_limited_runs: whether failures of a run with ``--limit`` count; its successes always do.
    :param memory: the store's: ``NONE``, ``OWN`` or ``SHARED``.
    """

    after_failures: int = 1
    repeat_interval: float = 4 * 3600.0
    page_limited_runs: bool = True
    memory: str = OWN


@dataclass(frozen=True)
class RunFacts:
    """What the rules need to know of a run that is over. Check-mode runs must not get here.

    :param key: of the run's base and scope.
    :param succeeded: hosts that are proven good.
    :param failed: by host, plain redacted data for the report.
    :param inventory: all hosts of the inventory, read when the run ended.
    :param aborted: None when the run reached its end; otherwise data for the report, as in ``failed``.
    :param partial: it ran with ``--start-at-task`` or ``--step``, or was interrupted: it proves no host good.
    :param dubious: its events and its statistics disagree: likewise.
    :param guarded: a guard has reported failures of it, in an incident of its own.
    :param began: the ledger's mark when the run began.
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

    @property
    def proves(self) -> bool:
        """Whether what succeeded in it counts."""
        return self.aborted is None and not self.partial and not self.dubious

    @property
    def wholly_successful(self) -> bool:
        """Whether it proves the whole of its scope good."""
        return self.proves and not self.failed and not self.guarded and bool(self.succeeded)


@dataclass(frozen=True)
class Request:
    """One request to make. Equal ones say the same thing, whatever else has changed in the incident.

    :param state: ``triggered`` or ``resolved``.
    :param episode: for ``details.episode``; 0 is none.
    :param hosts: the incident's failed_hosts; none for a resolve.
    :param incident: as it was when this was decided, for the report.
    """

    state: str
    key: str
    episode: int
    hosts: frozenset[str]
    incident: Incident = field(compare=False, repr=False)


def aborted_host(scope: Scope) -> str:
    """Return the pseudo-host by which an aborted run of this scope joins an incident: it starts with ``*``."""
    return "*" + ",".join(scope.limit)


def after_run(ledger: Ledger, run: RunFacts, policy: Policy, now: float) -> Ledger:
    """Return the ledger after a run: hosts leave, hosts join, and what this run alone can know is noted.

    :param now: seconds of the clock that :func:`pending` and :func:`after_answer` get too.
    """
    before = ledger.incidents
    incidents = {key: _without_proven(incident, run, ledger) for key, incident in before.items()}
    sequence = ledger.sequence
    joining = _joining(run, policy)
    if joining:
        sequence += 1
        # Open is what was open when the run ended: hosts that leave and hosts that join by one run are one incident.
        key = next(
            (key for key, incident in before.items() if incident.failed_hosts and _same_tags(incident, run)), run.key
        )
        incident = incidents.get(key, Incident(key, run.scope))
        if key not in before or not before[key].failed_hosts:
            incident = _opened(incident, policy)
        failed_hosts = {host: FailedHost(sequence, failure) for host, failure in joining.items()}
        incidents[key] = _counted(replace(incident, failed_hosts={**incident.failed_hosts, **failed_hosts}), policy)
    if run.wholly_successful:
        incidents[run.key] = _resolve_unknown(incidents.get(run.key), run, policy, now)
    return replace(ledger, sequence=sequence, incidents=_without_oldest(incidents))


def pending(ledger: Ledger, policy: Policy, now: float, sent: Collection[Request] = ()) -> Request | None:
    """Return what is to be sent next for any incident of this ledger, pages before resolves, or None.

    :param now: seconds of the clock.
    :param sent: what this run has sent already, whatever came of it: it is not sent twice by one run.
    """
    requests = (_wanted(incident, policy, now) for incident in ledger.incidents.values())
    return min(
        (request for request in requests if request and request not in sent),
        key=lambda request: (request.state == RESOLVED, request.key),
        default=None,
    )


def after_answer(
    ledger: Ledger, request: Request, outcome: str | None, policy: Policy, now: float, uncertain: bool = False
) -> tuple[Ledger, tuple[str, ...]]:
    """Return the ledger after an answer, and warnings for the user: only what the API confirmed is taken for done.

    Other runs may have changed the incident since ``request`` was handed out.

    :param outcome: a name of ``module_utils._outcome``; None when nobody knows whether the API has processed it.
    :param now: seconds of the clock.
    :param uncertain: whether an earlier attempt of the same call may have been processed.
    """
    incident = ledger.incidents.get(request.key)
    if incident is None:  # the ledger was lost in between: the next run with this key asks the API
        return ledger, ()
    take = _after_trigger if request.state == TRIGGERED else _after_resolve
    if uncertain and outcome in _NOTHING_DONE:
        # The earlier attempt may have opened what is not wanted any more, or closed what the last one did not find.
        incident = take(incident, request, None, policy, now)
    after = take(incident, request, outcome, policy, now)
    warnings: tuple[str, ...] = ()
    # That nobody may have been called is said as long as it is so; that an incident may be open, once.
    is_known = request.state == RESOLVED and after.warned
    if outcome in _NOTHING_DONE and _is_in_doubt(after, request, outcome, policy) and not is_known:
        after = replace(after, warned=request.state == RESOLVED)
        warnings = (_WARNINGS[request.state].format(key=request.key, outcome=outcome),)
    return replace(ledger, incidents={**ledger.incidents, request.key: after}), warnings


_WARNINGS = {
    TRIGGERED: "The API has not opened incident {key} ({outcome}): the page may not have gone out. "
    "The next run sends it again.",
    RESOLVED: "The API has not closed incident {key} ({outcome}): it may still be open. "
    "The next run sends the resolve again.",
}


def _is_in_doubt(incident: Incident, request: Request, outcome: str, policy: Policy) -> bool:
    """Whether the user must know that the API has not done what was sent."""
    if request.state == RESOLVED:
        return not incident.failed_hosts and incident.remote_state == OPEN
    # Without memory nobody knows whether it should have been new: the run before may have opened it.
    is_expected = policy.memory == NONE and outcome == outcomes.DUPLICATE
    is_wanted = request.episode == incident.episode and bool(incident.failed_hosts)
    return is_wanted and not incident.confirmed and not is_expected


def _passed(since: float, policy: Policy, now: float) -> bool:
    # A clock that was set back must not silence an incident, and one that is seconds behind must not repeat it.
    return abs(now - since) >= policy.repeat_interval


def _same_tags(incident: Incident, run: RunFacts) -> bool:
    return (incident.scope.tags, incident.scope.skip_tags) == (run.scope.tags, run.scope.skip_tags)


def _without_proven(incident: Incident, run: RunFacts, ledger: Ledger) -> Incident:
    covered = _same_tags(incident, run) or not (run.scope.tags or run.scope.skip_tags)
    if not run.proves or not covered or run.began.ledger_id != ledger.id:
        return incident
    failed_hosts = {
        host: member
        for host, member in incident.failed_hosts.items()
        if member.sequence > run.began.sequence or not _is_over(host, run)
    }
    return replace(incident, failed_hosts=failed_hosts)


def _is_over(host: str, run: RunFacts) -> bool:
    """Whether a run that proves anything proves this host good, or gone."""
    if host.startswith("*"):
        return run.wholly_successful and (not run.scope.limit or host == aborted_host(run.scope))
    if host in run.failed:
        return False
    if host in run.succeeded:
        return True
    # A broken dynamic inventory is empty, or holds none of the hosts that plays are for.
    is_whole = not run.scope.limit and bool(run.inventory) and bool(run.succeeded or run.failed)
    return is_whole and host not in run.inventory and host not in _IMPLICIT


def _joining(run: RunFacts, policy: Policy) -> dict[str, Mapping[str, Any]]:
    if run.scope.limit and not policy.page_limited_runs:
        return {}
    aborted = {} if run.aborted is None else {aborted_host(run.scope): run.aborted}
    return {**run.failed, **aborted}


def _opened(incident: Incident, policy: Policy) -> Incident:
    episode = 0 if policy.memory == NONE else incident.episode + 1
    return replace(incident, episode=episode, confirmed=False, failed_runs=0, refused_at=None, warned=False)


def _counted(incident: Incident, policy: Policy) -> Incident:
    incident = replace(incident, failed_runs=incident.failed_runs + 1)
    if _is_due(incident, policy) and incident.remote_state in (UNKNOWN, CLOSED):
        # From here on a trigger may be on its way, of whose fate this ledger might never hear.
        return replace(incident, remote_state=MAYBE)
    return incident


def _is_due(incident: Incident, policy: Policy) -> bool:
    # Without memory no run has a predecessor to count.
    return incident.confirmed or policy.memory == NONE or incident.failed_runs >= policy.after_failures


def _resolve_unknown(own: Incident | None, run: RunFacts, policy: Policy, now: float) -> Incident:
    """The record of the key of a wholly successful run: a ledger that is lost may have opened an incident for it."""
    if own is None:
        return Incident(run.key, run.scope)
    if own.remote_state != CLOSED or policy.memory == SHARED or not _passed(own.answered_at, policy, now):
        return own
    return replace(own, remote_state=UNKNOWN)


def _without_oldest(incidents: dict[str, Incident]) -> dict[str, Incident]:
    closed = [incident for incident in incidents.values() if not incident.failed_hosts and incident.is_settled]
    oldest = sorted(closed, key=lambda incident: incident.answered_at)[:-_CLOSED_KEPT]
    forgotten = {incident.key for incident in oldest}
    return {key: incident for key, incident in incidents.items() if key not in forgotten}


def _wanted(incident: Incident, policy: Policy, now: float) -> Request | None:
    if not incident.failed_hosts:
        if incident.remote_state == CLOSED:
            return None
        return Request(RESOLVED, incident.key, incident.episode, frozenset(), incident)
    is_sent = incident.confirmed and incident.hosts == incident.sent_hosts
    if not _is_due(incident, policy) or (is_sent and not _passed(incident.answered_at, policy, now)):
        return None
    return Request(TRIGGERED, incident.key, incident.episode, incident.hosts, incident)


def _after_trigger(incident: Incident, request: Request, outcome: str | None, policy: Policy, now: float) -> Incident:
    if incident.failed_hosts and request.episode == incident.episode:
        # "open only on 201, or 208 when it was already is_settled open"
        if outcome == outcomes.CREATED or (outcome == outcomes.DUPLICATE and incident.confirmed):
            return replace(incident, confirmed=True, remote_state=OPEN, sent_hosts=request.hosts, answered_at=now)
        return incident
    # Another run has closed it, or opened it anew, since. If a resolve was confirmed meanwhile, nobody knows whether
    # the API had this trigger before it or after it.
    if outcome == outcomes.CREATED and incident.remote_state != CLOSED:
        return replace(incident, remote_state=OPEN)
    if outcome in (outcomes.CREATED, None) and incident.remote_state != OPEN:
        return replace(incident, remote_state=MAYBE)
    return incident


def _after_resolve(incident: Incident, request: Request, outcome: str | None, policy: Policy, now: float) -> Incident:
    if incident.failed_hosts:
        return _opened_anew(incident) if outcome in (outcomes.RESOLVED, None) else incident
    is_same = request.episode == incident.episode
    if outcome in (outcomes.RESOLVED, None) and not (outcome and is_same):
        return replace(incident, remote_state=MAYBE) if incident.remote_state == OPEN else incident
    # "resolved only on 200 with resolved: true": what was confirmed and never resolved stays, whatever else is answered
    if outcome == outcomes.FAILED or not is_same or (outcome in _NOTHING_DONE and incident.remote_state == OPEN):
        return incident
    if outcome == outcomes.DUPLICATE and incident.remote_state == MAYBE:
        # It says that a similar resolve was processed before, perhaps before the page. Once no window can be the
        # reason any more, it is this API's word for nothing to resolve.
        since = now if incident.refused_at is None else incident.refused_at
        if not _passed(since, policy, now):
            return replace(incident, refused_at=since)
    return replace(incident, remote_state=CLOSED, answered_at=now)


def _opened_anew(incident: Incident) -> Incident:
    """A resolve was, or may have been, processed while hosts fail again: perhaps after the page for them went out."""
    return replace(incident, episode=incident.episode + 1, confirmed=False, remote_state=MAYBE)
