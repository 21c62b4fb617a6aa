# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state kept from run to run: a base's incidents, their failed hosts, its running runs, what the API has confirmed.

Must not decide anything (rules.py, wishes.py, watching.py do) or touch files: a store keeps what documents.py writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope

# An incident's remote state: what is known of it at the API, which offers no way to query incidents.
UNKNOWN = "unknown"  # this ledger never sent anything for it; an older, lost ledger may have
CLOSED = "closed"  # a resolve was confirmed or counts as confirmed, and nothing was sent since
MAYBE = "maybe"  # a request was or may have been sent, and its effect is not known
OPEN = "open"  # a trigger was confirmed, and nothing since could have closed the incident
# What a store remembers: nothing after the process ends, the runs of this controller, or those of all controllers.
NONE, OWN, SHARED = "none", "own", "shared"


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
    :param slice_of: the job of which the run was a slice; empty if it was none.
    """

    sequence: int
    failure: Mapping[str, Any]
    added: bool = False
    slice_of: str = ""


@dataclass(frozen=True)
class Wish:
    """The request that should be in force for an incident. An incident has only its newest, so none overtakes another.

    :param state: ``triggered`` or ``resolved``.
    :param hosts: the failed hosts that it names; none for a resolve.
    :param body: what to send, redacted: JSON data, or a string to send as it is.
    :param destination: a digest of the endpoint that it is meant for, a dot, and a digest of the token.
    :param content_type: of the body.
    :param waiting: whether it has to be sent, now or again.
    :param not_before: clock time in seconds; until then only the run that made it sends it.
    :param parked: why it is not sent again by itself; empty if it is not parked.
    :param unauthorized: it is parked because the API refused the token.
    :param answer: the last answer, in words; empty if there was none.
    """

    state: str
    hosts: frozenset[str]
    body: Any
    destination: str
    content_type: str = "application/json"
    waiting: bool = True
    not_before: float = 0.0
    parked: str = ""
    unauthorized: bool = False
    answer: str = ""

    @property
    def is_due(self) -> bool:
        """Whether any run with the same destination may send it."""
        return self.waiting and not self.parked


@dataclass(frozen=True)
class Incident:
    """One incident. It should be open as long as it has failed hosts.

    :param key: the ``incident_key`` that the API maps it by.
    :param scope: the scope of the run that opened it; its tags and skip-tags determine which runs can resolve it.
    :param failed_hosts: by host name, or by a pseudo-host (its name starts with ``*``).
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
    :param wish: the request that should be in force; None if nothing was due yet.
    :param held_back: why the last failed run sent nothing for it; empty if it sent something.
    :param group: the value of the variable that ``group_by`` names, the same for all its hosts.
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
    wish: Wish | None = None
    held_back: str = ""
    group: str = ""

    @property
    def hosts(self) -> frozenset[str]:
        """The names of the failed hosts."""
        return frozenset(self.failed_hosts)

    @property
    def is_settled(self) -> bool:
        """Whether the API is known to be in the wanted state: this episode open, or nothing open."""
        return self.confirmed if self.failed_hosts else self.remote_state == CLOSED


@dataclass(frozen=True)
class RunNote:
    """A run that has begun and has not ended.

    :param controller: the name of the machine that it runs on.
    :param process: the process id and its start time, as `_ansible.process` reads them; empty if unknown.
    :param began_at: clock time in seconds; ``touched_at`` likewise, when a task last started.
    :param task: the name of that task; empty if there was none yet.
    :param max_run_time: seconds after which it counts as hanging; 0 means never.
    :param key: the incident key of its scope.
    :param about: plain data for a page about it; the rules do not read it.
    :param slice_of: the job of which it is a slice; empty if it is none.
    """

    controller: str
    process: str
    began_at: float
    scope: Scope
    key: str
    touched_at: float = 0.0
    task: str = ""
    max_run_time: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict)
    slice_of: str = ""


@dataclass(frozen=True)
class Event:
    """An entry of the history.

    :param at: clock time in seconds.
    :param key: of the incident; empty for what concerns the whole base.
    """

    at: float
    key: str
    text: str


@dataclass(frozen=True)
class Ledger:
    """Everything remembered about one base (project, playbook and inventory).

    :param id: random, so that a new ledger is never mistaken for one that was lost.
    :param sequence: counts the runs that recorded failures.
    :param incidents: by key.
    :param runs: those that have begun and have not ended, by an id of their own.
    :param good_revision: the project's revision in the last run of all hosts that went well; empty if unknown.
    :param key: of an incident of the whole base; empty if no run was noted yet.
    :param name: the playbook or job template, for people.
    :param first_run: clock time in seconds when its first run began; 0 if unknown.
    :param last_success: clock time in seconds of the last run of all hosts that went well; 0 if there was none.
    :param overdue_after: seconds after which a success is missing; 0 means never.
    :param about: plain data for a page about a missing success; the rules do not read it.
    :param held_back: why the last failed run joined no incident; empty if it joined one.
    :param events: what happened since it was read; a store appends them to the history.
    """

    id: str
    sequence: int = 0
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    runs: Mapping[str, RunNote] = field(default_factory=dict)
    good_revision: str = ""
    key: str = ""
    name: str = ""
    first_run: float = 0.0
    last_success: float = 0.0
    overdue_after: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict)
    held_back: str = ""
    events: tuple[Event, ...] = field(default=(), compare=False)

    @property
    def mark(self) -> Mark:
        """The current position in the ledger's history."""
        return Mark(self.id, self.sequence)
