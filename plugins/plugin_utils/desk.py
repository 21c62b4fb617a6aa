# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What callback and guard share: a run goes in when it is over, and comes out as incidents raised and resolved.

Must not print, nor import what only a failure or a page needs before there is one: Ansible compiles each file of a
collection anew in each run, and in most runs all is well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ansible import constants as C

from ansible_collections.callgoose.sqibs.plugins.module_utils import outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils.errors import CallgooseError, DeliveryError
from ansible_collections.callgoose.sqibs.plugins.module_utils.event import canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.case import Case
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.delivery import Reply, Settlement, settle, with_trouble
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.incidents import RunFacts, Send
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.settings import Settings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.store import (
    MemoryStore,
    Store,
    StoreError,
    StoreLost,
    open_store,
)

if TYPE_CHECKING:
    from ansible_collections.callgoose.sqibs.plugins.module_utils.client import Client

# Where the store is when nobody names one.
_DEFAULT_STORE = "callgoose/state.sqlite3"
# Seconds to wait for another run's change, however little time is left: what is not noted is lost.
_PATIENCE = 0.1


class Desk:
    """Takes one case from its beginning to its settlement."""

    def __init__(self, case: Case, settings: Settings) -> None:
        self.case = case
        self._settings = settings
        self._client: Client | None = None
        self._trouble: StoreError | None = None

    def begin(self, seconds: float | None = None) -> Mark:
        """Return the mark of the moment: only failures recorded before it can be put right by what begins now.

        :param seconds: what is left of the time that this may take; None: all of it.
        """
        try:
            store = self._store(self._settings.max_delay if seconds is None else seconds)
            return store.read(self.case.identity.base).mark
        except StoreError as error:
            self._trouble = error
            return Mark("", 0)  # it fits no ledger, so it puts nothing right

    @property
    def loss(self) -> str:
        """What :meth:`begin` found lost, if anything. :meth:`settle` of the same desk says it too."""
        return str(self._trouble) if isinstance(self._trouble, StoreLost) else ""

    def settle(self, run: Run, began: Mark, inventory: frozenset[str], seconds: float) -> Settlement:
        """Note the run, and send what is due because of it.

        :param began: what :meth:`begin` returned when the run began.
        :param inventory: all hosts of the inventory.
        :param seconds: how long sending may take.
        """
        deadline = time.monotonic() + seconds
        failed, aborted = self._failure_data(run)
        facts = RunFacts(
            scope=self.case.identity.scope,
            key=self.case.identity.key,
            succeeded=run.succeeded,
            failed=failed,
            inventory=inventory,
            began=began,
            aborted=aborted,
            partial=self.case.is_partial or run.interrupted,
            dubious=run.dubious,
            guarded=bool(run.guarded),
        )
        try:
            store = self._store(seconds)
        except StoreError as error:
            self._trouble, store = error, MemoryStore()
        post = self._posting(run.hosts, deadline)
        settlement = settle(store, self.case.identity.base, facts, self._settings.policy, post)
        self._client = None
        # What was lost at the beginning is said by nothing else; that the store cannot be used is said once.
        if self._trouble and (self.loss or not settlement.notes):
            return with_trouble(settlement, self._trouble)
        return settlement

    def _failure_data(self, run: Run) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
        """Return what the ledger is to keep of what went wrong, by host, and of the run itself where it was aborted."""
        if not run.failures and not run.aborted:
            return {}, None
        from ansible_collections.callgoose.sqibs.plugins.plugin_utils.failure_data import aborted_data, failure_data

        settings = self._settings
        failed = failure_data(run, settings.redactor, settings.report, self.case.subject.root)
        return failed, aborted_data() if run.aborted else None

    def _store(self, seconds: float) -> Store:
        # C.config would look for the working directory again, which the run may have removed
        url = self._settings.state_url or f"sqlite:///{C.ANSIBLE_HOME}/{_DEFAULT_STORE}"
        # Who waits for another run's change waits within the time that sending may take.
        return open_store(url, patience=max(min(self._settings.max_delay / 5, seconds), _PATIENCE))

    def _posting(self, hosts: frozenset[str], deadline: float) -> Callable[[Send], Reply]:
        def post(send: Send) -> Reply:
            from ansible_collections.callgoose.sqibs.plugins.plugin_utils.page import event_for

            # An incident can have hosts of earlier runs, which this run's plays did not match.
            is_covered = all(host in hosts or host.startswith("*") for host in send.hosts)
            total = len(hosts) if is_covered else 0
            event = event_for(send, self.case.subject, self._settings.report, total, self._settings.redactor)
            try:
                answer = self._connected().send(canonical_json(event.body()), "application/json", deadline)
            except DeliveryError as error:
                fate = None if error.uncertain else outcomes.FAILED
                return Reply(fate, str(error), in_time=time.monotonic() < deadline)
            except CallgooseError as error:
                return Reply(outcomes.FAILED, str(error))
            # Unlike a task, the ledger may not take a duplicate for its own first attempt: it could be an old page's.
            outcome = outcomes.judge(send.state, answer.status, answer.body)
            is_doubtful = outcome.name == outcomes.FAILED and (outcome.changed or answer.uncertain)
            fate = None if is_doubtful else outcome.name
            return Reply(fate, outcome.message, answer.uncertain, in_time=time.monotonic() < deadline)

        return post

    def _connected(self) -> Client:
        if self._client is None:
            from ansible_collections.callgoose.sqibs.plugins.module_utils.client import Client

            self._client = Client(self._settings.connection)
        return self._client
