# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the role `incident_guard`: keeps what each host says, and has it reported when nobody can say more.

Must not decide what follows from what was said (guard.py does), nor what is sent for it (the desk does).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.callgoose.sqibs.plugins.module_utils import outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils.errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils.event import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils import guard as guards
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.announce import announce
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ansible_events import GUARD_RESULT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.caller import caller_of, comes_for_all
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.case import read_case
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.desk import Desk
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.guard import Finding, NamedIdentity, Said
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.guard_options import check_options, read_settings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.guarded import find_guarded
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.identity import Identity, Scope, part_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.inventory import known_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.original_error import (
    fail_again,
    fingerprint,
    no_error,
    original_error,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.play_hosts import hosts_now, note_unreached
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import Failure
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.settings import Settings

# The role's variables that need not be set. As a task's arguments they would need filters, of which Ansible loads all
# in each worker for the first, a sixth of what a guard takes; and arguments can be printed (DISPLAY_ARGS_TO_STDOUT).
ROLE_VARIABLES = {name: f"incident_guard_{name}" for name in ("api_token", "base_url", "severity", "tags")}
FAIL_VARIABLE = "incident_guard_fail"

# Ansible imports this file before it forks the workers that take the steps.
note_unreached()


class _NotBegunError(Exception):
    """This host has begun no guard here."""


class ActionModule(ActionBase):
    """Runs on the controller, once for each step and host, in a worker of its own."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Take one step for one host. What fails is wrong options, and the guarded tasks' own error once again."""
        result = super().run(tmp, task_vars)
        self._vars: Mapping[str, Any] = task_vars or {}
        self._host = str(self._vars["inventory_hostname"])
        self._journal = Journal(C.DEFAULT_LOCAL_TMP)
        self._warnings: list[str] = []
        try:
            self._options, shared = check_options({**self._task.args, **self._variables()})
            self._settings, self._trouble = read_settings(shared)
            step = {"begin": self._begin, "done": self._done, "failed": self._failed, "settle": self._settle}
            did = step[self._options["step"]]()
        except OptionError as error:
            return {**result, "failed": True, "msg": f"incident_guard_{error}"}
        if self._warnings:
            did["warnings"] = [f"incident_guard: {warning}" for warning in self._warnings]
        return {**result, **did}

    # the steps

    def _begin(self) -> dict[str, Any]:
        """Check what is to be guarded, before any of it runs, and note that this host sets out."""
        if self._task.when:
            # Ansible asks it again before each step. Were it false by then, the error would be swallowed.
            problem = f"a condition around the role holds for each of its steps ({self._task.when[0]})"
            raise OptionError("tasks", problem, "Put it on the include itself: include_role with its own when.")
        tasks, roles = self._options["tasks"], self._options["roles"]
        guarded = find_guarded(tasks, roles, self._task, self._vars["playbook_dir"], self._loader)
        key, title = self._options["incident_key"].strip(), self._options["title"].strip()
        guard = Said(
            guard=_digest([self._task.play._uuid, key, "" if key else guarded.name]),
            host=self._host,
            what=guards.BEGAN,
            caller=caller_of(self._task),
            key=key,
            title=title,
            name=guarded.name,
            earlier=fingerprint(self._vars),
        )
        self._refuse_second(guard)
        if self._trouble:
            self._warnings.append(f"nobody is called if this fails, and nothing is resolved. {self._trouble}")
        self._say(replace(guard, mark=self._mark(guard)), guards.BEGAN)
        return {"files": list(guarded.files), "roles": list(guarded.roles)}

    def _done(self) -> dict[str, Any]:
        """Note that this host came through."""
        # `always` is also where hosts come whose failure nobody has rescued: those are out of the play by now.
        if self._host not in self._vars["ansible_play_hosts"]:
            return {}
        try:
            guard, said = self._guard_and_said()
        except _NotBegunError:
            return {}
        except Exception as error:
            self._warn_of(error)
            return {}  # what is not known to be good resolves nothing
        if guards.gave_up(said, guard.guard, self._host):
            return {}
        what = guards.CAME_THROUGH
        if guards.was_out_of_reach(said, guard.guard, self._host):
            what = guards.UNPROVEN
            self._display.v(f"incident_guard: {self._host} was out of reach on the way, so nothing is resolved")
        self._say(guard, what)
        return {}

    def _failed(self) -> dict[str, Any]:
        """Note that this host did not come through, and why."""
        failure, is_fatal = original_error(self._vars)
        try:
            guard, said = self._guard_and_said()
        except _NotBegunError:
            return self._again(failure)
        except Exception as error:
            self._warn_of(error)
            # Nobody would fail again for what nobody could note.
            return self._again(failure)
        if guards.is_earlier(said, guard.guard, self._host, fingerprint(self._vars)):
            failure, is_fatal = no_error(self._vars), False
        is_noted = self._say(guard, guards.GAVE_UP, failure=failure, fatal=is_fatal)
        return {} if is_noted else self._again(failure)

    def _settle(self) -> dict[str, Any]:
        """Have reported what is known, unless somebody has, and fail again where this host failed."""
        did: dict[str, Any] = {"changed": False, GUARD_RESULT: {"hosts": []}}
        try:
            guard, said = self._guard_and_said()
            finding, is_new = self._find(guard, guards.gave_up(said, guard.guard, self._host))
        except _NotBegunError:
            return did
        except Exception as error:
            self._warn_of(error)
            failure = original_error(self._vars)[0] if "ansible_failed_result" in self._vars else None
        else:
            failure = finding.failures.get(self._host)
            if is_new and not self._task.check_mode:
                did.update(self._report(guard, finding))
        return {**did, **self._again(failure)} if failure else did

    # what is noted

    def _guard_and_said(self) -> tuple[Said, list[Said]]:
        """Return the guard that this step belongs to, as an entry of this host, and what the host has said so far.

        That is the one that the host has begun. A rescue of the user's own has no beginning: there it is the one with
        the key, in whatever play, or that of the play.

        :raises OSError: the journal cannot be read.
        :raises _NotBegunError: the host has begun none, as where it was refused and the user ignores errors.
        """
        said = self._journal.read(self._host)
        guard = guards.begun(said, self._host, caller_of(self._task))
        if guard is None and "incident_key" not in self._task.args:
            raise _NotBegunError
        if guard is None:
            key, title = self._options["incident_key"].strip(), self._options["title"].strip()
            guard = Said(_digest([key] if key else [self._task.play._uuid]), self._host, "", key=key, title=title)
        return guard, said

    def _refuse_second(self, guard: Said) -> None:
        """Refuse what would have one incident for two guards: a success of the one would close what the other raises.

        :raises OptionError: this host has begun the same guard before, or another guard has the same key.
        """
        try:
            said = self._journal.read(self._host)
            others = self._journal.read(guard.key) if guard.key else []
        except (OSError, ValueError):
            return  # then nothing can be noted, and so nothing is closed
        if guards.shares_key(others, guard):
            problem = "another guard of this run has the same key"
        elif any((entry.guard, entry.host, entry.what) == (guard.guard, self._host, guards.BEGAN) for entry in said):
            problem = "this play has guarded the same before, under the same key"
        else:
            return
        raise OptionError("incident_key", problem, "Give each of these guards a key of its own.")

    def _mark(self, guard: Said) -> Mark | None:
        """Return the ledger's mark of this moment."""
        if self._settings is None:
            return None
        try:
            desk = self._desk(self._settings, guard)
            mark = desk.begin()
        except Exception as error:
            self._warn_of(error)
            return None
        if desk.loss:
            self._warnings.append(desk.loss)
        return mark

    def _say(self, guard: Said, what: str, **more: Any) -> bool:
        """Note what this host says of a guard, and return whether that was possible."""
        mark = guard.mark if guard.what == guards.BEGAN else self._mark(guard)
        try:
            self._journal.write(replace(guard, what=what, mark=mark, **more))
        except Exception as error:
            self._warn_of(error)
            return False
        return True

    # what follows

    def _find(self, guard: Said, failure: Failure | None) -> tuple[Finding, bool]:
        """Return what is known of the guard, and whether it is for this host to report it.

        :param failure: why this host gave up, if it did.
        """
        if guards.is_over(self._journal.last(guard.guard), failure):
            return Finding({self._host: failure} if failure else {}), False
        hosts = hosts_now(self._vars, self._task.play)
        hosts = replace(hosts, lockstep=hosts.lockstep and comes_for_all(self._task))

        def decide(said: list[Said]) -> tuple[tuple[Said, ...], tuple[Finding, bool]]:
            finding = guards.judge(said, guard.guard, hosts)
            report = finding.report
            is_new = bool(report) and not guards.is_reported(said, guard.guard, report)
            passed = [Said(guard.guard, host, guards.PASSED_BY) for host in sorted(finding.passed)]
            reported = Said(guard.guard, self._host, guards.REPORTED, report=report, final=not finding.waiting)
            return (*passed, *([reported] if is_new else [])), (finding, is_new)

        return self._journal.exchange(decide)

    def _report(self, guard: Said, finding: Finding) -> dict[str, Any]:
        """Hand what is known to the rules, and return what came of it. It fails nothing, whatever comes of it."""
        if self._settings is None:
            if finding.failures:
                self._warnings.append(f"nobody was called about this failure. {self._trouble}")
            return {}
        try:
            run = finding.run(_playbook(self._task.play), self._vars["ansible_play_hosts_all"])
            inventory = known_hosts(self._task.get_variable_manager()._inventory)
            desk = self._desk(self._settings, guard)
            settlement = desk.settle(run, finding.mark, inventory, self._settings.max_delay)
        except Exception as error:
            self._warn_of(error)
            return {}
        self._warnings += settlement.warnings
        for note in settlement.notes:
            self._display.v(f"incident_guard: {note}")
        for done in settlement.done:
            announce(self._display, done)
        pages = [sent.reply.outcome for sent in settlement.sent if sent.send.state == TRIGGERED]
        is_paged = all(outcome in (outcomes.CREATED, outcomes.DUPLICATE) for outcome in pages)
        changed = any(sent.reply.outcome in (outcomes.CREATED, outcomes.RESOLVED) for sent in settlement.sent)
        return {
            "changed": changed,
            "msg": "; ".join(settlement.done),
            # The callback pages for whatever is not named here.
            GUARD_RESULT: {"hosts": sorted(finding.failures) if is_paged else []},
        }

    def _again(self, failure: Failure) -> dict[str, Any]:
        """Return the result that fails with the original error, if it is asked for."""
        return fail_again(failure, self._vars) if self._options["fail"] else {}

    def _desk(self, settings: Settings, guard: Said) -> Desk:
        """Return the desk that takes this guard's case."""
        case = read_case(_playbook(self._task.play), load_extra_vars(self._loader), settings)
        key, name = guard.key, guard.name
        play = str(self._vars.get("ansible_play_name", ""))
        part = part_of(case.identity, "guard", *([key] if key else [play, name] if name else [play]))
        # Tags choose among the guarded tasks: a failure belongs to the guard, and a success proves nothing.
        scope = Scope(part.scope.limit)
        identity = NamedIdentity(part.base, part.name, scope, key) if key else Identity(part.base, part.name, scope)
        title = guard.title or f"{name or key or play} ({case.subject.name})"
        is_partial = case.is_partial or part.scope != scope
        return Desk(
            replace(case, identity=identity, subject=replace(case.subject, name=title), is_partial=is_partial), settings
        )

    def _variables(self) -> dict[str, Any]:
        """Return the options that the role's variables give.

        Once the guarded tasks run, one that cannot be read any more hides no error and stops no host.
        """
        variables = dict(ROLE_VARIABLES)
        if "fail" in self._task.args:
            variables["fail"] = FAIL_VARIABLE
        given = {}
        for name, variable in variables.items():
            try:
                value = self._templar.template(self._vars.get(variable))
            except Exception as error:
                if self._task.args.get("step") == "begin":
                    raise
                self._warnings.append(f"{variable} can be read no more ({type(error).__name__})")
            else:
                # str: in ansible-core 2.16 a value that is encrypted in place (!vault) is no text yet
                given[name] = value if isinstance(value, list | bool) else str(value or "")
        return {name: value for name, value in given.items() if value not in ("", [])}

    def _warn_of(self, error: Exception) -> None:
        self._warnings.append(f"it could not do its part: {type(error).__name__}: {error}")


def _playbook(play: Any) -> str:
    """Return the path of the file that the play is written in."""
    path = (play.get_path() or "").rpartition(":")[0]
    return path or str(next(iter(context.CLIARGS.get("args") or ()), ""))


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what).encode("ascii")).hexdigest()
