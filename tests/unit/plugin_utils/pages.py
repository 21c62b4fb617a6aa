# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for the tests of what they say: a run's failures go in, by way of the ledger, and the event comes out.

Must not need Ansible or an API: runs are values, and what the ledger keeps of them goes through JSON as in a store.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils.event import Event, canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.failure_data import aborted_data, failure_data
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.incidents import Send
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Incident, Member
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.origin import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.page import event_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.redact import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.report import ReportOptions, Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import FAILED, UNREACHABLE, Failure, Run

ROOT = "/srv/infra"
AWX = Origin("AWX", "https://awx.example.com/#/jobs/playbook/42", "42", "alice", "9c1f0e2", "Deploy")
SITE = Subject("site.yml", AWX, ROOT)
TOKEN = "t0k3n-Of-The-Api"
SECRETIVE = Redactor(secrets=[TOKEN])
MIGRATE = Failure(
    FAILED,
    task="Migrate the {{ app }} database",
    action="ansible.builtin.command",
    path=f"{ROOT}/roles/shop/tasks/main.yml",
    line=42,
    message="non-zero return code",
)
DOWN = Failure(UNREACHABLE, task="Gathering Facts", path=f"{ROOT}/site.yml", line=3, message="ssh: timed out")


def page(
    failures: dict[str, Any],
    total: int = 12,
    options: ReportOptions = ReportOptions(),  # noqa: B008 - frozen
    subject: Subject = SITE,
    aborted: str | None = None,
    redactor: Redactor = SECRETIVE,
) -> Event:
    """The event of a run with these failures, by way of the ledger; ``aborted``: it broke off, with this limit."""
    run = Run("site.yml", {host: (told if isinstance(told, tuple) else (told,)) for host, told in failures.items()})
    data = failure_data(run, redactor, options, subject.root)
    if aborted is not None:
        data[f"*{aborted}"] = aborted_data()
    return event_for(send(json.loads(json.dumps(data))), subject, options, total, redactor)


def send(data: dict[str, Any], state: str = "triggered", episode: int = 1) -> Send:
    members = {host: Member(1, failure) for host, failure in data.items()}
    return Send(state, "site-1a2b", episode, frozenset(members), Incident("site-1a2b", Scope(), members))


def text_of(event: Event) -> str:
    return canonical_json(event.body()).decode()
