# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the git checkout around a directory, and its remote, by reading git's files.

Must not run git (an execution environment may lack it, and a process takes time), and must not raise: what it cannot
read counts as missing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

# The syntax of configuration files: git-config(1), section "Syntax".
_SECTION = re.compile(r'\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)')
_SETTING = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=(.*)")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|\\(.)|[#;].*|([^"\\#;]+)')


@dataclass(frozen=True)
class Checkout:
    """A git checkout.

    :param root: its top directory, with symbolic links resolved.
    :param name: the name of that directory; for a linked worktree, that of the main one, since both are one project.
    :param remote: the URL of ``origin``, else of the first remote by name; empty if there is no readable remote.
    :param revision: the commit that is checked out; empty if it is not readable.
    """

    root: Path
    name: str
    remote: str
    revision: str = ""


def find_checkout(directory: Path) -> Checkout | None:
    """Return the innermost checkout around ``directory``: that of a submodule, not of the project that contains it."""
    here = resolved(directory)
    for root in (here, *here.parents):
        git = _git_directory(root / ".git")
        if git:
            common = _common_directory(git)
            main = common.parent if common.name == ".git" else root
            return Checkout(root, main.name, remote_url(read_file(common / "config") or ""), _revision(git, common))
    return None


def remote_url(config: str) -> str:
    """Return the remote's URL from the content of a git configuration file."""
    remotes: dict[str, str] = {}
    section = None
    for line in config.replace("\\\n", "").splitlines():
        header = _SECTION.match(line)
        if header:
            section = _unescaped(header[2] or "") if header[1].lower() == "remote" else None
        setting = _SETTING.match(header[3] if header else line)
        if section is not None and setting and setting[1].lower() == "url":
            # If a remote has several URLs, git fetches from the first.
            remotes[section] = remotes.get(section) or _value(setting[2])
    return remotes.get("origin") or next((remotes[name] for name in sorted(remotes)), "")


def read_file(path: Path) -> str | None:
    """Return a file's content, or ``None`` if it does not exist, is not a regular file, or is not readable."""
    try:
        # Only regular files: opening a pipe would wait for a writer.
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    except (OSError, ValueError):
        return None


def resolved(path: Path) -> Path:
    """Return the path with symbolic links resolved as far as possible. A circular link is not an error."""
    # Path.resolve() raises for a circular link up to Python 3.12.
    return Path(os.path.realpath(path))


def _git_directory(git: Path) -> Path | None:
    """Return ``.git`` if it is a directory, or the directory to which it points (submodules and linked worktrees)."""
    # An execution environment may contain only a worktree: .git then points nowhere, but still marks the root.
    pointer = read_file(git) or ""
    if pointer.startswith("gitdir:"):
        return git.parent / pointer.removeprefix("gitdir:").strip()
    return git if read_file(git / "HEAD") else None


def _revision(git: Path, common: Path) -> str:
    """Return the commit of ``HEAD`` (gitrepository-layout(5)): a reference is a file, or a line of ``packed-refs``."""
    head = (read_file(git / "HEAD") or "").strip()
    if not head.startswith("ref:"):
        return head if _COMMIT.fullmatch(head) else ""
    reference = head.removeprefix("ref:").strip()
    loose = next(filter(None, (read_file(place / reference) for place in (git, common))), "").strip()
    packed = re.search(rf"^([0-9a-f]+) {re.escape(reference)}$", read_file(common / "packed-refs") or "", re.MULTILINE)
    commit = loose or (packed[1] if packed else "")
    return commit if _COMMIT.fullmatch(commit) else ""


def _common_directory(git: Path) -> Path:
    return resolved(git / (read_file(git / "commondir") or "").strip())


def _value(raw: str) -> str:
    parts = (_unescaped(quoted) or escaped or bare for quoted, escaped, bare in _VALUE.findall(raw))
    return "".join(parts).strip()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
