# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours text for a terminal, and leaves it as it is elsewhere.

Must not change what the text says.
"""

from __future__ import annotations

import os
import sys

CODES = {"bold": 1, "red": 31, "green": 32, "yellow": 33, "cyan": 36}


def wanted() -> bool:
    """Return whether standard output is a terminal that shows colours, and the user has not set NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, *styles: str) -> str:
    """Return the text in these styles, each a key of ``CODES``."""
    if not text or not styles or not wanted():
        return text
    return f"\033[{';'.join(str(CODES[style]) for style in styles)}m{text}\033[0m"
