# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least that an action built on `requests` can do: what a task costs above this is the collection's own.

Must not be used for anything but that: it checks no option, no certificate of its own and no answer.
"""

from __future__ import annotations

import os
from typing import Any

import requests
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Posts its options once, as they are."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make one request."""
        headers = {"Authorization": f"Bearer {os.environ['CALLGOOSE_API_TOKEN']}"}
        url = f"{os.environ['CALLGOOSE_BASE_URL']}/v1/process"
        with requests.Session() as session:
            response = session.post(url, json=self._task.args, headers=headers, timeout=10)
            return {"changed": True, "status": response.status_code, "answer": response.json()}
