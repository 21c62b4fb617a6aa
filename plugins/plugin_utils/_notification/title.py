# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the title of a page, which a voice reads to the on-call engineer: what failed, where, and why.

Must stay within TITLE_LIMIT for any run.
"""

from __future__ import annotations

import re
from collections import defaultdict

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import (
    HANGING,
    KILLED,
    MISSING,
    NOT_STARTED,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.facts import Facts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.grouping import FailureGroup, FailureGroups
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import ABORTED, REASONS
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import shortened
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    FAILED,
    NOT_REACHED,
    UNREACHABLE,
)

TITLE_LIMIT = 120  # characters

# A part of the title is shortened to this many characters at least.
_SHORTEST = 24
_SHORTEST_NAME = 36
_NAMED = 3  # Up to so many hosts are named; more are counted.
_VERBS = {
    ABORTED: "aborted",
    KILLED: "was killed",
    NOT_STARTED: "could not start",
    HANGING: "hangs",
    MISSING: "is overdue",
}
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")


def title_of(facts: Facts, groups: FailureGroups, total_hosts: int) -> str:
    """Return the title of a page.

    :param total_hosts: number of hosts that the run's plays matched; 0 if the incident also has other hosts.
    """
    causes = [group for group in groups.causes if group.kind not in REASONS]
    # Hosts that were not reached are a consequence of what failed on the others.
    causes = [group for group in causes if group.kind != NOT_REACHED] or causes
    environment = f" ({facts.environment})" if facts.environment else ""
    if groups.is_aborted or not causes:
        return _aborted(facts, groups, environment)
    if len({_what(group) for group in causes}) == 1:
        return _one_problem(facts, groups, causes, environment, total_hosts)
    return _several_problems(facts, groups, causes, environment, total_hosts)


def _one_problem(
    facts: Facts, groups: FailureGroups, causes: list[FailureGroup], environment: str, total_hosts: int
) -> str:
    """Return the title of a run in which one task failed, perhaps with different errors."""
    hosts = set().union(*(group.first for group in causes))
    delegates = {host: group.delegates[host] for group in causes for host in group.first if host in group.delegates}
    kind, task = causes[0].kind, _readable(groups.text(causes[0].task, TITLE_LIMIT * 2))
    # to redact the names of thousands of hosts takes long
    names = groups.short_names(hosts, delegates) if len(hosts) <= _NAMED else []
    where = _where(names, len(hosts), total_hosts)
    if kind == UNREACHABLE or not task:
        verb = {UNREACHABLE: "unreachable", FAILED: "failed", DROPPED: "dropped"}.get(kind, "not reached")
        task, what = "", f"{where} {verb}"
    else:
        what = f" {'dropped' if kind == DROPPED else 'failed on'} {where}"
    cause = _readable(groups.words(causes[0].cause, TITLE_LIMIT * 2)).rstrip(".")
    others = len({group.cause for group in causes}) - 1
    more = f", and {others} other error{'s' if others > 1 else ''}" if others else ""
    return _fitted(task, f"{what}{environment}", cause, more, facts.name)


def _several_problems(
    facts: Facts, groups: FailureGroups, causes: list[FailureGroup], environment: str, total_hosts: int
) -> str:
    """Return the title of a run in which several tasks failed: how many hosts, then the tasks with their hosts."""
    by_task: dict[str, set[str]] = defaultdict(set)
    for group in causes:
        by_task[_name_of(group, groups)] |= group.first
    hosts = set().union(*by_task.values())
    counts = sorted(by_task.items(), key=lambda item: (-len(item[1]), item[0]))
    tasks = [f"{task} ({len(some)})" for task, some in counts]
    head = f"{_short_end(facts.name, 48)}: {_counted(len(hosts), total_hosts)} failed{environment}: "
    title = head + tasks[0]
    for position, task in enumerate(tasks[1:], start=2):
        longer = f"{title}, {task}"
        if len(longer) + (len(", …") if position < len(tasks) else 0) > TITLE_LIMIT:
            return shortened(f"{title}, …", TITLE_LIMIT)
        title = longer
    return shortened(title, TITLE_LIMIT)


def _aborted(facts: Facts, groups: FailureGroups, environment: str) -> str:
    """Return the title of a run that was aborted, or whose stored data this version cannot read."""
    group = next((group for group in groups.all if group.kind in REASONS), None)
    task = _readable(groups.text(group.task, TITLE_LIMIT)) if group else ""
    cause = _readable(groups.words(group.cause, TITLE_LIMIT * 2)).rstrip(".") if group else ""
    verb = _VERBS[group.kind] if group else "aborted"
    what = f"{_short_end(facts.name, 48)} {verb}{environment}"
    failed = len(groups.hosts)
    # The error says more than the task that happened to start last.
    why = f": {cause}" if cause else f" at {task}" if task else ""
    more = f"; {failed} host{'s' if failed > 1 else ''} failed" if failed else ""
    return shortened(f"{what}{why}{more}", TITLE_LIMIT)


def _fitted(task: str, what: str, cause: str, more: str, name: str) -> str:
    """Return the title within its limit. The hosts stay; the task's name is shortened first, then the cause.

    :param what: what happened to which hosts.
    :param more: how many other causes there are.
    :param name: the subject's name.
    """

    def joined() -> str:
        return f"{task}{what}{f': {cause}{more}' if cause else ''}{f' [{name}]' if name else ''}"

    task = shortened(task, max(len(task) - max(len(joined()) - TITLE_LIMIT, 0), _SHORTEST))
    name = _short_end(name, max(len(name) - max(len(joined()) - TITLE_LIMIT, 0), _SHORTEST_NAME))
    cause = shortened(cause, max(len(cause) - max(len(joined()) - TITLE_LIMIT, 0), _SHORTEST))
    return shortened(joined(), TITLE_LIMIT)


def _where(names: list[str], count: int, total: int) -> str:
    if count > _NAMED or sum(map(len, names)) > TITLE_LIMIT // 2:
        return _counted(count, total)
    return names[0] if count == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _counted(count: int, total: int) -> str:
    of_all = f" of {total}" if total else ""
    return f"{count}{of_all} host{'s' if (total or count) > 1 else ''}"


def _what(group: FailureGroup) -> tuple[str, str]:
    return (group.kind, group.task if group.kind == FAILED else "")


def _name_of(group: FailureGroup, groups: FailureGroups) -> str:
    if group.kind == FAILED and group.task:
        # The role would only repeat itself: ansible-core separates it from the task's name by " : ".
        name = groups.text(group.task, TITLE_LIMIT)
        return shortened(_readable(name.rpartition(" : ")[2] or name), 40)
    return group.kind.replace("_", " ")


def _readable(text: str) -> str:
    """Return a text without template marks, which a voice would spell."""
    return _TEMPLATE.sub("…", text)


def _short_end(name: str, most: int) -> str:
    """Return the end of a name, at most ``most`` characters: the end of a path distinguishes it best."""
    return name if len(name) <= most else "…" + name[1 - most :]
