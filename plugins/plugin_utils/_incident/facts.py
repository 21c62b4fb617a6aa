# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules are given and return: the policy, the facts of a finished run, and a request that is due.

Must not decide anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import OWN, Incident, Mark


@dataclass(frozen=True)
class Policy:
    """The parameters of the rules, which come from the user and the store.

    :param after_failures: consecutive failed runs before the first page.
    :param repeat_interval: seconds after which an open incident is sent again, and a resolve may be.
    :param page_limited_runs: whether failures of a run with ``--limit`` count; its successes always do.
    :param memory: what the store remembers: ``NONE``, ``OWN`` or ``SHARED``.
    """

    after_failures: int = 1
    repeat_interval: float = 4 * 3600.0
    page_limited_runs: bool = True
    memory: str = OWN


@dataclass(frozen=True)
class RunFacts:
    """What the rules need to know about a finished run. Callers must not pass check-mode runs.

    :param key: of the run's base and scope.
    :param id: of the run's own note in the ledger; empty if it has none.
    :param succeeded: hosts on which the run succeeded.
    :param failed: by host, plain redacted data for the page.
    :param inventory: all hosts of the inventory, read when the run ended.
    :param added: those hosts that no source of the inventory names: the run's tasks have added them.
    :param aborted: None if the run reached its end; otherwise data for the page, as in ``failed``.
    :param partial: it ran with ``--start-at-task`` or ``--step``, or was interrupted: no host counts as recovered.
    :param dubious: its events and its statistics disagree: no host counts as recovered.
    :param guarded: a guard has reported failures of it, in an incident of its own.
    :param matched: every host that one of its plays matched; None if another call may match others.
    :param unlimited_key: if AWX relaunched a job with a limit: the key of the same run without it. The limit is either
        the hosts that failed, or that of the relaunched job, and the run cannot tell which.
    :param began: the ledger's mark when the run began.
    :param revision: the project's revision; empty if unknown.
    :param slice_of: the job of which it is a slice, with a part of the inventory; empty if it is none. It resolves only
        what the store knows: without one, it cannot tell what other slices have opened.
    :param noticed: hosts whose failure in this run was recorded when it happened.
    :param groups: by failed host, the value of the variable that ``group_by`` names; without one, it is empty.
    """

    scope: Scope
    key: str
    succeeded: frozenset[str]
    failed: Mapping[str, Mapping[str, Any]]
    inventory: frozenset[str]
    began: Mark
    aborted: Mapping[str, Any] | None = None
    partial: bool = False
    dubious: bool = False
    guarded: bool = False
    added: frozenset[str] = frozenset()
    matched: frozenset[str] | None = None
    unlimited_key: str = ""
    revision: str = ""
    id: str = ""
    slice_of: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    noticed: frozenset[str] = frozenset()

    @property
    def successes_count(self) -> bool:
        """Whether its successes count."""
        return self.aborted is None and not self.partial and not self.dubious

    @property
    def wholly_successful(self) -> bool:
        """Whether it succeeded on its whole scope."""
        return self.successes_count and not self.failed and not self.guarded and bool(self.succeeded)


@dataclass(frozen=True)
class Request:
    """One request to make. Two requests are equal if they say the same, even if the incident has changed otherwise.

    :param state: ``triggered`` or ``resolved``.
    :param episode: for ``details.episode``; 0 sends none.
    :param hosts: the incident's failed hosts; none for a resolve.
    :param incident: as it was when the request was decided, for the page.
    """

    state: str
    key: str
    episode: int
    hosts: frozenset[str]
    incident: Incident = field(compare=False, repr=False)
