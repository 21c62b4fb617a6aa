# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports a finished run for the callback and the guard: triggers and resolves its incidents.

Must not print, nor import at the top what only failures or requests need: Ansible compiles each file of a collection
again in each run, and most runs have neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible import constants as C
from ansible import context

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, DeliveryError
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import RunContext, Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import NO_MARK, Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import (
    Reconciliation,
    Reply,
    reconcile,
    with_trouble,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import Request, RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    Store,
    StoreError,
    StoreLost,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import (
    MemoryStore,
    open_store,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Inventory, Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings

if TYPE_CHECKING:
    from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client

# The default store, relative to Ansible's home.
_DEFAULT_STORE = "callgoose/state.sqlite3"
# Minimum seconds to wait for a locked store, however little time is left: an unrecorded run cannot be made up for.
_PATIENCE = 0.1


class IncidentReporter:
    """Reports one run, or one guarded part of it, from its beginning to its end."""

    def __init__(self, context: RunContext, settings: Settings) -> None:
        self.context = context
        self._settings = settings
        self._client: Client | None = None
        self._store_error: StoreError | None = None

    def begin(self, seconds: float | None = None) -> Mark:
        """Return the ledger's current mark. The run that begins now can only clear failures recorded before it.

        If the store cannot be used, return ``NO_MARK``; :meth:`reconcile` reports the error.

        :param seconds: remaining time that this may take; None means ``max_delay``.
        """
        try:
            store = self._store(self._settings.max_delay if seconds is None else seconds)
            return store.read(self.context.identity.base).mark
        except StoreError as error:
            self._store_error = error
            return NO_MARK

    @property
    def loss(self) -> str:
        """The message about data that :meth:`begin` found lost, or empty. :meth:`reconcile` reports it too."""
        return str(self._store_error) if isinstance(self._store_error, StoreLost) else ""

    def reconcile(self, run: Run, began: Mark, inventory: Inventory, seconds: float) -> Reconciliation:
        """Record the run, send what is due, and return what was done.

        :param began: the mark that :meth:`begin` returned.
        :param inventory: its hosts, read when the run ended.
        :param seconds: how long sending may take.
        """
        deadline = time.monotonic() + seconds
        failed, aborted = self._snapshots(run)
        facts = RunFacts(
            scope=self.context.identity.scope,
            key=self.context.identity.key,
            succeeded=run.succeeded,
            failed=failed,
            inventory=inventory.hosts,
            added=inventory.added,
            began=began,
            aborted=aborted,
            partial=self.context.is_partial or run.interrupted,
            dubious=run.dubious,
            guarded=bool(run.guarded),
            matched=run.matched,
            revision=self.context.subject.origin.revision,
            unlimited_key=self.context.identity.unlimited.key if self.context.is_relaunched else "",
        )
        try:
            store = self._store(seconds)
        except StoreError as error:
            self._store_error, store = error, MemoryStore()
        post = self._poster(run.hosts, deadline)
        result = reconcile(store, self.context.identity.base, facts, self._settings.policy, post)
        self._client = None
        # Report data lost at the beginning in any case; report an unusable store only if nothing else does.
        if self._store_error and (self.loss or not result.notes):
            result = with_trouble(result, self._store_error)
        if self._settings.redaction_trouble:
            result = replace(result, warnings=(*result.warnings, self._settings.redaction_trouble))
        return result

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

    def _store(self, seconds: float) -> Store:
        # Not C.config: it would look for the working directory again, which the run may have removed.
        url = self._settings.state_url or f"sqlite:///{C.ANSIBLE_HOME}/{_DEFAULT_STORE}"
        # Waiting for a locked store counts towards the time that sending may take.
        return open_store(url, patience=max(min(self._settings.max_delay / 5, seconds), _PATIENCE))

    def _poster(self, hosts: frozenset[str], deadline: float) -> Callable[[Request], Reply]:
        def post(request: Request) -> Reply:
            from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for

            # An incident can have hosts of earlier runs that this run's plays did not match.
            is_covered = all(host in hosts or host.startswith("*") for host in request.hosts)
            total = len(hosts) if is_covered else 0
            payload = payload_for(request, self._subject, self._settings.page, total, self._settings.redactor)
            try:
                answer = self._connected().send(canonical_json(payload.body()), "application/json", deadline)
            except DeliveryError as error:
                result = None if error.uncertain else outcomes.FAILED
                return Reply(result, str(error), in_time=time.monotonic() < deadline)
            except CallgooseError as error:
                return Reply(outcomes.FAILED, str(error))
            # Unlike a task, the ledger cannot assume that a duplicate means its own first attempt: it could mean an
            # older trigger.
            outcome = outcomes.interpret(request.state, answer.status, answer.body)
            is_unknown = outcome.name == outcomes.FAILED and (outcome.changed or answer.uncertain)
            result = None if is_unknown else outcome.name
            return Reply(result, outcome.message, answer.uncertain, in_time=time.monotonic() < deadline)

        return post

    @cached_property
    def _subject(self) -> Subject:
        """The subject of a page, with how the run was started."""
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.invocation import read_invocation

        run = self.context
        invocation = read_invocation(context.CLIARGS, run.extra_vars, run.facts, run.subject.origin, run.directory)
        return replace(run.subject, invocation=invocation)

    def _connected(self) -> Client:
        if self._client is None:
            from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client

            self._client = Client(self._settings.connection)
        return self._client
