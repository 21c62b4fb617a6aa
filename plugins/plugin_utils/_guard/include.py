# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds who includes the role incident_guard, and from where, as a step of it sees that.

Must not look at what is guarded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task_include import TaskInclude


def search_folders(task: Any, playbook_dir: str) -> list[Path]:
    """Return the folders that a relative name may mean, most likely first, as Ansible would look for the caller.

    That is the file that includes the role, the tasks of the role that this file belongs to, and the playbook.
    """
    folders = []
    node = _include(task)
    if node is not None:
        written_in = (node.get_path() or "").rpartition(":")[0]
        folders += [Path(written_in).parent] if written_in else []
        folders += [Path(node._role._role_path, "tasks")] if node._role else []
    return [*folders, Path(playbook_dir)]


def include_id(task: Any) -> str:
    """Return what stands for the place where a step's guard is written: the include, and what that is included by.

    It is the same for each host, and differs for a guard that is included, by the same file, under another one.
    """
    places = [str(node.get_path()) for node in (*_includes(task), task.play)]
    return hashlib.sha256("\n".join(places).encode("utf-8", "replace")).hexdigest()


def is_same_for_all_hosts(task: Any) -> bool:
    """Return whether what includes a step's guard is the same for all hosts, so that they come to it side by side.

    The items of a loop, and files whose names are templates, may differ from host to host: then some come later.
    """
    return not any("{{" in str([node.loop, node.args]) for node in _includes(task))


def _includes(task: Any) -> Iterator[Any]:
    """Yield the includes that lead to a task, from the inside out."""
    node = task._parent
    while node is not None:
        if isinstance(node, TaskInclude):
            yield node
        node = node._parent


def _include(task: Any) -> Any:
    """Return the task that includes the role, or None where it stands under `roles:`."""
    return next((node for node in _includes(task) if isinstance(node, IncludeRole)), None)
