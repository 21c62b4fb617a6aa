# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident's failures as groups: what went wrong, on which hosts, and how much a page can say of each.

Must keep the same order for the same failures, and let no text out that was not cleaned and redacted.
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

# Of a message the beginning says most, of an output the end.
CUTS = {"message": beginning, "stderr": ending, "stdout": ending}
# Bytes of a task's name or path in a page; the fewest of a text that are worth showing.
SHOWN_NAME = 160
SMALLEST_TEXT = 60
# Room for the line that counts what is not shown.
REST_ROOM = 128

# Causes come before what they led to.
_KINDS = (ABORTED, FAILED, UNREACHABLE, DROPPED, NOT_REACHED)
_SHOWN_OUTPUTS = 5  # of one group
# A group that is shown gets at least so many bytes, and leaves some for as many others as make _SHARES in all.
_SMALLEST_SHARE = 1000
_SHARES = 6


@dataclass
class FailureGroup:
    """One thing that went wrong, and on which hosts."""

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
    """An incident's failures: hosts with the same task and the same message together, causes first."""

    def __init__(self, request: Request, options: PageOptions, redactor: Redactor) -> None:
        failed_hosts = request.incident.failed_hosts
        self._redactor = redactor
        self._named = max(options.max_hosts, 0)
        self.aborted = sorted(host[1:] for host in failed_hosts if host.startswith("*"))
        self._entries = {host: _entries(member.failure) for host, member in failed_hosts.items()}
        self.kinds = {host: _kind(entries[0]) for host, entries in self._entries.items() if not host.startswith("*")}
        self.hosts = sorted(self.kinds)
        self.all = sorted(self._found(options), key=lambda group: group.order)

    def _found(self, options: PageOptions) -> list[FailureGroup]:
        found: dict[tuple[Any, ...], FailureGroup] = {}
        everything = [(host, entry) for host in sorted(self._entries) for entry in self._entries[host]]
        # A host in brief joins those in full whose message begins like its own, so those come first.
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
        """Return a text of one line as it may leave."""
        return beginning(self._redactor.text(one_line(text)), most)

    def lines(self, text: str) -> str:
        """Return a text of several lines as it may leave, apart from its length."""
        return self._redactor.text(cleaned(text))

    def names(self, hosts: Collection[str], most: int) -> list[str]:
        """Return the names of the first hosts, as many as are named and fit into ``most`` bytes."""
        names = [self.text(host, KEPT_NAME) for host in sorted(hosts)[: self._named]]
        sizes = accumulate(len(name.encode("utf-8")) + 3 for name in names)
        return [name for name, size in zip(names, sizes, strict=True) if size <= most]

    def place(self, group: FailureGroup) -> tuple[str, str]:
        """Return its task's name and path, ready to leave."""
        return self.text(group.task, SHOWN_NAME), self.text(group.path, SHOWN_NAME)

    def texts(self, group: FailureGroup) -> list[tuple[str, str, str]]:
        """Return what was said, with the host where hosts differ: ``message``, ``stderr`` or ``stdout``, host, text."""
        texts = [("message", "", self.lines(group.message))]
        # hosts came in the order of their names, so outputs did
        for (stderr, stdout), hosts in list(group.outputs.items())[:_SHOWN_OUTPUTS]:
            host = "" if hosts == group.hosts else self.text(min(hosts), 100)
            texts += [("stderr", host, self.lines(stderr)), ("stdout", host, self.lines(stdout))]
        return [text for text in texts if text[2]]


def _entries(failure: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a member's failures, never none: what another version of this collection has kept is worth a page too."""
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
    """Bytes that are left for groups."""

    left: int

    def shares(self, groups: Sequence[FailureGroup]) -> Iterator[tuple[FailureGroup, int]]:
        """Give each group its share, as long as there is enough left; the caller takes off what it has used."""
        for position, group in enumerate(groups):
            if self.left < _SMALLEST_SHARE:
                return
            yield group, max(self.left // min(len(groups) - position, _SHARES), _SMALLEST_SHARE)
