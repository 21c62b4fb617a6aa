# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the options that the callback and the guard share, and returns them as one value.

Must not read options itself (Ansible's plugins and roles do), nor send anything or import the code for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import (
    CONNECTION_SPEC,
    SEVERITIES,
    AnyCase,
    lower_case,
    option,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import (
    Connection,
    check_files,
    connection_from,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._durations import seconds_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions

if TYPE_CHECKING:
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor

# The value of group_by for one incident for all hosts.
PLAYBOOK = "playbook"
# The value of overdue_after that switches it off.
NEVER = "never"
# The options that callback and guard share, as an argument specification. The callback documents the same options.
SETTINGS_SPEC: dict[str, dict[str, Any]] = {
    "severity": option("severity", type="str", default="critical", choices=AnyCase(SEVERITIES)),
    "tags": option("tags", type="list", elements="str", default=[]),
    "project": option("project", type="str", default=""),
    # Names of variables are not secret, but ansible-test sanity would take "key_vars" for a secret.
    "key_vars": option("key_vars", type="list", elements="str", default=[], no_log=False),
    "inventory_name": option("inventory_name", type="str", default=""),
    "environment": option("environment", type="str", default=""),
    "job_url": option("job_url", type="str", default=""),
    "runbook_url": option("runbook_url", type="str", default=""),
    "page_limited_runs": option("page_limited_runs", type="bool", default=True),
    "after_failures": option("after_failures", type="int", default=1),
    "repeat_interval": option("repeat_interval", type="float", default=14400.0),
    "max_hosts": option("max_hosts", type="int", default=20),
    "include_output": option("include_output", type="bool", default=True),
    "redact": option("redact", type="str", default=""),
    "stable_payload": option("stable_payload", type="bool", default=False),
    "max_delay": option("max_delay", type="float", default=15.0),
    # It may hold the password of a database.
    "state_url": option("state_url", type="str", default="", no_log=True),
    "notify": option("notify", type="str", default="end", choices=["end", "immediately"]),
    "group_by": option("group_by", type="str", default=PLAYBOOK),
    "max_run_time": option("max_run_time", type="str", default=""),
    "overdue_after": option("overdue_after", type="str", default=""),
    **CONNECTION_SPEC,
}


@dataclass(frozen=True)
class Settings:
    """Checked options.

    :param redact: the user's patterns for what must not be sent.
    :param project: the name to use instead of the project's own; empty means its own.
    :param inventory_name: the name that identifies the inventory; empty: its path or content.
    :param job_url: the link to an AWX job, with ``{host}`` and ``{id}`` in it; empty: that of AWX up to 24.6.1.
    :param key_vars: names of the extra vars that distinguish runs.
    :param max_delay: seconds that sending may take in total.
    :param state_url: the URL of the store; empty means the default store.
    :param is_immediate: whether to send the first failure while the run goes on.
    :param group_by: the name of the host variable by which incidents are grouped; ``playbook`` means one for all hosts.
    :param max_run_time: seconds after which a run counts as hanging; 0 means never.
    :param overdue_after: seconds after which a success is overdue; 0 means never, None leaves what the last run set.
    """

    connection: Connection
    policy: Policy
    page: PageOptions
    redact: tuple[str, ...]
    project: str
    inventory_name: str
    job_url: str
    key_vars: tuple[str, ...]
    max_delay: float
    state_url: str
    is_immediate: bool
    group_by: str
    max_run_time: float
    overdue_after: float | None

    @cached_property
    def redactor(self) -> Redactor:
        """Removes secrets from what is sent: the API token, matches of the user's patterns and of the built-in ones."""
        return _redactor(self.redact, [self.connection.token])

    @property
    def redaction_trouble(self) -> str:
        """What the user must know about the patterns in ``redact`` after their use; empty if there is nothing."""
        return self.redactor.trouble if "redactor" in vars(self) else ""


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Check the options and return them as one value.

    :param options: values for :data:`SETTINGS_SPEC`, of the types given there; other options are ignored.
    :raises OptionError: a value is invalid; the message names the option and the remedy.
    """
    connection = connection_from(options)
    check_files(connection)
    return Settings(
        connection=connection,
        policy=Policy(
            after_failures=_at_least("after_failures", options, 1),
            repeat_interval=_at_least("repeat_interval", options, 0),
            page_limited_runs=options["page_limited_runs"],
        ),
        page=PageOptions(
            severity=lower_case(options["severity"]),
            tags=tuple(options["tags"]),
            source=connection.source,
            max_hosts=_at_least("max_hosts", options, 1),
            include_output=options["include_output"],
            stable_payload=options["stable_payload"],
            environment=options["environment"].strip(),
            runbook_url=options["runbook_url"].strip(),
        ),
        redact=patterns_from(options["redact"]),
        project=options["project"].strip(),
        inventory_name=options["inventory_name"].strip(),
        job_url=_job_url("job_url", options),
        key_vars=tuple(options["key_vars"]),
        max_delay=_at_least("max_delay", options, 1),
        state_url=options["state_url"],
        is_immediate=options["notify"] == "immediately",
        group_by=_variable("group_by", options) or PLAYBOOK,
        max_run_time=_duration("max_run_time", options),
        overdue_after=_overdue_after(options),
    )


def _at_least(name: str, options: Mapping[str, Any], least: int) -> Any:
    # "not >=" instead of "<": NaN must be refused too
    if not options[name] >= least:
        raise OptionError(name, f"it is less than {least}", f"Use {least} or more.")
    return options[name]


def _variable(name: str, options: Mapping[str, Any]) -> str:
    variable: str = options[name].strip()
    if variable and not variable.isidentifier():
        raise OptionError(
            name, f"{variable!r} is no name of a variable", "Use playbook, or the name of a host variable."
        )
    return variable


def _job_url(name: str, options: Mapping[str, Any]) -> str:
    url: str = options[name].strip()
    rest = url.removeprefix("{host}").replace("{id}", "")
    is_link = url.startswith(("{host}/", "https://", "http://"))
    if url and (not is_link or "{id}" not in url or "{" in rest or "}" in rest):
        raise OptionError(
            name,
            "it is no link with the number of the job",
            "Use {host} for the address of AWX and {id} for the number, such as {host}/execution/jobs/playbook/{id}.",
        )
    return url


def _duration(name: str, options: Mapping[str, Any]) -> float:
    try:
        return seconds_of(options[name])
    except ValueError as error:
        raise OptionError(name, str(error), "Use a number and s, m, h or d, such as 90m, 26h or 8d.") from None


def _overdue_after(options: Mapping[str, Any]) -> float | None:
    written = options["overdue_after"].strip().lower()
    if written == NEVER:
        return 0.0
    return _duration("overdue_after", options) if written else None


def patterns_from(text: str) -> tuple[str, ...]:
    """Return the patterns, one from each line. Commas do not separate them, because patterns often contain commas.

    :raises OptionError: one is not a regular expression, or matches the empty string.
    """
    patterns = tuple(filter(None, map(str.strip, text.splitlines())))
    try:
        if patterns:
            _redactor(patterns, [])
    except ValueError as error:
        raise OptionError("redact", str(error).removeprefix("redact: "), "Correct this pattern.") from error
    return patterns


def _redactor(patterns: Sequence[str], secrets: Sequence[str]) -> Redactor:
    # Imported only when needed: its patterns take long to compile, and most runs have nothing to redact.
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor

    return Redactor(patterns, secrets)
