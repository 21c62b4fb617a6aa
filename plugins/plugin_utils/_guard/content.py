# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the task files and roles that a guard runs, and gives them a name that is the same on every machine.

Must not load or run them, nor search the tasks of the role incident_guard itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.playbook.role.include import RoleInclude

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.include import search_directories

_IN_COLLECTION = re.compile(r".*/ansible_collections/(.+)")
_IN_ROLE = re.compile(r".*/roles/(.+)")


@dataclass(frozen=True)
class GuardContent:
    """What a guard runs: either files or roles.

    :param files: absolute paths of task files.
    :param roles: names of roles.
    :param name: a name for them that does not depend on the machine.
    """

    files: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    name: str = ""


def find_content(tasks: Sequence[str], roles: Sequence[str], task: Any, playbook_dir: str, loader: Any) -> GuardContent:
    """Return what a guard runs. All files and roles exist.

    :param tasks: names of task files, as given: absolute, starting with ``~``, or relative to the caller.
    :param roles: names of roles.
    :param task: the guard's own `Task`, which knows who included the role.
    :param playbook_dir: Ansible's variable of this name.
    :param loader: Ansible's `DataLoader`.
    :raises OptionError: a file or role does not exist, or tasks and roles are both given or both missing.
    """
    tasks, roles = _without_blank(tasks), _without_blank(roles)
    if tasks and roles:
        raise OptionError("tasks", "it is given together with incident_guard_roles", "Give one of them.")
    if not tasks and not roles:
        raise OptionError("tasks", "it is missing, and so is incident_guard_roles", "Give one of them.")
    for role in roles:
        _check_role(role, task, loader)
    directories = search_directories(task, playbook_dir)
    files = tuple(_find(name, directories) for name in tasks)
    return GuardContent(files, roles, ", ".join([*(_portable(file, playbook_dir) for file in files), *roles]))


def _without_blank(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names if name.strip())


def _find(name: str, directories: Sequence[Path]) -> str:
    candidates = [directory / Path(name).expanduser() for directory in directories]
    for candidate in candidates:
        if candidate.is_file():
            return os.path.normpath(candidate)
    tried = ", ".join(dict.fromkeys(os.path.normpath(candidate) for candidate in candidates))
    raise OptionError("tasks", f"there is no file {name!r}; tried {tried}", "Correct the name.")


def _check_role(role: str, task: Any, loader: Any) -> None:
    # Not left to include_role: ansible-core 2.16 would drop the host without reporting an error.
    try:
        RoleInclude.load(role, play=task.play, loader=loader, collection_list=task.collections)
    except AnsibleError as error:
        raise OptionError("roles", str(error.message), "Correct the name, or install the role.") from error


def _portable(file: str, playbook_dir: str) -> str:
    """Return a file's path in a form that does not depend on the checkout or the machine."""
    if Path(file).is_relative_to(playbook_dir):
        return str(Path(file).relative_to(playbook_dir))
    inside = _IN_COLLECTION.fullmatch(file) or _IN_ROLE.fullmatch(file)
    return inside[1] if inside else os.path.relpath(file, playbook_dir)
