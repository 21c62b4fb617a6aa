# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback for tests: handles the failure callback's events and writes each ended run as one line of JSON.

Must not print or send anything.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.callgoose.sqibs.plugins.callback import callgoose_incident
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.events import EventReader
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import NOTHING_DONE, Reconciliation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.recorder import Recorder


class CallbackModule(callgoose_incident.CallbackModule):
    """Appends to the file RECORDED_RUNS. The variable RUNS_OPTIONS lists enabled options, including ``broken``."""

    CALLBACK_NAME = "runs"

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        CallbackBase.set_options(self, *args, **kwargs)
        options = os.environ.get("RUNS_OPTIONS", "").split()
        self._recorder = Recorder("ignore_unreachable" in options)
        self._events = EventReader(self._recorder)
        self._session = Record()
        if "broken" in options:
            self._events.ok = _break

    def _finished(self, run: Run) -> None:
        self._session.write({"process": os.getpid(), **dataclasses.asdict(run)})

    def _warn_of(self, error: Exception) -> None:
        self._session.write({"exception": repr(error)})
        super()._warn_of(error)


class Record:
    """Replaces the callback's session, to record the runs."""

    def begin(self, playbook: str, *_more: Any) -> Reconciliation:
        self.write({"begun": playbook})
        return NOTHING_DONE

    def task_started(self, task: str) -> None:
        """Leave the run's note alone: there is no store."""

    def failed(self, *_more: Any) -> None:
        """Send nothing at once."""

    def write(self, data: dict[str, Any]) -> None:
        with Path(os.environ["RECORDED_RUNS"]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(data, default=sorted)}\n")


def _break(result: Any) -> None:
    # ansible-core lets this exception, unlike others, end the run
    raise AssertionError("a test broke this")
