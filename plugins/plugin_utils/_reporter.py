# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports a finished run for the callback and the guard: triggers and resolves its incidents.

Must not print, nor import at the top what only failures or requests need: Ansible compiles each file of a collection
again in each run, and most runs have neither.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible import context

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.process import this_process
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import this_machine
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import RunContext, Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import (
    Delivery,
    Reconciliation,
    Sender,
    deliver,
    with_trouble,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy, Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    NO_MARK,
    NONE,
    Incident,
    Ledger,
    Mark,
    RunNote,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import is_pseudo
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import (
    reconcile,
    record,
    run_change,
    stored_incident,
    unrecorded_run_warnings,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import StoreBusy, StoreError, StoreLost
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import MemoryStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import Reply, after_answer
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._noted_run import NotedRun
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import Poster, destination_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Inventory, Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._state import open_state, state_url

if TYPE_CHECKING:
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._courier import Courier

# Returns the groups of hosts.
GroupOf = Callable[[Collection[str]], Mapping[str, str]]
_NO_GROUP = (
    "group_by: no failed host has the variable {name}, so that all are in one incident. "
    "Correct the name, or set the variable in the inventory."
)
_NAMELESS = (
    "AWX does not know its own address (AWX_HOST is https://towerhost), so that pages have no link to the job unless "
    "job_url names the address, and two such AWXs would share incidents. An administrator sets it in AWX: Settings, "
    "System, Base URL of the service."
)
_SLICE = (
    "this job counts as a slice, because its workflow has the name of the job template. A slice resolves only what its "
    "store knows, so no later job resolves this incident if the store is lost after the job. Set state_url to a "
    "database that the jobs share. If it is no slice, give the workflow another name."
)


class IncidentReporter:
    """Reports one run, or one guarded part of it, from its beginning to its end."""

    def __init__(self, context: RunContext, settings: Settings) -> None:
        self.context = context
        self._settings = settings
        self._note: NotedRun | None = None
        self._store_error: StoreError | None = None
        self._memory: MemoryStore | None = None  # what a run without a store has noticed
        self._noticed: frozenset[str] = frozenset()
        self._courier: Courier | None = None
        self._requests: dict[str, Request] = {}

    def begin(self, seconds: float | None = None) -> Mark:
        """Return the ledger's current mark. The run that begins now can only clear failures recorded before it.

        If the store cannot be used, return ``NO_MARK``; :meth:`reconcile` reports the error.

        :param seconds: remaining time that this may take; None means ``max_delay``.
        """
        try:
            seconds = self._settings.max_delay if seconds is None else seconds
            with closing(open_state(self._settings.state_url, self._settings.max_delay, seconds)) as store:
                return store.read(self.context.identity.base, ()).mark
        except StoreError as error:
            self._store_error = error
            return NO_MARK

    def begin_noted(self, seconds: float) -> tuple[Mark, Reconciliation]:
        """Do what :meth:`begin` does, and note the run: if it is killed or hangs, others find out.

        If the run before was killed, hangs, or is missing, report that first.

        :param seconds: remaining time that this may take.
        """
        deadline = time.monotonic() + seconds
        settings, identity = self._settings, self.context.identity
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.about import about

        now = time.time()
        note = RunNote(
            controller=this_machine().name,
            process=this_process(),
            began_at=now,
            touched_at=now,
            scope=identity.scope,
            key=identity.key,
            slice_of=self.context.slice_of,
            max_run_time=settings.max_run_time,
            about=about(self._subject, settings.page, settings.policy),
        )
        result = Reconciliation()
        try:
            with closing(open_state(settings.state_url, settings.max_delay, seconds)) as store:
                self._note = NotedRun(store, identity.base, note)
                name = self.context.subject.name
                mark, is_suspicious = self._note.begin(identity.whole.key, name, settings.overdue_after)
                if is_suspicious:
                    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._watch import watch_base

                    sender = replace(self._sender(frozenset(), deadline), reserve=0.0)
                    watch_base(store, identity.base, settings.redactor, sender)
                    result = deliver(store, "", (), settings.policy, sender)
                    mark = store.read(identity.base, ()).mark
        except StoreError as error:
            self._store_error = error
            return NO_MARK, result
        return mark, result

    def touch(self, task: str) -> None:
        """Note which task the run has started, at most once a minute."""
        if self._note:
            self._note.touch(task)

    def forget(self, reason: str) -> None:
        """Take the note of a run out of the store that counts neither as failed nor as successful.

        :param reason: why it does not count, for the history; empty for none.
        """
        if self._note:
            self._note.forget(reason)

    @property
    def loss(self) -> str:
        """The message about data that :meth:`begin` found lost, or empty. :meth:`reconcile` reports it too."""
        return str(self._store_error) if isinstance(self._store_error, StoreLost) else ""

    def notice(self, run: Run, began: Mark, group_of: GroupOf | None = None) -> None:
        """Record and send failures while the run goes on, once. The end of the run completes it.

        :param run: the run so far, with the failures that no rescue can catch.
        :param began: the mark that :meth:`begin` returned.
        """
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._courier import Courier

        settings, base = self._settings, self.context.identity.base
        courier = Courier()  # it starts while the page is made
        facts = replace(self._facts(run, began, Inventory(), group_of), partial=True, id="")
        self._noticed = frozenset(run.failures)
        sender = self._sender(frozenset(), time.monotonic() + settings.max_delay)
        url = state_url(settings.state_url)
        try:
            with closing(open_state(settings.state_url, settings.max_delay, settings.max_delay)) as store:
                due = record(store, base, run_change(facts, settings.policy, store), settings.policy, sender)
        except StoreError as error:
            self._store_error, self._memory, url = error, MemoryStore(), ""
            due = record(self._memory, base, run_change(facts, settings.policy, self._memory), settings.policy, sender)
        self._requests = {request.key: request for request in due if self._noticed & request.hosts}
        wishes = {key: request.incident.wish for key, request in self._requests.items() if request.incident.wish}
        courier.send(wishes, settings.connection, settings.policy, base, url, settings.max_delay)
        self._courier = courier

    def _await_courier(self, seconds: float) -> tuple[str, ...]:
        """Wait for the answers to what was noticed, and return what was done, in words."""
        if not self._courier:
            return ()
        replies = self._courier.replies(seconds)
        self._courier = None
        if replies is None:
            return ()
        if self._memory:
            policy = replace(self._settings.policy, memory=NONE)
            for key, reply in replies.items():
                change = self._answer(self._requests[key], reply, policy)
                self._memory.update(self.context.identity.base, change)
        sent = [Delivery(self._requests[key], reply) for key, reply in replies.items() if key in self._requests]
        return Reconciliation(tuple(sent)).done

    @staticmethod
    def _answer(request: Request, reply: Reply, policy: Policy) -> Callable[[Ledger], tuple[Ledger, tuple[str, ...]]]:
        return lambda ledger: after_answer(ledger, request, reply, policy, time.time())

    def reconcile(
        self,
        run: Run,
        began: Mark,
        inventory: Inventory,
        seconds: float,
        group_of: GroupOf | None = None,
    ) -> Reconciliation:
        """Record the run, send what is due, and return what was done.

        :param began: the mark that :meth:`begin` returned.
        :param inventory: its hosts, read when the run ended.
        :param seconds: how long sending may take.
        :param group_of: returns the groups of hosts; None if all are of one.
        """
        deadline = time.monotonic() + seconds
        noticed = self._await_courier(seconds)
        facts = self._facts(run, began, inventory, group_of)
        try:
            store = self._memory or open_state(
                self._settings.state_url, self._settings.max_delay, deadline - time.monotonic()
            )
        except StoreError as error:
            self._store_error, store = error, MemoryStore()
            # Nobody can tell what the store holds: a resolve that it does not know of would hide the next failure.
            facts = replace(facts, partial=facts.partial or isinstance(error, StoreBusy))
        sender = self._sender(run.hosts, deadline)
        with closing(store):
            result = reconcile(store, self.context.identity.base, facts, self._settings.policy, sender)
        if self._store_error and store.memory == NONE:
            known = self._stored(self._store_error)
            unrecorded = unrecorded_run_warnings(facts, known, self._store_error, result.opened_groups)
            result = replace(result, warnings=(*result.warnings, *unrecorded))
        if self._note and not (result.is_recorded and store.memory != NONE):
            self._note.mark_ended()
        result = replace(result, before=noticed)
        # Report data lost at the beginning in any case; report an unusable store only if nothing else does.
        if self._store_error and (self.loss or not result.notes):
            result = with_trouble(result, self._store_error)
        if facts.groups and not any(facts.groups.values()):
            result = replace(result, warnings=(*result.warnings, _NO_GROUP.format(name=self._settings.group_by)))
        if self.context.is_awx_nameless:
            result = replace(result, warnings=(*result.warnings, _NAMELESS))
        if self.context.slice_of and not self._settings.state_url and (facts.failed or facts.aborted is not None):
            result = replace(result, warnings=(*result.warnings, _SLICE))
        if self._settings.redaction_trouble:
            result = replace(result, warnings=(*result.warnings, self._settings.redaction_trouble))
        return result

    def _stored(self, error: StoreError) -> Incident | None:
        """Return this run's incident from a store that could not be written, if it can be read."""
        settings, identity = self._settings, self.context.identity
        if isinstance(error, StoreBusy | StoreLost):
            return None
        with contextlib.suppress(StoreError), closing(open_state(settings.state_url, settings.max_delay, 0.0)) as store:
            return stored_incident(store, identity.base, identity.key)
        return None

    def _facts(self, run: Run, began: Mark, inventory: Inventory, group_of: GroupOf | None) -> RunFacts:
        failed, aborted = self._snapshots(run)
        identity = self.context.identity
        return RunFacts(
            scope=identity.scope,
            key=identity.key,
            succeeded=run.succeeded,
            failed=failed,
            # The inventory of a slice lacks the hosts of the others.
            inventory=frozenset() if self.context.slice_of else inventory.hosts,
            added=inventory.added,
            began=began,
            aborted=aborted,
            partial=self.context.is_partial or run.interrupted,
            dubious=run.dubious,
            guarded=bool(run.guarded),
            matched=None if self.context.slice_of else run.matched,
            slice_of=self.context.slice_of,
            revision=self.context.subject.origin.revision,
            unlimited_key=identity.unlimited.key if self.context.is_relaunched else "",
            id=self._note.id if self._note else "",
            groups=group_of(failed) if group_of else {},
            noticed=self._noticed,
        )

    def _snapshots(self, run: Run) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
        """Return the data that the ledger keeps of the failures, by host, and of the run itself if it was aborted."""
        if not run.failures and not run.aborted:
            return {}, None
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import (
            aborted_snapshot,
            snapshot,
        )

        settings = self._settings
        failed = snapshot(run, settings.redactor, settings.page, self.context.subject.root)
        if not run.aborted:
            return failed, None
        return failed, aborted_snapshot(run, settings.redactor, self.context.subject.root)

    def _sender(self, hosts: frozenset[str], deadline: float) -> Sender:
        settings = self._settings

        def compose(request: Request) -> dict[str, Any]:
            from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for

            # An incident can have hosts of earlier runs that this run's plays did not match.
            is_covered = all(host in hosts or is_pseudo(host) for host in request.hosts)
            total = len(hosts) if is_covered and not request.incident.group else 0
            return payload_for(request, self._subject, settings.page, total, settings.redactor).body()

        poster = Poster(settings.connection, deadline)
        return Sender(compose, poster.post, destination_of(settings.connection), settings.max_delay)

    @cached_property
    def _subject(self) -> Subject:
        """The subject of a page, with how the run was started."""
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.invocation import read_invocation

        run = self.context
        invocation = read_invocation(context.CLIARGS, run.extra_vars, run.facts, run.subject.origin, run.directory)
        return replace(run.subject, invocation=invocation)
