# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook against a sandbox and returns the results of its `callgoose_incident` tasks.

Must not check results: the tests do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, run_playbook
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

RECORDER = Path(__file__).resolve().parent / "record"
# The keys of every result, by the module's documentation.
DOCUMENTED = {
    "changed",
    "outcome",
    "status_code",
    "api_id",
    "triggered",
    "resolved",
    "incident_key",
    "payload",
    "attempts",
    "msg",
}


@dataclass(frozen=True)
class TaskRun:
    """One run of a playbook: its command, and the results of the tasks under test in order."""

    call: Result
    records: list[dict[str, Any]]

    def results(self, task: str) -> list[dict[str, Any]]:
        """Return the results of the task with this name, one for each host and loop item."""
        return [record["result"] for record in self.records if record["task"] == task]

    def result(self, task: str) -> dict[str, Any]:
        """Return the only result of the task with this name."""
        (only,) = self.results(task)
        return only

    @property
    def output(self) -> str:
        """Everything the command printed."""
        return self.call.stdout + self.call.stderr


def connection(sandbox: Sandbox) -> dict[str, str]:
    """Return environment variables with which tasks without connection options use the sandbox, without retries."""
    return {
        "CALLGOOSE_BASE_URL": sandbox.base_url,
        "CALLGOOSE_API_TOKEN": sandbox.token,
        "CALLGOOSE_RETRIES": "0",
        "CALLGOOSE_TIMEOUT": "5",
    }


def run_tasks(
    tmp_path: Path,
    playbook: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    inventory: Sequence[str] | Path = ("localhost",),
    cfg: str = "[defaults]\n",
) -> TaskRun:
    """Run a playbook with :func:`run_playbook` and return the results of the tasks under test.

    :param env: environment variables of the call, usually those of :func:`connection`.
    """
    recorded = tmp_path / "results.jsonl"
    recorded.unlink(missing_ok=True)
    recording = {
        "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
        "ANSIBLE_CALLBACKS_ENABLED": "task_results",
        "RECORDED_RESULTS": str(recorded),
    }
    call = run_playbook(tmp_path, playbook, *args, inventory=inventory, cfg=cfg, env={**recording, **(env or {})})
    lines = recorded.read_text(encoding="utf-8").splitlines() if recorded.exists() else []
    return TaskRun(call, [json.loads(line) for line in lines])
