# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and checks a guard's options: its own, and those that it shares with the callback.

Must not know how the steps use them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import ARGUMENT_SPEC, GUARD_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import SETTINGS_SPEC, Settings, settings_from

# The optional variables of the role. They are not passed as task arguments, for two reasons: arguments would need a
# filter, and then Ansible loads all filters in each worker, a sixth of a guard's time; and arguments can be printed
# (DISPLAY_ARGS_TO_STDOUT).
ROLE_VARIABLES = {
    name: f"incident_guard_{name}" for name in ("api_token", "base_url", "runbook_url", "severity", "tags")
}
FAIL_VARIABLE = "incident_guard_fail"


def read_role_variables(
    arguments: Mapping[str, Any], variables: Mapping[str, Any], template: Callable[[Any], Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the options that the role's variables set, and warnings.

    After ``begin``, a variable that can no longer be templated is only a warning: it must not hide the error of a
    guarded task or stop a host.

    :param arguments: the step's own arguments.
    :param variables: the host's variables.
    :param template: resolves a variable's value.
    :raises OptionError: in ``begin``, a variable has an invalid value.
    """
    is_first = arguments.get("step") == "begin"
    names = {**ROLE_VARIABLES, **({"fail": FAIL_VARIABLE} if is_first or "fail" in arguments else {})}
    given: dict[str, Any] = {}
    warnings: list[str] = []
    for name, variable in names.items():
        try:
            value = template(variables.get(variable))
        except Exception as error:
            if is_first:
                raise
            warnings.append(f"{variable} can no longer be templated ({type(error).__name__})")
        else:
            # str: in ansible-core 2.16, a value encrypted with !vault is not a string yet
            given[name] = value if isinstance(value, list | bool) else str(value or "")
    given = {name: value for name, value in given.items() if value not in ("", [])}
    if is_first:
        _check(given)
    return given, warnings


def check_options(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the guard's own options, checked, and those that it shares with the callback, unchecked.

    :raises OptionError: one of the guard's own options is invalid, or an option is unknown.
    """
    own = {name: value for name, value in arguments.items() if name in GUARD_SPEC}
    shared = {name: value for name, value in arguments.items() if name in SETTINGS_SPEC}
    # module_defaults of the action group also set options of callgoose_incident. Those are ignored here.
    for name in sorted(set(arguments) - set(own) - set(shared) - set(ARGUMENT_SPEC)):
        raise OptionError(name, "there is no such option", "Remove it; it may come from module_defaults.")
    _check(own)
    options = ArgumentSpecValidator(GUARD_SPEC).validate(own).validated_parameters
    return options, shared


def read_settings(shared: Mapping[str, Any]) -> tuple[Settings | None, str]:
    """Return the settings; if they are invalid, return None and the reason: that must not stop a deployment."""
    validation = ArgumentSpecValidator(SETTINGS_SPEC).validate(dict(shared))
    if validation.error_messages:
        return None, "; ".join(validation.error_messages)
    try:
        settings = settings_from(validation.validated_parameters)
    except OptionError as error:
        return None, str(error)
    # A guard may report several times in one run, so its reports cannot be counted as failed runs.
    return replace(settings, policy=replace(settings.policy, after_failures=1)), ""


def _check(options: Mapping[str, Any]) -> None:
    """Check types and choices of options that are set.

    :raises OptionError: one is invalid.
    """
    for name, value in options.items():
        spec = GUARD_SPEC[name] if name in GUARD_SPEC else SETTINGS_SPEC[name]
        error = ArgumentSpecValidator({name: spec}).validate({name: value}).error_messages
        if error:
            raise OptionError(name, "; ".join(error), "Correct it.")
