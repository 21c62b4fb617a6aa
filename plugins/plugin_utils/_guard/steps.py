# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the steps of the role `incident_guard` for one host: they record what happened to it, and report new results.

Must not evaluate the records (state.py does), nor decide what to send (the reporter does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible import context
from ansible.utils.vars import load_extra_vars

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.display import announce
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.inventory import (
    is_template,
    read_inventory,
    source_hosts,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import GUARD_RESULT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import (
    play_file,
    read_run_context,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard import state as guards
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.content import find_content
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.hosts import is_in_play, read_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.include import arrives_together, include_id
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.lockstep import hosts_of_batch, is_batch_step
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.rescue import (
    dropped_error,
    fail_again,
    fingerprint,
    original_error,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.state import Evaluation, Record, RecordType
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    Identity,
    NamedIdentity,
    Scope,
    digest,
    part_of,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._reporter import IncidentReporter
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import DROPPED, Failure
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings


class _NotBegunError(Exception):
    """This host has not begun a guard here."""


@dataclass
class GuardSteps:
    """The steps of one guard for one host.

    :param task: the step's own `Task`.
    :param variables: the host's variables, as the task sees them.
    :param options: the guard's own options, checked.
    :param journal: holds the records of this call.
    :param settings: the shared options, checked; None if they are invalid.
    :param trouble: why ``settings`` is None.
    :param loader: Ansible's `DataLoader`.
    :param display: Ansible's `Display`.
    :param warnings: the steps append warnings for the user.
    """

    task: Any
    variables: Mapping[str, Any]
    options: Mapping[str, Any]
    journal: Journal
    settings: Settings | None
    trouble: str
    loader: Any
    display: Any
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = str(self.variables["inventory_hostname"])

    def run(self, step: str) -> dict[str, Any]:
        """Run one step and return its task result.

        :param step: ``begin``, ``done``, ``failed``, ``settle`` or ``fail``.
        :raises OptionError: an option is invalid; only ``begin`` raises it.
        """
        steps = {
            "begin": self._begin,
            "done": self._done,
            "failed": self._failed,
            "settle": self._settle,
            "fail": self._fail,
        }
        return steps[step]()

    def _begin(self) -> dict[str, Any]:
        """Check what the guard runs before any of it starts, and record that the hosts begin."""
        if self.task.when:
            # Ansible evaluates the condition again before each step. If it became false, the error would be hidden.
            problem = f"a condition around the role ({self.task.when[0]}) applies to each of its steps"
            raise OptionError("tasks", problem, "Put the condition on the include: include_role with its own when.")
        tasks, roles = self.options["tasks"], self.options["roles"]
        content = find_content(tasks, roles, self.task, self.variables["playbook_dir"], self.loader)
        key, title = self.options["incident_key"].strip(), self.options["title"].strip()
        guard = Record(
            guard=digest(self.task.play._uuid, key, "" if key else content.name),
            host=self.host,
            type=RecordType.BEGAN,
            include=include_id(self.task),
            key=key,
            title=title,
            name=content.name,
            earlier=fingerprint(self.variables.get("ansible_failed_result")),
        )
        self._refuse_second(guard)
        if self.trouble:
            self.warnings.append(f"no incident will be triggered or resolved. {self.trouble}")
        self._write(*self._beginnings(replace(guard, mark=self._mark(guard))))
        # Roles run from a file of their own: one include serves both.
        files = content.files or [str(Path(self.task._role._role_path, "tasks", "run_roles.yml"))]
        return {"files": list(files), "roles": list(content.roles)}

    def _beginnings(self, guard: Record) -> list[Record]:
        """Return the guard's record, for each host of the batch if the step runs once for it."""
        if not is_batch_step(self.task):
            return [guard]
        facts = self.task.get_variable_manager()._nonpersistent_fact_cache
        return [
            replace(guard, host=host, earlier=fingerprint(facts.get(host, {}).get("ansible_failed_result")))
            for host in hosts_of_batch()
        ]

    def _done(self) -> dict[str, Any]:
        """Record that this host reached the end."""
        # A user's `always` also runs on hosts whose failure was not rescued.
        if not is_in_play(self.host, self.variables, self.task.play):
            return {}
        try:
            guard, records = self._guard_and_records()
        except _NotBegunError:
            return {}
        except Exception as error:
            self._warn_of(error)
            return {}  # without a recorded success, nothing is resolved
        if guards.failure_of(records, guard.guard, self.host):
            return {}
        type = RecordType.SUCCEEDED
        if guards.was_unreachable(records, guard.guard, self.host):
            type = RecordType.UNPROVEN
            self._explain_unproven(self.host)
        self._record(guard, type)
        return {}

    def _failed(self) -> dict[str, Any]:
        """Record that this host failed, and why."""
        error = original_error(self.variables, self.task.play)
        try:
            guard, records = self._guard_and_records()
        except _NotBegunError:
            return self._fail_again(error.failure)
        except Exception as trouble:
            self._warn_of(trouble)
            # The last step cannot fail again for a failure that is not recorded, so do it now.
            return self._fail_again(error.failure)
        if guards.is_earlier(records, guard.guard, self.host, fingerprint(self.variables.get("ansible_failed_result"))):
            error = dropped_error(self.variables)
        is_recorded = self._record(
            guard, RecordType.FAILED, failure=error.failure, fatal=error.fatal, causes=error.causes
        )
        return {} if is_recorded else self._fail_again(error.failure)

    def _settle(self) -> dict[str, Any]:
        """Report the guard's state unless another host has."""
        result: dict[str, Any] = {"changed": False, GUARD_RESULT: {"hosts": []}}
        try:
            guard, records = self._guard_and_records()
            evaluation, is_new = self._evaluate(guard, guards.failure_of(records, guard.guard, self.host))
        except _NotBegunError:
            return result
        except Exception as error:
            self._warn_of(error)
            return result
        if is_new and not self.task.check_mode:
            result.update(self._report(guard, evaluation))
        return result

    def _fail(self) -> dict[str, Any]:
        """Fail again with the error of this host, if the user wants that."""
        try:
            guard, records = self._guard_and_records()
            failure = guards.failure_of(records, guard.guard, self.host)
            if failure and failure.kind == DROPPED:
                everything = self.journal.read(guard.guard)
                failure = guards.explained(failure, any(record.fatal for record in everything))
        except _NotBegunError:
            return {}
        except Exception as error:
            self._warn_of(error)
            failure = original_error(self.variables, self.task.play).failure
        return self._fail_again(failure) if failure else {}

    # records

    def _guard_and_records(self) -> tuple[Record, list[Record]]:
        """Return the guard that this step belongs to, as a record of this host, and the host's records so far.

        That is the guard that the host has begun. In a user's own rescue no guard begins: there it is the guard with
        the key, in any play, or without a key that of the play.

        :raises OSError: the journal cannot be read.
        :raises _NotBegunError: the host has not begun one, for example if the guard was refused and errors are ignored.
        """
        records = self.journal.read(self.host)
        guard = guards.begin_record(records, self.host, include_id(self.task))
        if guard is None and "incident_key" not in self.task.args:
            raise _NotBegunError
        if guard is None:
            key, title = self.options["incident_key"].strip(), self.options["title"].strip()
            name = digest(key) if key else digest("", self.task.play._uuid)
            guard = Record(name, self.host, RecordType.BEGAN, key=key, title=title)
        return guard, records

    def _refuse_second(self, guard: Record) -> None:
        """Refuse a second guard for the same incident: a success of one would resolve what the other triggered.

        :raises OptionError: one of the hosts has begun the same guard before, or another guard has the same key.
        """
        try:
            records = self.journal.read(guard.guard)
            others = self.journal.read(guard.key) if guard.key else []
        except (OSError, ValueError):
            return  # then nothing can be recorded, so nothing is resolved
        hosts = hosts_of_batch() if is_batch_step(self.task) else (self.host,)
        if guards.shares_key(others, guard):
            problem = "another guard of this run has the same key"
        elif any(one.guard == guard.guard and one.type == RecordType.BEGAN and one.host in hosts for one in records):
            problem = "this play has already guarded the same files or roles with the same key"
        else:
            return
        raise OptionError("incident_key", problem, "Give each of these guards a key of its own.")

    def _mark(self, guard: Record) -> Mark | None:
        """Return the ledger's current mark; None if it cannot be read."""
        if self.settings is None:
            return None
        try:
            reporter = self._reporter(self.settings, guard)
            mark = reporter.begin()
        except Exception as error:
            self._warn_of(error)
            return None
        if reporter.loss:
            self.warnings.append(reporter.loss)
        return mark

    def _record(self, guard: Record, type: RecordType, **more: Any) -> bool:
        """Record what happened to this host under a guard, and return whether that was possible."""
        # In a user's own rescue no guard begins, so there is no earlier mark.
        mark = guard.mark if guard.include else self._mark(guard)
        return self._write(replace(guard, type=type, mark=mark, **more))

    def _write(self, *records: Record) -> bool:
        try:
            self.journal.write(*records)
        except Exception as error:
            self._warn_of(error)
            return False
        return True

    # evaluation

    def _evaluate(self, guard: Record, failure: Failure | None) -> tuple[Evaluation, bool]:
        """Return the guard's state, and whether this host has to report it.

        :param failure: why this host failed, if it did.
        """
        if guards.is_final(self.journal.last(guard.guard), failure):
            return Evaluation({self.host: (failure,)} if failure else {}), False
        hosts = read_hosts(self.variables, self.task.play)
        is_batch, is_own = is_batch_step(self.task), not guard.include
        # A user's own rescue may have no last step that would report what is held back.
        reports_each = hosts.lockstep or is_own
        hosts = replace(hosts, lockstep=hosts.lockstep and arrives_together(self.task))
        # In step, all hosts that are still in the play have run the guarded tasks. In a user's own, `done` records it.
        through = hosts.batch if is_batch else {self.host} & hosts.active
        through = frozenset() if is_own else through

        def decide(records: list[Record]) -> tuple[tuple[Record, ...], tuple[Evaluation, bool]]:
            successes = guards.finished(records, guard.guard, through)
            for record in successes:
                if record.type == RecordType.UNPROVEN:
                    self._explain_unproven(record.host)
            evaluation = guards.evaluate([*records, *successes], guard.guard, hosts)
            is_new = guards.is_due(records, guard.guard, evaluation, reports_each)
            skipped = [Record(guard.guard, host, RecordType.SKIPPED) for host in sorted(evaluation.skipped)]
            reported = Record(
                guard.guard, self.host, RecordType.REPORTED, report=evaluation.report, final=not evaluation.waiting
            )
            return (*successes, *skipped, *([reported] if is_new else [])), (evaluation, is_new)

        return self.journal.exchange(decide)

    def _report(self, guard: Record, evaluation: Evaluation) -> dict[str, Any]:
        """Report the guard's state, and return the result. Errors become warnings: they must not fail the step."""
        if self.settings is None:
            if evaluation.failures:
                self.warnings.append(f"no incident was triggered for this failure. {self.trouble}")
            return {}
        try:
            # A user's own trigger and resolve may stand in different plays, with different hosts.
            may_match_others = not guard.include or is_template(self.task.play)
            run = evaluation.run(_playbook(self.task.play), self.variables["ansible_play_hosts_all"], may_match_others)
            inventory = read_inventory(self.task.get_variable_manager()._inventory)
            if not guard.include:
                # No run of a user's own guard says which hosts it has, so its added hosts would never leave.
                inventory = replace(inventory, added=frozenset())
            reporter = self._reporter(self.settings, guard)
            with self.journal.one_at_a_time():
                result = reporter.reconcile(run, evaluation.mark, inventory, self.settings.max_delay)
        except Exception as error:
            self._warn_of(error)
            return {}
        self.warnings += result.warnings
        for note in result.notes:
            self.display.v(f"incident_guard: {note}")
        for done in result.done:
            announce(self.display, done)
        triggers = [sent.reply.outcome for sent in result.sent if sent.is_own and sent.request.state == TRIGGERED]
        is_triggered = all(outcome in (outcomes.CREATED, outcomes.DUPLICATE) for outcome in triggers)
        changed = any(sent.reply.outcome in (outcomes.CREATED, outcomes.RESOLVED) for sent in result.sent)
        return {
            "changed": changed,
            "msg": "; ".join(result.done),
            # The callback reports the failures of all hosts that are not named here.
            GUARD_RESULT: {"hosts": sorted(evaluation.failures) if is_triggered else []},
        }

    def _fail_again(self, failure: Failure) -> dict[str, Any]:
        """Return a result that fails with the original error if the option ``fail`` is set; otherwise an empty one."""
        return fail_again(failure, self.variables) if self.options["fail"] else {}

    def _reporter(self, settings: Settings, guard: Record) -> IncidentReporter:
        """Return the reporter of this guard's incident."""
        playbook, extra_vars = _playbook(self.task.play), load_extra_vars(self.loader)
        whole = read_run_context(
            playbook,
            [self.task.play],
            extra_vars,
            source_hosts(self.task.get_variable_manager()._inventory),
            settings.project,
            settings.key_vars,
            settings.inventory_name,
            settings.job_url,
        )
        key, name = guard.key, guard.name
        play = str(self.variables.get("ansible_play_name", ""))
        part = part_of(whole.identity, "guard", *([key] if key else [play, name] if name else [play]))
        # --tags may select only some of the guarded tasks. Failures still belong to the guard's incident, but no host
        # recovers.
        scope = Scope(part.scope.limit)
        identity = NamedIdentity(part.base, part.name, scope, key) if key else Identity(part.base, part.name, scope)
        title = guard.title or f"{name or key or play} ({whole.subject.name})"
        is_partial = whole.is_partial or part.scope != scope
        guarded = replace(whole, identity=identity, subject=replace(whole.subject, name=title), is_partial=is_partial)
        return IncidentReporter(guarded, settings)

    def _explain_unproven(self, host: str) -> None:
        self.display.v(f"incident_guard: {host} was unreachable for a task, so the incident is not resolved")

    def _warn_of(self, error: Exception) -> None:
        self.warnings.append(f"incident reporting failed: {type(error).__name__}: {error}")


def _playbook(play: Any) -> str:
    """Return the path of the file that contains the play."""
    return play_file(play) or str(next(iter(context.CLIARGS.get("args") or ()), ""))
