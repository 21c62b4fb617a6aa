# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook with the failure callback's events recorded, and returns the runs that they make.

Must not say what a run has to be: the tests do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Call, Result, prepare

RECORDER = Path(__file__).resolve().parent / "record"

# A connection that fails as an unreachable host's does, at once and on every machine.
AWAY = '''
DOCUMENTATION = """
name: away
short_description: A host that is away
description: Nobody answers.
author: x
"""

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    transport = "away"
    has_pipelining = False

    def _connect(self):
        raise AnsibleConnectionFailure("nobody answers")

    def exec_command(self, cmd, in_data=None, sudoable=True):
        self._connect()

    def put_file(self, in_path, out_path):
        self._connect()

    def fetch_file(self, in_path, out_path):
        self._connect()

    def close(self):
        pass
'''


@dataclass(frozen=True)
class Recorded:
    """What one call recorded: its finished runs, the playbooks that began, errors, and what the command did."""

    call: Result
    runs: list[dict[str, Any]]
    begun: list[str]
    errors: list[str]

    @property
    def run(self) -> dict[str, Any]:
        """The only run."""
        (only,) = self.runs
        return only

    @property
    def output(self) -> str:
        """Everything the command printed, and what was recorded."""
        return f"{self.call.stdout}{self.call.stderr}\n{json.dumps(self.runs, indent=1)}{self.errors}"


@dataclass(frozen=True)
class Playground:
    """A folder with a project in it, whose runs are recorded."""

    folder: Path
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def record(self) -> Path:
        """Where the runs are written."""
        return self.folder / "runs.jsonl"

    def prepare(
        self,
        playbook: str | Path,
        *args: str,
        inventory: Sequence[str] | Path | None,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Call:
        """Return the call that runs this playbook and records its runs.

        :param inventory: as :func:`playbook.prepare` takes it. A host with ``ansible_connection=away`` is unreachable.
        :param options: what is on: ``ignore_unreachable``, ``notice_sigterm``.
        """
        recording = {
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "runs",
            "RECORDED_RUNS": str(self.record),
            "RUNS_OPTIONS": " ".join(options),
        }
        call = prepare(self.folder, playbook, *args, inventory=inventory, env={**recording, **(env or {})})
        for name, text in {"connection_plugins/away.py": AWAY, **self.files}.items():
            path = call.cwd / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return call

    def recorded(self, call: Result) -> Recorded:
        """Return what was recorded until now."""
        lines = self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []
        data = [json.loads(line) for line in lines]
        return Recorded(
            call,
            [line for line in data if "failures" in line],
            [line["begun"] for line in data if "begun" in line],
            [line["error"] for line in data if "error" in line],
        )
