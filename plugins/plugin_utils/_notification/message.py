# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the event to send for an incident, with the title and content that the on-call engineer reads.

Must stay bounded for any run, and give the same bytes for the same failures: no times, durations or order of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED, Payload
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.details import details_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.grouping import (
    CUTS,
    REST_ROOM,
    SHOWN_NAME,
    SMALLEST_TEXT,
    Budget,
    FailureGroup,
    FailureGroups,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import ABORTED, KEPT_NAME
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import (
    beginning,
    listed,
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

TITLE_LIMIT = 120  # characters
CONTENT_LIMIT = 8 * 1024  # bytes

_WORDS = {
    ABORTED: "Aborted: the run started but did not finish. See the output of ansible-playbook for the cause.",
    FAILED: "Failed",
    UNREACHABLE: "Unreachable",
    DROPPED: "Dropped: ansible-core took the host out of the play without reporting an error.",
    NOT_REACHED: "Not reached: the play ended before the host had finished its tasks.",
}
_VERBS = {FAILED: "failed on", UNREACHABLE: "could not reach", DROPPED: "dropped", NOT_REACHED: "did not reach"}
_LABELS = {"message": "Message", "stderr": "End of stderr", "stdout": "End of stdout"}


def payload_for(
    request: Request, subject: Subject, options: PageOptions, total_hosts: int, redactor: Redactor | None = None
) -> Payload:
    """Return the event to send for ``request``.

    :param total_hosts: number of hosts that the run's plays matched; 0 if the incident also has other hosts.
    :param redactor: needed here because the ledger may hold strings stored before a pattern was added, and because
        names are redacted only here. Without one, the built-in patterns apply.
    """
    redactor = redactor or Redactor()
    name = beginning(redactor.name(one_line(subject.name)), KEPT_NAME)
    episode = {"episode": request.episode} if request.episode else {}
    source = one_line(options.source)
    run = _run_details(subject.origin, options, redactor)
    if request.state == RESOLVED:
        return Payload(
            state=RESOLVED,
            incident_key=request.key,
            title=f"{_short_name(name, TITLE_LIMIT - 20)} has recovered",
            content=f"{name} has recovered: no failed hosts are left.",
            source=source,
            # Without an episode, only the run distinguishes this resolve from that of an earlier incident. The API
            # could take it for a duplicate of that one.
            details=episode or ({"run": run} if run else {}),
        )
    groups = FailureGroups(request, options, redactor)
    message = _Message(name, groups, run, total_hosts)
    return Payload(
        state=TRIGGERED,
        incident_key=request.key,
        title=message.title(),
        content=message.content(),
        severity=options.severity,
        source=source,
        tags=tuple(one_line(tag) for tag in options.tags),
        details={**details_of(name, groups, run, total_hosts), **episode},
    )


@dataclass(frozen=True)
class _Message:
    """The title and content of one trigger.

    :param name: the subject's name, cleaned and redacted.
    :param run: where the run took place, cleaned and redacted.
    """

    name: str
    groups: FailureGroups
    run: Mapping[str, str]
    total_hosts: int

    def title(self) -> str:
        task = next((group.task for group in self.groups.all if group.kind == FAILED), "")
        task = self.groups.text(task, KEPT_NAME)
        name = _short_name(self.name, 48)
        for shown in (3, 2, 1, 0):
            what = f"{name} {self._what_happened(shown)}"
            room = TITLE_LIMIT - len(what) - 2
            if task and (len(task) <= room or (shown == 0 and room >= 10)):
                return f"{what}: {shortened(task, room)}"
            if len(what) <= TITLE_LIMIT and (shown == 0 or not task):
                return what
        return shortened(f"{name} {self._what_happened(0)}", TITLE_LIMIT)

    def content(self) -> str:
        head = f"{self.name} {self._what_happened(0)}."
        foot = "\n".join(_run_lines(self.run))
        budget = Budget(CONTENT_LIMIT - len(f"{head}\n\n{foot}".encode()) - REST_ROOM)
        sections: list[str] = []
        for group, share in budget.shares(self.groups.all):
            section = self._section(group, share)
            budget.left -= len(section.encode()) + 2
            sections.append(section)
        rest = self.groups.all[len(sections) :]
        if rest:
            hosts = len(set().union(*(group.hosts for group in rest)))
            sections.append(f"Not shown: {len(rest)} more failures, on {hosts} hosts.")
        return "\n\n".join(filter(None, (head, *sections, foot)))

    def _what_happened(self, named: int) -> str:
        """Return the part of the title after the name.

        :param named: maximum number of hosts to name.
        """
        kinds = self.groups.kinds
        aborted = "was aborted" if self.groups.aborted else ""
        if not kinds:
            return aborted or "failed"
        not_reached = [host for host in self.groups.hosts if kinds[host] == NOT_REACHED]
        hosts = [host for host in self.groups.hosts if kinds[host] != NOT_REACHED] or not_reached
        # name the first group's hosts first: the title ends with its task
        first = next(group.hosts for group in self.groups.all if group.kind != ABORTED)
        happened = {kinds[host] for host in hosts}
        verb = _VERBS[happened.pop()] if len(happened) == 1 else _VERBS[FAILED]
        of_all = f" of {self.total_hosts}" if self.total_hosts else ""
        is_plural = (self.total_hosts if of_all else len(hosts)) > 1
        what = f"{verb} {len(hosts)}{of_all} host{'s' if is_plural else ''}"
        if named:
            hosts.sort(key=lambda host: (host not in first, host))
            names = [shortened(self.groups.text(host, KEPT_NAME), 40) for host in hosts[:named]]
            what += f" ({listed(names, len(hosts))})"
        if not_reached and hosts is not not_reached:
            what += f", {len(not_reached)} not reached"
        return "; ".join(filter(None, (aborted, what)))

    def _section(self, group: FailureGroup, share: int) -> str:
        """Return the section of one group, in at most ``share`` bytes."""
        task, path = self.groups.place(group)
        lines = [] if group.kind == FAILED and task else [_WORDS[group.kind]]
        if task:
            place = f"{path}:{group.line}" if path and group.line else path
            label = "Last task" if group.kind == ABORTED else "Task"
            lines.append(f"{label}: {task} ({place})" if place else f"{label}: {task}")
        if group.kind == ABORTED:
            limits = " / ".join(filter(None, self.groups.aborted))
            lines += [f"Limit: {self.groups.text(limits, share // 4)}"] if limits else []
        else:
            names = listed(self.groups.names(group.hosts, share // 4), len(group.hosts))
            lines.append(f"Host{'s' if len(group.hosts) > 1 else ''}: {names}")
        budget = share - len("\n".join(lines).encode())
        texts = self.groups.texts(group)
        for position, (name, host, text) in enumerate(texts):
            label = _LABELS[name] + (f" on {host}" if host else "")
            room = budget // min(len(texts) - position, 3) - len(label.encode()) - 4
            if room < SMALLEST_TEXT:
                break
            if "\n" in text:
                indented = "\n".join(f"  {line}" for line in text.splitlines())
                lines.append(f"{label}:\n{CUTS[name](indented, room)}")
            else:
                lines.append(f"{label}: {CUTS[name](text, room)}")
            budget -= len(lines[-1].encode()) + 1
        return "\n".join(lines)


def _run_details(origin: Origin, options: PageOptions, redactor: Redactor) -> dict[str, str]:
    if options.stable_payload:
        return {}
    values = {name: redactor.text(one_line(value)) for name, value in asdict(origin).items() if name != "job_name"}
    return {name: beginning(value, 512 if name == "url" else SHOWN_NAME) for name, value in values.items() if value}


def _run_lines(run: Mapping[str, str]) -> Iterator[str]:
    if run.get("url") or run.get("run_id"):
        yield f"{run.get('system', '')} run: {run.get('url') or run.get('run_id')}".lstrip()
    if run.get("user"):
        yield f"Started by: {run['user']}"
    if run.get("revision"):
        yield f"Revision: {run['revision']}"


def _short_name(name: str, most: int) -> str:
    """Return the end of a name, at most ``most`` characters: the end of a path distinguishes it best."""
    return name if len(name) <= most else "…" + name[1 - most :]
