# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task `callgoose_start_failure` on the controller, where the store is.

Must not decide anything: plugin_utils/_start_failure.py does.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import START_FAILURE_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.inventory import source_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._config import checked_arguments
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import SETTINGS_SPEC, settings_from
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._start_failure import report_start_failure


class ActionModule(ActionBase):
    """Reports a playbook that could not start."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Record that the playbook could not start, and trigger its incident."""
        result = super().run(tmp, task_vars)
        try:
            params = checked_arguments(self._task.args, {**SETTINGS_SPEC, **START_FAILURE_SPEC})
            reported = report_start_failure(
                params["playbook"],
                params["reason"],
                settings_from(params),
                load_extra_vars(self._loader),
                source_hosts(self._task.play.get_variable_manager()._inventory),
                self._task.check_mode,
            )
        except CallgooseError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, **reported}
