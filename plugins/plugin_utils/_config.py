# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the callback's options as the user wrote them, for the tasks that must know the same incidents and store.

Must not check values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import VARIABLE_PREFIX
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError

_SECTION = "callback_callgoose_incident"


def written_value(name: str) -> str | None:
    """Return an option as the user wrote it, before Ansible converts it; None if it is unset or empty.

    The environment variable takes precedence over ``ansible.cfg``, as everywhere in Ansible.
    """
    parser = C.config._parsers.get(C.CONFIG_FILE)
    configured = parser.get(_SECTION, name, raw=True, fallback=None) if parser else None
    return os.environ.get(VARIABLE_PREFIX + name.upper()) or configured or None


def checked_arguments(arguments: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a task, of the types that their specification gives, with the callback's where none is set.

    :param arguments: of the task.
    :raises CallgooseError: one is of the wrong type, unknown, or missing.
    """
    unset = [name for name in spec if arguments.get(name) is None]
    configured = {name: value for name in unset if (value := written_value(name)) is not None}
    validation = ArgumentSpecValidator(dict(spec)).validate({**arguments, **configured})
    if validation.error_messages:
        raise CallgooseError("; ".join(validation.error_messages))
    parameters: dict[str, Any] = validation.validated_parameters
    return parameters
