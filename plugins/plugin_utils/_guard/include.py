# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out which task includes the role incident_guard, and from which file, given a step of the role.

Must not look at the guarded tasks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task_include import TaskInclude


def search_directories(task: Any, playbook_dir: str) -> list[Path]:
    """Return the directories to search for a relative name, in the order in which Ansible would search for the caller.

    These are the directory of the file that includes the role, the ``tasks`` of the role that this file belongs to,
    and the directory of the playbook.
    """
    directories = []
    node = _include(task)
    if node is not None:
        file = (node.get_path() or "").rpartition(":")[0]
        directories += [Path(file).parent] if file else []
        directories += [Path(node._role._role_path, "tasks")] if node._role else []
    return [*directories, Path(playbook_dir)]


def include_id(task: Any) -> str:
    """Return an id for the place of the guard in the playbook: a hash of the chain of includes that leads to it.

    It is the same for all hosts. If the same file is included again under another include, the id differs.
    """
    places = [str(node.get_path()) for node in (*_includes(task), task.play)]
    return hashlib.sha256("\n".join(places).encode("utf-8", "replace")).hexdigest()


def include_key(task: Any) -> str:
    """Return the id of the include that leads to a guard: the same for all of its steps and hosts."""
    node = _include(task)
    return str(node._uuid if node is not None else task.play._uuid)


def arrives_together(task: Any) -> bool:
    """Return whether all hosts reach the guard through the same includes, and so at the same time.

    The items of a loop and templated file names may differ from host to host. Then some hosts reach the guard later.
    """
    return not any(_is_template([node.loop, node.args]) for node in _includes(task))


def is_same_for_all_hosts(task: Any, values: Callable[[str], Sequence[Any]]) -> bool:
    """Return whether all hosts arrive together and guard the same.

    :param values: returns the values of a variable on all hosts, not templated.
    """
    if not arrives_together(task):
        return False
    given: dict[str, Any] = {}
    for node in reversed(list(_includes(task))):
        given.update(node.vars)
    for name in ("incident_guard_tasks", "incident_guard_roles", "incident_guard_incident_key", "incident_guard_title"):
        found = [given[name]] if name in given else values(name)
        if any(value != found[0] or _is_template(value) for value in found):
            return False
    return True


def _is_template(value: Any) -> bool:
    return "{{" in str(value) or "{%" in str(value)


def _includes(task: Any) -> Iterator[Any]:
    """Yield the includes that lead to a task, innermost first."""
    node = task._parent
    while node is not None:
        if isinstance(node, TaskInclude):
            yield node
        node = node._parent


def _include(task: Any) -> Any:
    """Return the task that includes the role, or None if the role is listed under `roles:`."""
    return next((node for node in _includes(task) if isinstance(node, IncludeRole)), None)
