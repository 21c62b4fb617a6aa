# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Ansible's `Task`: its name as written, its place, and the blocks around it.

Must not read what the task returned: results.py does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import GUARD_ACTION
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import text_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Task

_GUARD_ROLE = "/callgoose/sqibs/roles/incident_guard/"


def read_task(task: Any, caught_by: str, fatal: bool, runbook: str = "") -> Task:
    """Return a plain task.

    :param caught_by: the block whose rescue catches its failure; see `Task`.
    :param fatal: its failure may end other hosts too.
    :param runbook: the link to the instructions for its failure.
    """
    path, line = place_of(task)
    return Task(
        name=name_of(task),
        action=text_of(task.action),
        path=path,
        line=line,
        caught_by=caught_by,
        rescues=rescues_of(task),
        fatal=fatal,
        guard=task.action == GUARD_ACTION or _GUARD_ROLE in path,
        runbook=runbook,
    )


def place_of(task: Any) -> tuple[str, int]:
    """Return the absolute path of the file that contains the task, and the task's line in it; 0 if unknown."""
    path, _colon, line = (task.get_path() or "").rpartition(":")
    return text_of(path), int(line) if line.isdigit() else 0


def name_of(task: Any) -> str:
    """Return the name as Ansible shows it, but untemplated: a templated name differs between hosts."""
    written = task.get_ds()
    name = written.get("name") if isinstance(written, Mapping) else None
    if not isinstance(name, str):
        return text_of(task.get_name())
    role = text_of(task._role.get_name()) if task._role else ""
    # The guard includes the guarded tasks, which makes them look like tasks of its role.
    is_guarded = role == GUARD_ACTION and _GUARD_ROLE not in place_of(task)[0]
    # A role can be given by a path.
    return f"{role.rstrip('/').rpartition('/')[2]} : {text_of(name)}" if role and not is_guarded else text_of(name)


def catching_block(task: Any) -> str:
    """Return the id of the block whose rescue a failure of this task starts, or an empty string if there is none.

    Ansible copies blocks during a play, but the id of each block and task stays the same.
    """
    below = {task._uuid}
    node = task._parent
    while node is not None:
        if getattr(node, "rescue", None) and any(child._uuid in below for child in node.block):
            return str(node._uuid)
        below.add(node._uuid)
        node = node._parent
    return ""


def rescues_of(task: Any) -> frozenset[str]:
    """Return the ids of the blocks whose rescue contains or includes this task."""
    below, found = {task._uuid}, set()
    node = task._parent
    while node is not None:
        if any(child._uuid in below for child in getattr(node, "rescue", None) or ()):
            found.add(str(node._uuid))
        below.add(node._uuid)
        node = node._parent
    return frozenset(found)
