# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wrong set-up of the sandbox raises, wherever it comes from: Python, JSON or the command line.

Must not know what is being set up.
"""

from __future__ import annotations

import math


class SetupError(ValueError):
    """The sandbox was told something it cannot do; the message names the field and what it takes."""


def require(condition: object, message: str) -> None:
    """Raise :class:`SetupError` with this message unless the condition holds."""
    if not condition:
        raise SetupError(message)


def require_text(value: object, what: str, optional: bool = False) -> None:
    """Raise :class:`SetupError` unless ``value`` is a text that is not empty (or None, where it is optional)."""
    require((optional and value is None) or (isinstance(value, str) and value), f"{what} must be a text, not {value!r}")


def require_seconds(value: object, what: str) -> None:
    """Raise :class:`SetupError` unless ``value`` is a finite number of seconds, 0 or more."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    require(number and value >= 0, f"{what} must be a number of seconds, 0 or more, not {value!r}")  # type: ignore[operator]
