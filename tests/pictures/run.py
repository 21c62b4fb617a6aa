# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a failed run as its terminal showed it, and below it the page that the on-call engineer gets.

Must not change a line of either.
"""

from __future__ import annotations

from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from . import windows
from .record import COMMAND, Recording


def draw(recording: Recording) -> str:
    """Return the picture as SVG."""
    terminal = Text.assemble((f"$ ansible-playbook {COMMAND}\n", "bold"), Text.from_ansi(recording.output.rstrip()))
    page = Text.assemble((f"{recording.title}\n\n", "bold"), recording.description.rstrip())
    return windows.draw(
        "A failed run of ansible-playbook, and the page that the on-call engineer gets",
        windows.Window("run", "A run fails", terminal, SVG_EXPORT_THEME),
        windows.Window("page", "The on-call engineer gets this page", page, DEFAULT_TERMINAL_THEME),
    )
