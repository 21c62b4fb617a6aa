# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the life of an incident as a diagram: what Ansible does, what becomes of the incident, what the engineer does.

Must not need anything but Jinja2: a test draws it again on every ansible-core.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Card:
    """What one party does: a few words, and more about it in the line below. ``kind`` gives the colour."""

    words: str
    more: str
    kind: str = "plain"


@dataclass(frozen=True)
class Moment:
    """One column of the diagram.

    :param run: what Ansible does, if anything.
    :param engineer: what the on-call engineer gets or does.
    :param sent: what the collection sends to Callgoose SQIBS, if anything.
    :param page: whether the engineer gets a page.
    """

    run: Card | None
    engineer: Card
    sent: str = ""
    page: bool = False


MOMENTS = (
    Moment(
        Card("A run fails", "on the host web2", "bad"),
        Card("gets a page", "host, task and error"),
        sent="trigger",
        page=True,
    ),
    Moment(Card("It fails again", "on the same host", "bad"), Card("is not paged twice", "nothing is sent")),
    Moment(None, Card("fixes the cause", "a full disk")),
    Moment(
        Card("A run succeeds", "on all hosts", "good"), Card("has nothing to do", "it closed by itself"), sent="resolve"
    ),
)
# How many columns the incident is open.
OPEN = next(index for index, moment in enumerate(MOMENTS) if moment.sent == "resolve")


def draw() -> str:
    """Return the diagram as SVG."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("life.svg.j2").render(moments=MOMENTS, open_columns=OPEN) + "\n"
