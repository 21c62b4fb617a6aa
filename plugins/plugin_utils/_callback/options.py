# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the callback's options strictly: an empty value means unset, and a misspelled boolean is an error.

Must not rely on Ansible for that: it accepts empty values and treats unknown words as false, so a page could be missed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import (
    MAY_BE_EMPTY,
    VARIABLE_PREFIX,
    lower_case,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._config import written_value
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import SETTINGS_SPEC

# Boolean options with their defaults.
SWITCHES: dict[str, bool] = {
    "enabled": True,
    **{name: spec["default"] for name, spec in SETTINGS_SPEC.items() if spec["type"] == "bool"},
}


@contextlib.contextmanager
def without_empty_variables() -> Iterator[None]:
    """Hide empty environment variables within a ``with`` block: AWX sets them for credential fields left blank."""
    empty = [name for name, value in os.environ.items() if name.startswith(VARIABLE_PREFIX) and not value.strip()]
    hidden = {name: os.environ.pop(name) for name in empty if name != MAY_BE_EMPTY}
    try:
        yield
    finally:
        os.environ.update(hidden)


def documented_choices() -> dict[str, str]:
    """Return the severity as the documentation spells it: Ansible compares it with the choices there letter by letter.

    Empty if the severity is not set.
    """
    severity = lower_case(written_value("severity") or "")
    return {"severity": severity} if severity else {}


def read_options(options: Mapping[str, Any], written: Callable[[str], str | None]) -> dict[str, Any]:
    """Return the options with lists without empty items, and with booleans read as they were written.

    :param options: as Ansible passes them: there, a misspelled boolean is false.
    :param written: returns an option as the user wrote it, as :func:`written_value` does.
    :raises OptionError: a boolean option is neither true nor false.
    """
    lists = {name: [item for item in value if item] for name, value in options.items() if isinstance(value, list)}
    return {**options, **lists, **{name: _switch(name, written(name)) for name in SWITCHES}}


def _switch(name: str, value: str | None) -> bool:
    if value is None:
        return SWITCHES[name]
    try:
        return bool(boolean(value))
    except TypeError:
        raise OptionError(name, "it is neither true nor false", "Use true or false.") from None
