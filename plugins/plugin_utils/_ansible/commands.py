# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a failed task did: the command, how it ended, and its output.

Must not say why it failed: reasons.py does.
"""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import compact_json, text_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import COMMAND_LIMIT

# A shell that a signal ended exits with 128 + its number.
_SHELL_SIGNALS = range(129, 160)
# Only with one of these is `rc` the exit status of a command. Some modules have codes of their own there.
_OF_COMMANDS = ("cmd", "command", "stdout", "stderr", "module_stdout", "module_stderr")
_URL = re.compile(r"https?://", re.IGNORECASE)


def command_of(result: Mapping[str, Any]) -> str:
    """Return the command of a failed task on one line; empty if its result names none."""
    command = result.get("cmd") or result.get("command")
    if isinstance(command, list | tuple):
        command = shlex.join(map(text_of, command))
    if not isinstance(command, str):
        return ""
    text = text_of(command)
    words = text[: 2 * COMMAND_LIMIT].split()
    # No pattern recognizes a secret of which only the beginning is left.
    return " ".join(words[:-1] if len(text) > 2 * COMMAND_LIMIT else words)


def status_of(result: Mapping[str, Any]) -> str:
    """Return how a command ended, or which HTTP status a server gave; empty if neither is known."""
    http = result.get("status_code", result.get("status"))
    url = text_of(result.get("url"))
    if _URL.match(url) and isinstance(http, int) and not isinstance(http, bool):
        return f"HTTP status {http} from {_place(url)}" if http > 0 else f"no HTTP answer from {_place(url)}"
    code = result.get("rc", result.get("exit_status"))
    if not isinstance(code, int) or isinstance(code, bool) or code == 0:
        return ""
    if not any(name in result for name in _OF_COMMANDS):
        return ""
    number = -code if code < 0 else code - 128 if code in _SHELL_SIGNALS else 0
    name = _SIGNALS.get(number, "")
    return f"killed by {name} (exit status {code})" if name else f"exit status {code}"


def outputs_of(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return the standard output and the standard error. A server's answer counts as output."""
    stdout = _first(result, "stdout", "module_stdout", "out") or _answer(result)
    return stdout, _first(result, "stderr", "module_stderr", "err", "host_err")


def _answer(result: Mapping[str, Any]) -> str:
    """Return the body of a server's answer, as `uri` and modules like it keep it."""
    if not _URL.match(text_of(result.get("url"))):
        return ""
    document = result.get("json")
    if isinstance(document, Mapping | list):
        return compact_json(document)
    return _first(result, "content", "body")


def _place(url: str) -> str:
    """Return a URL without its user, password and query, where secrets are."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"
    except ValueError:
        return "the server"


def _first(result: Mapping[str, Any], *names: str) -> str:
    return next((text_of(result[name]) for name in names if isinstance(result.get(name), str) and result[name]), "")


_SIGNALS = {int(one): one.name for one in signal.Signals}
