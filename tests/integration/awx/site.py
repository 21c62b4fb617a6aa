# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site with an AWX, as a user has it before and after `awx_setup`, and the runs of that playbook.

Must not check what a run did: the tests do.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.awx.controller import Awx
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, run_playbook

TOKEN = "incident-token-1"
WRAPPERS = [f"callgoose_{kind}.yml" for kind in ("trigger", "resolve", "verify", "watch")]
# A user who asks for everything.
EVERYTHING = {
    "callgoose_project": "Shop",
    "callgoose_inventory": "Production",
    "callgoose_job_templates": ["Deploy", "Backup"],
    "callgoose_workflow_around": "Deploy",
    "callgoose_notify_job_templates": "Deploy",
    "callgoose_notify_workflows": "Release",
    "callgoose_notify_projects": "Shop",
    "callgoose_notification_token": "webhook-token-1",
}


@dataclass(frozen=True)
class SetUp:
    """One run of the playbook.

    :ivar writes: the requests that were to change something in AWX.
    """

    result: Result
    writes: list[tuple[str, str]]

    @property
    def rc(self) -> int:
        """The exit code."""
        return self.result.rc

    @property
    def output(self) -> str:
        """Everything that was printed, with the line breaks that Ansible puts into long lines taken out."""
        return " ".join((self.result.stdout + self.result.stderr).split())

    @property
    def changed(self) -> int:
        """How many tasks changed something, by the recap."""
        (count,) = re.findall(r"changed=(\d+)", self.result.stdout)
        return int(count)


class Site:
    """An AWX with an organization, a project with the wrappers, an inventory and two job templates.

    The job template Deploy has a Machine credential and a notification of its own.

    :ivar env: further environment variables of each run.
    """

    def __init__(self, tmp_path: Path, awx: Awx, collections: Path) -> None:
        self.tmp_path, self.awx, self.collections = tmp_path, awx, collections
        self.env: dict[str, str] = {"CALLGOOSE_API_TOKEN": TOKEN}
        store = awx.store
        self.organization = store.add("organizations", name="Default")["id"]
        own = {"organization": self.organization}
        self.project = store.add("projects", name="Shop", **own)["id"]
        store.playbooks[self.project] = ["site.yml", *WRAPPERS]
        self.inventory = store.add("inventories", name="Production", **own)["id"]
        template = {"project": self.project, "inventory": self.inventory, "playbook": "site.yml", **own}
        self.deploy = store.add("job_templates", name="Deploy", **template)["id"]
        self.backup = store.add("job_templates", name="Backup", **template)["id"]
        self.release = store.add("workflow_job_templates", name="Release", **own)["id"]
        machine = store.add("credential_types", name="Machine", kind="ssh", managed=True)
        self.machine = store.add("credentials", name="Root", credential_type=machine["id"], **own)["id"]
        galaxy = store.add("credential_types", name="Galaxy", kind="galaxy", managed=True)
        hub = store.add("credentials", name="Ansible Galaxy", credential_type=galaxy["id"])
        store.attach("organizations", self.organization, "galaxy_credentials", hub["id"])
        store.attach("job_templates", self.deploy, "credentials", self.machine)
        chat = store.add("notification_templates", name="Chat", notification_configuration={}, **own)
        self.chat = chat["id"]
        store.attach("job_templates", self.deploy, "notification_templates_error", self.chat)

    def set_up(self, *args: str, **variables: Any) -> SetUp:
        """Run the playbook with these variables.

        :param args: further command-line arguments, such as ``--check``.
        """
        before = len(self.awx.writes)
        paths = os.pathsep.join([os.environ["ANSIBLE_COLLECTIONS_PATH"], str(self.collections)])
        reach = {"CONTROLLER_HOST": self.awx.url, "CONTROLLER_OAUTH_TOKEN": self.awx.admin}
        result = run_playbook(
            self.tmp_path,
            "callgoose.sqibs.awx_setup",
            *("-e", json.dumps(variables), *args),
            inventory=None,
            env={"ANSIBLE_COLLECTIONS_PATH": paths, "ANSIBLE_PIPELINING": "true", **reach, **self.env},
            timeout=400,
        )
        return SetUp(result, self.awx.writes[before:])

    def credentials_of(self, template: int) -> list[str]:
        """Return the names of a job template's credentials."""
        return self._names("job_templates", template, "credentials")

    def notifications_of(self, endpoint: str, number: int, event: str) -> list[str]:
        """Return the names of the notification templates that are attached for an event."""
        return self._names(endpoint, number, f"notification_templates_{event}")

    def _names(self, endpoint: str, number: int, relation: str) -> list[str]:
        return sorted(item["name"] for item in self.awx.store.attached_to(endpoint, number, relation))
