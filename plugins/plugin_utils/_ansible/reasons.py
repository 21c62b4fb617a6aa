# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the reason of a failure in a task result, in words. Many modules keep it elsewhere than in ``msg``.

Must not decide what to do about a reason, nor cut it: the recorder does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import one_line, text_of, words_of

FAILED_WHEN = "its failed_when was true"

# ansible-core 2.19 and later put these before a message.
_PREFIXES = ("Task failed: ", "Action failed: ", "Module failed: ", "AnsibleUndefinedVariable: ")
_FAILED_WHEN = "A 'failed_when' expression evaluated to"
# ansible-core 2.18 and earlier quote the playbook behind a message, including the neighbours of the line.
_QUOTED = "\n\nThe error appears to be in '"
# How Ansible says that a module did not even run. The cause is in module_stderr.
_CRASHES = (
    "MODULE FAILURE",
    "The module failed to execute correctly",
    "The module interpreter '",
    "Module result deserialization failed",
    "No start of json char found",
)
# Messages that say no more than that something failed.
_EMPTY = frozenset(("", "unknown error", "error executing command", "failed", "error"))
_COMMAND_FAILED = frozenset(("non-zero return code", "The command exited with a non-zero return code."))
_SHELL_PREFIX = re.compile(r"^/bin/[a-z]*sh: (?:line )?(?:[0-9]+: )?")
_STATUS_PREFIX = re.compile(r"^Status code was -1 and not \[[^\]]*\]: ")
# Where modules keep the cause behind a general message. See docs of each: get_url, dnf, Kubernetes, the network
# modules' wait_for, Hetzner Cloud, win_powershell, and many of community.general.
_DETAILS = (
    "message",
    "reason",
    "response",
    "details",
    "detail",
    "error",
    "errors",
    "error_message",
    "err_msg",
    "failure",
    "failures",
    "failed_conditions",
    "failure_msg",
    "telegram_error",
)
_INNER = ("message", "msg", "Message", "detail", "error", "reason")


def reason_of(result: Mapping[str, Any], retries: int | None = None, cause: str = "") -> str:
    """Return why a task failed. Its loop, if it had one, is not looked into.

    :param retries: the task's own ``retries``, if they are known.
    :param cause: what ansible-core knows as the innermost error, if anything.
    """
    modules = result.get("failed_modules")
    if isinstance(modules, Mapping) and modules:
        return _reason_of_modules(modules)
    message = plain(words_of(result.get("msg")))
    problem = _condition_problem(result)
    if problem:
        return problem
    is_result = not message or message.startswith(_FAILED_WHEN) or _shows_success(result, message)
    if result.get("failed_when_result") and is_result:
        message = FAILED_WHEN
    else:
        message = _with_details(_crash_reason(result, message), result, cause)
    if result.get("assertion") is not None:
        message = f"{message}: {text_of(result['assertion'])}"
    if not message and str(result.get("exception", "")).startswith("Traceback"):
        message = text_of(result["exception"]).rstrip().rpartition("\n")[2]
    return _with_attempts(message, is_result, result, retries)


def is_general(message: str) -> bool:
    """Return whether a message says only that a command failed."""
    return message in _COMMAND_FAILED


def plain(message: str) -> str:
    """Return a message without what ansible-core puts around it."""
    message = message.partition(_QUOTED)[0].strip()
    while message.startswith(_PREFIXES):
        message = message.partition(": ")[2]
    # ansible-core 2.16 says what is undefined twice.
    head, _separator, tail = message.rpartition(". ")
    message = head if tail and head.endswith(tail) else message
    return _STATUS_PREFIX.sub("", message.removeprefix(":stderr: "))


def _condition_problem(result: Mapping[str, Any]) -> str:
    """Return why ``failed_when`` or ``changed_when`` could not be evaluated."""
    for name in ("failed_when", "changed_when"):
        problem = result.get(f"{name}_result")
        if isinstance(problem, str) and problem:
            return f"its {name} could not be evaluated: {plain(text_of(problem))}"
    return ""


def _reason_of_modules(modules: Mapping[str, Any]) -> str:
    """Return why gathering facts failed: the reason of each module that failed."""
    reasons = {
        text_of(name): reason_of(result) if isinstance(result, Mapping) else words_of(result)
        for name, result in modules.items()
    }
    if len(set(reasons.values())) == 1:
        return next(iter(reasons.values()))
    return "\n".join(f"{name.removeprefix('ansible.legacy.')}: {reason}" for name, reason in reasons.items())


def _crash_reason(result: Mapping[str, Any], message: str) -> str:
    """Return the message, or if the module did not run, the line of its output that says why."""
    lines = text_of(result.get("module_stderr")).strip().splitlines()
    if not lines or not message.startswith(_CRASHES):
        return message
    is_traceback = any(line.startswith("Traceback") for line in lines)
    return _SHELL_PREFIX.sub("", (lines[-1] if is_traceback else lines[0]).strip())


def _with_details(message: str, result: Mapping[str, Any], cause: str) -> str:
    """Return the message with the cause that stands elsewhere in the result."""
    is_empty = _says_nothing(message)
    if is_empty and not _says_nothing(cause) and not is_general(cause):
        return cause if not message or "unknown" in message.lower() else f"{message.rstrip('.')}: {plain(cause)}"
    for name in _DETAILS:
        if name == "message" and not is_empty:
            continue  # most modules repeat themselves there
        detail = plain(_detail(result.get(name)))
        if detail and detail not in message:
            if name == "message" or not message:
                return detail
            return f"{message.rstrip('.: ')}: {detail}"
    return message


def _says_nothing(message: str) -> bool:
    return message.lower().rstrip(".!") in _EMPTY


def _detail(value: Any) -> str:
    """Return the text of a detail; empty if it is no error in words."""
    if isinstance(value, Mapping):
        inner = next((value[name] for name in _INNER if value.get(name)), None)
        if inner is None and isinstance(value.get("exception"), Mapping):
            inner = value["exception"].get("message")  # an error record of PowerShell
        return _detail(inner)
    if isinstance(value, list | tuple):
        return "\n".join(dict.fromkeys(filter(None, map(_detail, value))))
    return text_of(value).strip() if isinstance(value, str) else ""


def _shows_success(result: Mapping[str, Any], message: str) -> bool:
    """Return whether the module itself succeeded, so that its message is no reason."""
    code, status = result.get("rc"), result.get("status_code", result.get("status"))
    is_done = isinstance(code, int) and not isinstance(code, bool) and code == 0
    is_answered = isinstance(status, int) and 200 <= status < 300
    return is_done or is_answered or message.startswith("OK (")


def _with_attempts(message: str, is_result: bool, result: Mapping[str, Any], retries: int | None) -> str:
    """Return the message with the number of attempts if ``until`` was used up."""
    # Ansible counts the repetitions of the last attempt here, not the first one.
    repeated = result.get("attempts")
    if not isinstance(repeated, int) or ("failed_when_result" in result and repeated < (retries or 3)):
        return message  # the `until` was met
    given_up = f"gave up after {repeated + 1} attempts"
    if is_result or not message or is_general(message):
        return given_up
    return f"{message.rstrip('.')} ({given_up})"


def short_reason(message: str, status: str, stderr: str) -> str:
    """Return the reason of one item of a loop on one line: a command's status if it has no reason of its own."""
    if is_general(message) or not message:
        last = stderr.strip().rpartition("\n")[2]
        message = ": ".join(filter(None, (status, last))) or message or "failed"
    return one_line(message, 240)
