# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the role `incident_guard`: keeps what each host says, and has it reported when nobody can say more.

Must not decide what follows from what was said (guard.py does), nor what is sent for it (the desk does).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.callgoose.sqibs.plugins.module_utils import outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils.arguments import ARGUMENT_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils.errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils.event import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils import guard as guards
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.announce import announce
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ansible_events import GUARD_RESULT, output_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.case import read_case
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.desk import Desk
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.guard import Finding, Hosts, NamedIdentity, Said
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.guarded import callers_folders, find_guarded
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.identity import Identity, Scope, part_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.inventory import known_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.recorder import (
    LOST_MESSAGE,
    MESSAGE_LIMIT,
    OUTPUT_LIMIT,
    Output,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import FAILED, LOST, NOT_REACHED, UNREACHABLE, Failure
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.settings import SETTINGS_SPEC, Settings, settings_from

# Options of the guard alone. Those that it shares with the callback fall back to the same variables.
GUARD_SPEC: dict[str, dict[str, Any]] = {
    "step": {"type": "str", "required": True, "choices": ["begin", "done", "failed", "settle"]},
    "tasks": {"type": "list", "elements": "str", "default": []},
    "roles": {"type": "list", "elements": "str", "default": []},
    # The key of an incident is public; sanity would take the name for a secret's.
    "incident_key": {"type": "str", "default": "", "no_log": False},
    "title": {"type": "str", "default": ""},
    "fail": {"type": "bool", "default": False},
    # The role's variables. As options of a task they would win over module_defaults even where they are not set.
    "given": {"type": "dict", "default": {}},
}

# Ansible's own words.
_CENSORED = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
# What is worth having again of the failed task's result. Most of the rest would be acted on a second time.
_KEPT = ("rc", "stdout", "stderr")
_EXPLANATIONS = {
    FAILED: "a guarded task failed and gave no message",
    LOST: LOST_MESSAGE,
    NOT_REACHED: "another host's failure ended the guarded tasks",
    UNREACHABLE: "the host could not be reached",
}
_LOCKSTEP = frozenset(("linear", "debug"))


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
            self._options, shared = _checked(self._task.args)
            self._settings, self._trouble = _settings(shared)
            self._guard = self._name_guard()
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
        tasks, roles = self._options["tasks"], self._options["roles"]
        guarded = find_guarded(tasks, roles, self._task, self._vars["playbook_dir"], self._loader)
        if self._has_begun():
            # One incident for both: a success of the second would close what the first has raised.
            problem = "this play has guarded the same before, under the same key"
            raise OptionError("incident_key", problem, "Give each of these guards a key of its own.")
        if self._trouble:
            self._warnings.append(f"nobody is called if this fails, and nothing is resolved. {self._trouble}")
        self._say(guards.BEGAN, name=guarded.name, mark=self._mark(guarded.name), earlier=_fingerprint(self._vars))
        return {"files": list(guarded.files), "roles": list(guarded.roles)}

    def _done(self) -> dict[str, Any]:
        """Note that this host came through."""
        # `always` is also where hosts come whose failure nobody has rescued: those are out of the play by now.
        if self._host in self._vars["ansible_play_hosts"] and not self._gave_up():
            self._say(guards.CAME_THROUGH, mark=self._mark())
        return {}

    def _failed(self) -> dict[str, Any]:
        """Note that this host did not come through, and why."""
        failure, is_fatal = self._failure()
        is_noted = self._say(guards.GAVE_UP, mark=self._mark(), failure=failure, fatal=is_fatal)
        # Nobody would fail again for what nobody could note.
        return self._again(failure) if self._options["fail"] and not is_noted else {}

    def _settle(self) -> dict[str, Any]:
        """Have reported what is known, unless somebody has, and fail again where this host failed."""
        did: dict[str, Any] = {"changed": False, GUARD_RESULT: {"hosts": []}}
        try:
            finding, name, is_new = self._find()
        except Exception as error:
            self._warn_of(error)
            failure = self._failure()[0] if "ansible_failed_result" in self._vars else None
        else:
            failure = finding.failures.get(self._host)
            if is_new and not self._task.check_mode:
                did.update(self._report(finding, name))
        return {**did, **self._again(failure)} if failure and self._options["fail"] else did

    # what is noted

    def _name_guard(self) -> str:
        """Return which guard this is, in this play: the same at each step, and another one for each caller."""
        parts = [self._task.play._uuid, self._options["incident_key"], self._options["tasks"], self._options["roles"]]
        if self._is_whole:
            folders = callers_folders(self._task, self._vars["playbook_dir"])
            parts.append([str(folder) for folder in folders])
        return _digest(parts)

    @property
    def _is_whole(self) -> bool:
        """Whether the role runs what it guards, so that each host has said that it began."""
        return bool(self._options["tasks"] or self._options["roles"])

    def _mark(self, name: str = "") -> Mark | None:
        """Return the ledger's mark of this moment, where it is the earliest that there is."""
        if self._settings is None or (self._is_whole and self._options["step"] != "begin"):
            return None
        try:
            desk = self._desk(self._settings, name)
            mark = desk.begin()
        except Exception as error:
            self._warn_of(error)
            return None
        if desk.loss:
            self._warnings.append(desk.loss)
        return mark

    def _say(self, what: str, **more: Any) -> bool:
        """Note what this host says, and return whether that was possible."""
        try:
            self._journal.write(Said(self._guard, self._host, what, **more))
        except Exception as error:
            self._warn_of(error)
            return False
        return True

    def _gave_up(self) -> bool:
        """Return whether this host has said in a user's own rescue that it failed."""
        if self._is_whole:
            return False
        try:
            said = self._said_before()
        except Exception as error:
            self._warn_of(error)
            return True  # what is not known to be good resolves nothing
        return bool(said) and said[-1].what == guards.GAVE_UP

    def _has_begun(self) -> bool:
        """Return whether this host has begun this guard before."""
        try:
            return any(entry.what == guards.BEGAN for entry in self._said_before())
        except OSError:
            return False  # then nothing can be noted, and so nothing is closed

    def _said_before(self) -> list[Said]:
        """Return what this host has said of this guard."""
        return [entry for entry in self._journal.read() if (entry.guard, entry.host) == (self._guard, self._host)]

    def _failure(self) -> tuple[Failure, bool]:
        """Return why this host is in a rescue, and whether its failure is fatal for others."""
        task, result = self._vars.get("ansible_failed_task"), self._vars.get("ansible_failed_result")
        play = str(self._vars.get("ansible_play_name", ""))
        try:
            is_earlier = guards.is_earlier(self._journal.read(), self._guard, self._host, _fingerprint(self._vars))
        except OSError:
            is_earlier = False
        if not isinstance(task, Mapping) or not isinstance(result, Mapping) or is_earlier:
            return Failure(LOST, play=play, message=LOST_MESSAGE), False
        is_secret = _is_secret(task, result)
        output = Output(_CENSORED) if is_secret else output_of(result)
        # The name is templated, so that of a task with a secret may hold it.
        name = "" if is_secret else task.get("name")
        failure = Failure(
            kind=FAILED,
            task=str(name or task.get("action") or ""),
            action=str(task.get("action") or ""),
            play=play,
            message=output.message[:MESSAGE_LIMIT],
            stdout=output.stdout[-OUTPUT_LIMIT:],
            stderr=output.stderr[-OUTPUT_LIMIT:],
        )
        return failure, bool(task.get("run_once") or task.get("any_errors_fatal"))

    # what follows

    def _find(self) -> tuple[Finding, str, bool]:
        """Return what is known of the guard, its name, and whether it is for this host to report it."""
        hosts = _hosts(self._vars, self._task.play)

        def decide(said: list[Said]) -> tuple[tuple[Said, ...], tuple[Finding, str, bool]]:
            finding = guards.judge(said, self._guard, hosts)
            name = next((entry.name for entry in said if entry.guard == self._guard and entry.name), "")
            report = finding.report
            is_new = bool(report) and not guards.is_reported(said, self._guard, report)
            passed = [Said(self._guard, host, guards.PASSED_BY) for host in sorted(finding.passed)]
            added = [Said(self._guard, self._host, guards.REPORTED, report=report)] if is_new else []
            return (*passed, *added), (finding, name, is_new)

        return self._journal.exchange(decide)

    def _report(self, finding: Finding, name: str) -> dict[str, Any]:
        """Hand what is known to the rules, and return what came of it. It fails nothing, whatever comes of it."""
        if self._settings is None:
            if finding.failures:
                self._warnings.append(f"nobody was called about this failure. {self._trouble}")
            return {}
        try:
            run = finding.run(_playbook(self._task.play), self._vars["ansible_play_hosts_all"])
            inventory = known_hosts(self._task.get_variable_manager()._inventory)
            desk = self._desk(self._settings, name)
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
        """Return the result that fails with the original error."""
        again: dict[str, Any] = {"failed": True, "msg": failure.message or _EXPLANATIONS[failure.kind]}
        if failure.task:
            again["failed_task"] = failure.task
        result = self._vars.get("ansible_failed_result")
        if failure.kind == FAILED and failure.message != _CENSORED and isinstance(result, Mapping):
            again.update((name, result[name]) for name in _KEPT if name in result)
        return again

    def _desk(self, settings: Settings, name: str) -> Desk:
        """Return the desk that takes this guard's case.

        :param name: what is guarded, in words; empty in a user's own rescue.
        """
        case = read_case(_playbook(self._task.play), load_extra_vars(self._loader), settings)
        key = self._options["incident_key"].strip()
        play = str(self._vars.get("ansible_play_name", ""))
        part = part_of(case.identity, "guard", *([key] if key else [play, name] if name else [play]))
        # Tags choose among the guarded tasks: a failure belongs to the guard, and a success proves nothing.
        scope = Scope(part.scope.limit)
        identity = NamedIdentity(part.base, part.name, scope, key) if key else Identity(part.base, part.name, scope)
        title = self._options["title"].strip() or f"{name or key or play} ({case.subject.name})"
        is_partial = case.is_partial or part.scope != scope
        return Desk(
            replace(case, identity=identity, subject=replace(case.subject, name=title), is_partial=is_partial), settings
        )

    def _warn_of(self, error: Exception) -> None:
        self._warnings.append(f"it could not do its part: {type(error).__name__}: {error}")


def _checked(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the guard's own options, checked, and those that it shares with the callback, as they are.

    :raises OptionError: one of its own is wrong, or there is no such option.
    """
    own = {name: value for name, value in arguments.items() if name in GUARD_SPEC}
    shared = {name: value for name, value in arguments.items() if name in SETTINGS_SPEC}
    # Defaults of the action group are for its other action too, whose options mean nothing here.
    for name in sorted(set(arguments) - set(own) - set(shared) - set(ARGUMENT_SPEC)):
        raise OptionError(name, "there is no such option", "Remove it; it may come from module_defaults.")
    for name, value in own.items():
        error = ArgumentSpecValidator({name: GUARD_SPEC[name]}).validate({name: value}).error_messages
        if error:
            raise OptionError(name, "; ".join(error), "Correct it.")
    options = ArgumentSpecValidator(GUARD_SPEC).validate(own).validated_parameters
    return options, {**shared, **{name: value for name, value in options["given"].items() if value}}


def _settings(shared: Mapping[str, Any]) -> tuple[Settings | None, str]:
    """Return the settings; where they are of no use, none and why: a broken pager must not stop a deployment."""
    validation = ArgumentSpecValidator(SETTINGS_SPEC).validate(dict(shared))
    if validation.error_messages:
        return None, "; ".join(validation.error_messages)
    try:
        settings = settings_from(validation.validated_parameters)
    except OptionError as error:
        return None, str(error)
    # A guard may report several times in a run, which is no count of failed runs.
    return replace(settings, policy=replace(settings.policy, after_failures=1)), ""


def _hosts(variables: Mapping[str, Any], play: Any) -> Hosts:
    """Return what Ansible knows of the play's hosts now."""
    strategy = str(play.strategy or C.DEFAULT_STRATEGY).rpartition(".")[2]
    return Hosts(
        all=tuple(map(str, variables["ansible_play_hosts_all"])),
        active=frozenset(map(str, variables["ansible_play_hosts"])),
        batch=frozenset(map(str, variables["ansible_play_batch"])),
        gone=_gone(),
        lockstep=strategy in _LOCKSTEP,
    )


def _gone() -> dict[str, str] | None:
    """Return which hosts count as failed or unreachable, or None where that cannot be known.

    No variable tells a host that `meta: end_host` ended from one that is lost: ansible_play_hosts lacks both. But a
    worker is a fork of the process that plays the play, and runs on top of its stack.
    """
    frame = sys._getframe()
    while frame and frame.f_code is not TaskQueueManager.run.__code__:
        frame = frame.f_back  # type: ignore[assignment]
    queue = frame.f_locals.get("self") if frame else None
    if queue is None:
        return None
    return {**dict.fromkeys(queue._failed_hosts, FAILED), **dict.fromkeys(queue._unreachable_hosts, UNREACHABLE)}


def _playbook(play: Any) -> str:
    """Return the path of the file that the play is written in."""
    path = (play.get_path() or "").rpartition(":")[0]
    return path or str(next(iter(context.CLIARGS.get("args") or ()), ""))


def _is_secret(task: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Return whether a result must not be shown: in a rescue Ansible hands it over as it is, `no_log` or not."""
    no_log = task.get("no_log")
    if isinstance(no_log, str) and "{" in no_log:
        return True  # a template that Ansible has left as it is written may mean either
    return boolean(no_log or False, strict=False) or bool(result.get("_ansible_no_log"))


def _fingerprint(variables: Mapping[str, Any]) -> str:
    """Return what tells the failure that Ansible holds for a host from any other; empty: it holds none.

    A worker sees the very object that the main process holds, at the same address. Another failure may come to lie at
    this address later, so what it says counts too.
    """
    result = variables.get("ansible_failed_result")
    return "" if result is None else _digest([id(result), repr(result)])


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what).encode("ascii")).hexdigest()
