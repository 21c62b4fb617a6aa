# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback does with the runs of one call: which of them count, and what the user is told of each.

Must not read events, nor let one run cost the next one's time: all of them together may take `max_delay`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import read_run_context
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import NO_MARK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.reconcile import Reconciliation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._reporter import IncidentReporter
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import Settings, settings_from

# Whoever runs these talks to Callgoose already.
_OWN_PLAYBOOKS = "callgoose.sqibs.*"


class Session:
    """Takes up each run of one ansible-playbook call and settles it.

    :param options: the callback's, by name.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._settings: Settings | None = None
        self._seconds = 0.0
        self._reporter: IncidentReporter | None = None
        self._began = NO_MARK

    def begin(self, playbook: str, extra_vars: Mapping[str, Any]) -> None:
        """Take up a run.

        :param playbook: as it was named.
        :raises OptionError: an option is refused; nothing will be sent for this run.
        """
        self._reporter = None
        settings = self._checked()
        context = read_run_context(playbook, extra_vars, settings.project, settings.key_vars)
        if self._is_watched(context.playbook):
            self._reporter = IncidentReporter(context, settings)
            started = time.monotonic()
            self._began = self._reporter.begin(self._seconds)
            self._seconds -= time.monotonic() - started

    def finish(self, run: Run, inventory: Callable[[], frozenset[str]]) -> Reconciliation:
        """Settle the run that was taken up, and return what was done about it."""
        reporter, self._reporter = self._reporter, None
        is_deliberate = run.interrupted and self._options["on_interrupt"] == "ignore"
        if reporter is None or run.check_mode or is_deliberate:
            return Reconciliation()
        started = time.monotonic()
        result = reporter.reconcile(run, self._began, inventory(), self._seconds)
        self._seconds -= time.monotonic() - started
        return result

    def _checked(self) -> Settings:
        if self._settings is None:
            self._settings = settings_from(self._options)
            self._seconds = self._settings.max_delay
        return self._settings

    def _is_watched(self, playbook: str) -> bool:
        wanted = self._options["playbooks"]
        unwanted = (_OWN_PLAYBOOKS, *self._options["exclude_playbooks"])
        return (not wanted or _matches(playbook, wanted)) and not _matches(playbook, unwanted)


def _matches(playbook: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(playbook, pattern) for pattern in patterns)
