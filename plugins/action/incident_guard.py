# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a step of the role `incident_guard` on the controller, whatever the target host is.

Must not contain the steps: plugin_utils/_guard/steps.py does.
"""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.hosts import listen
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.lockstep import OncePerBatch
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.options import (
    check_options,
    read_role_variables,
    read_settings,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.steps import GuardSteps

# Ansible imports this file in the main process, before it forks the workers that run the steps.
listen()


class ActionModule(ActionBase, metaclass=OncePerBatch):
    """Runs each step in a worker of its own: once for a batch of hosts, or on each host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run one step for one host. It fails only if an option is invalid, or with the error of a guarded task."""
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            given, warnings = read_role_variables(self._task.args, variables, self._templar.template)
            options, shared = check_options({**self._task.args, **given})
            settings, trouble = read_settings(shared)
            journal = Journal(C.DEFAULT_LOCAL_TMP)
            steps = GuardSteps(
                self._task, variables, options, journal, settings, trouble, self._loader, self._display, warnings
            )
            step_result = steps.run(options["step"])
        except OptionError as error:
            return {**result, "failed": True, "msg": f"incident_guard_{error}"}
        if warnings:
            step_result["warnings"] = [f"incident_guard: {warning}" for warning in warnings]
        return {**result, **step_result}
