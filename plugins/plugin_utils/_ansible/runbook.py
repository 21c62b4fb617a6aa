# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the variable with the link to the instructions for a failed task.

Must not harm the run: a template that cannot be resolved is no link. Only failed tasks are looked at.
"""

from __future__ import annotations

from typing import Any

from ansible.template import Templar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import text_of

VARIABLE = "callgoose_runbook_url"


def runbook_of(task: Any, host: Any, play: Any) -> str:
    """Return the link that the task, its block, role or play, the host or the inventory set; empty if none does.

    :param host: the `Host` on which the task failed.
    :param play: the `Play` that runs.
    """
    try:
        variables = play.get_variable_manager().get_vars(play=play, host=host, task=task)
        value = variables.get(VARIABLE)
        return text_of(Templar(play.get_loader(), variables=variables).template(value)).strip() if value else ""
    except Exception:
        return ""
