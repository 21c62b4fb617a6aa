# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enforces the direction of imports: each room imports only from rooms below it, and each library has one user.

Must read the code, not import it: an import inside a function counts like one at the top.
"""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

PLUGINS = "ansible_collections.callgoose.sqibs.plugins"
# From bottom to top. A room is a directory or file with one purpose. It may import from itself and the rooms before it.
ROOMS = (
    "module_utils",
    "_run",
    "_redaction",
    "_durations",
    "_marks",
    "_ansible",
    "_incident",
    "_context",
    "_notification",
    "_settings",
    "_config",
    "_state",
    "_noted_run",
    "_poster",
    "_task_state",
    "_status",
    "_status_table",
    "_watch",
    "_start_failure",
    "_courier",
    "_courier_process",
    "_reporter",
    "_guard",
    "_callback",
    "entry points",
)
# Rooms that may import from fewer rooms than their position allows.
ALLOWED = {
    "module_utils": set(),
    "_run": set(),
    "_redaction": set(),
    "_ansible": {"_run"},
    "_incident": {"module_utils"},
    "_context": {"module_utils", "_incident"},
    "_callback": set(ROOMS[: ROOMS.index("_guard")]),
}
# Libraries that only these files may import.
EXCLUSIVE = {
    "requests": {"module_utils._client"},
    "urllib3": {"module_utils._client", "module_utils._deadline"},
    "sqlite3": {"plugin_utils._incident.sqlite_store"},
    "psycopg": {"plugin_utils._incident.postgresql_connection"},
}
# Rooms that must not use Ansible, so that their tests do not need it.
WITHOUT_ANSIBLE = ("_run", "_redaction", "_incident", "_notification")


def imports() -> dict[str, set[str]]:
    """Return the full names of the imports of each module, such as ``plugin_utils._run.model``."""
    root = Path(__file__).parents[2] / "plugins"
    found = {}
    for path in sorted(root.rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        found[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[module] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{module}: ansible-test requires absolute imports"
                found[module] |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


IMPORTS = imports()
OWN = {
    module: {name.removeprefix(f"{PLUGINS}.") for name in names if name.removeprefix(f"{PLUGINS}.") in IMPORTS}
    for module, names in IMPORTS.items()
}


def room_of(module: str) -> str:
    kind, *rest = module.split(".")
    if kind == "plugin_utils":
        return rest[0]
    return kind if kind == "module_utils" else "entry points"


def test_each_file_is_in_a_known_room() -> None:
    assert {room_of(module) for module in OWN} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_below_it(room: str) -> None:
    allowed = ALLOWED.get(room, set(ROOMS[: ROOMS.index(room)])) | {room}
    wrong = [
        f"{module} -> {name}"
        for module, names in OWN.items()
        if room_of(module) == room
        for name in sorted(names)
        if room_of(name) not in allowed
    ]
    assert wrong == []


def test_there_is_no_import_cycle() -> None:
    graphlib.TopologicalSorter(OWN).prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize("library", EXCLUSIVE)
def test_only_the_named_files_import_a_library(library: str) -> None:
    users = {module for module, names in IMPORTS.items() if any(n.split(".")[0] == library for n in names)}
    assert users == EXCLUSIVE[library]


def test_rooms_with_logic_do_not_import_ansible() -> None:
    users = {module for module, names in IMPORTS.items() if any(name.split(".")[0] == "ansible" for name in names)}
    assert [module for module in sorted(users) if room_of(module) in WITHOUT_ANSIBLE] == []


def test_private_files_and_directories_start_with_an_underscore() -> None:
    names = [
        part for module in OWN if module.startswith(("module_utils", "plugin_utils")) for part in [module.split(".")[1]]
    ]
    assert [name for name in names if not name.startswith("_")] == []
