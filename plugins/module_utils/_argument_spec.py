# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The options of the modules: one specification of each for the module and its action plugin.

Must not check more than types and choices.
"""

from __future__ import annotations

from typing import Any, Dict

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import BEARER, DEFAULT_BASE_URL, URL_PARAMETER
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED

SEVERITIES = ("critical", "error", "warning", "info")
EVENT_OPTIONS = ("title", "content", "incident_key", "severity", "tags", "details")


VARIABLE_PREFIX = "CALLGOOSE_"
# To send no source is something that one can want.
MAY_BE_EMPTY = "CALLGOOSE_SOURCE"


def option(name: str, **spec: Any) -> Dict[str, Any]:
    """Return the specification of an option that falls back to the variable ``CALLGOOSE_<NAME>``."""
    return dict(fallback=(_from_variable, [VARIABLE_PREFIX + name.upper()]), **spec)


def _from_variable(name: str) -> str:
    """Return a variable's value. An empty one counts as not set: so AWX hands over a field that nobody filled in."""
    value: str = env_fallback(name)
    if not value and name != MAY_BE_EMPTY:
        raise AnsibleFallbackNotFound
    return value


CONNECTION_SPEC = {
    "source": option("source", type="str", default="Ansible"),
    "base_url": option("base_url", type="str", default=DEFAULT_BASE_URL),
    # Not `required`: linters would refuse tasks whose token comes from the environment.
    "api_token": option("api_token", type="str", no_log=True),
    "auth_method": option("auth_method", type="str", default=BEARER, choices=[BEARER, URL_PARAMETER]),
    "validate_certs": option("validate_certs", type="bool", default=True),
    "ca_path": option("ca_path", type="path"),
    "client_cert": option("client_cert", type="path"),
    "client_key": option("client_key", type="path"),
    "allow_http": option("allow_http", type="bool", default=False),
    "timeout": option("timeout", type="float", default=10.0),
    "retries": option("retries", type="int", default=3),
}

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "default": TRIGGERED, "choices": [TRIGGERED, RESOLVED]},
    "title": {"type": "str"},
    "content": {"type": "str"},
    # The key of an incident is public; sanity would take the name for a secret's.
    "incident_key": {"type": "str", "no_log": False},
    "severity": {"type": "str", "default": "critical", "choices": list(SEVERITIES)},
    "tags": {"type": "list", "elements": "str"},
    "details": {"type": "dict"},
    "payload": {"type": "raw"},
    "content_type": {"type": "str"},
    "unmatched": {"type": "str", "choices": ["fail", "warn", "ok"]},
    **CONNECTION_SPEC,
}
ARGUMENT_RULES = {
    "mutually_exclusive": [("payload", name) for name in EVENT_OPTIONS],
    "required_if": [
        ("state", TRIGGERED, ("title", "payload"), True),
        ("state", RESOLVED, ("title", "incident_key", "payload"), True),
    ],
}

# Options of the guard alone. Those that it shares with the callback fall back to the same variables.
GUARD_SPEC: Dict[str, Dict[str, Any]] = {
    "step": {"type": "str", "required": True, "choices": ["begin", "done", "failed", "settle"]},
    "tasks": {"type": "list", "elements": "str", "default": []},
    "roles": {"type": "list", "elements": "str", "default": []},
    # The key of an incident is public; sanity would take the name for a secret's.
    "incident_key": {"type": "str", "default": "", "no_log": False},
    "title": {"type": "str", "default": ""},
    "fail": {"type": "bool", "default": False},
}
