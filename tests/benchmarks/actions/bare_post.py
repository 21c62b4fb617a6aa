# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A minimal action with `requests`, as a baseline: what a task takes beyond this is the collection's overhead.

Must not be used elsewhere: it checks neither options nor answers.
"""

from __future__ import annotations

import os
from typing import Any

import requests
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Posts its options once, unchanged."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one request."""
        headers = {"Authorization": f"Bearer {os.environ['CALLGOOSE_API_TOKEN']}"}
        url = f"{os.environ['CALLGOOSE_BASE_URL']}/v1/process"
        with requests.Session() as session:
            response = session.post(url, json=self._task.args, headers=headers, timeout=10)
            return {"changed": True, "status": response.status_code, "answer": response.json()}
