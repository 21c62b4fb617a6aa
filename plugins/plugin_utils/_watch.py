# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks after runs and wishes that no run looks after itself: killed, hanging and overdue runs, undelivered requests.

Must not print, nor know who asks: the next run of the same base, or ``callgoose_watch``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import this_machine
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import (
    Sender,
    record,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.rules import Request
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.watching import found
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.about import read_about
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.reasons import describe
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._noted_run import gone_runs
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings


def watch_base(
    store: Store, base: str, settings: Settings, sender: Sender, clock: Callable[[], float] = time.time
) -> None:
    """Record which runs of a base were killed, hang, or are missing. Nothing is sent.

    :raises StoreError: the store cannot be used.
    """
    stories: dict[str, Mapping[str, Any]] = {}
    machine = this_machine().name

    def change(ledger: Ledger) -> tuple[Ledger, Collection[str]]:
        ledger, failing = found(ledger, gone_runs(ledger, machine), describe, settings.policy, clock())
        stories.update(dict.fromkeys(ledger.incidents, ledger.about) | failing)
        return ledger, failing

    def compose(request: Request) -> dict[str, Any]:
        subject, options = read_about(stories[request.key])
        return payload_for(request, subject, options, 0, settings.redactor).body()

    record(store, base, change, settings.policy, replace(sender, compose=compose), clock, is_own=False)
