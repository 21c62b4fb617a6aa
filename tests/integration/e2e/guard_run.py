# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks with guarded tasks in one project, and returns the requests that the sandbox received.

Must not contain expectations: the tests do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.e2e.event_run import AWAY
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, prepare
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

HOSTS = ("a", "b", "c")

# Fails on the hosts that the extra var `broken` names.
DEPLOY = """
- name: look around
  ansible.builtin.debug: {msg: "{{ inventory_hostname }}"}
- name: deploy it
  ansible.builtin.fail: {msg: "cannot deploy to {{ inventory_hostname }}"}
  when: inventory_hostname in (broken | default('')).split('.')
- name: look back
  ansible.builtin.debug: {msg: "{{ inventory_hostname }}"}
"""

SITE = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml}
    - ansible.builtin.debug: {msg: "{{ inventory_hostname }} went on"}
"""

# A user's own rescue around the same tasks.
OWN = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_tasks: deploy.yml
      rescue:
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard, tasks_from: trigger}
          vars: {incident_guard_incident_key: site, incident_guard_title: The site, incident_guard_severity: warning}
      always:
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard, tasks_from: resolve}
          vars: {incident_guard_incident_key: site}
    - ansible.builtin.debug: {msg: "{{ inventory_hostname }} went on"}
"""


def site(*keywords: str) -> str:
    """Return this playbook with further keywords in its play."""
    return SITE.replace("  tasks:", "".join(f"  {keyword}\n" for keyword in keywords) + "  tasks:")


@dataclass
class Project:
    """One project. Its runs share a home directory, and so a ledger.

    :param files: further files of the project, by their paths relative to the playbook.
    """

    folder: Path
    sandbox: Sandbox
    files: dict[str, str] = field(default_factory=lambda: {"deploy.yml": DEPLOY})
    _seen: int = 0

    def run(
        self,
        playbook: str,
        *args: str,
        hosts: Sequence[str] | None = HOSTS,
        env: Mapping[str, str] | None = None,
        cfg: str = "[defaults]\n",
    ) -> Result:
        """Run the playbook.

        :param hosts: a host with ``ansible_connection=away`` is unreachable. None: the arguments name an inventory.
        """
        env = {**connection(self.sandbox), **(env or {})}
        call = prepare(self.folder, playbook, *args, inventory=hosts, env=env, cfg=cfg)
        for name, text in {"connection_plugins/away.py": AWAY, **self.files}.items():
            path = call.cwd / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return call.run()

    def sent(self) -> list[dict[str, Any]]:
        """Return the bodies of the requests since the last call of this method."""
        requests = self.sandbox.requests
        new, self._seen = requests[self._seen :], len(requests)
        return [json.loads(request["body"]) for request in new]

    def sent_states(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the state and the failed hosts of these requests."""
        return [(body["state"], tuple(body.get("details", {}).get("hosts", ()))) for body in self.sent()]
