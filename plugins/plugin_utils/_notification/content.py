# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the content of a page, which the on-call engineer reads on a small screen.

Must stay within CONTENT_LIMIT for any run. It does not repeat the title.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import (
    HANGING,
    KILLED,
    MISSING,
    NOT_STARTED,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.cause import gives_reason
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.facts import Facts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.grouping import (
    CUTS,
    REST_ROOM,
    SMALLEST_TEXT,
    Budget,
    FailureGroup,
    FailureGroups,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import ABORTED, REASONS
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import listed
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    FAILED,
    NOT_REACHED,
    UNREACHABLE,
)

CONTENT_LIMIT = 8 * 1024  # bytes

_WORDS = {
    ABORTED: "Aborted: the run started but did not finish.",
    KILLED: "Killed: the process of ansible-playbook is gone, and it said nothing.",
    NOT_STARTED: "Could not start: Ansible ended before the playbook ran.",
    HANGING: "Hangs: the run has not ended.",
    MISSING: "Overdue: no run of all hosts has succeeded.",
    FAILED: "Failed",
    UNREACHABLE: "Unreachable",
    DROPPED: "Dropped: ansible-core took the host out of the play without reporting an error.",
    NOT_REACHED: "Not reached: the play ended before the host had finished its tasks.",
}
_LABELS = {"message": "Cause", "stderr": "End of stderr", "stdout": "End of stdout"}


def content_of(facts: Facts, groups: FailureGroups) -> str:
    """Return the content of a page: where, then each problem, then since when and what to do next."""
    head = _where(facts)
    foot = "\n".join(_next_steps(facts))
    budget = Budget(CONTENT_LIMIT - len(f"{head}\n\n{foot}".encode()) - REST_ROOM)
    sections: list[str] = []
    for group, share in budget.shares(groups.all):
        section = _section(group, groups, share)
        budget.left -= len(section.encode()) + 2
        sections.append(section)
    rest = groups.all[len(sections) :]
    if rest:
        hosts = len(set().union(*(group.hosts for group in rest)))
        sections.append(f"Not shown: {len(rest)} more failures, on {hosts} hosts.")
    return "\n\n".join(filter(None, (head, *sections, foot)))


def _where(facts: Facts) -> str:
    inventory = f"inventory {facts.inventory}" if facts.inventory else ""
    limit = f"limited to {facts.limit}" if facts.limit else ""
    group = f"group {facts.group}" if facts.group else ""
    return ", ".join(filter(None, (facts.name, inventory, limit, group)))


def _section(group: FailureGroup, groups: FailureGroups, share: int) -> str:
    """Return the section of one problem, in at most ``share`` bytes."""
    task, path = groups.place(group)
    lines = [] if group.kind == FAILED and task else [_WORDS[group.kind]]
    if group.kind == ABORTED and not group.message:
        lines[0] += " See the output of ansible-playbook for the cause."
    if task:
        place = f"{path}:{group.line}" if path and group.line else path
        label = "Last task" if group.kind in REASONS else "Task"
        lines.append(f"{label}: {task} ({place})" if place else f"{label}: {task}")
    if group.kind in REASONS:
        limits = " / ".join(filter(None, groups.limits))
        lines += [f"Limit: {groups.text(limits, share // 4)}"] if limits else []
    else:
        names = listed(groups.full_names(group.hosts, share // 4, group.delegates), len(group.hosts))
        lines.append(f"Host{'s' if len(group.hosts) > 1 else ''}: {names}")
    budget = share - len("\n".join(lines).encode())
    facts = _facts_of(group, groups, budget // 4)
    budget -= len("\n".join(facts).encode()) + 1
    texts = groups.texts(group)
    shown = []
    for position, (name, host, text) in enumerate(texts):
        # An HTTP client's output is the answer of the server.
        label = "Answer" if name == "stdout" and group.status.startswith("HTTP ") else _LABELS[name]
        label += f" on {host}" if host else ""
        room = budget // min(len(texts) - position, 3) - len(label.encode()) - 4
        if room < SMALLEST_TEXT:
            break
        if "\n" in text:
            indented = "\n".join(f"  {line}" for line in text.splitlines())
            shown.append(f"{label}:\n{CUTS[name](indented, room)}")
        else:
            shown.append(f"{label}: {CUTS[name](text, room)}")
        budget -= len(shown[-1].encode()) + 1
    causes = 1 if texts and texts[0][0] == "message" and shown else 0
    return "\n".join([*lines, *shown[:causes], *facts, *shown[causes:]])


def _facts_of(group: FailureGroup, groups: FailureGroups, most: int) -> list[str]:
    """Return the lines about the command and the runbook of a problem, each in at most ``most`` bytes."""
    command = groups.words(group.command, most - len("Command: "))
    # A command without a reason of its own has its status in the cause.
    status = groups.words(group.status, most - len("Ended with: ")) if gives_reason(group.message) else ""
    runbook = groups.words(group.runbook, most - len("Runbook: "))
    labels = {"Ended with": status, "Command": command, "Runbook": runbook}
    return [f"{label}: {text}" for label, text in labels.items() if text]


def _next_steps(facts: Facts) -> Iterator[str]:
    run = facts.run
    if facts.since:
        yield f"Failing since: {facts.since}"
    if facts.good_revision:
        compare = f", compare {facts.compare_url}" if facts.compare_url else ""
        yield f"Last good run: revision {facts.good_revision}{compare}"
    if run.get("url") or run.get("run_id"):
        yield f"{run.get('system', '')} run: {run.get('url') or run.get('run_id')}".lstrip()
    elif run.get("controller"):
        yield f"Run on: {run['controller']}" + (f", in {run['directory']}" if run.get("directory") else "")
    if run.get("user"):
        yield f"Started by: {run['user']}"
    if run.get("branch"):
        yield f"Branch: {run['branch']}, instead of the project's"
    if run.get("revision"):
        yield f"Revision: {run['revision']}"
    if facts.retry:
        yield f"Retry: {facts.retry}"
    if facts.runbook_url:
        yield f"Runbook: {facts.runbook_url}"
