# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs as AWX does: with the real ansible-runner, AWX's directory layout, and a temporary home.

Must not check jobs: the tests do. The layout is that of AWX's ``awx/main/tasks/jobs.py``: ``build_env``,
``build_args``, ``build_inventory`` and ``build_extra_vars_file``; the extra vars are those of ``awx_meta_vars``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

AWX = "https://awx.example.com"
RUN, STREAM = "run", "transmit, worker and process"
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

_RUNNER = str(Path(sys.executable).with_name("ansible-runner"))


@dataclass(frozen=True)
class JobTemplate:
    """The job template from which a job is launched.

    :param content: of the playbook.
    :param cfg: the content of the project's ansible.cfg.
    """

    id: int = 7
    name: str = "Deploy the shop"
    inventory_id: int = 3
    hosts: Sequence[str] = ("web1", "web2")
    playbook: str = "site.yml"
    content: str = SITE
    revision: str = "0f1e2d3c"
    cfg: str = ENABLED


@dataclass(frozen=True)
class Job:
    """A job that has ended.

    :param rc: the exit code of ansible-playbook; None if it was killed.
    :param sent: the payloads of the requests that the API received while it ran.
    :param artifacts: the directory with ansible-runner's output, which AWX stores and shows.
    """

    rc: int | None
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
class RunningJob:
    """A job that has been launched.

    :ivar commands: the processes of ansible-runner.
    """

    private: Path
    ident: str
    sandbox: Sandbox
    commands: Sequence[subprocess.Popen[bytes]]
    errors: Path
    asked: int

    def end(self) -> Job:
        """Wait for its end."""
        for command in self.commands:
            command.wait(120)
        errors = self.errors.read_text(encoding="utf-8")
        assert not errors, errors
        artifacts = self.private / "artifacts" / self.ident
        code = (artifacts / "rc").read_text(encoding="utf-8")
        rc = None if code == "None" else int(code)
        return Job(rc, [json.loads(request["body"]) for request in self.sandbox.requests[self.asked :]], artifacts)

    def wait_for(self, path: Path, seconds: float = 120) -> None:
        """Wait until a task of the job has created a file."""
        deadline = time.monotonic() + seconds
        while not path.exists():
            is_over = all(command.poll() is not None for command in self.commands)
            assert not is_over and time.monotonic() < deadline, f"{path} does not exist. {self._output()}"
            time.sleep(0.1)

    def _output(self) -> str:
        files = [self.errors, self.private / "artifacts" / self.ident / "stdout"]
        return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    def kill(self) -> None:
        """End ansible-playbook and its workers at once, as AWX does if a job is cancelled or exceeds its time limit.

        AWX kills the container of the job; ansible-runner, which has started it, reports the end.
        """
        mark = f"JOB_ID={self.ident}".encode()
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in environment.read_bytes().split(b"\0"):
                    os.kill(int(environment.parent.name), signal.SIGKILL)


@dataclass
class Controller:
    """An AWX with a Callgoose credential for a sandbox. Each job has its own directory and home.

    :ivar credential: the environment variables that the credential injects into each job.
    :ivar host: the *Base URL of the service*.
    :ivar way: how jobs run: ``RUN`` in one process, ``STREAM`` on an execution node.
    :ivar container: the words of a command that runs another one in a container.
    :ivar last_job: the ID of the latest job.
    """

    directory: Path
    sandbox: Sandbox
    credential: dict[str, str] = field(default_factory=dict)
    host: str = AWX
    way: str = RUN
    container: Sequence[str] = ()
    last_job: int = 41

    def __post_init__(self) -> None:
        own = {"CALLGOOSE_API_TOKEN": self.sandbox.token, "CALLGOOSE_BASE_URL": self.sandbox.base_url}
        self.credential = {**own, **self.credential}

    def launch(self, template: JobTemplate, *args: str, **how: Any) -> Job:
        """Run a job to its end. The arguments are those of :meth:`start`."""
        return self.start(template, *args, **how).end()

    def launch_slices(self, template: JobTemplate, count: int, **how: Any) -> list[Job]:
        """Run a sliced job: a workflow with the job template's name, whose jobs each have a part of the hosts."""
        workflow = {"workflow_job_id": self.last_job + 1000, "workflow_job_name": template.name}
        parts = [sorted(template.hosts)[number::count] for number in range(count)]
        return [self.launch(replace(template, hosts=part), meta=workflow, **how) for part in parts]

    def start(
        self,
        template: JobTemplate,
        *args: str,
        bad: str = "",
        limit: str = "",
        launch_type: str = "manual",
        meta: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> RunningJob:
        """Launch a job.

        :param args: further command-line arguments, such as ``-vvv``.
        :param bad: names of the hosts on which the job fails.
        :param meta: further variables of the job, without their prefix ``awx_``.
        :param variables: extra variables of the job template.
        """
        self.last_job += 1
        private = self.directory / f"awx_{self.last_job}_private"
        known = {
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
            **(meta or {}),
        }
        # not an empty string: ansible-core reads `!unsafe ""` in such a file as null
        extra_vars = {
            "bad": bad or "nobody",
            **(variables or {}),
            **{f"{kind}_{name}": value for kind in ("awx", "tower") for name, value in known.items()},
        }
        words = ["-u", "root", *(["-l", limit] if limit else []), *args]
        write(private / "env" / "extravars", _unsafe(extra_vars))
        write(private / "env" / "cmdline", " ".join(words))
        write(private / "env" / "envvars", json.dumps({**self._environment(private, template), **self.credential}))
        write(private / "env" / "settings", json.dumps({"suppress_ansible_output": True, "job_timeout": 0}))
        write(private / "inventory" / "hosts", _inventory_script(template.hosts), mode=0o700)
        write(private / "project" / template.playbook, template.content)
        write(private / "project" / "ansible.cfg", template.cfg)
        asked = len(self.sandbox.requests)
        errors = self.directory / f"errors_{self.last_job}"
        commands = self._commands(private, template.playbook, errors)
        return RunningJob(private, str(self.last_job), self.sandbox, commands, errors, asked)

    def _environment(self, private: Path, template: JobTemplate) -> dict[str, str]:
        return {
            "AWX_PRIVATE_DATA_DIR": str(private),
            "JOB_ID": str(self.last_job),
            "INVENTORY_ID": str(template.inventory_id),
            "PROJECT_REVISION": template.revision,
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "MAX_EVENT_RES": "700000",
            "AWX_HOST": self.host,
            # in AWX, the collection comes from the project's requirements.yml or the execution environment
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        }

    def _commands(self, private: Path, playbook: str, errors: Path) -> list[subprocess.Popen[bytes]]:
        """Start ansible-runner: alone, or in three parts, of which only the second is on the execution node."""
        home = self.directory / f"home_{self.last_job}"
        home.mkdir()
        job = [str(private), "-p", playbook, "-i", str(self.last_job), "--omit-env-files"]
        node = ["--private-data-dir", str(self.directory / f"node_{self.last_job}"), "--delete"]
        parts = {
            RUN: [[*self.container, _RUNNER, "run", *job]],
            STREAM: [
                [_RUNNER, "transmit", *job],
                [*self.container, _RUNNER, "worker", *node],
                [_RUNNER, "process", str(private), "-i", str(self.last_job)],
            ],
        }
        path = os.pathsep.join([str(Path(_RUNNER).parent), os.environ.get("PATH", os.defpath)])
        commands: list[subprocess.Popen[bytes]] = []
        with errors.open("ab") as log:
            for words in parts[self.way]:
                commands.append(
                    subprocess.Popen(
                        words,
                        env={"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8"},
                        stdin=commands[-1].stdout if commands else subprocess.DEVNULL,
                        stdout=subprocess.PIPE if words is not parts[self.way][-1] else subprocess.DEVNULL,
                        stderr=log,
                    )
                )
        for command in commands[:-1]:
            assert command.stdout
            command.stdout.close()  # the next one reads it
        return commands


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
