# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's settings: services with their filters, tokens, and the API's behaviour where it is undocumented.

Must not hold anything that a request changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import require, require_seconds, require_string
from .filters import Filter

READINGS = ("body", "mapped")
NOTHING_OPEN = ("resolved_false", "no_filter", "duplicate")
KINDS = ("incident", "request")
SCOPES = ("global", "team", "service")


@dataclass(frozen=True)
class Service:
    """A service: its filters in the order in which they are tried, and whether it is in maintenance.

    ``maintenance_tags`` limit the maintenance to payloads with one of these tags; without tags it covers all payloads.
    """

    name: str = "Ansible"
    team: str = "Operations"
    filters: tuple[Filter, ...] = (Filter(),)
    maintenance: bool = False
    maintenance_tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_string(self.name, "a service's name")
        require_string(self.team, f"team of service {self.name!r}")
        require(isinstance(self.maintenance, bool), f"maintenance of service {self.name!r} must be true or false")
        require(
            isinstance(self.filters, tuple) and all(isinstance(filter_, Filter) for filter_ in self.filters),
            f"filters of service {self.name!r} must be Filters",
        )
        require(
            isinstance(self.maintenance_tags, tuple) and all(isinstance(tag, str) for tag in self.maintenance_tags),
            f"maintenance_tags of service {self.name!r} must be strings",
        )


@dataclass(frozen=True)
class Token:
    """An API token, of kind incident or request, for all services, one team or one service (the ``owner``)."""

    value: str = "sandbox-incident-token"
    kind: str = "incident"
    scope: str = "service"
    owner: str | None = "Ansible"

    def __post_init__(self) -> None:
        require_string(self.value, "a token's value")
        require(self.kind in KINDS, f"a token's kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        require(self.scope in SCOPES, f"a token's scope must be one of {', '.join(SCOPES)}, not {self.scope!r}")
        require(
            (self.owner is None) == (self.scope == "global"),
            "a token of scope team or service needs an owner, the name of its team or service; a global token has none",
        )

    def covers(self, service: Service) -> bool:
        """Return whether requests with this token are matched against the service's filters."""
        owners = {"global": None, "team": service.team, "service": service.name}
        return owners[self.scope] == self.owner


@dataclass(frozen=True)
class Settings:
    """All settings, with their defaults.

    :ivar reading: which requests are similar: ``body`` (same token, identical bytes) or ``mapped`` (same part of the
        same filter, same mapped value; a payload without a mapped value is compared by its body).
    :ivar window: seconds within which a similar request is a duplicate; 0 disables duplicate detection.
    :ivar nothing_open: the answer to a resolve with nothing open: ``resolved_false`` (200), ``no_filter`` (202) or
        ``duplicate`` (208).
    :ivar merge_open: whether a trigger after the window is still a duplicate, instead of opening a second incident, if
        an incident with its mapped value is open.
    """

    reading: str = "body"
    window: float = 300.0
    nothing_open: str = "resolved_false"
    merge_open: bool = False
    services: tuple[Service, ...] = (Service(),)
    tokens: tuple[Token, ...] = (Token(), Token("sandbox-request-token", kind="request"))

    def __post_init__(self) -> None:
        require(self.reading in READINGS, f"reading must be one of {', '.join(READINGS)}, not {self.reading!r}")
        require_seconds(self.window, "window")
        require(
            self.nothing_open in NOTHING_OPEN,
            f"nothing_open must be one of {', '.join(NOTHING_OPEN)}, not {self.nothing_open!r}",
        )
        require(isinstance(self.merge_open, bool), f"merge_open must be true or false, not {self.merge_open!r}")
        require(isinstance(self.services, tuple), "services must be a list of services")
        require(isinstance(self.tokens, tuple), "tokens must be a list of tokens")
        names = [service.name for service in self.services]
        require(len(set(names)) == len(names), "two services have the same name")
        values = [token.value for token in self.tokens]
        require(len(set(values)) == len(values), "two tokens have the same value")
        for token in self.tokens:
            require(
                token.scope == "global" or any(map(token.covers, self.services)),
                f"the token {token.value!r} is for the {token.scope} {token.owner!r}, which does not exist",
            )
