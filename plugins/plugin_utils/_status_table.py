# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out what the store holds as lines for a terminal.

Must not read the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import in_words

_NAMED = 3  # Up to so many hosts are named.


def table(status: Mapping[str, Any]) -> list[str]:
    """Return the lines.

    :param status: what `_status.read_status` returned.
    """
    wanted = [one for one in status["incidents"] if one["wanted"] == "open" or one["waiting"] or one["parked"]]
    closed = len(status["incidents"]) - len(wanted)
    is_empty = not status["incidents"] and not status["playbooks"]
    lines = [f"STORE {status['store']}{': it holds nothing yet' if is_empty else ''}", "", "INCIDENTS"]
    rows = [
        (
            f"{one['wanted']}, confirmed" if one["wanted"] == one["confirmed"] else f"{one['wanted']}, not confirmed",
            one["since"],
            one["playbook"],
            _hosts(one["failed_hosts"]),
            one["incident_key"],
        )
        for one in wanted
    ]
    lines += _columns(("STATE", "SINCE", "PLAYBOOK", "FAILED", "INCIDENT KEY"), rows) if rows else ["  none is open"]
    lines += [f"  {one['incident_key']}: {one['why']}" for one in wanted if one["why"]]
    lines += [f"  and {closed} that are closed"] if closed else []
    books = status["playbooks"]
    lines_of_books = [
        (
            one["playbook"],
            one["incident_key"],
            one["last_success"] or "never",
            f"overdue, after {one['overdue_after']}" if one["overdue"] else one["overdue_after"],
            ", ".join(_running(run) for run in one["runs"]),
        )
        for one in books
    ]
    if lines_of_books:
        head = ("PLAYBOOK", "INCIDENT KEY", "LAST SUCCESS", "OVERDUE AFTER", "RUNS")
        lines += ["", "PLAYBOOKS", *_columns(head, lines_of_books)]
    lines += [f"  {one['playbook']}: the last failed run sent nothing: {one['why']}" for one in books if one["why"]]
    events = [
        (event["at"], one["playbook"], event["event"], event["incident_key"])
        for one in books
        for event in one["history"]
    ]
    if events:
        head_of_history = ("AT", "PLAYBOOK", "EVENT", "INCIDENT KEY")
        lines += ["", "HISTORY", *_columns(head_of_history, sorted(events, key=lambda row: row[0]))]
    return lines


def _hosts(names: Sequence[str]) -> str:
    shown = ", ".join(in_words(name) for name in names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def _running(run: Mapping[str, Any]) -> str:
    task = f" in {run['task']}" if run["task"] else ""
    return f"{run['state']} since {run['began']} on {run['controller']}{task}"


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
