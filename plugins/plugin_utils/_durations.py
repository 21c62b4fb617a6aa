# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as users write them, such as ``90m``, ``26h`` or ``8d``: read and shown.

Must not know what a duration is for.
"""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])", re.ASCII)


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as ``90m``; 0 if it is empty.

    :raises ValueError: it is no duration, or it is zero.
    """
    if not text.strip():
        return 0.0
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not seconds:
        raise ValueError(f"{text!r} is no duration")
    return float(seconds)


def shown(seconds: float) -> str:
    """Return a duration as users write it, in the largest unit that is exact."""
    whole = round(seconds)
    unit = next((unit for unit in ("d", "h", "m") if whole >= _UNITS[unit] and whole % _UNITS[unit] == 0), "s")
    return f"{whole // _UNITS[unit]}{unit}"
