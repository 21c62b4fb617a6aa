# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API Filters: the two parts that a user sets up in the dashboard, and whether a payload matches them.

Must not keep state: what a match leads to is the model's.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import require, require_text
from .payload import Payload

# The dashboard's limits.
MOST_PAIRS = 2
MOST_TEXTS = 10
LONGEST_TEXT = 50


@dataclass(frozen=True)
class Pair:
    """*Payload JSON key* and *key value contains*: all of these texts must be in the key's value."""

    key: str
    contains: tuple[str, ...]

    def __post_init__(self) -> None:
        require_text(self.key, "key")
        require(
            isinstance(self.contains, tuple) and 1 <= len(self.contains) <= MOST_TEXTS,
            f"contains of {self.key!r} must be 1 to {MOST_TEXTS} texts",
        )
        for text in self.contains:
            require_text(text, f"contains of {self.key!r}")
            require(len(text) <= LONGEST_TEXT, f"contains of {self.key!r}: {text!r} has over {LONGEST_TEXT} characters")

    def matches(self, payload: Payload) -> bool:
        """Return whether the payload has the key and its value contains every text."""
        value = payload.text_of(self.key)
        return value is not None and all(text in value for text in self.contains)


@dataclass(frozen=True)
class Trigger:
    """The Trigger part: what opens an incident, and from which payload keys its fields come (None: not set)."""

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
            require_text(getattr(self, name), name, optional=True)
        require_text(self.urgency, "urgency")

    def matches(self, payload: Payload) -> bool:
        """Return whether every pair matches; a Trigger without pairs matches every payload."""
        return all(pair.matches(payload) for pair in self.pairs)

    def title(self, payload: Payload, source: str | None) -> str:
        """Return the incident's title.

        :param source: the ``from`` URL parameter: it is put before the payload's own title.
        """
        title = payload.text_of(self.title_from)
        if title is None:
            return f"Incident from {source or 'unknown source'}"
        return f"{source} - {title}" if source else title

    def description(self, payload: Payload) -> str:
        """Return the incident's description: the payload's own, else the whole payload."""
        description = payload.text_of(self.description_from)
        return payload.text if description is None else description


@dataclass(frozen=True)
class Resolve:
    """The Resolve part: what closes incidents, and the key whose value equals their mapped value (None: not set)."""

    pair: Pair = Pair("state", ("resolved",))
    mapped_with: str | None = "incident_key"

    def __post_init__(self) -> None:
        require_text(self.mapped_with, "mapped_with", optional=True)

    def matches(self, payload: Payload) -> bool:
        """Return whether the pair matches."""
        return self.pair.matches(payload)


@dataclass(frozen=True)
class Filter:
    """One API Filter. As it comes it is the one that the collection's documentation tells the user to make."""

    trigger: Trigger = Trigger()
    resolve: Resolve | None = Resolve()


@dataclass(frozen=True)
class Match:
    """The filter that is used for a payload (its place in the service's list), and which of its parts matched."""

    position: int
    filter: Filter
    triggers: bool
    resolves: bool


def first_match(filters: tuple[Filter, ...], payload: Payload) -> Match | None:
    """Try the filters in order and return the first with a part that matches, or None."""
    for position, candidate in enumerate(filters):
        triggers = candidate.trigger.matches(payload)
        resolves = candidate.resolve is not None and candidate.resolve.matches(payload)
        if triggers or resolves:
            return Match(position, candidate, triggers, resolves)
    return None
