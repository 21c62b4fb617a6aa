# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the tasks of playbooks under a guard: each play's ``tasks`` move into a file that the guard runs.

Must leave everything else as it is, such as quotes and tags. ``roles``, ``pre_tasks``, ``post_tasks`` and ``handlers``
stay outside: they cannot move without changing the order in which Ansible runs them.
"""

from __future__ import annotations

from pathlib import Path

import yaml

GUARD = """
- ansible.builtin.include_role:
    name: callgoose.sqibs.incident_guard
  vars:
    incident_guard_tasks: {file}
"""
# What runs in a play beside its tasks.
BESIDE = ("roles", "pre_tasks", "post_tasks", "handlers")


def put_under_guard(directory: Path) -> set[Path]:
    """Rewrite all playbooks of a directory and return those whose plays have nothing but guarded tasks.

    :param directory: is searched with all directories below it.
    """
    paths = [path for path in sorted(directory.rglob("*")) if path.suffix in (".yml", ".yaml") and path.is_file()]
    return {path for path in paths if _rewrite(path)}


def _rewrite(path: Path) -> bool:
    """Rewrite one file if it is a playbook, and return whether everything in it is guarded now."""
    try:
        playbook = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return False  # some targets test how Ansible reports such files
    plays = _plays(playbook)
    guarded = [play for number, play in enumerate(plays) if _guard(path, number, play)]
    if not guarded:
        return False
    path.write_text(yaml.serialize(playbook, allow_unicode=True), encoding="utf-8")
    return len(guarded) == len(playbook.value) and not any(_value(play, name) for play in guarded for name in BESIDE)


def _plays(playbook: yaml.Node | None) -> list[yaml.MappingNode]:
    entries = playbook.value if isinstance(playbook, yaml.SequenceNode) else []
    mappings = [entry for entry in entries if isinstance(entry, yaml.MappingNode)]
    return [entry for entry in mappings if _value(entry, "hosts") is not None]


def _guard(path: Path, number: int, play: yaml.MappingNode) -> bool:
    """Move the tasks of one play, and return whether it has any."""
    tasks = _value(play, "tasks")
    if not isinstance(tasks, yaml.SequenceNode) or not tasks.value:
        return False
    file = path.with_name(f"{path.stem}-guarded-{number}{path.suffix}")
    file.write_text(yaml.serialize(tasks, allow_unicode=True), encoding="utf-8")
    guard = yaml.compose(GUARD.format(file=file.name), yaml.SafeLoader)
    play.value = [(key, guard if key.value == "tasks" else value) for key, value in play.value]
    return True


def _value(mapping: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in mapping.value if key.value == name), None)
