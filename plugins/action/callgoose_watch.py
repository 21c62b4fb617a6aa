# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task `callgoose_watch` on the controller, where the store is.

Must not decide anything: plugin_utils/_watch.py does.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import WATCH_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import check_files, connection_from
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError
from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import FAILED, UNMATCHED
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._config import checked_arguments
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Sender
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import Poster, destination_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import patterns_from
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._state import open_state
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._watch import Watched, foresee, watch

# Seconds that one pass may take, and that it waits for a locked store.
_LONGEST = 300.0
_PATIENCE = 30.0
# What to do about parked requests.
_UNPARK = "Correct the cause, then send the parked requests again: -e callgoose_retry_parked=true."


class ActionModule(ActionBase):
    """Makes one pass over the store."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Find killed, hanging and overdue runs, and deliver what waits. It fails if it could not do that."""
        result = super().run(tmp, task_vars)
        try:
            params = checked_arguments(self._task.args, WATCH_SPEC)
            connection = connection_from(params)
            check_files(connection)
            poster = Poster(connection, time.monotonic() + _LONGEST)
            redactor = Redactor(patterns_from(params["redact"]), [connection.token])
            # Unlike a run, it does not hold up anybody: each wish may be tried several times.
            sender = Sender(
                _nothing, lambda wishes, _is_own: poster.post(wishes, True), destination_of(connection), 60.0
            )
            with closing(open_state(params["state_url"], _LONGEST, _PATIENCE)) as store:
                if self._task.check_mode:
                    watched = foresee(store, sender, params["retry_parked"])
                else:
                    watched = watch(store, redactor, sender, params["retry_parked"])
        except CallgooseError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, **_result(watched, store.place)}


def _nothing(request: Any) -> None:
    """Compose nothing: each base has what composes its pages."""


def _result(watched: Watched, place: str) -> dict[str, Any]:
    sent = [
        {
            "incident_key": one.request.key,
            "state": one.request.state,
            "outcome": one.reply.outcome or "unknown",
            "message": one.reply.message,
        }
        for one in watched.result.sent
    ]
    unpaged = [one for one in watched.result.sent if one.reply.outcome == UNMATCHED and one.request.state == TRIGGERED]
    undelivered = [one for one in watched.result.sent if one.reply.outcome in (None, FAILED)] + unpaged
    lines = [f"{name}: {words}" for name, words in watched.found]
    lines += [f"would send: {state} {key}" for key, state in watched.would_send]
    lines += [f"{one['state']} {one['incident_key']}: {one['message']}" for one in sent]
    lines += [f"parked {key}: {reason}" for key, reason in watched.parked]
    lines += [_UNPARK] * bool(watched.parked)
    lines += watched.result.notes
    lines = list(dict.fromkeys(lines)) or [f"Nothing waits in {place}, and no run was killed, hangs, or is overdue."]
    return {
        "changed": bool(watched.would_send) or any(one.is_confirmed for one in watched.result.sent),
        "failed": bool(undelivered),
        "found": [{"playbook": name, "what": words} for name, words in watched.found],
        "sent": sent,
        "would_send": [{"incident_key": key, "state": state} for key, state in watched.would_send],
        "parked": [{"incident_key": key, "reason": reason} for key, reason in watched.parked],
        "report": lines,
        "msg": "Some requests could not be delivered: " + undelivered[0].reply.message if undelivered else lines[0],
    }
