# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what a guard is to run, as its caller means it: task files and roles, with names that are the same everywhere.

Must not load or run them, nor look among the tasks of the role incident_guard itself.
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
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.include import search_folders

_IN_COLLECTION = re.compile(r".*/ansible_collections/(.+)")
_IN_ROLE = re.compile(r".*/roles/(.+)")


@dataclass(frozen=True)
class GuardContent:
    """What a guard runs.

    :param files: absolute paths of task files. :param roles: names of roles; one of both is empty.
    :param name: the same in words, without what differs from machine to machine.
    """

    files: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    name: str = ""


def find_content(tasks: Sequence[str], roles: Sequence[str], task: Any, playbook_dir: str, loader: Any) -> GuardContent:
    """Return what a guard is to run, all of which is there.

    :param tasks: names of task files, as given: absolute, from the home folder, or relative to the caller.
    :param roles: names of roles.
    :param task: the guard's own `Task`, which knows who included the role.
    :param playbook_dir: the variable of this name. ``loader`` is Ansible's `DataLoader`.
    :raises OptionError: it is not there, or it is not clear what is meant.
    """
    tasks, roles = _named(tasks), _named(roles)
    if tasks and roles:
        raise OptionError("tasks", "it is given together with incident_guard_roles", "Give one of them.")
    if not tasks and not roles:
        raise OptionError("tasks", "it is missing, and so is incident_guard_roles", "Give one of them.")
    for role in roles:
        _check_role(role, task, loader)
    folders = search_folders(task, playbook_dir)
    files = tuple(_find(name, folders) for name in tasks)
    return GuardContent(files, roles, ", ".join([*(_portable(file, playbook_dir) for file in files), *roles]))


def _named(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names if name.strip())


def _find(name: str, folders: Sequence[Path]) -> str:
    places = [folder / Path(name).expanduser() for folder in folders]
    for place in places:
        if place.is_file():
            return os.path.normpath(place)
    looked = ", ".join(dict.fromkeys(os.path.normpath(place) for place in places))
    raise OptionError("tasks", f"there is no file {name!r}; looked for {looked}", "Correct the name.")


def _check_role(role: str, task: Any, loader: Any) -> None:
    # Not left to include_role: in ansible-core 2.16 that takes the host out of the play without a word.
    try:
        RoleInclude.load(role, play=task.play, loader=loader, collection_list=task.collections)
    except AnsibleError as error:
        raise OptionError("roles", str(error.message), "Correct the name, or install the role.") from error


def _portable(file: str, playbook_dir: str) -> str:
    """Return a file's path without what differs from checkout to checkout and from machine to machine."""
    if Path(file).is_relative_to(playbook_dir):
        return str(Path(file).relative_to(playbook_dir))
    inside = _IN_COLLECTION.fullmatch(file) or _IN_ROLE.fullmatch(file)
    return inside[1] if inside else os.path.relpath(file, playbook_dir)
