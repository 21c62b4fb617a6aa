# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a page besides the failures: what ran, where, since when it fails, and what to do next.

Must contain only strings that are cleaned and redacted, and no time but *since*.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from shlex import quote

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.reasons import utc
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import KEPT_NAME
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import beginning, one_line
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor

# Bytes of a link, of a command, and of the limit in a command: a longer one cannot be copied from a phone anyway.
_LINK = 512
_COMMAND = 1024
_LIMIT = 512


@dataclass(frozen=True)
class Facts:
    """The facts of one page. Unknown ones are empty.

    :param name: the subject's name.
    :param environment: which of several environments this is, such as ``production``.
    :param inventory: the inventory, as a person would name it.
    :param limit: the run's ``--limit``.
    :param group: the group of hosts, where there is one incident for each.
    :param since: when the incident opened, in UTC.
    :param good_revision: the revision of the last run that went well.
    :param compare_url: the link that compares it with the revision that failed.
    :param retry: the command that runs the playbook again on the failed hosts.
    :param runbook_url: what to do, in the words of the team.
    :param run: where the run took place, and who started it.
    """

    name: str
    environment: str = ""
    inventory: str = ""
    limit: str = ""
    group: str = ""
    since: str = ""
    good_revision: str = ""
    compare_url: str = ""
    retry: str = ""
    runbook_url: str = ""
    run: dict[str, str] = field(default_factory=dict)


def facts_of(
    request: Request, subject: Subject, options: PageOptions, hosts: Collection[str], redactor: Redactor
) -> Facts:
    """Return the facts of a page.

    :param hosts: the names of the failed hosts, without pseudo-hosts.
    """
    invocation = subject.invocation
    incident = request.incident
    run = run_of(subject, options, redactor)

    def name(text: str, most: int = KEPT_NAME) -> str:
        return beginning(redactor.name(one_line(text)), most)

    def words(text: str, most: int) -> str:
        return beginning(redactor.text(one_line(text)), most)

    good = "" if options.stable_payload else name(incident.good_revision)
    failed = run.get("revision", "")
    is_comparable = bool(invocation.compare_url and good and failed and good != failed)
    compare_url = invocation.compare_url.format(good=quote(good), failed=quote(failed)) if is_comparable else ""
    return Facts(
        name=name(subject.name),
        environment=name(options.environment or invocation.environment, 64),
        inventory=name(invocation.inventory),
        limit=name(invocation.limit),
        group=name(incident.group),
        since=utc(incident.since),
        good_revision=good,
        compare_url=words(compare_url, _LINK),
        retry=words(_retry(invocation.command, invocation.limit, hosts), _COMMAND),
        runbook_url=words(options.runbook_url, _LINK),
        run=run,
    )


def run_of(subject: Subject, options: PageOptions, redactor: Redactor) -> dict[str, str]:
    """Return where the run took place and who started it; nothing for a stable payload."""
    if options.stable_payload:
        return {}
    origin = asdict(subject.origin)
    del origin["job_name"]
    place = {"controller": subject.invocation.controller, "directory": subject.invocation.directory}
    values = {key: redactor.text(one_line(value)) for key, value in {**origin, **place}.items()}
    return {key: beginning(value, _LINK if key == "url" else KEPT_NAME) for key, value in values.items() if value}


def _retry(command: tuple[str, ...], limit: str, hosts: Collection[str]) -> str:
    """Return the command line that repeats the run on the failed hosts, or on all if they are too many to name."""
    if not command:
        return ""
    failed = ",".join(sorted(hosts))
    shown = failed if failed and len(failed.encode()) <= _LIMIT else limit
    return " ".join([*map(quote, command), *(["--limit", quote(shown)] if shown else [])])
