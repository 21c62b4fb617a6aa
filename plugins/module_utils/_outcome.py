# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What an answer of the API means for one trigger or resolve: a pure function.

Must not touch the network, nor decide what is sent next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED

CREATED = "created"
DUPLICATE = "duplicate"
UNMATCHED = "unmatched"
NOTHING_TO_RESOLVE = "nothing_to_resolve"
WOULD_SEND = "would_send"
FAILED = "failed"

# https://www.rfc-editor.org/rfc/rfc9110 and 6585: the statuses by which a server asks for another try.
TRANSIENT = frozenset((408, 425, 429))
# Of these, the ones that say that the request was not processed.
NOT_PROCESSED = frozenset((425, 429))
CAUSES = {
    400: "The API could not read the request: check the payload.",
    401: (
        "The API token is not valid. Use an Incident token from Dashboard → API Token (a Request token is refused "
        "here), whole and still active, in api_token or CALLGOOSE_API_TOKEN."
    ),
    403: "The API refuses this token or address: check the token's scope and any proxy in between.",
    404: "There is no such endpoint: check base_url, it is shown in Dashboard → API Token.",
    405: "The endpoint takes no POST: check base_url, it is shown in Dashboard → API Token.",
    407: "The proxy wants credentials: check the proxy variables.",
    413: "The payload is too large: shorten content or details.",
    415: "The API does not take this content_type: use application/json or text/plain.",
    422: "The API could not use the payload: check its structure against the API Filter.",
}


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    :ivar name: ``created``, ``resolved``, ``duplicate``, ``unmatched``, ``nothing_to_resolve`` or ``failed``.
    :ivar changed: whether the call changed something at the API, or may have.
    :ivar message: one sentence for the user.
    :ivar warnings: what is odd about the answer though it counts.
    """

    name: str
    changed: bool
    message: str
    warnings: Tuple[str, ...] = ()


def is_transient(status: int) -> bool:
    """Return whether another attempt may succeed where one got this HTTP status."""
    return status in TRANSIENT or status >= 500


def is_doubtful(status: int) -> bool:
    """Return whether a request that got this HTTP status may have been processed all the same."""
    return is_transient(status) and status not in NOT_PROCESSED


def interpret(state: str, status: int, body: Optional[Mapping[str, Any]], uncertain: bool = False) -> Outcome:
    """Say what an answer means, by the API page's table of codes and the collection's table of outcomes.

    :param state: what was sent, ``triggered`` or ``resolved``.
    :param status: the HTTP status.
    :param body: the answer's JSON object, or None where it was none.
    :param uncertain: whether an earlier attempt of the same call may have been processed.
    """
    if status not in (200, 201, 202, 208):
        return Outcome(FAILED, uncertain or is_doubtful(status), refusal(status))
    created, resolved = _flag(body, TRIGGERED, "created"), _flag(body, RESOLVED, RESOLVED)
    warnings = () if _complete(status, created, resolved) else (_incomplete(status, body),)
    if status == 208:
        return _duplicate(state, uncertain, warnings)
    if status == 202:
        # What this call's first attempt resolved is not there any more for the second.
        return Outcome(UNMATCHED, uncertain and state == RESOLVED, _UNMATCHED, warnings)
    if status == 201 and created is not False:
        return _created(state, bool(resolved), warnings)
    if status == 200 and resolved is not False:
        return _resolved(state, warnings)
    if state == TRIGGERED:
        return Outcome(UNMATCHED, False, _UNMATCHED, warnings)
    if resolved:
        return _resolved(state, warnings)
    message = "There was nothing to resolve: no open incident is mapped with this key."
    return Outcome(NOTHING_TO_RESOLVE, uncertain, message, warnings)


_UNMATCHED = (
    "The API took the payload but no API Filter matched it, so nothing happened: compare the filter in the dashboard "
    "with the payload, and check that its service belongs to the token and is not in maintenance."
)


def refusal(status: int) -> str:
    """Return what a status other than the API's own four good ones says, with the likely cause."""
    if 300 <= status < 400:
        cause = "Redirects are never followed, since the token would travel: set base_url to the final address."
    elif is_transient(status):
        cause = "The API has a temporary error; raise retries or try again later."
    else:
        cause = CAUSES.get(status, "This is no answer of the Callgoose API: check base_url and any proxy in between.")
    return f"HTTP {status}. {cause}"


def _created(state: str, resolved_too: bool, warnings: Tuple[str, ...]) -> Outcome:
    if state == RESOLVED:
        message = (
            "The resolve opened an incident: the Trigger part of the API Filter matches a resolve payload. "
            "Let it ask that the key state contains triggered."
        )
        return Outcome(FAILED, True, message, warnings)
    if resolved_too:
        warnings += (
            "the same request also resolved an incident: the Resolve part of an API Filter matches trigger payloads",
        )
    return Outcome(CREATED, True, "The incident was created.", warnings)


def _resolved(state: str, warnings: Tuple[str, ...]) -> Outcome:
    if state == TRIGGERED:
        message = (
            "The trigger resolved an incident and opened none: the Resolve part of the API Filter matches a trigger "
            "payload. Let it ask that the key state contains resolved."
        )
        return Outcome(FAILED, True, message, warnings)
    return Outcome(RESOLVED, True, "The incident was resolved.", warnings)


def _duplicate(state: str, uncertain: bool, warnings: Tuple[str, ...]) -> Outcome:
    if uncertain:
        name = CREATED if state == TRIGGERED else RESOLVED
        message = f"An earlier attempt of this task had no clear answer; the API has it now, so it counts as {name}."
        return Outcome(name, True, message, warnings)
    return Outcome(DUPLICATE, False, "The API has processed a similar request before; nothing changed.", warnings)


def _flag(body: Optional[Mapping[str, Any]], part: str, name: str) -> Optional[bool]:
    section = body.get(part) if body is not None else None
    value = section.get(name) if isinstance(section, dict) else None
    return value if isinstance(value, bool) else None


def _complete(status: int, created: Optional[bool], resolved: Optional[bool]) -> bool:
    """Whether the body says what the status alone would otherwise have to."""
    if created is None or resolved is None:
        return False
    return not (status == 201 and not created)


def _incomplete(status: int, body: Optional[Mapping[str, Any]]) -> str:
    if body is None:
        return f"the answer's body is no JSON object; its status {status} decided"
    return f"the answer's body lacks or contradicts what its status {status} says"
