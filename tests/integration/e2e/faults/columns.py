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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.table import Fault
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import Api, World
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, prepare
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED, SITE
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import RECORDER

GUARDED = """
- ansible.builtin.fail: {msg: "cannot deploy"}
  when: bad is defined and inventory_hostname.endswith('-bad')
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


def slug(name: str) -> str:
    return re.sub(r"\W+", "-", name).lower()


def warnings_of(call: Result) -> list[str]:
    """Return the warnings, without the line breaks with which Ansible wraps them."""
    return " ".join(call.stderr.split()).split("[WARNING]")[1:]


class TaskColumn:
    """Tasks of one run, each with the API of its row."""

    failing_rc = 0  # their failures are ignored

    def run(
        self, world: World, rows: Sequence[tuple[Fault, Api]], bad: bool, env: Mapping[str, str]
    ) -> dict[str, Seen]:
        tasks = []
        for fault, api in rows:
            options = {"state": "triggered" if bad else "resolved", "title": fault.name, "base_url": api.base_url}
            module = {"callgoose.sqibs.callgoose_incident": {**options, **fault.options}}
            tasks.append({"name": fault.name, "ignore_errors": True, **module})
        recorded = world.folder / "results.jsonl"
        recorded.unlink(missing_ok=True)
        recording = {
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "task_results",
            "RECORDED_RESULTS": str(recorded),
        }
        play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        call = run(world, play, ["web1"], {**recording, **env})
        lines = [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines()]
        results = {line["task"]: line["result"] for line in lines}
        return {name: Seen(" ".join([it["msg"], *it.get("warnings", ())]), call, it) for name, it in results.items()}


class GuardColumn:
    """Guards in one run, each with the API of its row and hosts of its own; one of two hosts fails."""

    failing_rc = 2

    def run(
        self, world: World, rows: Sequence[tuple[Fault, Api]], bad: bool, env: Mapping[str, str]
    ) -> dict[str, Seen]:
        seen = {}
        for options, group in itertools.groupby(rows, key=lambda row: dict(row[0].env)):
            members = list(group)
            plays = [self._play(fault, api) for fault, api in members]
            hosts = [f"{slug(fault.name)}-{kind}" for fault, _api in members for kind in ("bad", "good")]
            words = ("-e", "bad=yes") if bad else ()
            call = run(world, plays, hosts, {**options, **env}, *words, files={"deploy.yml": GUARDED})
            warnings = warnings_of(call)
            for fault, _api in members:
                mine = [warning for warning in warnings if f"guard-{slug(fault.name)}" in warning]
                seen[fault.name] = Seen(" ".join(mine), call, {"count": len(mine)})
        return seen

    @staticmethod
    def _play(fault: Fault, api: Api) -> dict[str, Any]:
        name = slug(fault.name)
        variables = {
            "incident_guard_tasks": "deploy.yml",
            "incident_guard_incident_key": f"guard-{name}",
            "incident_guard_base_url": api.base_url,
        }
        role = {"name": "callgoose.sqibs.incident_guard"}
        tasks = [{"ansible.builtin.include_role": role, "vars": variables}]
        return {"hosts": f"{name}-bad,{name}-good", "gather_facts": False, "tasks": tasks}


class CallbackColumn:
    """One run for each row: a run has one warning at most, and a command ends with its first failed playbook."""

    failing_rc = 2

    def run(
        self, world: World, rows: Sequence[tuple[Fault, Api]], bad: bool, env: Mapping[str, str]
    ) -> dict[str, Seen]:
        seen = {}
        for fault, api in rows:
            env = {"CALLGOOSE_BASE_URL": api.base_url, **fault.env, **env}
            words = ("-e", "bad=web1") if bad else ()
            call = run(world, SITE, ["web1", "web2"], env, *words, cfg=ENABLED)
            warnings = warnings_of(call)
            seen[fault.name] = Seen(" ".join(warnings), call, {"count": len(warnings)})
        return seen


COLUMNS = {"task": TaskColumn(), "callback": CallbackColumn(), "guard": GuardColumn()}


def run(
    world: World,
    playbook: str | list[dict[str, Any]],
    hosts: Iterable[str],
    env: Mapping[str, str],
    *words: str,
    cfg: str = "[defaults]\n",
    files: Mapping[str, str] | None = None,
) -> Result:
    """Run a playbook, given as text or data, with everything printed that Ansible can print of interest."""
    text = playbook if isinstance(playbook, str) else yaml.safe_dump(playbook, sort_keys=False)
    call = prepare(world.folder, f"{text}\n", "-vvv", *words, inventory=list(hosts), env={**world.env, **env}, cfg=cfg)
    for name, content in (files or {}).items():
        Path(call.cwd, name).write_text(content, encoding="utf-8")
    return call.run()
