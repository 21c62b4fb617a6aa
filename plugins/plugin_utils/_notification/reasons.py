# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data that the ledger keeps of a reason that is no host: a run that was killed, hangs, is missing, did not start.

Must contain no time but what stays the same within an episode.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._durations import shown
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import HANGING, MISSING
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import without_empty


def describe(kind: str, task: str = "", seconds: float = 0.0, at: float = 0.0, message: str = "") -> dict[str, Any]:
    """Return the data for a page.

    :param kind: one of ``REASONS`` of snapshot.py.
    :param task: the task in which the run was.
    :param seconds: the limit that has passed.
    :param at: clock time of the last success, in seconds; 0 if there was none.
    :param message: the cause, redacted; by default it says which limit has passed.
    """
    if kind == HANGING:
        message = f"it has been running for more than {shown(seconds)}"
    if kind == MISSING:
        last = f"the last one ended at {utc(at)}" if at else "none is known"
        message = f"no run of all hosts has succeeded for more than {shown(seconds)}; {last}"
    return {"failures": [without_empty({"kind": kind, "task": task, "message": message})]}


def utc(seconds: float) -> str:
    """Return a clock time in minutes; empty if it is unknown or no such time exists."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC") if seconds else ""
    except (OverflowError, OSError, ValueError):
        return ""
