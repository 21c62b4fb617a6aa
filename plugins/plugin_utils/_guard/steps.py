# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the role `incident_guard`, each for one host: they record what happened to it, and report the rest once.

Must not decide what follows from the records (state.py does), nor what is sent for it (the reporter does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible import context
from ansible.utils.vars import load_extra_vars

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.display import announce
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.inventory import known_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import GUARD_RESULT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import read_run_context
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard import state as guards
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.content import find_content
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.hosts import read_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.include import include_id, is_same_for_all_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.journal import Journal
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.rescue import (
    dropped_failure,
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
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Failure
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings


class _NotBegunError(Exception):
    """This host has begun no guard here."""


@dataclass
class GuardSteps:
    """The steps of one guard for one host.

    :param task: the step's own `Task`. :param variables: the host's, as the task sees them.
    :param options: the guard's own options, checked. :param journal: holds the records of this call.
    :param settings: what is sent where; None where that is of no use, for the reason in ``trouble``.
    :param loader: Ansible's `DataLoader`. :param display: Ansible's `Display`.
    :param warnings: gets what the user must know.
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

    def take(self, step: str) -> dict[str, Any]:
        """Take one step and return Ansible's result of it.

        :param step: ``begin``, ``done``, ``failed`` or ``settle``.
        :raises OptionError: an option is refused; only ``begin`` does that.
        """
        steps = {"begin": self._begin, "done": self._done, "failed": self._failed, "settle": self._settle}
        return steps[step]()

    def _begin(self) -> dict[str, Any]:
        """Check what is to be guarded before any of it runs, and record that this host begins."""
        if self.task.when:
            # Ansible asks it again before each step. Were it false by then, the error would be swallowed.
            problem = f"a condition around the role holds for each of its steps ({self.task.when[0]})"
            raise OptionError("tasks", problem, "Put it on the include itself: include_role with its own when.")
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
            earlier=fingerprint(self.variables),
        )
        self._refuse_second(guard)
        if self.trouble:
            self.warnings.append(f"a failure pages nobody, and nothing is resolved. {self.trouble}")
        self._record(replace(guard, mark=self._mark(guard)), RecordType.BEGAN)
        return {"files": list(content.files), "roles": list(content.roles)}

    def _done(self) -> dict[str, Any]:
        """Record that this host reached the end."""
        # `always` is also where hosts come whose failure nobody has rescued: those are out of the play by now.
        if self.host not in self.variables["ansible_play_hosts"]:
            return {}
        try:
            guard, records = self._guard_and_records()
        except _NotBegunError:
            return {}
        except Exception as error:
            self._warn_of(error)
            return {}  # what is not known to be good resolves nothing
        if guards.failure_of(records, guard.guard, self.host):
            return {}
        type = RecordType.SUCCEEDED
        if guards.was_unreachable(records, guard.guard, self.host):
            type = RecordType.UNPROVEN
            self.display.v(f"incident_guard: {self.host} was unreachable for a task, so nothing is resolved")
        self._record(guard, type)
        return {}

    def _failed(self) -> dict[str, Any]:
        """Record that this host failed, and why."""
        failure, is_fatal = original_error(self.variables)
        try:
            guard, records = self._guard_and_records()
        except _NotBegunError:
            return self._fail_again(failure)
        except Exception as error:
            self._warn_of(error)
            # Nobody would fail again for what could not be recorded.
            return self._fail_again(failure)
        if guards.is_earlier(records, guard.guard, self.host, fingerprint(self.variables)):
            failure, is_fatal = dropped_failure(self.variables), False
        is_recorded = self._record(guard, RecordType.FAILED, failure=failure, fatal=is_fatal)
        return {} if is_recorded else self._fail_again(failure)

    def _settle(self) -> dict[str, Any]:
        """Report what is known, unless another host has, and fail again where this host failed."""
        did: dict[str, Any] = {"changed": False, GUARD_RESULT: {"hosts": []}}
        try:
            guard, records = self._guard_and_records()
            evaluation, is_new = self._evaluate(guard, guards.failure_of(records, guard.guard, self.host))
        except _NotBegunError:
            return did
        except Exception as error:
            self._warn_of(error)
            failure = original_error(self.variables)[0] if "ansible_failed_result" in self.variables else None
        else:
            failure = evaluation.failures.get(self.host)
            if is_new and not self.task.check_mode:
                did.update(self._report(guard, evaluation))
        return {**did, **self._fail_again(failure)} if failure else did

    # what is recorded

    def _guard_and_records(self) -> tuple[Record, list[Record]]:
        """Return the guard that this step belongs to, as a record of this host, and the host's records so far.

        That is the one that the host has begun. A rescue of the user's own has no beginning: there it is the one with
        the key, in whatever play, or that of the play.

        :raises OSError: the journal cannot be read.
        :raises _NotBegunError: the host has begun none, as where it was refused and the user ignores errors.
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
        """Refuse what would have one incident for two guards: a success of one would close what the other opens.

        :raises OptionError: this host has begun the same guard before, or another guard has the same key.
        """
        try:
            records = self.journal.read(self.host)
            others = self.journal.read(guard.key) if guard.key else []
        except (OSError, ValueError):
            return  # then nothing can be recorded, and so nothing is closed
        if guards.shares_key(others, guard):
            problem = "another guard of this run has the same key"
        elif any((one.guard, one.host, one.type) == (guard.guard, self.host, RecordType.BEGAN) for one in records):
            problem = "this play has guarded the same before, under the same key"
        else:
            return
        raise OptionError("incident_key", problem, "Give each of these guards a key of its own.")

    def _mark(self, guard: Record) -> Mark | None:
        """Return the ledger's mark of this moment."""
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
        # A rescue of the user's own has no beginning whose mark it could keep.
        mark = guard.mark if guard.include else self._mark(guard)
        try:
            self.journal.write(replace(guard, type=type, mark=mark, **more))
        except Exception as error:
            self._warn_of(error)
            return False
        return True

    # what follows

    def _evaluate(self, guard: Record, failure: Failure | None) -> tuple[Evaluation, bool]:
        """Return what is known of the guard, and whether it is for this host to report it.

        :param failure: why this host failed, if it did.
        """
        if guards.is_final(self.journal.last(guard.guard), failure):
            return Evaluation({self.host: failure} if failure else {}), False
        hosts = read_hosts(self.variables, self.task.play)
        hosts = replace(hosts, lockstep=hosts.lockstep and is_same_for_all_hosts(self.task))

        def decide(records: list[Record]) -> tuple[tuple[Record, ...], tuple[Evaluation, bool]]:
            evaluation = guards.evaluate(records, guard.guard, hosts)
            report = evaluation.report
            is_new = bool(report) and not guards.is_reported(records, guard.guard, report)
            skipped = [Record(guard.guard, host, RecordType.SKIPPED) for host in sorted(evaluation.skipped)]
            reported = Record(guard.guard, self.host, RecordType.REPORTED, report=report, final=not evaluation.waiting)
            return (*skipped, *([reported] if is_new else [])), (evaluation, is_new)

        return self.journal.exchange(decide)

    def _report(self, guard: Record, evaluation: Evaluation) -> dict[str, Any]:
        """Hand what is known to the rules, and return what came of it. It fails nothing, whatever comes of it."""
        if self.settings is None:
            if evaluation.failures:
                self.warnings.append(f"this failure pages nobody. {self.trouble}")
            return {}
        try:
            run = evaluation.run(_playbook(self.task.play), self.variables["ansible_play_hosts_all"])
            inventory = known_hosts(self.task.get_variable_manager()._inventory)
            reporter = self._reporter(self.settings, guard)
            result = reporter.reconcile(run, evaluation.mark, inventory, self.settings.max_delay)
        except Exception as error:
            self._warn_of(error)
            return {}
        self.warnings += result.warnings
        for note in result.notes:
            self.display.v(f"incident_guard: {note}")
        for done in result.done:
            announce(self.display, done)
        pages = [sent.reply.outcome for sent in result.sent if sent.request.state == TRIGGERED]
        is_paged = all(outcome in (outcomes.CREATED, outcomes.DUPLICATE) for outcome in pages)
        changed = any(sent.reply.outcome in (outcomes.CREATED, outcomes.RESOLVED) for sent in result.sent)
        return {
            "changed": changed,
            "msg": "; ".join(result.done),
            # The callback pages for whatever is not named here.
            GUARD_RESULT: {"hosts": sorted(evaluation.failures) if is_paged else []},
        }

    def _fail_again(self, failure: Failure) -> dict[str, Any]:
        """Return the result that fails with the original error, if the user wants that."""
        return fail_again(failure, self.variables) if self.options["fail"] else {}

    def _reporter(self, settings: Settings, guard: Record) -> IncidentReporter:
        """Return the reporter of this guard's incident."""
        playbook, extra_vars = _playbook(self.task.play), load_extra_vars(self.loader)
        whole = read_run_context(playbook, extra_vars, settings.project, settings.key_vars)
        key, name = guard.key, guard.name
        play = str(self.variables.get("ansible_play_name", ""))
        part = part_of(whole.identity, "guard", *([key] if key else [play, name] if name else [play]))
        # Tags choose among the guarded tasks: a failure belongs to the guard, and a success proves nothing.
        scope = Scope(part.scope.limit)
        identity = NamedIdentity(part.base, part.name, scope, key) if key else Identity(part.base, part.name, scope)
        title = guard.title or f"{name or key or play} ({whole.subject.name})"
        is_partial = whole.is_partial or part.scope != scope
        guarded = replace(whole, identity=identity, subject=replace(whole.subject, name=title), is_partial=is_partial)
        return IncidentReporter(guarded, settings)

    def _warn_of(self, error: Exception) -> None:
        self.warnings.append(f"it could not do its part: {type(error).__name__}: {error}")


def _playbook(play: Any) -> str:
    """Return the path of the file that the play is written in."""
    path = (play.get_path() or "").rpartition(":")[0]
    return path or str(next(iter(context.CLIARGS.get("args") or ()), ""))
