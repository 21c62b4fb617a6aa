# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure callback: Ansible's events in, one finished run out.

Must not decide anything about a run itself, and must not let an exception out: it never harms the run.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: callgoose_incident
type: notification
short_description: Pages when a playbook fails
version_added: 0.1.0
author: Callgoose SQIBS collection contributors (@callgoose)
description:
  - Raises an incident when a playbook run fails, and resolves it when a later run succeeds.
options:
  unreachable:
    description: What a host is that cannot be reached.
    type: str
    choices: [fail, ignore]
    default: fail
    env:
      - name: CALLGOOSE_UNREACHABLE
    ini:
      - section: callback_callgoose_incident
        key: unreachable
  on_interrupt:
    description: What to do about a run that was ended by Ctrl-C or SIGTERM.
    type: str
    choices: [ignore, trigger]
    default: ignore
    env:
      - name: CALLGOOSE_ON_INTERRUPT
    ini:
      - section: callback_callgoose_incident
        key: on_interrupt
"""

import functools
from collections.abc import Callable
from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ansible_events import EventReader
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.process_end import ProcessEnd
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.recorder import Recorder
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import Run


def harmless(event: Callable[..., None]) -> Callable[..., None]:
    """Let no exception out of an event: since ansible-core 2.19 it can end the run. The first one is a warning."""

    @functools.wraps(event)
    def call(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        try:
            event(self, *args, **kwargs)
        except Exception as error:
            self._broke(error)

    return call


class CallbackModule(CallbackBase):
    """Hands on what happens."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "callgoose.sqibs.callgoose_incident"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._end = ProcessEnd(self._given_up)
        self._has_warned = False
        self._set_up(ignore_unreachable=False, notice_sigterm=False)

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        """Read the options: Ansible calls this once, before the first event."""
        super().set_options(*args, **kwargs)
        self._set_up(self.get_option("unreachable") == "ignore", self.get_option("on_interrupt") == "trigger")

    def _set_up(self, ignore_unreachable: bool, notice_sigterm: bool) -> None:
        self._recorder = Recorder(ignore_unreachable)
        self._events = EventReader(self._recorder)
        self._notices_sigterm = notice_sigterm

    @harmless
    def v2_playbook_on_start(self, playbook: Any) -> None:
        name = self._events.playbook_started(playbook)
        if name is not None:
            self._end.watch(self._notices_sigterm)
            self._begun(name)

    @harmless
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._events.play_started(play)

    @harmless
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._events.task_started()

    @harmless
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._events.task_started()

    @harmless
    def v2_runner_on_ok(self, result: Any) -> None:
        self._events.ok(result)

    @harmless
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._events.failed(result, ignore_errors)

    @harmless
    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._events.unreachable(result)

    @harmless
    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._recorder.running:
            self._finished(self._events.playbook_ended(stats))

    @harmless
    def _given_up(self, interrupted: bool) -> None:
        """Take up a run that never came to its end, when the process does."""
        if self._recorder.running:
            self._finished(self._recorder.give_up(interrupted))

    def _broke(self, error: Exception) -> None:
        """Say once that this callback failed. A run of which an event is lost proves nothing good."""
        self._recorder.doubt()
        if not self._has_warned:
            self._has_warned = True
            self._display.warning(f"callgoose.sqibs.callgoose_incident: {type(error).__name__}: {error}")

    def _begun(self, playbook: str) -> None:
        """A run has begun."""

    def _finished(self, run: Run) -> None:
        """A run is over, or given up."""
