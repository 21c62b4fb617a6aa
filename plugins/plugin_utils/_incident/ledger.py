# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state kept from run to run: a base's incidents, their failed hosts, and what the API has confirmed.

Must not decide anything (rules.py does) or touch files: this file converts to and from JSON, a store keeps the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope

# An incident's remote state: what is known of it at the API, which offers no way to query incidents.
UNKNOWN = "unknown"  # this ledger never sent anything for it; an older, lost ledger may have
CLOSED = "closed"  # a resolve was confirmed or counts as confirmed, and nothing was sent since
MAYBE = "maybe"  # a request was or may have been sent, and its effect is not known
OPEN = "open"  # a trigger was confirmed, and nothing since could have closed the incident
# What a store remembers: nothing after the process ends, the runs of this controller, or those of all controllers.
NONE, OWN, SHARED = "none", "own", "shared"

_REMOTE_STATES = (UNKNOWN, CLOSED, MAYBE, OPEN)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Mark:
    """A position in a ledger's history, read when a run begins. The run cannot clear failures recorded after it."""

    ledger_id: str
    sequence: int


# Matches no ledger, so no failure counts as recorded before it.
NO_MARK = Mark("", 0)


@dataclass(frozen=True)
class FailedHost:
    """A host that failed and has not recovered since.

    :param sequence: the ledger's sequence number when the failure was recorded.
    :param failure: plain, redacted data for the page; the rules do not read it.
    :param added: no inventory source named it: a task of the run had added it.
    """

    sequence: int
    failure: Mapping[str, Any]
    added: bool = False


@dataclass(frozen=True)
class Incident:
    """One incident. It should be open as long as it has failed hosts.

    :param key: the ``incident_key`` that the API maps it by.
    :param scope: the scope of the run that opened it; its tags and skip-tags determine which runs can resolve it.
    :param failed_hosts: by host name, or by the pseudo-host of an aborted run.
    :param episode: incremented each time it opens; 0 if this ledger never opened it, or if the store keeps nothing.
    :param remote_state: what is known of it at the API: ``UNKNOWN``, ``CLOSED``, ``MAYBE`` or ``OPEN``.
    :param confirmed: whether the API confirmed the trigger of the current episode.
    :param failed_runs: number of failed runs since it opened.
    :param sent_hosts: the hosts in the last confirmed trigger; meaningful only while ``confirmed``.
    :param answered_at: clock time in seconds when the API last confirmed the wanted state.
    :param refused_at: clock time in seconds when a resolve first got an inconclusive answer; None if it did not.
    :param warned: whether the user was warned that the resolve may have had no effect.
    :param since: clock time in seconds when it last opened; 0 if unknown.
    :param good_revision: the project's revision in the last run of all hosts before that went well; empty if unknown.
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
    since: float = 0.0
    good_revision: str = ""

    @property
    def hosts(self) -> frozenset[str]:
        """The names of the failed hosts."""
        return frozenset(self.failed_hosts)

    @property
    def is_settled(self) -> bool:
        """Whether the API is known to be in the wanted state: this episode open, or nothing open."""
        return self.confirmed if self.failed_hosts else self.remote_state == CLOSED


@dataclass(frozen=True)
class Ledger:
    """Everything remembered about one base (project, playbook and inventory).

    :param id: random, so that a new ledger is never mistaken for one that was lost.
    :param sequence: counts the runs that recorded failures.
    :param incidents: by key.
    :param good_revision: the project's revision in the last run of all hosts that went well; empty if unknown.
    """

    id: str
    sequence: int = 0
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    good_revision: str = ""

    @property
    def mark(self) -> Mark:
        """The current position in the ledger's history."""
        return Mark(self.id, self.sequence)


def to_json(ledger: Ledger) -> str:
    """Return the ledger as a string of ASCII characters, for a store to keep."""
    return json.dumps(
        {
            "id": ledger.id,
            "sequence": ledger.sequence,
            "incidents": {key: _plain(incident) for key, incident in ledger.incidents.items()},
            "good_revision": ledger.good_revision,
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def from_json(text: str) -> Ledger:
    """Return the ledger that :func:`to_json` serialized.

    :raises ValueError: the string is not a serialized ledger.
    """
    try:
        data = json.loads(text)
        incidents = {key: _incident(key, value) for key, value in data["incidents"].items()}
        return Ledger(_is(str, data["id"]), _is(int, data["sequence"]), incidents, _is(str, data["good_revision"]))
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this is not a ledger: {type(error).__name__}: {error}") from error


# The keys of the JSON (such as "members", "standing" and "granted") are a stored format: they do not follow renames.
def _plain(incident: Incident) -> dict[str, Any]:
    scope = incident.scope
    return {
        "scope": {"limit": scope.limit, "tags": scope.tags, "skip_tags": scope.skip_tags},
        "members": {host: _plain_host(failed) for host, failed in incident.failed_hosts.items()},
        "episode": incident.episode,
        "standing": incident.remote_state,
        "granted": incident.confirmed,
        "failed_runs": incident.failed_runs,
        "sent_hosts": sorted(incident.sent_hosts),
        "answered_at": incident.answered_at,
        "refused_at": incident.refused_at,
        "warned": incident.warned,
        "since": incident.since,
        "good_revision": incident.good_revision,
    }


def _incident(key: str, data: Mapping[str, Any]) -> Incident:
    scope = data["scope"]
    if data["standing"] not in _REMOTE_STATES:
        raise ValueError(f"an incident cannot be in the state {data['standing']!r}")
    return Incident(
        key=key,
        scope=Scope(_strings(scope["limit"]), _strings(scope["tags"]), _strings(scope["skip_tags"])),
        failed_hosts={host: _failed_host(*value) for host, value in data["members"].items()},
        episode=_is(int, data["episode"]),
        remote_state=data["standing"],
        confirmed=_is(bool, data["granted"]),
        failed_runs=_is(int, data["failed_runs"]),
        sent_hosts=frozenset(_strings(data["sent_hosts"])),
        answered_at=float(data["answered_at"]),
        refused_at=None if data["refused_at"] is None else float(data["refused_at"]),
        warned=_is(bool, data["warned"]),
        since=float(data["since"]),
        good_revision=_is(str, data["good_revision"]),
    )


def _plain_host(failed: FailedHost) -> list[Any]:
    return [failed.sequence, dict(failed.failure), *([True] if failed.added else [])]


def _failed_host(sequence: object, failure: object, added: object = False) -> FailedHost:
    return FailedHost(_is(int, sequence), _is(dict, failure), _is(bool, added))


def _strings(values: object) -> tuple[str, ...]:
    return tuple(_is(str, value) for value in _is(list, values))


def _is(kind: type[_T], value: object) -> _T:
    # Check types while reading: a number stored as a string would fail much later, and again in every run.
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value
