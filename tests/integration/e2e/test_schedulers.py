# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to schedulers: each command line that it shows opens an incident for a failed run, and closes it.

Must take the commands from the guide of the installed artifact, and change nothing in them but paths.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guide import blocks, file_of
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, prepare
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = [pytest.mark.matrix, pytest.mark.any_core]
GUIDE = "schedulers"
CFG = "[defaults]\ncallbacks_enabled = callgoose.sqibs.callgoose_incident\n"
GOOD = "- hosts: all\n  gather_facts: false\n  tasks: [{name: Deploy, ansible.builtin.command: 'true'}]\n"
BAD = GOOD.replace("'true'", "'false'")
BROKEN = "- hosts: all\n  roles: [no_such_role]\n"


class Machine:
    """A machine with the guide's project, whose files and environment are in a temporary directory."""

    def __init__(self, tmp_path: Path, sandbox: Sandbox, collections_path: Path) -> None:
        self.sandbox = sandbox
        self._collections = collections_path
        self._call = prepare(tmp_path, "unused.yml", inventory=("web1",), cfg=CFG)
        self.project = self._call.cwd
        self.project.joinpath("inventory.ini").rename(self.project / "hosts.ini")
        self.environment = connection(sandbox)
        lines = "".join(f"{name}={value}\n" for name, value in self.environment.items())
        self._file = tmp_path / "callgoose.env"
        self._file.write_text(lines, encoding="utf-8")
        self._logs = tmp_path
        script = self.project / "run-site"
        script.write_text(self.shown("run-site:"), encoding="utf-8")
        script.chmod(0o755)
        self.playbook(GOOD)

    def shown(self, name: str) -> str:
        """Return the guide's file of this name, with this machine's paths."""
        text = file_of(self._collections, GUIDE, name)
        text = text.replace("/srv/infra", str(self.project)).replace("/etc/callgoose.env", str(self._file))
        text = text.replace("/usr/local/bin/backup", str(self.project / "backup")).replace("/var/log", str(self._logs))
        return text.replace("/usr/bin/ansible-playbook", "ansible-playbook")

    def playbook(self, text: str) -> None:
        self.project.joinpath("site.yml").write_text(text, encoding="utf-8")

    def run(self, command: str, cwd: Path | None = None, **env: str) -> Result:
        """Run a shell command, from a directory that is not the project unless it says so."""
        call = replace(self._call, argv=["sh", "-c", command], env={**self._call.env, **env}, cwd=cwd or self._logs)
        # prepare() names the project's ansible.cfg; here the command has to find it.
        del call.env["ANSIBLE_CONFIG"]
        return call.run()

    def unit(self, name: str, **specifiers: str) -> Result:
        """Run the command of a systemd unit as systemd does."""
        service = self.read_unit(name)["Service"]
        values = dict(one.split("=", 1) for one in shlex.split(service["Environment"]))
        file = Path(service.get("EnvironmentFile", "/dev/null")).read_text(encoding="utf-8")
        values |= dict(line.split("=", 1) for line in file.splitlines())
        command = re.sub("%(.)", lambda found: specifiers[found[1]], service["ExecStart"])
        return self.run(command, Path(service.get("WorkingDirectory", "/")), **values)

    def read_unit(self, name: str) -> configparser.ConfigParser:
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(self.shown(f"/etc/systemd/system/{name}"))
        return unit

    @property
    def states(self) -> list[str]:
        return [incident["state"] for incident in self.sandbox.incidents]

    @property
    def titles(self) -> list[str]:
        sent = [json.loads(request["body"]) for request in self.sandbox.requests]
        return [body["title"] for body in sent if body["state"] == "triggered"]


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox, collections_path: Path) -> Machine:
    return Machine(tmp_path, sandbox, collections_path)


def cron_command(machine: Machine, name: str) -> str:
    """Return the command of the only line with five times and a user."""
    (line,) = [line for line in machine.shown(name).splitlines() if line[:1].isdigit()]
    *_times, user, command = line.split(None, 6)
    assert user == "ansible" and "%" not in command
    return command


def test_the_script_pages_once_for_a_failed_run_and_a_good_one_resolves(machine: Machine) -> None:
    script = str(machine.project / "run-site")
    machine.playbook(BAD)
    assert machine.run(script, **machine.environment).rc == 2
    assert machine.run(script, **machine.environment).rc == 2
    assert machine.titles == ["Deploy failed on web1: exit status 1 [site.yml]"]
    machine.playbook(GOOD)
    assert machine.run(script, **machine.environment).rc == 0
    assert machine.states == ["resolved"]


def test_cron_pages_for_a_playbook_that_cannot_start_and_the_next_good_run_resolves(machine: Machine) -> None:
    command = cron_command(machine, "/etc/cron.d/site")
    machine.playbook(BROKEN)
    assert machine.run(command).rc == 1
    (title,) = machine.titles
    assert title.startswith("site.yml could not start: ") and "no_such_role" in title
    machine.playbook(GOOD)
    assert machine.run(command).rc == 0
    assert machine.states == ["resolved"]


def test_cron_pages_for_a_command_that_is_no_playbook(machine: Machine) -> None:
    backup = machine.project / "backup"
    command = cron_command(machine, "/etc/cron.d/backup")
    for code, states in ((1, ["open"]), (0, ["resolved"])):
        backup.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        backup.chmod(0o755)
        assert machine.run(command).rc == 0
        assert machine.states == states
    assert machine.titles == ["Backup failed"]


def test_systemd_pages_for_a_failed_run_only_from_the_playbook_itself(machine: Machine) -> None:
    machine.playbook(BAD)
    assert machine.unit("site-check.service").rc == 0
    assert machine.unit("site.service").rc == 2
    assert "OnFailure" not in machine.read_unit("site.service")["Unit"]
    machine.playbook(GOOD)
    assert machine.unit("site.service").rc == 0
    assert (len(machine.titles), machine.states) == (1, ["resolved"])


def test_systemds_onfailure_pages_for_a_playbook_that_cannot_start(machine: Machine) -> None:
    machine.playbook(BROKEN)
    assert machine.unit("site-check.service").rc != 0
    assert machine.unit(machine.read_unit("site-check.service")["Unit"]["OnFailure"]).rc == 0
    assert machine.titles == ["site.yml could not start: See journalctl --unit=site-check"]
    assert machine.read_unit("site.service")["Unit"]["Requires"] == "site-check.service"
    machine.playbook(GOOD)
    assert machine.unit("site.service").rc == 0
    assert machine.states == ["resolved"]


def test_systemds_templates_open_and_close_the_incident_of_any_unit(machine: Machine) -> None:
    unit = machine.read_unit("backup.service.d/callgoose.conf")["Unit"]
    for name, states in (("OnFailure", ["open"]), ("OnSuccess", ["resolved"])):
        template, _at, instance = unit[name].partition("@")
        assert instance == "%n.service"
        assert machine.unit(f"{template}@.service", i="backup.service", H="db1").rc == 0
        assert machine.states == states
    assert machine.titles == ["backup.service failed on db1"]


def test_systemds_timer_is_complete(machine: Machine) -> None:
    assert machine.read_unit("site.timer")["Timer"]["OnCalendar"] == "02:30"


def github(text: str) -> tuple[str, dict[str, str]]:
    job = yaml.safe_load(text)["jobs"]["site"]
    return job["steps"][-1]["run"], job["env"]


def gitlab(text: str) -> tuple[str, dict[str, str]]:
    job = yaml.safe_load(text)["site"]
    return job["script"][-1], {**job["variables"], "CALLGOOSE_API_TOKEN": "a masked variable of the project"}


def jenkins(text: str) -> tuple[str, dict[str, str]]:
    assert text.count("{") == text.count("}")
    (command,) = re.findall(r"sh '([^']*)'", text)
    return command, {name: value.strip("'") for name, value in re.findall(r"(CALLGOOSE_\w+) = (.*)", text)}


def rundeck(text: str) -> tuple[str, dict[str, str]]:
    (job,) = yaml.safe_load(text)
    (option,) = job["options"]
    return job["sequence"]["commands"][0]["script"], {f"RD_OPTION_{option['name'].upper()}": option["storagePath"]}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (".github/workflows/site.yml", github),
        (".gitlab-ci.yml", gitlab),
        ("Jenkinsfile", jenkins),
        ("site.yaml,", rundeck),
    ],
)
def test_the_command_of_a_ci_system_pages_with_the_variables_that_it_gets(
    machine: Machine, name: str, read: Callable[[str], tuple[str, dict[str, str]]]
) -> None:
    command, variables = read(machine.shown(name))
    token = machine.environment.pop("CALLGOOSE_API_TOKEN")
    for variable, value in variables.items():
        # The system fills in the secrets. The one for the store is not set.
        is_unset = value.startswith("${{") and "STATE_URL" in variable
        shown = "" if is_unset else value.replace("$CI_PROJECT_DIR", str(machine.project))
        machine.environment[variable] = token if "TOKEN" in variable else shown
    machine.playbook(BAD)
    assert machine.run(command, machine.project, **machine.environment).rc == 2
    assert machine.states == ["open"]


def test_semaphores_variables_are_options_of_the_callback(machine: Machine, collections_path: Path) -> None:
    (shown,) = [one.text for one in blocks(collections_path, GUIDE) if one.language == "json"]
    variables = {**json.loads(shown), **machine.environment}
    machine.playbook(BAD)
    assert machine.run("ansible-playbook -i hosts.ini site.yml", machine.project, **variables).rc == 2
    assert machine.titles == ["Deploy failed on web1 (production): exit status 1 [site.yml]"]
