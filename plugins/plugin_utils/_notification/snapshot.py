# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduces a run's failures to the plain data that the ledger keeps: all that a later page can say about a host.

Must stay bounded for any run, and give the same data for the same failures in any order. Strings from outside are
first cleaned, then redacted, then cut: a pattern does not recognize a secret that was cut.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import (
    HANGING,
    KILLED,
    MISSING,
    NOT_STARTED,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.cause import cause_of, gives_reason
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.similarity import comparable
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import (
    beginning,
    cleaned,
    ending,
    one_line,
    shortened,
    without_cut_line,
    without_cut_word,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    COMMAND_LIMIT,
    MESSAGE_LIMIT,
    NOT_REACHED,
    OUTPUT_LIMIT,
    SHORT_LIMIT,
    Failure,
    Run,
    Task,
)

# The kind of failure of an aborted run's pseudo-host; _run/model.py has those of hosts.
ABORTED = "aborted"
# The kinds of all reasons that are no host.
REASONS = (ABORTED, KILLED, NOT_STARTED, HANGING, MISSING)

# Maximum bytes of a name, and maximum characters of the message of a host that is not stored in full.
KEPT_NAME = 256
BRIEF_MESSAGE = 200
# Maximum bytes of the other texts, and maximum number of failures of a host.
_KEPT_MESSAGE = 2048
_KEPT_OUTPUT = 1024
_KEPT_COMMAND = 512
_KEPT_FAILURES = 3
# Characters of a long message that are redacted to get a brief one: redaction can shorten them.
_BRIEF_WINDOW = 512
# The directory in which Ansible looks for collections.
_COLLECTIONS = "/ansible_collections/"


def snapshot(run: Run, redactor: Redactor, options: PageOptions, root: str) -> dict[str, dict[str, Any]]:
    """Return the data that the ledger keeps for each failed host, for later pages.

    :param root: the project's directory, absolute.
    :returns: by host ``{"failures": [{"kind", "task", "path", "line", "message", "status", "delegate", "command",
        "runbook", "stdout", "stderr"}, …]}`` without empty values. Beyond ``max_hosts`` hosts, only the first failure
        of a host is kept, in brief, with its ``cause`` if only its output has a reason.
    """
    texts = _Texts(redactor)
    in_full = _hosts_in_full(run, options.max_hosts)
    data: dict[str, dict[str, Any]] = {}
    for host in sorted(run.failures):  # the first of several hosts gives them its cause
        failures = run.failures[host]
        if host in in_full:
            kept = [_in_full(failure, texts, root, options) for failure in failures[:_KEPT_FAILURES]]
        else:
            kept = [_in_brief(failure, texts, root) for failure in failures[:1]]
            if options.include_output and not gives_reason(failures[0].message):
                kept[0]["cause"] = texts.cause(failures[0], host)
        data[host] = {"failures": kept}
    return data


def aborted_snapshot(run: Run, redactor: Redactor, root: str) -> dict[str, Any]:
    """Return the same for the pseudo-host of an aborted run: the last task, and the error that ended it."""
    task = run.last_task or Task("")
    texts = _Texts(redactor)
    failure = Failure(ABORTED, task.name, task.action, task.path, task.line, message=run.error)
    data = {**_in_brief(failure, texts, root), "message": texts.message(run.error)}
    return {"failures": [without_empty(data)]}


def _hosts_in_full(run: Run, most: int) -> set[str]:
    """Return the hosts to keep in full: one of each failing task, then by name; hosts that were not reached come last.

    :param most: maximum number of hosts.
    """
    seen: Counter[tuple[Any, ...]] = Counter()
    ranks: list[tuple[bool, int, str]] = []
    for host in sorted(run.failures):
        first = run.failures[host][0]
        place = (first.kind, first.task, first.path, first.line)
        ranks.append((first.kind == NOT_REACHED, seen[place], host))
        seen[place] += 1
    return {host for _is_not_reached, _nth, host in sorted(ranks)[: max(most, 0)]}


class _Texts:
    """Cleans, redacts and cuts texts. Results are cached: a thousand hosts often fail with the same message."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._names: dict[str, str] = {}
        self._messages: dict[str, str] = {}
        self._briefs: dict[str, str] = {}
        self._commands: dict[str, str] = {}
        self._outputs: dict[str, str] = {}
        self._causes: dict[str, str] = {}

    def name(self, text: str) -> str:
        if text not in self._names:
            self._names[text] = beginning(self._redactor.name(one_line(text)), KEPT_NAME)
        return self._names[text]

    def message(self, text: str) -> str:
        if text not in self._messages:
            self._messages[text] = beginning(self._redacted_message(text), _KEPT_MESSAGE)
        return self._messages[text]

    def brief(self, text: str) -> str:
        if text not in self._briefs:
            window = text[:_BRIEF_WINDOW]
            message = self._redacted_message(text if window == text else without_cut_word(window))
            self._briefs[text] = shortened(message, BRIEF_MESSAGE)
        return self._briefs[text]

    def output(self, text: str) -> str:
        if text not in self._outputs:
            whole = text if len(text) not in (OUTPUT_LIMIT, SHORT_LIMIT) else without_cut_line(text)
            self._outputs[text] = ending(self._redactor.text(cleaned(whole)), _KEPT_OUTPUT)
        return self._outputs[text]

    def command(self, text: str) -> str:
        if text not in self._commands:
            whole = text if len(text) not in (COMMAND_LIMIT, SHORT_LIMIT) else without_cut_word(text)
            self._commands[text] = beginning(self._redactor.text(one_line(whole)), _KEPT_COMMAND)
        return self._commands[text]

    def cause(self, failure: Failure, host: str) -> str:
        """Return the cause of a failure whose reason is in its output, in the form in which causes are compared.

        It is computed once for hosts whose outputs tell the same: to redact a thousand outputs takes long.
        """
        raw = cause_of(failure.message, failure.status, cleaned(failure.stderr), cleaned(failure.stdout))
        key = comparable(shortened(raw, _BRIEF_WINDOW), host)
        if key not in self._causes:
            outputs = self.output(failure.stderr), self.output(failure.stdout)
            cause = shortened(cause_of(failure.message, failure.status, *outputs), BRIEF_MESSAGE)
            self._causes[key] = comparable(cause, host)
        return self._causes[key]

    def _redacted_message(self, text: str) -> str:
        # if the text is exactly as long as the recorder's limit, the recorder has cut it
        whole = text if len(text) not in (MESSAGE_LIMIT, SHORT_LIMIT) else without_cut_word(text)
        return self._redactor.text(cleaned(whole))


def _in_full(failure: Failure, texts: _Texts, root: str, options: PageOptions) -> dict[str, Any]:
    return without_empty(
        {
            **_in_brief(failure, texts, root),
            "message": texts.message(failure.message),
            "command": texts.command(failure.command),
            "runbook": texts.command(failure.runbook),
            "stdout": texts.output(failure.stdout) if options.include_output else "",
            "stderr": texts.output(failure.stderr) if options.include_output else "",
        }
    )


def _in_brief(failure: Failure, texts: _Texts, root: str) -> dict[str, Any]:
    return without_empty(
        {
            "kind": failure.kind,
            "task": texts.name(failure.task or failure.action),
            "path": texts.name(_relative(failure.path, root)),
            "line": failure.line if failure.path else 0,
            "message": texts.brief(failure.message),
            "status": texts.name(failure.status),
            "delegate": texts.name(failure.delegate),
        }
    )


def _relative(path: str, root: str) -> str:
    """Return a path in the project or in its collection, which is the same on each machine."""
    top = root.rstrip("/") + "/"
    path = path[len(top) :] if root and path.startswith(top) else path
    _before, is_installed, rest = f"/{path}".rpartition(_COLLECTIONS)
    namespace, _slash, named = rest.partition("/")
    return f"{namespace}.{named}" if is_installed else path


def without_empty(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data without empty values."""
    return {name: value for name, value in data.items() if value}
