# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task `callgoose_incident` on the controller, whatever the target host is.

Must not decide anything about the task itself: module_utils/_task_runner.py does, as for the module.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import (
    ARGUMENT_RULES,
    ARGUMENT_SPEC,
    CONNECTION_SPEC,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import RESOLVED
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_request import request_from
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_runner import refused, run_task
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import freeze_before_fork
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._marks import QUEUED

MODULE = "callgoose.sqibs.callgoose_incident"
NO_ASYNC = (
    "callgoose_incident does not support async: it runs on the controller and makes a single request. "
    "Remove async and poll from this task; timeout and retries limit how long it takes."
)

# Ansible imports this file before it forks a worker for each host.
freeze_before_fork()


class ActionModule(ActionBase):
    """Sends from the worker process. Ansible imports this file before it forks, so workers inherit `requests`."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate the options, then send from the controller, or from the host that the task is delegated to."""
        if self._task.async_val:
            return refused(NO_ASYNC)
        result = super().run(tmp, task_vars)
        with _environment(self._own_environment()):
            try:
                _validation, params = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC, **ARGUMENT_RULES)
            except AnsibleActionFail as error:  # Ansible's own result would lack our fields and have a traceback
                return refused(error.message)
            # Stripped here already: Ansible masks the option's value where it finds exactly that.
            params["api_token"] = (params["api_token"] or "").strip() or None
            if self._task.delegate_to and self._task.delegate_to not in C.LOCALHOST:
                return {**result, **self._with_state(self._run_module(params, task_vars), params)}
            outcome = run_task(params, check_mode=self._task.check_mode, diff=self._task.diff)
            outcome = self._with_state(outcome, params)
        secrets = {params["api_token"]} if params["api_token"] else set()
        return {**result, **remove_values(outcome, secrets)}

    def _with_state(self, outcome: dict[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result after the store on the controller was told of it, where that is needed."""
        is_sent = not self._task.check_mode and outcome.get("attempts")
        is_needed = params["on_unreachable"] == "queue" or outcome.get("outcome") == RESOLVED
        if not is_sent or not (is_needed or QUEUED):
            return outcome
        # Imported only when needed: most tasks need no store.
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._task_state import may_wait, with_state

        request = request_from(params)
        if not is_needed and not may_wait(request):
            return outcome
        return with_state(outcome, request, params["on_unreachable"], params["state_url"])

    def _own_environment(self) -> dict[str, str]:
        """Return the task's `environment` keyword, which Ansible passes only to modules."""
        values: dict[str, Any] = {}
        self._compute_environment_string(values)
        return {name: str(value) for name, value in values.items()}

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> str:
        """Keep the token off the delegated host's command line, which Ansible prints at -vvv and ``ps`` shows there.

        The module does not need the CALLGOOSE environment variables: it gets their values as options.
        """
        values: dict[str, Any] = {}
        super()._compute_environment_string(values)
        if raw_environment_out is not None:
            raw_environment_out.update(values)
        rest = {name: value for name, value in values.items() if not name.startswith("CALLGOOSE_")}
        return self._connection._shell.env_prefix(**rest)

    def _run_module(self, params: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Run the module on the delegated host, with the connection options of the controller.

        Apart from these, only options that the user set are passed: defaults would count as set, and some options are
        mutually exclusive.
        """
        connection = {name: params[name] for name in CONNECTION_SPEC if params[name] is not None}
        return self._execute_module(
            module_name=MODULE, module_args={**self._task.args, **connection}, task_vars=task_vars
        )


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set these environment variables within a ``with`` block: options and proxies are read from them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
