# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated API without HTTP: it takes a request, changes incidents, and returns an answer. Tests compare with it.

Must not do I/O or read a clock: each request comes with its time.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from itertools import count

from .filters import Match, first_match
from .payload import Payload, read
from .settings import Service, Settings

# The effect of a resolve with nothing open, by the setting ``nothing_open``.
NOTHING_OPEN = {"resolved_false": "resolved_false", "no_filter": "no_filter", "duplicate": "resolve_duplicate"}


@dataclass(frozen=True)
class Effect:
    """What one request did in one service, for people: the API's answer says less.

    :ivar kind: ``created``, ``trigger_duplicate``, ``resolved``, ``resolve_duplicate``, ``resolved_false``,
        ``no_filter``, ``maintenance`` or ``unauthorized``.
    :ivar incidents: the ids of the incidents that it opened, resolved, or was a duplicate for.
    :ivar similar_at: for a duplicate within the window: when the request was processed that it repeats.
    """

    kind: str
    service: str = ""
    incidents: tuple[str, ...] = ()
    similar_at: float | None = None


@dataclass(frozen=True)
class Answer:
    """The API's answer. With status 401 the other fields have no meaning.

    :ivar effects: what it did in each service; not part of the API's answer.
    """

    status: int
    id: str
    created: bool = False
    trigger_duplicate: bool = False
    resolved: bool = False
    resolve_duplicate: bool = False
    effects: tuple[Effect, ...] = field(default=(), compare=False)

    def body(self) -> dict[str, object]:
        """Return the JSON body, as documented on the API page."""
        if self.status == 401:
            return {"message": "Unauthorized request. API Token is not valid."}
        return {
            "id": self.id,
            "triggered": {"created": self.created, "duplicate": self.trigger_duplicate},
            "resolved": {"resolved": self.resolved, "duplicate": self.resolve_duplicate},
        }


@dataclass(frozen=True)
class Incident:
    """One incident. ``key`` is the mapped value; ``opened`` and ``resolved`` are seconds on the caller's clock."""

    id: str
    key: str | None
    title: str
    description: str
    urgency: str
    state: str
    service: str
    opened: float
    resolved: float | None = None


class Model:
    """The API's state: its incidents, and when it processed which requests.

    ``settings`` may be replaced at any time, as a user may edit filters in the dashboard. Incidents and processed
    requests belong to a filter's position in its service.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._incidents: list[Incident] = []
        self._open: dict[Hashable, list[int]] = {}
        # When similar requests were processed, and the incidents that they opened or resolved.
        self._processed: dict[Hashable, tuple[float, tuple[str, ...]]] = {}
        self._request_ids = count(1)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """All incidents, oldest first."""
        return tuple(self._incidents)

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """The open incidents, oldest first."""
        return tuple(incident for incident in self._incidents if incident.state == "open")

    def process(self, token: str | None, source: str | None, content_type: str, body: bytes, now: float) -> Answer:
        """Process one request, as the API page (``/v1/process``) describes.

        :param token: the token's value, or None if the request has none.
        :param source: the ``from`` URL parameter, or None.
        :param content_type: the header's value, or an empty string if it is missing.
        :param body: the body as received.
        :param now: seconds on any clock that never goes back.
        """
        request_id = f"sandbox-{next(self._request_ids)}"
        known = next((one for one in self.settings.tokens if one.value == token and one.kind == "incident"), None)
        if known is None:
            return Answer(401, request_id, effects=(Effect("unauthorized"),))
        request = _Request(known.value, source, body, read(content_type, body), now)
        effects: list[Effect] = []
        for service in filter(known.covers, self.settings.services):
            match = first_match(service.filters, request.payload)
            if match is None:
                effects.append(Effect("no_filter", service.name))
            if match and match.triggers:
                effects.append(self._trigger(request, service, match))
            # After the trigger: a payload that matches both parts opens an incident and resolves it at once.
            if match and match.resolves:
                effects.append(self._resolve(request, service, match))
        kinds = {effect.kind for effect in effects}
        return Answer(
            _status(kinds),
            request_id,
            created="created" in kinds,
            trigger_duplicate="trigger_duplicate" in kinds,
            resolved="resolved" in kinds,
            resolve_duplicate="resolve_duplicate" in kinds,
            effects=tuple(effects),
        )

    def _trigger(self, request: _Request, service: Service, match: Match) -> Effect:
        if _in_maintenance(service, request.payload):
            return Effect("maintenance", service.name)
        trigger = match.filter.trigger
        key = request.payload.text_of(trigger.map_with)
        similar = self._similar(request, (service.name, match.position, "trigger"), key)
        before = self._before(similar, request.now)
        if before:
            return Effect("trigger_duplicate", service.name, before[1], before[0])
        same = self._open.setdefault((service.name, match.position, key), [])
        if self.settings.merge_open and key is not None and same:
            incidents = tuple(self._incidents[place].id for place in same)
            self._processed[similar] = request.now, incidents
            return Effect("trigger_duplicate", service.name, incidents)
        same.append(len(self._incidents))
        incident = Incident(
            id=f"incident-{len(self._incidents) + 1}",
            key=key,
            title=trigger.title(request.payload, request.source),
            description=trigger.description(request.payload),
            urgency=trigger.urgency,
            state="open",
            service=service.name,
            opened=request.now,
        )
        self._incidents.append(incident)
        self._processed[similar] = request.now, (incident.id,)
        return Effect("created", service.name, (incident.id,))

    def _resolve(self, request: _Request, service: Service, match: Match) -> Effect:
        assert match.filter.resolve is not None
        key = request.payload.text_of(match.filter.resolve.mapped_with)
        similar = self._similar(request, (service.name, match.position, "resolve"), key)
        before = self._before(similar, request.now)
        if before:
            return Effect("resolve_duplicate", service.name, before[1], before[0])
        same = [] if key is None else self._open.pop((service.name, match.position, key), [])
        for place in same:
            self._incidents[place] = replace(self._incidents[place], state="resolved", resolved=request.now)
        incidents = tuple(self._incidents[place].id for place in same)
        self._processed[similar] = request.now, incidents
        return Effect("resolved" if same else NOTHING_OPEN[self.settings.nothing_open], service.name, incidents)

    def _similar(self, request: _Request, part: tuple[str, int, str], key: str | None) -> Hashable:
        """Return what this request has in common with those that this part of a filter takes for the same.

        A request that no filter matches is never a duplicate: the two ``duplicate`` fields of the answer belong to the
        two parts of a filter.
        """
        by_key = self.settings.reading == "mapped" and key is not None
        return (*part, "mapped", key) if by_key else (*part, "body", request.token, request.body)

    def _before(self, similar: Hashable, now: float) -> tuple[float, tuple[str, ...]] | None:
        """Return when a similar request was processed within the window, with its incidents; None if there is none.

        A duplicate does not extend the window.
        """
        before = self._processed.get(similar)
        return before if before and now - before[0] < self.settings.window else None


@dataclass(frozen=True)
class _Request:
    """One request with a valid token."""

    token: str
    source: str | None
    body: bytes
    payload: Payload
    now: float


def _in_maintenance(service: Service, payload: Payload) -> bool:
    return service.maintenance and (not service.maintenance_tags or payload.has_tag(service.maintenance_tags))


def _status(effects: set[str]) -> int:
    """Return the status code for all effects of one request, in all services, by the API page's table of codes."""
    if "created" in effects:
        return 201
    if "resolved" in effects:
        return 200
    if effects & {"trigger_duplicate", "resolve_duplicate"}:
        return 208
    return 200 if "resolved_false" in effects else 202
