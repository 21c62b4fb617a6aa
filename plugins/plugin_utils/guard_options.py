# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a guard: its own, and those that it shares with the callback.

Must not know what a step does with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.callgoose.sqibs.plugins.module_utils.arguments import ARGUMENT_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils.errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils.guard_arguments import GUARD_SPEC
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.settings import SETTINGS_SPEC, Settings, settings_from


def check_options(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the guard's own options, checked, and those that it shares with the callback, as they are.

    :raises OptionError: one of its own is wrong, or there is no such option.
    """
    own = {name: value for name, value in arguments.items() if name in GUARD_SPEC}
    shared = {name: value for name, value in arguments.items() if name in SETTINGS_SPEC}
    # Defaults of the action group are for its other action too, whose options mean nothing here.
    for name in sorted(set(arguments) - set(own) - set(shared) - set(ARGUMENT_SPEC)):
        raise OptionError(name, "there is no such option", "Remove it; it may come from module_defaults.")
    for name, value in own.items():
        error = ArgumentSpecValidator({name: GUARD_SPEC[name]}).validate({name: value}).error_messages
        if error:
            raise OptionError(name, "; ".join(error), "Correct it.")
    options = ArgumentSpecValidator(GUARD_SPEC).validate(own).validated_parameters
    return options, shared


def read_settings(shared: Mapping[str, Any]) -> tuple[Settings | None, str]:
    """Return the settings; where they are of no use, none and why: a broken pager must not stop a deployment."""
    validation = ArgumentSpecValidator(SETTINGS_SPEC).validate(dict(shared))
    if validation.error_messages:
        return None, "; ".join(validation.error_messages)
    try:
        settings = settings_from(validation.validated_parameters)
    except OptionError as error:
        return None, str(error)
    # A guard may report several times in a run, which is no count of failed runs.
    return replace(settings, policy=replace(settings.policy, after_failures=1)), ""
