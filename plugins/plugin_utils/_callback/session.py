# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manages the runs of one ansible-playbook call for the callback: which are watched, and the time they share.

Must not read events. All runs of the call together may take at most `max_delay` for sending.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import (
    full_name,
    this_machine,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import (
    play_file,
    read_run_context,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import NOTHING_DONE, Reconciliation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import NO_MARK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._reporter import IncidentReporter
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Inventory, Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import PLAYBOOK, Settings, settings_from

# Returns by host the value of a host variable, given its name.
Groups = Callable[[Collection[str], str], Mapping[str, str]]
# These playbooks send to Callgoose themselves.
_OWN_PLAYBOOKS = "callgoose.sqibs.*"


class Session:
    """Begins and finishes each run of one ansible-playbook call.

    :param options: the callback's options, by name.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._settings: Settings | None = None
        self._seconds = 0.0
        self._reporter: IncidentReporter | None = None
        self._began = NO_MARK
        self._is_noticing = False

    def begin(
        self, playbook: str, plays: Collection[Any], extra_vars: Mapping[str, Any], hosts: Collection[str]
    ) -> Reconciliation:
        """Begin a run, and return what was done about runs before that were killed, hang, or are missing.

        :param playbook: as named on the command line.
        :param plays: its `Play` objects.
        :param extra_vars: the run's extra vars.
        :param hosts: names of the hosts that the inventory's sources name.
        :raises OptionError: an option is invalid; nothing will be sent for this run.
        """
        self._reporter = None
        if _is_own(plays):
            return NOTHING_DONE
        settings = self._checked()
        run_context = read_run_context(
            playbook,
            plays,
            extra_vars,
            hosts,
            settings.project,
            settings.key_vars,
            settings.inventory_name,
            settings.job_url,
        )
        if not self._is_watched(run_context.playbook):
            return NOTHING_DONE
        self._reporter = IncidentReporter(run_context, settings)
        self._is_noticing = settings.is_immediate
        started = time.monotonic()
        if run_context.is_check:
            self._began, result = self._reporter.begin(self._seconds), NOTHING_DONE
        else:
            self._began, result = self._reporter.begin_noted(self._seconds)
        self._seconds -= time.monotonic() - started
        return result

    def task_started(self, task: str) -> None:
        """Note which task the run is in.

        :param task: its name as written.
        """
        if self._reporter:
            self._reporter.touch(task)

    def failed(self, run: Callable[[], Run], groups: Groups) -> None:
        """Send the first failure that no rescue can catch, if the user wants that at once.

        :param run: returns the run so far.
        :param groups: as for :meth:`finish`.
        """
        if self._reporter is None or not self._is_noticing or self._reporter.context.is_check:
            return
        so_far = run()
        if so_far.failures:
            self._is_noticing = False
            self._reporter.notice(so_far, self._began, self._grouping(groups))

    def _grouping(self, groups: Groups) -> Callable[[Collection[str]], Mapping[str, str]] | None:
        variable = self._checked().group_by
        return None if variable == PLAYBOOK else lambda hosts: groups(hosts, variable)

    def finish(
        self,
        run: Run,
        inventory: Callable[[], Inventory],
        groups: Groups,
    ) -> Reconciliation:
        """Reconcile the run that :meth:`begin` began, and return what was done.

        :param inventory: returns the hosts of the inventory; called only if the run is reconciled.
        :param groups: returns by host the value of a host variable, given its name.
        """
        reporter, self._reporter = self._reporter, None
        is_deliberate = run.interrupted and self._options["on_interrupt"] == "ignore"
        if reporter is None:
            return NOTHING_DONE
        if run.check_mode or is_deliberate:
            reporter.forget("a run was interrupted, and on_interrupt is ignore" if is_deliberate else "")
            return NOTHING_DONE
        started = time.monotonic()
        result = reporter.reconcile(run, self._began, inventory(), self._seconds, self._grouping(groups))
        self._seconds -= time.monotonic() - started
        return result

    def _checked(self) -> Settings:
        if self._settings is None:
            self._settings = settings_from(self._options)
            self._seconds = self._settings.max_delay
        return self._settings

    def _is_watched(self, playbook: str) -> bool:
        included = self._options["playbooks"]
        excluded = self._options["exclude_playbooks"]
        return (not included or _matches(playbook, included)) and not _matches(playbook, excluded)


def _is_own(plays: Iterable[Any]) -> bool:
    """Return whether all plays are of this collection. AWX imports them: a job template has to name a file."""
    directory = this_machine().directory
    return all(fnmatchcase(full_name(play_file(play), directory), _OWN_PLAYBOOKS) for play in plays)


def _matches(playbook: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(playbook, pattern) for pattern in patterns)
