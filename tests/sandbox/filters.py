# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API Filters: the Trigger and Resolve parts that a user sets up in the dashboard, and how a payload matches them.

Must not keep state: the model decides what a match does.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import require, require_string
from .payload import Payload

# The dashboard's limits.
MOST_PAIRS = 2
MOST_STRINGS = 10
LONGEST_STRING = 50


@dataclass(frozen=True)
class Pair:
    """*Payload JSON key* and *key value contains*: the key's value must contain all of these strings."""

    key: str
    contains: tuple[str, ...]

    def __post_init__(self) -> None:
        require_string(self.key, "key")
        require(
            isinstance(self.contains, tuple) and 1 <= len(self.contains) <= MOST_STRINGS,
            f"contains of {self.key!r} must be 1 to {MOST_STRINGS} strings",
        )
        for string in self.contains:
            require_string(string, f"contains of {self.key!r}")
            fits = len(string) <= LONGEST_STRING
            require(fits, f"contains of {self.key!r}: {string!r} has over {LONGEST_STRING} characters")

    def matches(self, payload: Payload) -> bool:
        """Return whether the payload has the key and its value contains every string."""
        value = payload.text_of(self.key)
        return value is not None and all(string in value for string in self.contains)


@dataclass(frozen=True)
class Trigger:
    """The Trigger part: what opens an incident, and the payload keys that its fields come from (None: not set)."""

    pairs: tuple[Pair, ...] = (Pair("state", ("triggered",)),)
    title_from: str | None = "title"
    description_from: str | None = "content"
    map_with: str | None = "incident_key"
    urgency: str = "high"

    def __post_init__(self) -> None:
        require(
            isinstance(self.pairs, tuple) and len(self.pairs) <= MOST_PAIRS, f"pairs must be at most {MOST_PAIRS} pairs"
        )
        for name in ("title_from", "description_from", "map_with"):
            require_string(getattr(self, name), name, optional=True)
        require_string(self.urgency, "urgency")

    def matches(self, payload: Payload) -> bool:
        """Return whether every pair matches; a Trigger without pairs matches all payloads."""
        return all(pair.matches(payload) for pair in self.pairs)

    def title(self, payload: Payload, source: str | None) -> str:
        """Return the incident's title.

        :param source: the ``from`` URL parameter, which becomes a prefix of the payload's title.
        """
        title = payload.text_of(self.title_from)
        if title is None:
            return f"Incident from {source or 'unknown source'}"
        return f"{source} - {title}" if source else title

    def description(self, payload: Payload) -> str:
        """Return the incident's description: the value of the payload's key, or else the whole payload."""
        description = payload.text_of(self.description_from)
        return payload.text if description is None else description


@dataclass(frozen=True)
class Resolve:
    """The Resolve part: what resolves incidents, and the payload key that holds their mapped value (None: not set)."""

    pair: Pair = Pair("state", ("resolved",))
    mapped_with: str | None = "incident_key"

    def __post_init__(self) -> None:
        require_string(self.mapped_with, "mapped_with", optional=True)

    def matches(self, payload: Payload) -> bool:
        """Return whether the pair matches."""
        return self.pair.matches(payload)


@dataclass(frozen=True)
class Filter:
    """One API Filter. The default is the filter that the collection's documentation describes."""

    trigger: Trigger = Trigger()
    resolve: Resolve | None = Resolve()


@dataclass(frozen=True)
class Match:
    """The filter that matches a payload, its position in the service's list, and which of its parts match."""

    position: int
    filter: Filter
    triggers: bool
    resolves: bool


def first_match(filters: tuple[Filter, ...], payload: Payload) -> Match | None:
    """Return the first filter with a matching part, or None."""
    for position, candidate in enumerate(filters):
        triggers = candidate.trigger.matches(payload)
        resolves = candidate.resolve is not None and candidate.resolve.matches(payload)
        if triggers or resolves:
            return Match(position, candidate, triggers, resolves)
    return None
