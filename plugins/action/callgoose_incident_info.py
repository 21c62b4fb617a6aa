# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task `callgoose_incident_info` on the controller, where the store is.

Must not change anything, nor send anything.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import INFO_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import connection_from
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._config import checked_arguments
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import destination_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._state import open_state
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._status import Filter, read_status
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._status_table import table

# Seconds that it waits for a locked store.
_PATIENCE = 10.0


class ActionModule(ActionBase):
    """Returns what the store holds."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the store. It fails only if that is not possible."""
        result = super().run(tmp, task_vars)
        try:
            params = checked_arguments(self._task.args, INFO_SPEC)
            destination = destination_of(connection_from(params)) if params["api_token"] else ""
            filter = Filter(params["incident_key"].strip(), params["playbook"].strip(), params["state"])
            with closing(open_state(params["state_url"], _PATIENCE * 5, _PATIENCE)) as store:
                status = read_status(store, destination, filter, params["history"])
        except CallgooseError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, "changed": False, **status, "table": table(status)}
