# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the ``details`` of an event: what the page says, as data for programs.

Must stay within DETAILS_LIMIT for any run, and contain only strings that grouping.py has cleaned and redacted.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.facts import Facts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.grouping import (
    CUTS,
    REST_ROOM,
    SMALLEST_TEXT,
    Budget,
    FailureGroup,
    FailureGroups,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import REASONS, without_empty

DETAILS_LIMIT = 16 * 1024  # bytes of canonical JSON
_SHOWN_DELEGATES = 3


def details_of(facts: Facts, groups: FailureGroups, total_hosts: int) -> dict[str, Any]:
    """Return the details of one trigger.

    :param total_hosts: number of hosts that the run's plays matched; 0 if the incident also has other hosts.
    """
    names = groups.names(groups.hosts, 2048)
    details = without_empty(
        {
            **asdict(facts),
            "failed_hosts": len(groups.hosts),
            "total_hosts": total_hosts,
            "hosts": names,
            "more_hosts": len(groups.hosts) - len(names),
            "aborted": groups.is_aborted,
        }
    )
    budget = Budget(DETAILS_LIMIT - len(canonical_json(details)) - REST_ROOM)
    shown: list[dict[str, Any]] = []
    for group, share in budget.shares(groups.all):
        entry = _entry(group, groups, share)
        budget.left -= len(canonical_json(entry)) + 1
        shown.append(entry)
    return without_empty({**details, "failures": shown, "more_failures": len(groups.all) - len(shown)})


def _entry(group: FailureGroup, groups: FailureGroups, share: int) -> dict[str, Any]:
    """Return the details of one group, in at most ``share`` bytes of JSON."""
    task, path = groups.place(group)
    has_hosts = group.kind not in REASONS
    names = groups.names(group.hosts, share // 8) if has_hosts else []
    shown = sorted(group.delegates)[:_SHOWN_DELEGATES]
    entry: dict[str, Any] = {
        "kind": group.kind,
        "task": task,
        "path": path,
        "line": group.line,
        "hosts": names,
        "more_hosts": len(group.hosts) - len(names) if has_hosts else 0,
        "delegates": {groups.text(host, 100): groups.text(group.delegates[host], 100) for host in shown},
        "status": groups.words(group.status, share // 8),
        "command": groups.words(group.command, share // 8),
        "runbook_url": groups.words(group.runbook, share // 8),
    }
    # JSON escapes quotes, backslashes and line breaks, which doubles their size.
    budget = (share - len(canonical_json(entry))) // 2
    for name, _host, text in groups.texts(group):
        room = budget // (3 - len(entry.keys() & CUTS.keys())) - 20 if name not in entry else 0
        if room >= SMALLEST_TEXT:
            entry[name] = CUTS[name](text, room)
            budget -= len(entry[name].encode()) + 20
    return without_empty(entry)
