# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook with the callback enabled, against a sandbox.

Must not contain expectations: the tests do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Call, Result, prepare
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

ENABLED = """
[defaults]
callbacks_enabled = callgoose.sqibs.callgoose_incident
[callback_callgoose_incident]
project = shop
"""

# Fails on the hosts that the extra var `bad` names, and aborts if `abort` is set.
SITE = """
- hosts: all
  gather_facts: false
  tags: [always]
  tasks:
    - name: Deploy
      ansible.builtin.assert:
        that: inventory_hostname not in (bad | default('')).split(',')
        fail_msg: disk full on {{ inventory_hostname }}
- hosts: "{{ 'all' if abort is not defined else undefined_by_a_mistake }}"
  gather_facts: false
  tags: [always]
  tasks:
    - name: Restart
      ansible.builtin.debug: {msg: restarted}
"""


@dataclass
class Site:
    """One project on one machine. Its runs share a home directory, and so a ledger.

    :ivar asked: number of requests that the API had received before the last run.
    """

    folder: Path
    sandbox: Sandbox
    hosts: Sequence[str] = ("web1", "web2", "web3")
    env: dict[str, str] = field(default_factory=dict)
    cfg: str = ENABLED
    playbook: str = SITE
    asked: int = 0

    def call(self, *args: str, bad: str = "", env: Mapping[str, str] | None = None) -> Call:
        """Return a call that is ready to run.

        :param bad: names of the hosts on which it fails.
        """
        self.asked = len(self.sandbox.requests)
        words = [*args, "-e", f"bad={bad.replace(' ', ',')}"]
        env = {**connection(self.sandbox), **self.env, **(env or {})}
        return prepare(self.folder, self.playbook, *words, inventory=self.hosts, env=env, cfg=self.cfg)

    def run(self, *args: str, bad: str = "", env: Mapping[str, str] | None = None) -> Result:
        """Run the playbook to its end."""
        return self.call(*args, bad=bad, env=env).run()

    def own(self, playbook: str, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """Run a playbook of the collection on the same machine, such as ``watch``."""
        self.asked = len(self.sandbox.requests)
        env = {**connection(self.sandbox), **self.env, **(env or {})}
        return prepare(self.folder, f"callgoose.sqibs.{playbook}", *args, inventory=None, env=env, cfg=self.cfg).run()

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The payloads of the last run's requests."""
        return [json.loads(request["body"]) for request in self.sandbox.requests[self.asked :]]

    @property
    def states(self) -> list[str]:
        """The states in these payloads."""
        return [payload["state"] for payload in self.sent]

    @property
    def incidents(self) -> list[str]:
        """The states of all incidents at the API, oldest first."""
        return [incident["state"] for incident in self.sandbox.incidents]

    @property
    def ledger(self) -> Path:
        """The file of the store."""
        return self.folder / "home" / ".ansible" / "callgoose" / "state.sqlite3"
