# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered from run to run: which incidents a base has, for which hosts, and what the API confirmed of them.

Must not decide anything (incidents.py has the rules) nor touch files: it becomes JSON here, and a store keeps that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope

# What is known of an incident at the API, which has no endpoint to ask.
UNKNOWN = "unknown"  # this ledger never sent anything for it; an older, lost ledger may have
CLOSED = "closed"  # a resolve was confirmed or is taken for confirmed, and nothing was sent since
MAYBE = "maybe"  # something was or may have been sent whose fate is not known
OPEN = "open"  # a trigger was confirmed, and nothing since that could have closed it
# How much of the past a store keeps: nothing after the process, this controller's, or that of all controllers.
NONE, OWN, SHARED = "none", "own", "shared"

_REMOTE_STATES = (UNKNOWN, CLOSED, MAYBE, OPEN)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Mark:
    """A place in a ledger's history, read when a run begins: what that run cannot have put right was recorded later."""

    ledger_id: str
    sequence: int


# It fits no ledger, so nothing was recorded before it.
NO_MARK = Mark("", 0)


@dataclass(frozen=True)
class FailedHost:
    """A host that failed and is not known to be good since.

    :param sequence: the ledger's sequence number when the failure was recorded.
    :param failure: plain, redacted data for the report; the rules do not look into it.
    """

    sequence: int
    failure: Mapping[str, Any]


@dataclass(frozen=True)
class Incident:
    """One incident: it is wanted open as long as it has failed_hosts.

    :param key: what the API maps it by.
    :param scope: of the run that opened it; its tags and skip-tags say which runs can close it.
    :param failed_hosts: by host, or by the pseudo-host of an aborted run.
    :param episode: counts up at each opening; 0 when this ledger never opened it, or when nothing is remembered.
    :param remote_state: what is known of it at the API: ``UNKNOWN``, ``CLOSED``, ``MAYBE`` or ``OPEN``.
    :param confirmed: whether the trigger of this very episode was confirmed.
    :param failed_runs: consecutive failed runs since it was opened.
    :param sent_hosts: the failed_hosts in the last trigger that was confirmed; they count only while ``confirmed``.
    :param answered_at: seconds of the clock, when the API last confirmed what was wanted.
    :param refused_at: seconds of the clock, when a resolve first got an answer that settles nothing yet; None: not so.
    :param warned: whether the user was told that the resolve may have done nothing.
    """

    key: str
    scope: Scope
    failed_hosts: Mapping[str, FailedHost] = field(default_factory=dict)
    episode: int = 0
    remote_state: str = UNKNOWN
    confirmed: bool = False
    failed_runs: int = 0
    sent_hosts: frozenset[str] = frozenset()
    answered_at: float = 0.0
    refused_at: float | None = None
    warned: bool = False

    @property
    def hosts(self) -> frozenset[str]:
        """The members' names."""
        return frozenset(self.failed_hosts)

    @property
    def is_settled(self) -> bool:
        """Whether the API is known to have what is wanted: this episode open, or nothing open."""
        return self.confirmed if self.failed_hosts else self.remote_state == CLOSED


@dataclass(frozen=True)
class Ledger:
    """Everything remembered of one base (project, playbook and inventory).

    :param id: random, so that a ledger that was lost and begun anew is not taken for the old one.
    :param sequence: counts the runs that recorded failures.
    :param incidents: by key.
    """

    id: str
    sequence: int = 0
    incidents: Mapping[str, Incident] = field(default_factory=dict)

    @property
    def mark(self) -> Mark:
        """The present place in the ledger's history."""
        return Mark(self.id, self.sequence)


def to_json(ledger: Ledger) -> str:
    """Return the ledger as ASCII text, for a store to keep."""
    return json.dumps(
        {
            "id": ledger.id,
            "sequence": ledger.sequence,
            "incidents": {key: _plain(incident) for key, incident in ledger.incidents.items()},
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def from_json(text: str) -> Ledger:
    """Return the ledger that :func:`to_json` made this text of.

    :raises ValueError: it is no such text.
    """
    try:
        data = json.loads(text)
        incidents = {key: _incident(key, value) for key, value in data["incidents"].items()}
        return Ledger(_is(str, data["id"]), _is(int, data["sequence"]), incidents)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this is no ledger: {type(error).__name__}: {error}") from error


def _plain(incident: Incident) -> dict[str, Any]:
    scope = incident.scope
    return {
        "scope": {"limit": scope.limit, "tags": scope.tags, "skip_tags": scope.skip_tags},
        "members": {host: [member.sequence, dict(member.failure)] for host, member in incident.failed_hosts.items()},
        "episode": incident.episode,
        "standing": incident.remote_state,
        "granted": incident.confirmed,
        "failed_runs": incident.failed_runs,
        "sent_hosts": sorted(incident.sent_hosts),
        "answered_at": incident.answered_at,
        "refused_at": incident.refused_at,
        "warned": incident.warned,
    }


def _incident(key: str, data: Mapping[str, Any]) -> Incident:
    scope = data["scope"]
    if data["standing"] not in _REMOTE_STATES:
        raise ValueError(f"an incident cannot be {data['standing']!r}")
    return Incident(
        key=key,
        scope=Scope(_texts(scope["limit"]), _texts(scope["tags"]), _texts(scope["skip_tags"])),
        failed_hosts={host: _failed_host(*value) for host, value in data["members"].items()},
        episode=_is(int, data["episode"]),
        remote_state=data["standing"],
        confirmed=_is(bool, data["granted"]),
        failed_runs=_is(int, data["failed_runs"]),
        sent_hosts=frozenset(_texts(data["sent_hosts"])),
        answered_at=float(data["answered_at"]),
        refused_at=None if data["refused_at"] is None else float(data["refused_at"]),
        warned=_is(bool, data["warned"]),
    )


def _failed_host(sequence: object, failure: object) -> FailedHost:
    return FailedHost(_is(int, sequence), _is(dict, failure))


def _texts(values: object) -> tuple[str, ...]:
    return tuple(_is(str, value) for value in _is(list, values))


def _is(kind: type[_T], value: object) -> _T:
    # JSON has no types of its own to trust: a number written as text would fail much later, in every run anew.
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
