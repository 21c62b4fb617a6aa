# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out what the demo prints: the lines of ansible-playbook that tell the story, indented text, and a boxed page.

Must not invent anything: every line is Ansible's or the API's own; only the less important fields of results are cut.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

WIDTH = 110
INDENT = " " * 4
_RESULT = re.compile(r"(ok|changed|fatal): \[.*=> \{.*\}$")
_TOLD = re.compile(r"PLAY RECAP|\S+ +: ok=|Callgoose: |\[WARNING\]")


def readable(output: str) -> str:
    """Return the lines that tell the story, each result below the name of its task."""
    return "\n".join(_told(line.rstrip(" *") for line in output.splitlines()))


def indented(text: str) -> str:
    """Return the text with every line indented by four spaces."""
    return "".join(f"{INDENT}{line}".rstrip() + "\n" for line in text.splitlines())


def wrapped(text: str) -> str:
    """Return the text as a paragraph."""
    return textwrap.fill(text, WIDTH)


def boxed(title: str, description: str) -> str:
    """Return a page in an indented box: its title, an empty line, its description. Long lines are wrapped."""
    lines = [part for line in (title, "", *description.splitlines()) for part in textwrap.wrap(line, WIDTH - 8) or [""]]
    width = max(map(len, lines))
    edge = f"+{'-' * (width + 2)}+"
    return indented("\n".join([edge, *(f"| {line:{width}} |" for line in lines), edge]))


def _told(lines: Iterator[str]) -> Iterator[str]:
    task = ""
    for line in lines:
        if line.startswith("TASK ["):
            task = line
        elif _RESULT.match(line) or _TOLD.match(line):
            if task and not line.startswith("PLAY"):
                yield task
            task = ""
            yield re.sub(r"=> \{.*\}$", _main_fields, line)


def _main_fields(match: re.Match[str]) -> str:
    fields = re.findall(r'"(outcome|status_code|msg)": ("[^"]*"|\d+)', match[0])
    return "=> " + ", ".join(f"{name}: {value}" for name, value in sorted(fields, reverse=True))
