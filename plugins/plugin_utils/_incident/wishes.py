# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wishes: which request should be in force for each incident, which is still to be sent, and what an answer proves.

Delivery is level-triggered: a wish waits until the API confirms it, whoever sends it. Must stay pure, like rules.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    NONE,
    OPEN,
    Incident,
    Ledger,
    Wish,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import (
    has_elapsed,
    is_due,
    wanted,
    with_event,
)

_NO_EFFECT = (outcomes.DUPLICATE, outcomes.UNMATCHED, outcomes.NOTHING_TO_RESOLVE)
# Seconds before another run sends a request again that the API called a duplicate. The length of the API's window is
# not known, and requests in quick succession might extend it.
_DUPLICATE_PAUSE = 600.0


@dataclass(frozen=True)
class Reply:
    """The result of one request.

    :param outcome: a name of ``module_utils._outcome``; None if it is unknown whether the API processed the request.
    :param message: one sentence for the user.
    :param uncertain: whether the API may have processed an earlier attempt.
    :param is_final: whether the same request would get the same answer again.
    :param unauthorized: whether the API refused the token.
    :param in_time: whether there is time for another request.
    """

    outcome: str | None
    message: str
    uncertain: bool = False
    is_final: bool = False
    unauthorized: bool = False
    in_time: bool = True


def planned(
    ledger: Ledger,
    policy: Policy,
    now: float,
    compose: Callable[[Request], Any],
    destination: str,
    failing: Collection[str] = (),
    reserve: float = 0.0,
    keys: Collection[str] | None = None,
) -> Ledger:
    """Return the ledger with a wish for each incident that is not as it should be.

    :param compose: returns the body of a request.
    :param destination: where this run sends.
    :param failing: the keys of the incidents that hosts joined in this run.
    :param reserve: seconds for which the wishes are left to this run.
    :param keys: look at no other incidents than these; None means all.
    """
    incidents = dict(ledger.incidents)
    for key, incident in ledger.incidents.items():
        if keys is not None and key not in keys:
            continue
        request = wanted(incident, policy, now, key in failing)
        wish = incident.wish
        if request is None:
            # What is no longer due, such as a page about a host that has recovered, must not be sent later.
            wish = wish and replace(wish, waiting=False, parked="")
        elif (
            wish
            and wish.waiting
            and wish.state == request.state
            and (key not in failing or _is_under_way(wish, request, now))
        ):
            # The page of the run that failed tells more about the failure than one that this run could make. And if two
            # runs fail at the same time, the API recognizes the second request by its bytes.
            wish = replace(wish, destination=destination, parked="", not_before=now + reserve)
        else:
            body = compose(request)
            wish = Wish(request.state, request.hosts, body, destination, not_before=now + reserve)
        held_back = _reason(incident, policy) if key in failing and request is None else ""
        if held_back:
            ledger = with_event(ledger, now, key, f"nothing was sent: {held_back}")
        incidents[key] = replace(incident, wish=wish, held_back=held_back if key in failing else incident.held_back)
    return replace(ledger, incidents=incidents)


def _is_under_way(wish: Wish, request: Request, now: float) -> bool:
    """Return whether another run is sending this, and has no answer yet."""
    return wish.not_before > now and not wish.answer and wish.hosts == request.hosts


def _reason(incident: Incident, policy: Policy) -> str:
    """Return why a failed run sent nothing."""
    if not is_due(incident, policy):
        return f"{incident.failed_runs} of {policy.after_failures} failed runs"
    return "open already"


def waiting(ledger: Ledger) -> tuple[Request, ...]:
    """Return the requests that are still to be sent, triggers before resolves."""
    requests = [
        request_of(incident) for incident in ledger.incidents.values() if incident.wish and incident.wish.is_due
    ]
    return tuple(sorted(requests, key=lambda request: (request.state == RESOLVED, request.key)))


def unparked(ledger: Ledger, destination: str) -> Ledger:
    """Return the ledger with the parked wishes for this destination due again.

    If the API refused the token of a wish, another token for the same endpoint takes its place.
    """
    place = destination.partition(".")[0]

    def unpark(incident: Incident) -> Incident:
        wish = incident.wish
        if not wish or not wish.parked:
            return incident
        is_refused_token = wish.unauthorized and wish.destination.partition(".")[0] == place
        if wish.destination != destination and not is_refused_token:
            return incident
        return replace(incident, wish=replace(wish, destination=destination, parked="", not_before=0.0))

    return replace(ledger, incidents={key: unpark(incident) for key, incident in ledger.incidents.items()})


def postponed(ledger: Ledger, key: str, until: float) -> Ledger:
    """Return the ledger with a wish that still waits left alone until then; its own playbook may send it before."""
    incident = ledger.incidents.get(key)
    if not incident or not incident.wish or not incident.wish.is_due or incident.wish.not_before >= until:
        return ledger
    return _with(ledger, replace(incident, wish=replace(incident.wish, not_before=until)))


def request_of(incident: Incident) -> Request:
    """Return the request that an incident's wish stands for.

    :raises ValueError: it has no wish.
    """
    if incident.wish is None:
        raise ValueError(f"incident {incident.key} has no wish")
    return Request(incident.wish.state, incident.key, incident.episode, incident.wish.hosts, incident)


def after_answer(
    ledger: Ledger, request: Request, reply: Reply, policy: Policy, now: float
) -> tuple[Ledger, tuple[str, ...]]:
    """Return the ledger after an answer, and warnings for the user. State changes only if the API confirms it.

    Other runs may have changed the incident since ``request`` was sent.

    :param ledger: at least the incident of this request.
    """
    before = ledger.incidents.get(request.key)
    if before is None:  # the ledger was lost meanwhile: the next successful run with this key sends a resolve
        return ledger, ()
    incident, outcome = before, reply.outcome
    apply = _after_trigger if request.state == TRIGGERED else _after_resolve
    if reply.uncertain and outcome in _NO_EFFECT:
        # The earlier attempt may have opened an incident that should be closed by now, or closed one already.
        incident = apply(incident, request, None, policy, now)
    after = apply(incident, request, outcome, policy, now)
    warnings: tuple[str, ...] = ()
    # Repeat the warning that a page may be missing, but say only once that an incident may still be open.
    is_known = request.state == RESOLVED and after.warned
    if outcome in _NO_EFFECT and _is_in_doubt(after, request, outcome, policy) and not is_known:
        after = replace(after, warned=request.state == RESOLVED)
        warnings = (_WARNINGS[request.state].format(key=request.key, outcome=outcome),)
    after = _answered(before, after, request, reply, now)
    ledger = with_event(ledger, now, request.key, f"{request.state}: {reply.message}")
    return _with(ledger, after), warnings


_WARNINGS = {
    TRIGGERED: "The API did not open incident {key} ({outcome}), so the on-call engineer may not have been paged. "
    "The next run sends the trigger again.",
    RESOLVED: "The API did not resolve incident {key} ({outcome}), so it may still be open. "
    "The next run sends the resolve again.",
}


def _answered(before: Incident, after: Incident, request: Request, reply: Reply, now: float) -> Incident:
    """Return the incident with what the answer means for its wish."""
    wish = after.wish
    if wish is None:
        return after
    if after.episode != before.episode and wish.state == TRIGGERED:
        # A resolve may have undone what is in force: send the newest wish again, as that of a new episode.
        return replace(after, wish=replace(wish, body=_of_episode(wish.body, after.episode), waiting=True, parked=""))
    if request_of(after) != request:
        # An older trigger may have opened what a resolve had closed.
        is_undone = wish.state == RESOLVED and not after.failed_hosts and after.remote_state != CLOSED
        return replace(after, wish=replace(wish, waiting=True)) if is_undone else after
    is_confirmed = reply.outcome in (outcomes.CREATED, outcomes.DUPLICATE) and after.confirmed
    is_in_force = is_confirmed if request.state == TRIGGERED else after.remote_state == CLOSED
    is_parked = not is_in_force and (reply.is_final or reply.outcome == outcomes.UNMATCHED)
    pause = _DUPLICATE_PAUSE if reply.outcome == outcomes.DUPLICATE and not is_in_force else 0.0
    answered = replace(
        wish,
        waiting=not is_in_force,
        not_before=now + pause if pause else 0.0,
        parked=reply.message if is_parked else "",
        unauthorized=is_parked and reply.unauthorized,
        answer=reply.message,
    )
    return replace(after, wish=answered)


def _of_episode(body: Any, episode: int) -> Any:
    details = body.get("details") if isinstance(body, Mapping) else None
    if not isinstance(details, Mapping) or "episode" not in details:
        return body
    return {**body, "details": {**details, "episode": episode}}


def _with(ledger: Ledger, incident: Incident) -> Ledger:
    return replace(ledger, incidents={**ledger.incidents, incident.key: incident})


def _is_in_doubt(incident: Incident, request: Request, outcome: str, policy: Policy) -> bool:
    """Return whether to warn the user that the request may have had no effect."""
    if request.state == RESOLVED:
        return not incident.failed_hosts and incident.remote_state == OPEN
    # Without a store, a duplicate is normal: an earlier run may have opened the incident.
    is_expected = policy.memory == NONE and outcome == outcomes.DUPLICATE
    is_wanted = request.episode == incident.episode and bool(incident.failed_hosts)
    return is_wanted and not incident.confirmed and not is_expected


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
        if not has_elapsed(since, policy, now):
            return replace(incident, refused_at=since)
    return replace(incident, remote_state=CLOSED, answered_at=now)


def _reopened(incident: Incident) -> Incident:
    """Return the incident as a new episode: a resolve may have closed it after the trigger for its failed hosts."""
    return replace(incident, episode=incident.episode + 1, confirmed=False, remote_state=MAYBE)
