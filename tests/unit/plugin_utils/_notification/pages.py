# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for the tests of what they say: a run's failures go in, by way of the ledger, and the event comes out.

Must not need Ansible or an API: runs are values, and what the ledger keeps of them goes through JSON as in a store.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import Payload, canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import FailedHost, Incident
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import aborted_snapshot, snapshot
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import FAILED, UNREACHABLE, Failure, Run

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
DOWN = Failure(UNREACHABLE, task="Gathering IdentityFacts", path=f"{ROOT}/site.yml", line=3, message="ssh: timed out")


def page(
    failures: dict[str, Any],
    total: int = 12,
    options: PageOptions = PageOptions(),  # noqa: B008 - frozen
    subject: Subject = SITE,
    aborted: str | None = None,
    redactor: Redactor = SECRETIVE,
) -> Payload:
    """The event of a run with these failures, by way of the ledger; ``aborted``: it broke off, with this limit."""
    run = Run("site.yml", {host: (told if isinstance(told, tuple) else (told,)) for host, told in failures.items()})
    data = snapshot(run, redactor, options, subject.root)
    if aborted is not None:
        data[f"*{aborted}"] = aborted_snapshot()
    return payload_for(send(json.loads(json.dumps(data))), subject, options, total, redactor)


def send(data: dict[str, Any], state: str = "triggered", episode: int = 1) -> Request:
    failed_hosts = {host: FailedHost(1, failure) for host, failure in data.items()}
    return Request(state, "site-1a2b", episode, frozenset(failed_hosts), Incident("site-1a2b", Scope(), failed_hosts))


def text_of(event: Payload) -> str:
    return canonical_json(event.body()).decode()
