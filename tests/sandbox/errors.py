# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error for invalid settings of the sandbox, whether from Python, JSON or the command line, and the checks.

Must not know which settings there are.
"""

from __future__ import annotations

import sys


class SetupError(ValueError):
    """A setting is invalid; the message names the field and the values that it accepts."""


def require(condition: object, message: str) -> None:
    """Raise :class:`SetupError` with this message unless the condition is true."""
    if not condition:
        raise SetupError(message)


def require_string(value: object, what: str, optional: bool = False) -> None:
    """Raise :class:`SetupError` unless ``value`` is a non-empty string (or None, if it is optional)."""
    valid = (optional and value is None) or (isinstance(value, str) and value)
    require(valid, f"{what} must be a non-empty string, not {value!r}")


def require_seconds(value: object, what: str) -> None:
    """Raise :class:`SetupError` unless ``value`` is a finite number of seconds, 0 or more."""
    # An integer can be greater than any float, and then no function of the module math takes it.
    valid = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= sys.float_info.max
    require(valid, f"{what} must be a number of seconds, 0 or more, not {value!r}")
