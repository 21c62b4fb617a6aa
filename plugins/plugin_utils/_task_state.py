# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the store right after a task: queues what the API did not answer, and records what it resolved.

Must not send anything, and costs nothing for a task that needs neither.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import QUEUED, RESOLVED, is_transient
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_request import TaskRequest
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident import tasks
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import digest
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import TASK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._marks import QUEUED as QUEUED_KEYS
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import destination_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._state import open_state

# Seconds that a task waits for a locked store.
_PATIENCE = 5.0


def key_of(request: TaskRequest) -> str:
    """Return what names the incident of a task's request in the store."""
    return request.incident_key or digest("payload", request.payload)


def may_wait(request: TaskRequest) -> bool:
    """Return whether a task on this controller has queued a request for this incident; it does not open the store."""
    return digest(key_of(request)) in QUEUED_KEYS


def with_state(result: dict[str, Any], request: TaskRequest, on_unreachable: str, state_url: str) -> dict[str, Any]:
    """Return the result of a task after the store was told.

    :param result: what the task returned without the store.
    """
    key = key_of(request)
    try:
        with closing(open_state(state_url, _PATIENCE * 5, _PATIENCE)) as store:
            if on_unreachable == "queue" and _is_unanswered(result):
                wish = Wish(
                    state=request.state,
                    hosts=frozenset({TASK} if request.state == TRIGGERED else ()),
                    body=request.payload,
                    destination=destination_of(request.connection),
                    content_type=request.content_type,
                    answer=result["msg"],
                )
                store.update(tasks.BASE, lambda ledger: (tasks.queued(ledger, key, wish, time.time()), None), (key,))
                QUEUED_KEYS.add(digest(key))
                result = _queued(result)
            elif result["outcome"] == RESOLVED:
                for base in store.bases_of(key):
                    store.update(base, lambda ledger: (tasks.emptied(ledger, key, time.time()), None), (key,))
                QUEUED_KEYS.discard(digest(key))
            elif not result.get("failed"):
                if tasks.BASE in store.bases_of(key):
                    store.update(tasks.BASE, lambda ledger: (tasks.superseded(ledger, key), None), (key,))
                QUEUED_KEYS.discard(digest(key))
    except StoreError as error:
        return _without_store(result, str(error))
    return result


def _is_unanswered(result: Mapping[str, Any]) -> bool:
    status = result["status_code"]
    return bool(result.get("failed") and result["attempts"] and (status is None or is_transient(status)))


def _queued(result: Mapping[str, Any]) -> dict[str, Any]:
    message = f"{result['msg']} The request is kept and sent later, by the next run or by callgoose.sqibs.watch."
    return {**result, "failed": False, "changed": True, "outcome": QUEUED, "msg": message}


def _without_store(result: dict[str, Any], problem: str) -> dict[str, Any]:
    if result.get("failed"):
        return {**result, "msg": f"{result['msg']} It could not be kept either: {problem}"}
    return {**result, "warnings": [*result.get("warnings", ()), f"Callgoose: {problem}"]}
