# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the failures of a run from bounded strings: many hosts often fail with the same long output.

Must not decide which failures a run keeps: recorder.py does.
"""

from __future__ import annotations

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    COMMAND_LIMIT,
    MESSAGE_LIMIT,
    OUTPUT_LIMIT,
    SHORT_LIMIT,
    TOTAL_LIMIT,
    Failure,
    Output,
    Task,
)


def bounded_failure(failure: Failure) -> Failure:
    """Return a single failure with its strings within the limits."""
    task = Task(failure.task, failure.action, failure.path, failure.line, runbook=failure.runbook)
    output = Output(failure.message, failure.stdout, failure.stderr, failure.command, failure.status, failure.delegate)
    return BoundedStrings().failure(failure.kind, task, output, failure.play)


class BoundedStrings:
    """Truncates strings and stores equal ones once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._left = TOTAL_LIMIT

    def failure(self, kind: str, task: Task, output: Output, play: str) -> Failure:
        """Return a failure of this task."""
        return Failure(
            kind=kind,
            task=task.name,
            action=task.action,
            path=task.path,
            line=task.line,
            play=play,
            message=self._beginning(output.message, MESSAGE_LIMIT),
            stdout=self._end(output.stdout),
            stderr=self._end(output.stderr),
            command=self._beginning(output.command, COMMAND_LIMIT),
            status=self._beginning(output.status, COMMAND_LIMIT),
            delegate=self._beginning(output.delegate, SHORT_LIMIT),
            runbook=self._beginning(task.runbook, COMMAND_LIMIT),
        )

    def _beginning(self, string: str, limit: int) -> str:
        return self._keep(string[: self._limit(limit)])

    def _end(self, string: str) -> str:
        return self._keep(string[-self._limit(OUTPUT_LIMIT) :])

    def _limit(self, limit: int) -> int:
        return limit if self._left > 0 else SHORT_LIMIT

    def _keep(self, string: str) -> str:
        known = self._known.get(string)
        if known is None:
            self._left -= len(string)
            known = self._known[string] = string
        return known
