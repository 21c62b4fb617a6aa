# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups an incident's failures by what went wrong, and divides the space of a page among the groups.

Must keep the same order for the same failures, and return only strings that are cleaned and redacted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import (
    ABORTED,
    BRIEF_MESSAGE,
    KEPT_NAME,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import (
    beginning,
    cleaned,
    ending,
    one_line,
    shortened,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    FAILED,
    NOT_REACHED,
    UNREACHABLE,
)

# The beginning of a message says most, and the end of an output.
CUTS = {"message": beginning, "stderr": ending, "stdout": ending}
# Maximum bytes of a task's name or path in a page; minimum bytes of a text that is worth showing.
SHOWN_NAME = 160
SMALLEST_TEXT = 60
# Bytes reserved for the line that counts what is not shown.
REST_ROOM = 128

# Causes come before their consequences.
_KINDS = (ABORTED, FAILED, UNREACHABLE, DROPPED, NOT_REACHED)
_SHOWN_OUTPUTS = 5  # of one group
# Each group that is shown gets at least _SMALLEST_SHARE bytes, and at most 1/_SHARES of what is left if more follow.
_SMALLEST_SHARE = 1000
_SHARES = 6


@dataclass
class FailureGroup:
    """One failure and all hosts that have it."""

    kind: str
    task: str
    path: str
    line: int
    message: str
    hosts: set[str] = field(default_factory=set)
    outputs: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # hosts by stderr and stdout

    @property
    def order(self) -> tuple[Any, ...]:
        return (_KINDS.index(self.kind), -len(self.hosts), self.path, self.line, self.task, self.message)


class FailureGroups:
    """An incident's failures: hosts with the same task and message are one group, causes come first."""

    def __init__(self, request: Request, options: PageOptions, redactor: Redactor) -> None:
        failed_hosts = request.incident.failed_hosts
        self._redactor = redactor
        self._named = max(options.max_hosts, 0)
        self.aborted = sorted(host[1:] for host in failed_hosts if host.startswith("*"))
        self._entries = {host: _entries(failed.failure) for host, failed in failed_hosts.items()}
        self.kinds = {host: _kind(entries[0]) for host, entries in self._entries.items() if not host.startswith("*")}
        self.hosts = sorted(self.kinds)
        self.all = sorted(self._group(options), key=lambda group: group.order)

    def _group(self, options: PageOptions) -> list[FailureGroup]:
        found: dict[tuple[Any, ...], FailureGroup] = {}
        everything = [(host, entry) for host in sorted(self._entries) for entry in self._entries[host]]
        # Full messages first: a host with a brief message joins the group whose full message begins with it.
        for host, entry in sorted(everything, key=lambda item: len(_text(item[1], "message")) <= BRIEF_MESSAGE):
            line = entry.get("line")
            place = (_kind(entry), _text(entry, "task"), _text(entry, "path"), line if isinstance(line, int) else 0)
            message = _text(entry, "message")
            group = found.get((*place, message))
            if not group:
                group = found[(*place, message)] = FailureGroup(*place, message)
                found.setdefault((*place, shortened(message, BRIEF_MESSAGE)), group)
            group.hosts.add(host)
            output = (_text(entry, "stderr"), _text(entry, "stdout"))
            if any(output) and options.include_output:
                group.outputs.setdefault(output, set()).add(host)
        return list({id(group): group for group in found.values()}.values())

    def text(self, text: str, most: int) -> str:
        """Return a name on one line, cleaned, redacted and cut to ``most`` bytes."""
        return beginning(self._redactor.name(one_line(text)), most)

    def lines(self, text: str) -> str:
        """Return the text with its lines, cleaned and redacted but not cut."""
        return self._redactor.text(cleaned(text))

    def names(self, hosts: Collection[str], most: int) -> list[str]:
        """Return the names of the first hosts: at most ``max_hosts`` names, in at most ``most`` bytes."""
        names = [self.text(host, KEPT_NAME) for host in sorted(hosts)[: self._named]]
        sizes = accumulate(len(name.encode("utf-8")) + 3 for name in names)
        return [name for name, size in zip(names, sizes, strict=True) if size <= most]

    def place(self, group: FailureGroup) -> tuple[str, str]:
        """Return the name and path of the group's task, cleaned and redacted."""
        return self.text(group.task, SHOWN_NAME), self.text(group.path, SHOWN_NAME)

    def texts(self, group: FailureGroup) -> list[tuple[str, str, str]]:
        """Return the group's texts as tuples of kind (``message``, ``stderr`` or ``stdout``), host and text.

        The host is empty if all hosts of the group have the same output.
        """
        texts = [("message", "", self.lines(group.message))]
        # hosts were added in the order of their names, and so were their outputs
        for (stderr, stdout), hosts in list(group.outputs.items())[:_SHOWN_OUTPUTS]:
            host = "" if hosts == group.hosts else self.text(min(hosts), 100)
            texts += [("stderr", host, self.lines(stderr)), ("stdout", host, self.lines(stdout))]
        return [text for text in texts if text[2]]


def _entries(failure: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a host's failures, at least one: data that another version of this collection stored is shown too."""
    failures = failure.get("failures")
    entries = [entry for entry in failures if isinstance(entry, Mapping)] if isinstance(failures, list) else []
    return entries or [failure]


def _kind(entry: Mapping[str, Any]) -> str:
    kind = _text(entry, "kind")
    return kind if kind in _KINDS else FAILED


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


@dataclass
class Budget:
    """The bytes that are left for groups."""

    left: int

    def shares(self, groups: Sequence[FailureGroup]) -> Iterator[tuple[FailureGroup, int]]:
        """Yield each group with its share while enough bytes are left. The caller subtracts what it has used."""
        for position, group in enumerate(groups):
            if self.left < _SMALLEST_SHARE:
                return
            yield group, max(self.left // min(len(groups) - position, _SHARES), _SMALLEST_SHARE)
