# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of reasons that are no host. They join an incident as hosts do; their names start with ``*``.

Must not decide when they join or leave: rules.py and watching.py do.
"""

from __future__ import annotations

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope

RUNNING = "*running"
OVERDUE = "*overdue"
TASK = "*task"
_WORDS = {"*": "the run", RUNNING: "a run that hangs", OVERDUE: "an overdue success", TASK: "a task"}
# The kinds of failure that they stand for; snapshot.py has that of an aborted run.
KILLED, NOT_STARTED, HANGING, MISSING = "killed", "not_started", "hanging", "overdue"


def aborted_host(scope: Scope) -> str:
    """Return the pseudo-host of a run of this scope that was aborted or killed, or could not start."""
    return f"*({','.join(scope.limit)})" if scope.limit else "*"


def limit_of(host: str) -> str:
    """Return the limit of an aborted run from the name of its pseudo-host; empty if it had none."""
    return host[2:-1] if host.startswith("*(") else ""


def in_words(host: str) -> str:
    """Return how people read the name of a host or pseudo-host."""
    if limit := limit_of(host):
        return f"the run with --limit {limit}"
    return _WORDS.get(host, host)


def is_pseudo(host: str) -> bool:
    """Return whether this is the name of a reason that is no host."""
    return host.startswith("*")
