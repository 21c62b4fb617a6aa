# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Argument specifications, shared by each module and its action plugin.

Must check types and choices only; `_task_request` and `_connection` check values.
"""

from __future__ import annotations

from typing import Any, Dict, List

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import BEARER, DEFAULT_BASE_URL, URL_PARAMETER
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED

SEVERITIES = ("critical", "error", "warning", "info")
EVENT_OPTIONS = ("title", "content", "incident_key", "severity", "tags", "details")


class AnyCase(List[str]):
    """Choices that a value may spell with capitals and with white space around it."""

    def __contains__(self, value: object) -> bool:
        return super().__contains__(lower_case(str(value)))


def lower_case(word: str) -> str:
    """Return a choice of :class:`AnyCase` as it is documented."""
    return word.strip().lower()


VARIABLE_PREFIX = "CALLGOOSE_"
# An empty source is a valid choice: the request then names no source.
MAY_BE_EMPTY = "CALLGOOSE_SOURCE"


def option(name: str, **spec: Any) -> Dict[str, Any]:
    """Return the specification of an option that falls back to the environment variable ``CALLGOOSE_<NAME>``."""
    return dict(fallback=(_from_environment, [VARIABLE_PREFIX + name.upper()]), **spec)


def _from_environment(name: str) -> str:
    """Return the value of an environment variable without white space around it, such as a file's last line break.

    Empty counts as unset: AWX passes blank fields as empty strings.

    :raises AnsibleFallbackNotFound: the variable is unset or empty; Ansible then uses the option's default.
    """
    value: str = env_fallback(name).strip()
    if not value and name != MAY_BE_EMPTY:
        raise AnsibleFallbackNotFound
    return value


CONNECTION_SPEC = {
    "source": option("source", type="str", default="Ansible"),
    "base_url": option("base_url", type="str", default=DEFAULT_BASE_URL),
    # Not `required`: linters would reject tasks that take the token from the environment.
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

# The store, which only the controller has.
STATE_SPEC: Dict[str, Dict[str, Any]] = {
    "state_url": option("state_url", type="str", default="", no_log=True),
}

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "default": TRIGGERED, "choices": [TRIGGERED, RESOLVED]},
    "title": {"type": "str"},
    "content": {"type": "str"},
    # An incident key is not secret. Without no_log, ansible-test sanity would report the word "key".
    "incident_key": {"type": "str", "no_log": False},
    "severity": {"type": "str", "default": "critical", "choices": AnyCase(SEVERITIES)},
    "tags": {"type": "list", "elements": "str"},
    "details": {"type": "dict"},
    "payload": {"type": "raw"},
    "content_type": {"type": "str"},
    "unmatched": {"type": "str", "choices": ["fail", "warn", "ok"]},
    "on_unreachable": {"type": "str", "default": "fail", "choices": ["fail", "queue"]},
    **STATE_SPEC,
    **CONNECTION_SPEC,
}
ARGUMENT_RULES = {
    "mutually_exclusive": [("payload", name) for name in EVENT_OPTIONS],
    "required_if": [
        ("state", TRIGGERED, ("title", "payload"), True),
        ("state", RESOLVED, ("title", "incident_key", "payload"), True),
    ],
}

# Options that only the guard has. The options that it shares with the callback use the same environment variables.
GUARD_SPEC: Dict[str, Dict[str, Any]] = {
    "step": {"type": "str", "required": True, "choices": ["begin", "done", "failed", "settle", "fail"]},
    "tasks": {"type": "list", "elements": "str", "default": []},
    "roles": {"type": "list", "elements": "str", "default": []},
    # An incident key is not secret. Without no_log, ansible-test sanity would report the word "key".
    "incident_key": {"type": "str", "default": "", "no_log": False},
    "title": {"type": "str", "default": ""},
    "fail": {"type": "bool", "default": False},
}

WATCH_SPEC: Dict[str, Dict[str, Any]] = {
    "retry_parked": {"type": "bool", "default": False},
    "redact": option("redact", type="str", default=""),
    **STATE_SPEC,
    **CONNECTION_SPEC,
}
INFO_SPEC: Dict[str, Dict[str, Any]] = {
    # An incident key is not secret. Without no_log, ansible-test sanity would report the word "key".
    "incident_key": {"type": "str", "default": "", "no_log": False},
    "playbook": {"type": "str", "default": ""},
    "state": {"type": "str", "default": "", "choices": ["", "open", "closed", "waiting", "parked"]},
    "history": {"type": "int", "default": 20},
    **STATE_SPEC,
    **CONNECTION_SPEC,
}
START_FAILURE_SPEC: Dict[str, Dict[str, Any]] = {
    "playbook": {"type": "str", "required": True},
    "reason": {"type": "str", "default": ""},
}
