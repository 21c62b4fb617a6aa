# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the git checkout around a folder, and its remote, by reading git's own files.

Must not start git (an execution environment may have none, and each process costs time), nor raise: what it cannot
read is not there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

# The syntax is git-config(1)'s, under "Syntax".
_SECTION = re.compile(r'\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)')
_SETTING = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=(.*)")
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|\\(.)|[#;].*|([^"\\#;]+)')


@dataclass(frozen=True)
class Checkout:
    """A git checkout.

    :param root: its top folder, with links resolved.
    :param name: the folder's name; for a linked worktree that of the main one, since both are the same project.
    :param remote: the URL of ``origin``, else of the remote first by name; empty where none can be read.
    """

    root: Path
    name: str
    remote: str


def find_checkout(folder: Path) -> Checkout | None:
    """Return the innermost checkout that encloses ``folder``: of a submodule, not of the project around it."""
    here = resolved(folder)
    for root in (here, *here.parents):
        git = _git_folder(root / ".git")
        if git:
            common = _common_folder(git)
            main = common.parent if common.name == ".git" else root
            return Checkout(root, main.name, remote_url(read_file(common / "config") or ""))
    return None


def remote_url(config: str) -> str:
    """Return the remote's URL out of the text of a git configuration file."""
    remotes: dict[str, str] = {}
    section = None
    for line in config.replace("\\\n", "").splitlines():
        header = _SECTION.match(line)
        if header:
            section = _unescaped(header[2] or "") if header[1].lower() == "remote" else None
        setting = _SETTING.match(header[3] if header else line)
        if section is not None and setting and setting[1].lower() == "url":
            # Of several URLs git fetches from the first.
            remotes[section] = remotes.get(section) or _value(setting[2])
    return remotes.get("origin") or next((remotes[name] for name in sorted(remotes)), "")


def read_file(path: Path) -> str | None:
    """Return a file's text, or ``None`` where it is absent, no regular file, or not ours to read."""
    try:
        # Nothing but a file: opening a pipe would wait for whoever writes to it.
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    except (OSError, ValueError):
        return None


def resolved(path: Path) -> Path:
    """Return the path with its links resolved as far as they can be: one that leads in a circle is no error here."""
    # Path.resolve() raises for such a link up to Python 3.12.
    return Path(os.path.realpath(path))


def _git_folder(git: Path) -> Path | None:
    """Return the folder that ``.git`` is or, in submodules and linked worktrees, points to."""
    # An execution environment may hold a worktree alone: then .git points to nowhere, and still marks the root.
    pointer = read_file(git) or ""
    if pointer.startswith("gitdir:"):
        return git.parent / pointer.removeprefix("gitdir:").strip()
    return git if read_file(git / "HEAD") else None


def _common_folder(git: Path) -> Path:
    return resolved(git / (read_file(git / "commondir") or "").strip())


def _value(raw: str) -> str:
    parts = (_unescaped(quoted) or escaped or bare for quoted, escaped, bare in _VALUE.findall(raw))
    return "".join(parts).strip()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
