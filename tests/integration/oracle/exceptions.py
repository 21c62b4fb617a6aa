# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The invocations of which a rule does not hold, each with its reason; "fault:" begins it where there is one to fix.

Must not hold an entry that excuses nothing: test_targets.py fails on it, unless chance decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.callgoose.sqibs.tests.integration.oracle.invocation import Invocation
from ansible_collections.callgoose.sqibs.tests.integration.oracle.target_run import Way


@dataclass(frozen=True)
class Excused:
    """What is excused, and why.

    :param way: the way of the run.
    :param target: the target's name.
    :param playbook: the name of the playbook as the command line gives it.
    :param rule: the name of the function in rules.py.
    :param cores: the releases of ansible-core in which it is so; empty: all.
    :param by_chance: whether it is not so in each run.
    """

    way: Way
    target: str
    playbook: str
    rule: str
    reason: str
    cores: tuple[str, ...] = ()
    by_chance: bool = False

    def covers(self, way: Way, target: str, invocation: Invocation, rule: str, core: str) -> bool:
        """Return whether this entry excuses a complaint of this rule about this invocation."""
        same = (way, target, rule) == (self.way, self.target, self.rule)
        return same and self.playbook in invocation.playbooks and self.is_for(core)

    def is_for(self, core: str) -> bool:
        """Return whether it is so in this release."""
        return not self.cores or core in self.cores


DELETED = "the target's output callback deletes CallbackBase's v2 methods, so Ansible warns of every other callback"
TEMPLATED = (
    "Ansible searches a role's collection for a task's action before its template is filled in, and warns of that"
)

# Each of these is Ansible's own behaviour, or in the guide's table of what Ansible does not allow.
EXCEPTIONS = (
    *(
        Excused(way, "ansible-playbook-callbacks", "all-callbacks.yml", rule, DELETED, cores=("2.16",))
        for way, rule in (
            (Way.CALLBACK, "same_warnings"),
            (Way.CALLBACK, "no_warning_of_ours"),
            (Way.GUARD, "no_warning_of_ours"),
        )
    ),
    Excused(
        Way.CALLBACK,
        "delegate_to",
        "test_random_delegate_to_with_loop.yml",
        "same_recap",
        "the playbook chooses by a random number which hosts have a task",
        by_chance=True,
    ),
    Excused(
        Way.GUARD,
        "ignore_errors",
        "test_ignore_errors.yml",
        "same_exit_code",
        "a guarded file includes tasks/main.yml, and Ansible prefers the role's own file of that name (guide)",
        cores=("2.21",),
    ),
    Excused(
        Way.GUARD,
        "ignore_unreachable",
        "test_base_loop_cannot_connect.yml",
        "nothing_for_a_success",
        "a guard pages at its own end: only the next play's clear_host_errors forgives the unreachable host",
        cores=("2.21",),
    ),
    Excused(
        Way.GUARD,
        "include_import",
        "playbook/test_import_playbook.yml",
        "same_exit_code",
        "the guard refuses a condition that Ansible evaluates before each of its steps: import_playbook's (guide)",
    ),
    *(
        Excused(
            Way.GUARD,
            "include_import",
            playbook,
            "same_exit_code",
            "in a guarded file role_name is the guard's, and Ansible prefers it to the play's variable (guide)",
        )
        for playbook in ("role/test_import_role.yml", "role/test_include_role.yml")
    ),
    Excused(
        Way.GUARD,
        "include_import",
        "role/test_import_role.yml",
        "no_warning_of_ours",
        TEMPLATED,
        cores=("2.16",),
    ),
    *(
        Excused(
            Way.GUARD,
            "include_import",
            playbook,
            "a_page_for_a_failure",
            "Ansible ends at once where an included file has an invalid task, and only the callback sees that (guide)",
        )
        for playbook in ("issue73657.yml", "test_null_include_filename.yml")
    ),
    Excused(
        Way.GUARD,
        "includes",
        "include_role_error_handling.yml",
        "a_page_for_a_failure",
        "Ansible ends at once where a role does not exist and include_role says rescuable: false (guide)",
        cores=("2.21",),
    ),
    Excused(
        Way.GUARD,
        "roles",
        "no_outside.yml",
        "a_page_for_a_failure",
        "Ansible ends at once where tasks_from leaves its role, and only the callback sees an aborted run (guide)",
        cores=("2.16",),
    ),
    Excused(
        Way.GUARD,
        "strategy_linear",
        "task_action_templating.yml",
        "no_warning_of_ours",
        TEMPLATED,
        cores=("2.16",),
    ),
    Excused(
        Way.GUARD,
        "throttle",
        "test_throttle.yml",
        "same_exit_code",
        "under free, hosts that reach an include one by one each get a copy of its tasks, and throttle counts in each",
    ),
)
