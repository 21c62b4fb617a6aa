# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups an incident's failures by problem, and divides the space of a page among the groups.

Must keep the same order for the same failures, and return only strings that are cleaned and redacted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import is_pseudo, limit_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.cause import cause_of, gives_reason
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.similarity import comparable
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import (
    BRIEF_MESSAGE,
    KEPT_NAME,
    REASONS,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import (
    beginning,
    cleaned,
    ending,
    one_line,
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
_KINDS = (*REASONS, FAILED, UNREACHABLE, DROPPED, NOT_REACHED)
_SHOWN_OUTPUTS = 5  # of one group
# Characters that a brief message has in common with the comparable form of the full one.
_ALIKE = 120
_LOCAL = ("localhost", "127.0.0.1", "::1")
# Each group that is shown gets at least _SMALLEST_SHARE bytes, and at most 1/_SHARES of what is left if more follow.
_SMALLEST_SHARE = 1000
_SHARES = 6


@dataclass
class FailureGroup:
    """One problem and all hosts that have it. Its texts are those of one of these hosts.

    :param told: the cause that the output tells, on one line, if the message gives no reason.
    :param first: the hosts for which this is the first failure. It is usually the cause of their other failures.
    :param delegates: by host, the host to which its task was delegated.
    """

    kind: str
    task: str
    path: str
    line: int
    message: str
    told: str = ""
    status: str = ""
    command: str = ""
    runbook: str = ""
    hosts: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    delegates: dict[str, str] = field(default_factory=dict)
    outputs: dict[tuple[str, str], _Output] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """The cause on one line, for the title."""
        return self.told or cause_of(self.message, self.status, "", "")

    @property
    def order(self) -> tuple[Any, ...]:
        place = (self.path, self.line, self.task)
        return (_KINDS.index(self.kind), not self.first, -len(self.hosts), *place, self.message)


@dataclass
class _Output:
    """The output of one host, and the hosts whose output is similar."""

    stderr: str
    stdout: str
    hosts: set[str]


class FailureGroups:
    """An incident's failures, by problem: causes come before their consequences.

    Two hosts have the same problem if the same task failed with errors that differ only in host names, numbers, ids and
    times.

    :param controller: the name of the machine that ``localhost`` is; empty if it is not known or not to be said.
    """

    def __init__(self, request: Request, options: PageOptions, redactor: Redactor, controller: str = "") -> None:
        failed_hosts = request.incident.failed_hosts
        self._redactor = redactor
        self._controller = controller
        self._named = max(options.max_hosts, 0)
        aborted = [host for host in failed_hosts if is_pseudo(host)]
        self.limits = sorted(filter(None, map(limit_of, aborted)))
        # A run that ended as usual after one that was aborted is not called aborted.
        last = max((failed.sequence for failed in failed_hosts.values()), default=0)
        self.is_aborted = any(failed_hosts[host].sequence == last for host in aborted)
        self._entries = {host: _entries(failed.failure) for host, failed in failed_hosts.items()}
        self.kinds = {host: _kind(entries[0]) for host, entries in self._entries.items() if not is_pseudo(host)}
        self.hosts = sorted(self.kinds)
        self.all = sorted(self._group(options), key=lambda group: group.order)
        delegates = {delegate for group in self.all for delegate in group.delegates.values()}
        self._short = _short_names({*self.hosts, *delegates})

    @property
    def causes(self) -> list[FailureGroup]:
        """The groups that are the first failure of a host."""
        return [group for group in self.all if group.first]

    def _group(self, options: PageOptions) -> list[FailureGroup]:
        found: dict[tuple[Any, ...], FailureGroup] = {}
        everything = [
            (host, entry, entry is entries[0]) for host, entries in sorted(self._entries.items()) for entry in entries
        ]
        # Full messages first: a host with a brief message joins the group whose full message begins with it.
        everything.sort(key=lambda item: (len(_text(item[1], "message")) <= BRIEF_MESSAGE, "cause" in item[1]))
        for host, entry, is_first in everything:
            line = entry.get("line")
            place = (_kind(entry), _text(entry, "task"), _text(entry, "path"), line if isinstance(line, int) else 0)
            message, status, cause = _text(entry, "message"), _text(entry, "status"), ""
            stderr, stdout = (_text(entry, name) if options.include_output else "" for name in ("stderr", "stdout"))
            if gives_reason(message):
                reason = comparable(message, host)
            else:
                cause = _text(entry, "cause") if options.include_output else ""
                cause = cause or cause_of(message, status, stderr, stdout)
                reason = comparable(cause, host)[:_ALIKE]
            keys: list[tuple[Any, ...]] = [(*place, reason)]
            if len(message) == BRIEF_MESSAGE and message.endswith("…"):
                keys.append((*place, "", reason[:_ALIKE]))
            group = next((found[key] for key in keys if key in found), None)
            if len(message) > BRIEF_MESSAGE:
                keys.append((*place, "", reason[:_ALIKE]))
            if not group:
                command, runbook = _text(entry, "command"), _text(entry, "runbook")
                group = FailureGroup(*place, message, cause, status, command, runbook)
            for key in keys:
                found.setdefault(key, group)
            group.hosts.add(host)
            if is_first:
                group.first.add(host)
            if _text(entry, "delegate"):
                group.delegates[host] = _text(entry, "delegate")
            if stderr or stdout:
                alike = (comparable(stderr, host), comparable(stdout, host))
                group.outputs.setdefault(alike, _Output(stderr, stdout, set())).hosts.add(host)
        return list({id(group): group for group in found.values()}.values())

    def text(self, text: str, most: int) -> str:
        """Return a name on one line, cleaned, redacted and cut to ``most`` bytes."""
        return beginning(self._redactor.name(one_line(text)), most)

    def words(self, text: str, most: int) -> str:
        """Return a text on one line, cleaned, redacted and cut to ``most`` bytes."""
        return beginning(self._redactor.text(one_line(text)), most)

    def lines(self, text: str) -> str:
        """Return the text with its lines, cleaned and redacted but not cut."""
        return self._redactor.text(cleaned(text))

    def names(self, hosts: Collection[str], most: int) -> list[str]:
        """Return the names of the first hosts: at most ``max_hosts`` names, in at most ``most`` bytes."""
        return self._fitting((self.text(host, KEPT_NAME) for host in sorted(hosts)[: self._named]), most)

    def full_names(self, hosts: Collection[str], most: int, delegates: Mapping[str, str]) -> list[str]:
        """Return the same names as a reader needs them: with the controller's name for ``localhost``.

        :param delegates: by host, the host to which its task was delegated; it is added to the name.
        """
        return self._fitting((self._name(host, delegates.get(host, "")) for host in sorted(hosts)[: self._named]), most)

    def short_names(self, hosts: Collection[str], delegates: Mapping[str, str]) -> list[str]:
        """Return the names of these hosts up to the first dot, where no other host of the page has the same."""

        def short(host: str) -> str:
            return self._short.get(host, host)

        return [self._name(short(host), short(delegates.get(host, ""))) for host in sorted(hosts)]

    def _name(self, host: str, delegate: str) -> str:
        # Two names, for each is checked as a name of its own.
        named = [self.text(one, KEPT_NAME) + self._controller_of(one) for one in (host, delegate) if one]
        return " -> ".join(named)

    def _controller_of(self, host: str) -> str:
        return f" ({self._controller})" if self._controller and host in _LOCAL else ""

    @staticmethod
    def _fitting(names: Iterable[str], most: int) -> list[str]:
        names = list(names)
        sizes = accumulate(len(name.encode("utf-8")) + 3 for name in names)
        return [name for name, size in zip(names, sizes, strict=True) if size <= most]

    def place(self, group: FailureGroup) -> tuple[str, str]:
        """Return the name and path of the group's task, cleaned and redacted."""
        return self.text(group.task, SHOWN_NAME), self.text(group.path, SHOWN_NAME)

    def texts(self, group: FailureGroup) -> list[tuple[str, str, str]]:
        """Return the group's texts as tuples of kind (``message``, ``stderr`` or ``stdout``), host and text.

        The host is empty if all hosts of the group have a similar output.
        """
        cause = group.message if gives_reason(group.message) else group.cause
        texts = [("message", "", self.lines(cause))]
        # hosts were added in the order of their names, and so were their outputs
        for output in list(group.outputs.values())[:_SHOWN_OUTPUTS]:
            host = "" if output.hosts == group.hosts else self.text(min(output.hosts), 100)
            texts += [("stderr", host, self.lines(output.stderr)), ("stdout", host, self.lines(output.stdout))]
        # An output of one line that is the cause would only repeat it.
        return [text for text in texts if text[2] and (text[0] == "message" or not _is_part(text[2], texts[0][2]))]


def _is_part(output: str, cause: str) -> bool:
    return "\n" not in output and output in cause


def _short_names(hosts: Collection[str]) -> dict[str, str]:
    """Return each host's name up to the first dot, if no other host's begins so and it is no address."""
    beginnings = Counter(host.partition(".")[0] for host in hosts)
    short = {host: host.partition(".")[0] for host in hosts}
    return {host: name for host, name in short.items() if name and not name.isdigit() and beginnings[name] == 1}


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
