# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files that a guide of the installed artifact shows, so that tests can run what users copy.

Must not change what it reads.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^( *)\.\. code-block:: (\S+)\n\n((?:\1 +\S.*\n|\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One code block.

    :param language: as written, such as ``yaml``.
    :param text: its lines, without their common indentation.
    """

    language: str
    text: str


def blocks(collections_path: Path, guide: str) -> list[Block]:
    """Return all code blocks of a guide, such as ``schedulers``, in order."""
    source = collections_path / "ansible_collections/callgoose/sqibs/docs/docsite/rst" / f"{guide}.rst"
    found = _BLOCK.finditer(source.read_text(encoding="utf-8"))
    return [Block(match[2], textwrap.dedent(match[3]).strip() + "\n") for match in found]


def file_of(collections_path: Path, guide: str, name: str) -> str:
    """Return the only block that has this file name in the comment on its first or second line."""
    found = [one.text for one in blocks(collections_path, guide)]
    (text,) = [text for text in found if any(name in line.split() for line in text.splitlines()[:2])]
    return text
