# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook, records the events that the failure callback uses, and returns the resulting runs.

Must not check the runs: the tests do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Call, Result, prepare

RECORDER = Path(__file__).resolve().parent / "record"

# A connection that fails at once like that of an unreachable host, on every machine.
AWAY = '''
DOCUMENTATION = """
name: away
short_description: Connects to an unreachable host
description: Always fails.
author: x
"""

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    transport = "away"
    has_pipelining = False

    def _connect(self):
        raise AnsibleConnectionFailure("the host does not answer")

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
    """The records of one call: its ended runs, the playbooks that started, errors, and the command's result."""

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
        """Everything the command printed, and its records."""
        return f"{self.call.stdout}{self.call.stderr}\n{json.dumps(self.runs, indent=1)}{self.errors}"


@dataclass(frozen=True)
class Playground:
    """A directory with a project whose runs are recorded."""

    directory: Path
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def record(self) -> Path:
        """The file with the recorded runs."""
        return self.directory / "runs.jsonl"

    def prepare(
        self,
        playbook: str | Path,
        *args: str,
        inventory: Sequence[str] | Path | None,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Call:
        """Return a call that runs this playbook and records its runs.

        :param inventory: as for :func:`playbook.prepare`. A host with ``ansible_connection=away`` is unreachable.
        :param options: enabled options: ``ignore_unreachable``, ``broken``.
        """
        recording = {
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "runs",
            "RECORDED_RUNS": str(self.record),
            "RUNS_OPTIONS": " ".join(options),
        }
        call = prepare(self.directory, playbook, *args, inventory=inventory, env={**recording, **(env or {})})
        for name, text in {"connection_plugins/away.py": AWAY, **self.files}.items():
            path = call.cwd / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return call

    def recorded(self, call: Result) -> Recorded:
        """Return what has been recorded so far."""
        lines = self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []
        data = [json.loads(line) for line in lines]
        return Recorded(
            call,
            [line for line in data if "failures" in line],
            [line["begun"] for line in data if "begun" in line],
            [line["exception"] for line in data if "exception" in line],
        )
