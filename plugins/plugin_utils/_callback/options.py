# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the callback's options so that none of them is taken for what it does not say.

To Ansible an empty variable is a value, and any word that it does not know is a false one: both would be a lost page.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import MAY_BE_EMPTY, VARIABLE_PREFIX
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import SETTINGS_SPEC

# Options that are on or off, with their defaults. The callback's documentation has them as texts.
SWITCHES: dict[str, bool] = {
    "enabled": True,
    **{name: spec["default"] for name, spec in SETTINGS_SPEC.items() if spec["type"] == "bool"},
}


@contextlib.contextmanager
def without_empty_variables() -> Iterator[None]:
    """Hide variables that are set to nothing for a while, as a credential's field is that nobody filled in."""
    empty = [name for name, value in os.environ.items() if name.startswith(VARIABLE_PREFIX) and not value]
    hidden = {name: os.environ.pop(name) for name in empty if name != MAY_BE_EMPTY}
    try:
        yield
    finally:
        os.environ.update(hidden)


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options without empty items, and each switch as what it says.

    :param options: as Ansible hands them over.
    :raises OptionError: a switch is neither on nor off.
    """
    lists = {name: [item for item in value if item] for name, value in options.items() if isinstance(value, list)}
    return {**options, **lists, **{name: _switch(name, options[name]) for name in SWITCHES}}


def _switch(name: str, value: Any) -> bool:
    if value == "":
        return SWITCHES[name]
    try:
        return bool(boolean(value))
    except TypeError:
        raise OptionError(name, "it is neither true nor false", "Use true or false.") from None
