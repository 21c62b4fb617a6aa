# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers for the tests of messages: they turn a run's failures into the event, by way of the ledger.

Must not need Ansible or an API: runs are plain values, and the ledger's data goes through JSON as in a store.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import Payload, canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import FailedHost, Incident
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import aborted_host
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
DOWN = Failure(UNREACHABLE, task="Gathering Facts", path=f"{ROOT}/site.yml", line=3, message="ssh: timed out")


def page(
    failures: dict[str, Any],
    total: int = 12,
    options: PageOptions = PageOptions(),  # noqa: B008 - frozen
    subject: Subject = SITE,
    aborted: str | None = None,
    redactor: Redactor = SECRETIVE,
) -> Payload:
    """Return the event for a run with these failures.

    :param aborted: the run's limit, if it was aborted.
    """
    run = Run("site.yml", {host: (some if isinstance(some, tuple) else (some,)) for host, some in failures.items()})
    data = snapshot(run, redactor, options, subject.root)
    if aborted is not None:
        data[aborted_host(Scope((aborted,) if aborted else ()))] = aborted_snapshot(run, redactor, subject.root)
    return payload_for(send(json.loads(json.dumps(data))), subject, options, total, redactor)


def send(data: dict[str, Any], state: str = "triggered", episode: int = 1) -> Request:
    failed_hosts = {host: FailedHost(1, failure) for host, failure in data.items()}
    return Request(state, "site-1a2b", episode, frozenset(failed_hosts), Incident("site-1a2b", Scope(), failed_hosts))


def text_of(event: Payload) -> str:
    return canonical_json(event.body()).decode()
