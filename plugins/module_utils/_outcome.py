# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The meaning of an API answer for one trigger or resolve, as pure functions.

Must not use the network, and must not decide what is sent next.
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
QUEUED = "queued"
FAILED = "failed"

# The statuses below 500 that ask the client to retry (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4).
TRANSIENT = frozenset((408, 425, 429))
# The transient statuses by which a server says that it did not process the request.
NOT_PROCESSED = frozenset((425, 429))
CAUSES = {
    400: "The API could not read the request: check the payload.",
    401: (
        "The API token is not valid. Set api_token, or the environment variable CALLGOOSE_API_TOKEN, to an active "
        "Incident token from Dashboard → API Token. The API refuses a Request token here."
    ),
    403: "The API refuses this token or address: check the token's scope and any proxy in between.",
    404: "The API has no such endpoint: compare base_url with Dashboard → API Token.",
    405: "The endpoint does not accept POST: compare base_url with Dashboard → API Token.",
    407: "The proxy requires credentials: check the proxy environment variables.",
    413: "The payload is too large: shorten content or details.",
    415: "The API does not accept this content_type: use application/json or text/plain.",
    422: "The API could not use the payload: check its structure against the API Filter.",
}


@dataclass(frozen=True)
class Outcome:
    """The result of one call.

    :ivar name: ``created``, ``resolved``, ``duplicate``, ``unmatched``, ``nothing_to_resolve`` or ``failed``.
    :ivar changed: whether the call changed something at the API, or may have done so.
    :ivar message: one or two sentences for the user.
    :ivar warnings: oddities of an answer that nevertheless counts.
    """

    name: str
    changed: bool
    message: str
    warnings: Tuple[str, ...] = ()


def is_transient(status: int) -> bool:
    """Return whether a retry may succeed after this HTTP status."""
    return status in TRANSIENT or status >= 500


def is_doubtful(status: int) -> bool:
    """Return whether the API may have processed a request despite this HTTP status."""
    return is_transient(status) and status not in NOT_PROCESSED


def interpret(state: str, status: int, body: Optional[Mapping[str, Any]], uncertain: bool = False) -> Outcome:
    """Return what an answer means, by the API page's table of codes and the collection's table of outcomes.

    :param state: what was sent, ``triggered`` or ``resolved``.
    :param status: the HTTP status.
    :param body: the answer's JSON object; None if the body is anything else.
    :param uncertain: whether the API may have processed an earlier attempt of the same call.
    """
    if status not in (200, 201, 202, 208):
        return Outcome(FAILED, uncertain or is_doubtful(status), refusal(status))
    created, resolved = _flag(body, TRIGGERED, "created"), _flag(body, RESOLVED, RESOLVED)
    warnings = () if _complete(status, created, resolved) else (_incomplete(status, body),)
    if status == 208:
        return _duplicate(state, uncertain, warnings)
    if status == 202:
        # If this call's first attempt resolved the incident, the second finds nothing to resolve.
        return Outcome(UNMATCHED, uncertain and state == RESOLVED, _UNMATCHED, warnings)
    if status == 201 and created is not False:
        return _created(state, bool(resolved), warnings)
    if status == 200 and resolved is not False:
        return _resolved(state, warnings)
    if state == TRIGGERED:
        return Outcome(UNMATCHED, False, _UNMATCHED, warnings)
    if resolved:
        return _resolved(state, warnings)
    message = "There was nothing to resolve: no open incident has this key."
    return Outcome(NOTHING_TO_RESOLVE, uncertain, message, warnings)


_UNMATCHED = (
    "The API accepted the payload, but no API Filter matched it, so nothing happened. Compare the filter in the "
    "dashboard with the payload, and check that its service belongs to the token, is enabled, and is not in "
    "maintenance."
)


def refusal(status: int) -> str:
    """Return the message for an HTTP status other than 200, 201, 202 and 208, with the likely cause."""
    if 300 <= status < 400:
        cause = "Redirects are never followed, to protect the token: set base_url to the final address."
    elif is_transient(status):
        cause = "The API has a temporary error: increase retries, or try again later."
    else:
        cause = CAUSES.get(status, "This is not the Callgoose API's answer: check base_url and any proxy in between.")
    return f"HTTP {status}. {cause}"


def _created(state: str, resolved_too: bool, warnings: Tuple[str, ...]) -> Outcome:
    if state == RESOLVED:
        message = (
            "The resolve opened an incident: the Trigger part of the API Filter matches a resolve payload. "
            "Add the condition that the key state contains triggered."
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
            "payload. Add the condition that the key state contains resolved."
        )
        return Outcome(FAILED, True, message, warnings)
    return Outcome(RESOLVED, True, "The incident was resolved.", warnings)


def _duplicate(state: str, uncertain: bool, warnings: Tuple[str, ...]) -> Outcome:
    if uncertain:
        name = CREATED if state == TRIGGERED else RESOLVED
        message = f"An earlier attempt got no clear answer, but the API has processed the request: reported as {name}."
        return Outcome(name, True, message, warnings)
    return Outcome(DUPLICATE, False, "The API has already processed a similar request; nothing changed.", warnings)


def _flag(body: Optional[Mapping[str, Any]], part: str, name: str) -> Optional[bool]:
    section = body.get(part) if body is not None else None
    value = section.get(name) if isinstance(section, dict) else None
    return value if isinstance(value, bool) else None


def _complete(status: int, created: Optional[bool], resolved: Optional[bool]) -> bool:
    """Return whether the body has both flags and agrees with the status."""
    if created is None or resolved is None:
        return False
    return not (status == 201 and not created)


def _incomplete(status: int, body: Optional[Mapping[str, Any]]) -> str:
    if body is None:
        return f"the answer's body is not a JSON object; its status {status} decided"
    return f"the answer's body is incomplete or contradicts its status {status}"
