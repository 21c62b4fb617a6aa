# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of the fault matrix: runs of ansible-playbook that send through the task, the callback or the guard.

Must not check anything: the tests do. Rows share a run where each still has a result of its own.
"""

from __future__ import annotations

import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.table import Fault
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import Api, World
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Call, Result, prepare
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED, SITE
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import RECORDER

GUARDED = """
- ansible.builtin.fail: {msg: "cannot deploy"}
  when: bad is defined and inventory_hostname.endswith('_bad')
"""


@dataclass(frozen=True)
class Seen:
    """What one run showed of one row.

    :ivar says: the task's message and warnings, or the warnings of the callback or the guard.
    :ivar call: the run that it had its part in.
    """

    says: str
    call: Result
    details: Mapping[str, Any]


Rows = Sequence[tuple[Fault, Api]]


def slug(name: str) -> str:
    """Return the name as one word that Ansible does not break: it wraps warnings at hyphens too."""
    return re.sub(r"\W+", "_", name).lower()


def warnings_of(call: Result) -> list[str]:
    """Return the warnings, without the line breaks with which Ansible wraps them."""
    return " ".join(call.stderr.split()).split("[WARNING]")[1:]


class Column(ABC):
    """One entry point. A subclass says how rows share runs, and what a run shows of each.

    :ivar failing_rc: the exit code of a failing run.
    """

    failing_rc = 2

    def run(self, world: World, rows: Rows, bad: bool, env: Mapping[str, str]) -> dict[str, Seen]:
        """Run all rows to their ends, and return what was seen of each, by its name."""
        seen: dict[str, Seen] = {}
        for group in self.groups(rows):
            seen |= self.read(world, group, self.call(world, group, bad, env).run())
        return seen

    def groups(self, rows: Rows) -> Iterable[Rows]:
        """Return the rows that share a run."""
        return [rows]

    @abstractmethod
    def call(self, world: World, rows: Rows, bad: bool, env: Mapping[str, str]) -> Call:
        """Return the run of these rows, ready to start.

        :param bad: whether it fails, and so triggers; otherwise it succeeds, and so resolves.
        """

    @abstractmethod
    def read(self, world: World, rows: Rows, call: Result) -> dict[str, Seen]:
        """Return what the run showed of each row."""


class TaskColumn(Column):
    """Tasks of one run, each with the API of its row."""

    failing_rc = 0  # their failures are ignored

    def call(self, world: World, rows: Rows, bad: bool, env: Mapping[str, str]) -> Call:
        tasks = []
        for fault, api in rows:
            options = {"state": "triggered" if bad else "resolved", "title": fault.name, "base_url": api.base_url}
            module = {"callgoose.sqibs.callgoose_incident": {**options, **fault.options}}
            tasks.append({"name": fault.name, "ignore_errors": True, **module})
        recorded = self._recorded(world)
        recorded.unlink(missing_ok=True)
        recording = {
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "task_results",
            "RECORDED_RESULTS": str(recorded),
        }
        play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        return prepared(world, play, ["web1"], {**recording, **env})

    def read(self, world: World, rows: Rows, call: Result) -> dict[str, Seen]:
        lines = [json.loads(line) for line in self._recorded(world).read_text(encoding="utf-8").splitlines()]
        results = {line["task"]: line["result"] for line in lines}
        return {name: Seen(" ".join([it["msg"], *it.get("warnings", ())]), call, it) for name, it in results.items()}

    @staticmethod
    def _recorded(world: World) -> Path:
        return world.folder / "results.jsonl"


class GuardColumn(Column):
    """Guards in one run, each with the API of its row and hosts of its own; one of two hosts fails."""

    def groups(self, rows: Rows) -> Iterable[Rows]:
        return [list(group) for _env, group in itertools.groupby(rows, key=lambda row: dict(row[0].env))]

    def call(self, world: World, rows: Rows, bad: bool, env: Mapping[str, str]) -> Call:
        plays = [self._play(fault, api) for fault, api in rows]
        hosts = [f"{slug(fault.name)}_{kind}" for fault, _api in rows for kind in ("bad", "good")]
        words = ("-e", "bad=yes") if bad else ()
        call = prepared(world, plays, hosts, {**rows[0][0].env, **env}, *words)
        Path(call.cwd, "deploy.yml").write_text(GUARDED, encoding="utf-8")
        return call

    def read(self, world: World, rows: Rows, call: Result) -> dict[str, Seen]:
        warnings = warnings_of(call)
        seen = {}
        for fault, _api in rows:
            mine = [warning for warning in warnings if f"guard_{slug(fault.name)} " in warning]
            seen[fault.name] = Seen(" ".join(mine), call, {"count": len(mine)})
        return seen

    @staticmethod
    def _play(fault: Fault, api: Api) -> dict[str, Any]:
        name = slug(fault.name)
        variables = {
            "incident_guard_tasks": "deploy.yml",
            "incident_guard_incident_key": f"guard_{name}",
            "incident_guard_base_url": api.base_url,
        }
        role = {"name": "callgoose.sqibs.incident_guard"}
        tasks = [{"ansible.builtin.include_role": role, "vars": variables}]
        return {"hosts": f"{name}_bad,{name}_good", "gather_facts": False, "tasks": tasks}


class CallbackColumn(Column):
    """One run for each row: a run has one warning at most, and a command ends with its first failed playbook."""

    def groups(self, rows: Rows) -> Iterable[Rows]:
        return [[row] for row in rows]

    def call(self, world: World, rows: Rows, bad: bool, env: Mapping[str, str]) -> Call:
        ((fault, api),) = rows
        words = ("-e", "bad=web1") if bad else ()
        env = {"CALLGOOSE_BASE_URL": api.base_url, **fault.env, **env}
        return prepared(world, SITE, ["web1", "web2"], env, *words, cfg=ENABLED)

    def read(self, world: World, rows: Rows, call: Result) -> dict[str, Seen]:
        warnings = warnings_of(call)
        return {fault.name: Seen(" ".join(warnings), call, {"count": len(warnings)}) for fault, _api in rows}


COLUMNS: dict[str, Column] = {"task": TaskColumn(), "callback": CallbackColumn(), "guard": GuardColumn()}


def prepared(
    world: World,
    playbook: str | list[dict[str, Any]],
    hosts: Iterable[str],
    env: Mapping[str, str],
    *words: str,
    cfg: str = "[defaults]\n",
) -> Call:
    """Return the run of a playbook, given as text or data, that prints all that may hold a secret."""
    text = playbook if isinstance(playbook, str) else yaml.safe_dump(playbook, sort_keys=False)
    env = {**world.env, **env}
    return prepare(world.folder, f"{text}\n", "-vvv", *words, inventory=list(hosts), env=env, cfg=cfg)
