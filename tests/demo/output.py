# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out what the demo prints: the lines of ansible-playbook that tell the story, requests, and a boxed page.

Must not invent anything: every line is Ansible's or the API's own; only the less important fields of results are cut.
"""

from __future__ import annotations

import json
import re
import signal
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .colour import paint

WIDTH = 110
INDENT = " " * 4
ANSWERS = {200: "processed", 201: "created", 208: "duplicate"}
_RESULT = re.compile(r"(ok|changed|fatal): \[.*=> \{.*\}$")
_TOLD = re.compile(r"PLAY RECAP|\S+ +: ok=|Callgoose: |\[WARNING\]")
# An element of a list in a result of several lines, such as the report of watch.
_ELEMENT = re.compile(r'\s+("(?:[^"\\]|\\.)*"),?$')
# How a line of Ansible begins, and its colour.
_COLOURS = {"fatal": "red", "Callgoose: triggered": "red", "Callgoose: resolved": "green", "[WARNING]": "yellow"}


def heading(text: str) -> str:
    """Return a heading."""
    return paint(text, "bold")


def command(text: str) -> str:
    """Return a command line."""
    return paint(text, "cyan")


def readable(output: str) -> str:
    """Return the lines that tell the story, each result below the name of its task, and the task of a killed run."""
    return "\n".join(_coloured(line) for line in _told(line.rstrip(" *") for line in output.splitlines()))


def indented(text: str) -> str:
    """Return the text with every line indented by four spaces."""
    return "".join(f"{INDENT}{line}".rstrip() + "\n" for line in text.splitlines())


def wrapped(text: str) -> str:
    """Return the text as a paragraph."""
    return textwrap.fill(text, WIDTH)


def boxed(title: str, description: str) -> str:
    """Return a page in an indented box: its title, an empty line, its description. Long lines are wrapped."""
    titles, lines = _wrap([title]), _wrap(["", *description.splitlines()])
    width = max(map(len, [*titles, *lines]))
    edge, side = (paint(text, "yellow") for text in (f"+{'-' * (width + 2)}+", "|"))
    rows = [paint(f"{line:{width}}", "bold") for line in titles] + [f"{line:{width}}" for line in lines]
    return indented("\n".join([edge, *(f"{side} {row} {side}" for row in rows), edge]))


def request(entry: Mapping[str, Any]) -> str:
    """Return what the API received, and its answer."""
    payload, status = json.loads(entry["body"]), entry["status"]
    answer = f"{status} ({ANSWERS.get(status, 'refused')})"
    return f"{INDENT}{payload['state']}  {payload['incident_key']}  answer: {answer}"


def incident(entry: Mapping[str, Any]) -> str:
    """Return an incident's state and title."""
    return f"{INDENT}{paint(entry['state'], 'red' if entry['state'] == 'open' else 'green')}  {entry['title']}"


def exit_code(code: int) -> str:
    """Return the exit code of ansible-playbook, or the signal that killed it."""
    return f"Killed by {signal.Signals(-code).name}" if code < 0 else f"Exit code: {code}"


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return two columns, the first one padded."""
    rows = list(rows)
    width = max(len(left) for left, _right in rows)
    return indented("\n".join(f"{left:{width}}  {paint(right, 'cyan')}" for left, right in rows))


def _wrap(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, WIDTH - 8) or [""]]


def _coloured(line: str) -> str:
    return paint(line, *(colour for start, colour in _COLOURS.items() if line.startswith(start)))


def _told(lines: Iterator[str]) -> Iterator[str]:
    task = ""
    for line in lines:
        element = _ELEMENT.match(line)
        if line.startswith("TASK ["):
            task = line
        elif element or _RESULT.match(line) or _TOLD.match(line):
            if task and not line.startswith("PLAY"):
                yield task
            task = ""
            yield json.loads(element[1]) if element else re.sub(r"=> \{.*\}$", _main_fields, line)
    if task:  # the run was killed in it
        yield task


def _main_fields(match: re.Match[str]) -> str:
    fields = re.findall(r'"(outcome|status_code|msg)": ("[^"]*"|\d+)', match[0])
    return "=> " + ", ".join(f"{name}: {value}" for name, value in sorted(fields, reverse=True))
