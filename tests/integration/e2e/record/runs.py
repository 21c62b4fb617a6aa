# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback for tests: the failure callback's events, with each finished run written as one line of JSON.

Must not print anything, nor send.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.callgoose.sqibs.plugins.callback import callgoose_incident
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import Run


class CallbackModule(callgoose_incident.CallbackModule):
    """Appends to the file that RECORDED_RUNS names. RUNS_OPTIONS names options that are on."""

    CALLBACK_NAME = "runs"

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        CallbackBase.set_options(self, *args, **kwargs)
        options = os.environ.get("RUNS_OPTIONS", "").split()
        self._set_up("ignore_unreachable" in options, "notice_sigterm" in options)

    def _begun(self, playbook: str) -> None:
        self._write({"begun": playbook})

    def _finished(self, run: Run) -> None:
        self._write({"process": os.getpid(), **dataclasses.asdict(run)})

    def _broke(self, error: Exception) -> None:
        self._write({"error": repr(error)})
        super()._broke(error)

    @staticmethod
    def _write(data: dict[str, Any]) -> None:
        with Path(os.environ["RECORDED_RUNS"]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(data, default=sorted)}\n")
