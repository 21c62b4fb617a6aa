# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the event to send for an incident: the page of a trigger, or the report that it recovered.

Must stay bounded for any run, and give the same bytes for the same failures: no times, durations or order of events.
"""

from __future__ import annotations

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED, Payload
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.content import content_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.details import details_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.facts import facts_of, run_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.grouping import FailureGroups
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import KEPT_NAME
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import beginning, one_line
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.title import TITLE_LIMIT, title_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor


def payload_for(
    request: Request, subject: Subject, options: PageOptions, total_hosts: int, redactor: Redactor | None = None
) -> Payload:
    """Return the event to send for ``request``.

    :param total_hosts: number of hosts that the run's plays matched; 0 if the incident also has other hosts.
    :param redactor: needed here because the ledger may hold strings stored before a pattern was added, and because
        names are redacted only here. Without one, the built-in patterns apply.
    """
    redactor = redactor or Redactor()
    episode = {"episode": request.episode} if request.episode else {}
    source = one_line(options.source)
    group = beginning(redactor.name(one_line(request.incident.group)), KEPT_NAME)
    if request.state == RESOLVED:
        name = beginning(redactor.name(one_line(subject.name)), KEPT_NAME)
        short = name if len(name) <= TITLE_LIMIT - 20 else "…" + name[21 - TITLE_LIMIT :]
        run = run_of(subject, options, redactor)
        return Payload(
            state=RESOLVED,
            incident_key=request.key,
            title=f"{short} has recovered",
            content=f"{name} has recovered: no failed hosts are left.",
            source=source,
            group=group,
            # Without an episode, only the run distinguishes this resolve from that of an earlier incident. The API
            # could take it for a duplicate of that one.
            details=episode or ({"run": run} if run else {}),
        )
    controller = run_of(subject, options, redactor).get("controller", "")
    groups = FailureGroups(request, options, redactor, controller)
    facts = facts_of(request, subject, options, groups.hosts, redactor)
    return Payload(
        state=TRIGGERED,
        incident_key=request.key,
        title=title_of(facts, groups, total_hosts),
        content=content_of(facts, groups),
        severity=options.severity,
        source=source,
        group=group,
        tags=tuple(one_line(tag) for tag in options.tags),
        details={**details_of(facts, groups, total_hosts), **episode},
    )
