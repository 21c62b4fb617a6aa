# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs as AWX does: with the real ansible-runner, AWX's directory layout, and a temporary home.

Must not check jobs: the tests do. The layout is that of AWX's ``awx/main/tasks/jobs.py``: ``build_env``,
``build_args``, ``build_inventory`` and ``build_extra_vars_file``; the extra vars are those of ``awx_meta_vars``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

AWX = "https://awx.example.com"
ENABLED = "[defaults]\ncallbacks_enabled = callgoose.sqibs.callgoose_incident\n"
# Fails on the hosts named in the extra var `bad`.
SITE = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Restart the shop
      ansible.builtin.assert:
        that: inventory_hostname not in bad
        fail_msg: port 443 is taken
"""


@dataclass(frozen=True)
class JobTemplate:
    """The job template from which a job is launched.

    :param cfg: the content of the project's ansible.cfg.
    """

    id: int = 7
    name: str = "Deploy the shop"
    inventory_id: int = 3
    hosts: Sequence[str] = ("web1", "web2")
    playbook: str = "site.yml"
    revision: str = "0f1e2d3c"
    cfg: str = ENABLED


@dataclass(frozen=True)
class Job:
    """A job that has ended.

    :param rc: the exit code of ansible-playbook.
    :param sent: the payloads of its requests.
    :param artifacts: the directory with ansible-runner's output, which AWX stores and shows.
    """

    rc: int
    sent: list[dict[str, Any]]
    artifacts: Path

    @property
    def states(self) -> list[str]:
        """The states in the requests."""
        return [payload["state"] for payload in self.sent]

    @property
    def stdout(self) -> str:
        """The job's output as shown by AWX."""
        return (self.artifacts / "stdout").read_text(encoding="utf-8")

    @property
    def events(self) -> list[str]:
        """The names of the job's events in order, without those that only contain output."""
        files = sorted((self.artifacts / "job_events").glob("*.json"), key=lambda file: int(file.name.split("-")[0]))
        names = [json.loads(file.read_text(encoding="utf-8"))["event"] for file in files]
        return [name for name in names if name not in ("verbose", "warning")]


@dataclass
class Controller:
    """An AWX with a Callgoose credential for a sandbox. Each job has its own directory and home.

    :ivar credential: the environment variables that the credential injects into each job.
    :ivar last_job: the ID of the latest job.
    """

    directory: Path
    sandbox: Sandbox
    credential: dict[str, str] = field(default_factory=dict)
    last_job: int = 41

    def __post_init__(self) -> None:
        own = {"CALLGOOSE_API_TOKEN": self.sandbox.token, "CALLGOOSE_BASE_URL": self.sandbox.base_url}
        self.credential = {**own, **self.credential}

    def launch(
        self,
        template: JobTemplate,
        *args: str,
        bad: str = "",
        limit: str = "",
        launch_type: str = "manual",
    ) -> Job:
        """Run a job to its end.

        :param args: further command-line arguments, such as ``-vvv``.
        :param bad: names of the hosts on which the job fails.
        """
        self.last_job += 1
        private = self.directory / f"awx_{self.last_job}_private"
        meta = {
            "job_id": self.last_job,
            "job_launch_type": launch_type,
            "user_id": 1,
            "user_name": "marge",
            "user_email": "marge@example.com",
            "inventory_id": template.inventory_id,
            "inventory_name": "Shop hosts",
            "project_revision": template.revision,
            "project_scm_branch": "main",
            "job_template_id": template.id,
            "job_template_name": template.name,
        }
        # not an empty string: ansible-core reads `!unsafe ""` in such a file as null
        extra_vars = {
            "bad": bad or "nobody",
            **{f"{kind}_{name}": value for kind in ("awx", "tower") for name, value in meta.items()},
        }
        words = ["-u", "root", *(["-l", limit] if limit else []), *args]
        write(private / "env" / "extravars", _unsafe(extra_vars))
        write(private / "env" / "cmdline", " ".join(words))
        write(private / "env" / "envvars", json.dumps({**self._environment(private, template), **self.credential}))
        write(private / "env" / "settings", json.dumps({"suppress_ansible_output": True, "job_timeout": 0}))
        write(private / "inventory" / "hosts", _inventory_script(template.hosts), mode=0o700)
        write(private / "project" / template.playbook, SITE)
        write(private / "project" / "ansible.cfg", template.cfg)
        before = len(self.sandbox.requests)
        self._run(private, template.playbook)
        artifacts = private / "artifacts" / str(self.last_job)
        rc = int((artifacts / "rc").read_text(encoding="utf-8"))
        return Job(rc, [json.loads(request["body"]) for request in self.sandbox.requests[before:]], artifacts)

    def _environment(self, private: Path, template: JobTemplate) -> dict[str, str]:
        return {
            "AWX_PRIVATE_DATA_DIR": str(private),
            "JOB_ID": str(self.last_job),
            "INVENTORY_ID": str(template.inventory_id),
            "PROJECT_REVISION": template.revision,
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "MAX_EVENT_RES": "700000",
            "AWX_HOST": AWX,
            # in AWX, the collection comes from the project's requirements.yml or the execution environment
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        }

    def _run(self, private: Path, playbook: str) -> None:
        home = self.directory / f"home_{self.last_job}"
        home.mkdir()
        tools = Path(sys.executable).parent
        command = [str(tools / "ansible-runner"), "run", str(private), "-p", playbook, "-i", str(self.last_job)]
        path = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
        ended = subprocess.run(
            [*command, "--omit-env-files"],
            env={"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not ended.stderr, ended.stderr


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file into the private directory, readable only by its owner, as AWX does."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _unsafe(extra_vars: Mapping[str, Any]) -> str:
    """Return the extra vars as written by ``awx.main.utils.safe_yaml``, which prevents templating of user input."""
    lines = []
    for name, value in extra_vars.items():
        text = f"!unsafe {json.dumps(value)}" if isinstance(value, str) else json.dumps(value)
        lines.append(f"!unsafe {json.dumps(name)}: {text}\n")
    return "".join(lines)


def _inventory_script(hosts: Sequence[str]) -> str:
    """Return an inventory script as AWX writes it, with local connections."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hostvars = {
        host: {f"remote_{kind}_{name}": value for kind in ("host", "tower") for name, value in _host(number).items()}
        for number, host in enumerate(hosts, 1)
    }
    data = {"all": {"vars": local, "hosts": list(hosts)}, "_meta": {"hostvars": hostvars}}
    return f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(data)!r})\n"


def _host(number: int) -> dict[str, Any]:
    return {"enabled": "true", "id": number}
