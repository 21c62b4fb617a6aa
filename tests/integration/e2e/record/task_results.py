# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback for tests: writes each result of the task under test as one line of JSON, loop items apart.

Must not print anything: tests look at what the run prints.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Appends to the file that RECORDED_RESULTS names."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, failed=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result, failed=True)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._record(result, failed=False)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._record(result, failed=True)

    def _record(self, task_result: Any, failed: bool) -> None:
        """Write one result, with ``failed`` as Ansible sees it: callbacks get results without that field."""
        task = getattr(task_result, "task", None) or task_result._task
        if not task.action.endswith("callgoose_incident"):
            return
        host = getattr(task_result, "host", None) or task_result._host
        result = getattr(task_result, "result", None) or task_result._result
        if "results" in result:  # the sum of a loop; its items have come one by one
            return
        record = {"task": task.name, "host": host.name, "result": {**result, "failed": failed}}
        with Path(os.environ["RECORDED_RESULTS"]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(record, default=str)}\n")
