# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The options of a step of the role incident_guard: one specification for its module and its action plugin.

Must not check anything.
"""

from __future__ import annotations

from typing import Any, Dict

# Options of the guard alone. Those that it shares with the callback fall back to the same variables.
GUARD_SPEC: Dict[str, Dict[str, Any]] = {
    "step": {"type": "str", "required": True, "choices": ["begin", "done", "failed", "settle"]},
    "tasks": {"type": "list", "elements": "str", "default": []},
    "roles": {"type": "list", "elements": "str", "default": []},
    # The key of an incident is public; sanity would take the name for a secret's.
    "incident_key": {"type": "str", "default": "", "no_log": False},
    "title": {"type": "str", "default": ""},
    "fail": {"type": "bool", "default": False},
}
