# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure callback with timing: reports how much CPU time it spends in which event.

Must not add anything to the callback except reading a clock before and after each call.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

_IMPORTING = time.thread_time()

from ansible_collections.callgoose.sqibs.plugins.callback import callgoose_incident as ours  # noqa: E402

_SPENT: dict[str, float] = defaultdict(float, {"import": time.thread_time() - _IMPORTING})
DOCUMENTATION = ours.DOCUMENTATION.replace("name: callgoose_incident", "name: timed")
HTTP_LIBRARIES = ("requests", "urllib3", "http.client", "httpx")


def _watched(name):
    inner = getattr(ours.CallbackModule, name)

    @functools.wraps(inner)
    def call(*args, **kwargs):
        began = time.thread_time()  # of this thread only: another thread receives results at the same time
        try:
            return inner(*args, **kwargs)
        finally:
            _SPENT[name] += time.thread_time() - began

    return call


class CallbackModule(ours.CallbackModule):
    """The failure callback with every event timed."""

    CALLBACK_NAME = "timed"


for _name in ("set_options", *(name for name in vars(ours.CallbackModule) if name.startswith("v2_"))):
    setattr(CallbackModule, _name, _watched(_name))

_PROCESS = os.getpid()


@atexit.register
def _write():
    if os.getpid() == _PROCESS:
        report = {"spent": _SPENT, "http": [name for name in HTTP_LIBRARIES if name in sys.modules]}
        Path(os.environ["TIMED_REPORT"]).write_text(json.dumps(report), encoding="utf-8")
