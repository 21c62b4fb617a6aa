# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a page says about how a run was started: its inventory, its environment, and the command to repeat it.

Must read no value of an extra var: it may be a secret. Only runs with something to send need this.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin, awx_variable
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.environment import environment_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Invocation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    INLINE,
    TEMPORARY,
    IdentityFacts,
    remote_path,
)

# The options of ansible-playbook that a repeated run needs, by their names in ``context.CLIARGS``.
_WITH_VALUE = {
    "tags": "--tags",
    "skip_tags": "--skip-tags",
    "remote_user": "--user",
    "private_key_file": "--private-key",
    "connection": "--connection",
    "become_method": "--become-method",
    "become_user": "--become-user",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
}
_FLAGS = {
    "become": "--become",
    "become_ask_pass": "--ask-become-pass",
    "ask_pass": "--ask-pass",
    "ask_vault_pass": "--ask-vault-pass",
    "force_handlers": "--force-handlers",
}
# What Ansible sets if an option is not given.
_DEFAULTS: tuple[object, ...] = (None, False, "", (), [], ("all",), ["all"], "sudo", "smart", "ssh")
_COMPARE = {"github": "/compare/{good}...{failed}", "gitlab": "/-/compare/{good}...{failed}"}


def read_invocation(
    arguments: Mapping[str, Any], extra_vars: Mapping[str, Any], facts: IdentityFacts, origin: Origin, directory: str
) -> Invocation:
    """Return how this run was started.

    :param arguments: ``context.CLIARGS``.
    :param extra_vars: the extra vars of the call, for what AWX tells.
    :param directory: the current directory of the call.
    """
    in_awx = origin.system == "AWX"
    inventory = awx_variable(extra_vars, "inventory_name") if in_awx else ""
    named = facts.inventory_name or inventory
    is_shell = not origin.system
    # It is gone after the run, and its path differs from run to run.
    is_repeatable = all(source.place != TEMPORARY for source in facts.sources)
    return Invocation(
        environment=named or environment_of(facts.sources),
        inventory=named or ", ".join(_shown(source.text, source.place) for source in facts.sources),
        limit=str(arguments.get("subset") or ""),
        controller=facts.host_name if is_shell else "",
        directory=directory if is_shell else "",
        command=_command(arguments) if is_shell and is_repeatable else (),
        compare_url=compare_url(facts.remote),
    )


def compare_url(remote: str) -> str:
    """Return the link that compares two revisions, with ``{good}`` and ``{failed}`` in it; empty for other hosts.

    :param remote: the URL of a git remote.
    """
    host = urlsplit(remote).hostname if "://" in remote else remote.rpartition("@")[2].partition(":")[0]
    kind = next((kind for kind in _COMPARE if kind in (host or "").lower()), "")
    path = remote_path(remote)
    if not kind or "/" not in path or "{" in path:
        return ""
    return f"https://{host}/{path}{_COMPARE[kind]}"


def _shown(text: str, place: str) -> str:
    if place == TEMPORARY:
        return "(temporary)"
    return text if place != INLINE or len(text) <= 60 else f"{text[:59]}…"


def _command(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words of the command line, without ``--limit`` and without the values of extra vars."""
    words = ["ansible-playbook"]
    for source in arguments.get("inventory") or ():
        if source != "/etc/ansible/hosts":
            words += ["-i", str(source)]
    words += map(os.fspath, arguments.get("args") or ())
    for name, option in _WITH_VALUE.items():
        value = arguments.get(name)
        if value not in _DEFAULTS:
            for one in value if isinstance(value, list | tuple) else [value]:
                words += [option, str(one)]
    words += [option for name, option in _FLAGS.items() if arguments.get(name)]
    if arguments.get("extra_vars"):
        words += ["-e", "..."]
    return tuple(words)
