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

from ansible_collections.callgoose.sqibs.plugins.plugin_utils.case import read_case
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.delivery import Settlement
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.desk import Desk
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Mark
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.settings import Settings, settings_from

# Whoever runs these talks to Callgoose already.
_OWN_PLAYBOOKS = "callgoose.sqibs.*"


class Pager:
    """Takes up each run of one ansible-playbook call and settles it.

    :param options: the callback's, by name.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._settings: Settings | None = None
        self._seconds = 0.0
        self._desk: Desk | None = None
        self._began = Mark("", 0)

    def begin(self, playbook: str, extra_vars: Mapping[str, Any]) -> None:
        """Take up a run.

        :param playbook: as it was named.
        :raises OptionError: an option is refused; nothing will be sent for this run.
        """
        self._desk = None
        settings = self._checked()
        case = read_case(playbook, extra_vars, settings)
        if self._is_watched(case.playbook):
            self._desk = Desk(case, settings)
            started = time.monotonic()
            self._began = self._desk.begin(self._seconds)
            self._seconds -= time.monotonic() - started

    def finish(self, run: Run, inventory: Callable[[], frozenset[str]]) -> Settlement:
        """Settle the run that was taken up, and return what was done about it."""
        desk, self._desk = self._desk, None
        is_wanted = run.interrupted and self._options["on_interrupt"] == "ignore"
        if desk is None or run.check_mode or is_wanted:
            return Settlement()
        started = time.monotonic()
        settlement = desk.settle(run, self._began, inventory(), self._seconds)
        self._seconds -= time.monotonic() - started
        return settlement

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
