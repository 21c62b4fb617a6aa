# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shortens what ansible-playbook prints to what tells the story: failures, changes, the recap, the collection's words.

Must not make anything up: each line is Ansible's own, apart from a result's other fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_RESULT = re.compile(r"(ok|changed|fatal): \[.*=> \{.*\}$")
_TOLD = re.compile(r"PLAY RECAP|\S+ +: ok=|\w+: (raised|updated|resolved) incident|\[WARNING\]")


def readable(output: str) -> str:
    """Return the lines that tell the story, each task's name before its own."""
    return "\n".join(_told(line.rstrip(" *") for line in output.splitlines()))


def indented(text: str) -> str:
    """Return the text moved four columns to the right."""
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


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
