# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that a playbook could not start: no callback sees an error in its YAML, a missing role, or an empty limit.

Must name the same incident as a run of that playbook with the same inventory, so that its next success resolves it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.invocation import read_invocation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import read_run_context
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Reconciliation, Sender, deliver
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import NOT_STARTED, aborted_host
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import record
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.watching import join
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.reasons import describe
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import beginning, cleaned
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import Poster, destination_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._state import open_state

# Maximum bytes of the reason.
_REASON = 2048


def report_start_failure(
    playbook: str,
    reason: str,
    settings: Settings,
    extra_vars: Mapping[str, Any],
    hosts: Collection[str],
    is_check: bool,
) -> dict[str, Any]:
    """Record that a playbook could not start, trigger its incident, and return the result of the task.

    :param playbook: as it was given to ansible-playbook, relative to the current directory.
    :param reason: what went wrong, such as the error that ansible-playbook showed.
    :param extra_vars: the extra vars of this call.
    :param hosts: names of the hosts that the inventory's sources name.
    :param is_check: whether to send nothing.
    :raises OptionError: in AWX the job template identifies a run, and this job has another one.
    """
    run = read_run_context(
        playbook, (), extra_vars, hosts, settings.project, settings.key_vars, settings.inventory_name, settings.job_url
    )
    if run.facts.job_template:
        remedy = (
            "Use the failure path of a workflow, or a notification, with callgoose_title and callgoose_incident_key."
        )
        raise OptionError("callgoose_playbook", "in AWX it would name the job template of this job", remedy)
    identity = run.identity.whole
    invocation = read_invocation({}, run.extra_vars, run.facts, run.subject.origin, run.directory)
    subject = replace(run.subject, invocation=replace(invocation, limit="", command=()))
    message = beginning(settings.redactor.text(cleaned(reason)), _REASON)
    policy = replace(settings.policy, after_failures=1)

    def change(ledger: Ledger) -> tuple[Ledger, Collection[str]]:
        failure = describe(NOT_STARTED, message=message)
        ledger = replace(ledger, name=ledger.name or subject.name, key=ledger.key or identity.key)
        ledger, key = join(ledger, aborted_host(Scope()), Scope(), identity.key, failure, policy, time.time())
        return ledger, (key,)

    def compose(request: Request) -> dict[str, Any]:
        return payload_for(request, subject, settings.page, 0, settings.redactor).body()

    missing = _missing(playbook, run.directory)
    if is_check:
        told = {"changed": True, "incident_key": identity.key, "outcome": "would_send", "msg": "Would send a page."}
        return {**told, **_warnings(missing)}
    deadline = time.monotonic() + settings.max_delay
    poster = Poster(settings.connection, deadline)
    sender = Sender(compose, poster.post, destination_of(settings.connection), settings.max_delay)
    try:
        with closing(open_state(settings.state_url, settings.max_delay, settings.max_delay)) as store:
            due = record(store, identity.base, change, policy, sender)
            return _result(deliver(store, identity.base, due, policy, sender), identity.key, missing)
    except StoreError as error:
        memory = MemoryStore()
        due = record(memory, identity.base, change, policy, sender)
        return _result(deliver(memory, identity.base, due, policy, sender), identity.key, [*missing, str(error)])


def _missing(playbook: str, directory: str) -> list[str]:
    """Return a warning if there is no such file. Its page must go out: a failed checkout has no file either."""
    if Path(playbook).suffix not in (".yml", ".yaml") or Path(directory, playbook).exists():
        return []
    return [
        f"there is no file {playbook} in {directory}. If the name is wrong, no run resolves this incident: resolve it"
        " with ansible-playbook callgoose.sqibs.resolve and its key."
    ]


def _warnings(texts: Iterable[str]) -> dict[str, list[str]]:
    warnings = [f"Callgoose: {text}" for text in texts]
    return {"warnings": warnings} if warnings else {}


def _result(result: Reconciliation, key: str, troubles: Iterable[str]) -> dict[str, Any]:
    own = [one for one in result.sent if one.is_own]
    outcome = own[-1].reply.outcome or "unknown" if own else "duplicate"
    message = own[-1].reply.message if own else "The incident is open already; nothing was sent."
    return {
        "changed": any(one.is_confirmed for one in own),
        "failed": bool(own) and outcome in ("unknown", "failed", "unmatched"),
        "incident_key": own[-1].request.key if own else key,
        "outcome": outcome,
        "msg": message,
        **_warnings([*result.warnings, *troubles]),
    }
