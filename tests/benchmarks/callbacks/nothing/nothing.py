# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback that ignores the events of the failure callback, to measure what ansible-core itself needs for them.

Must not import anything else, and must accept the same events: newer ansible-core copies results only for callbacks
that accept them.
"""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: nothing
type: notification
short_description: Does nothing
description: Does nothing.
"""


class CallbackModule(CallbackBase):
    """Accepts events and ignores them."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "nothing"
    CALLBACK_NEEDS_ENABLED = True

    def _take(self, *_args, **_kwargs):
        pass

    v2_playbook_on_start = v2_playbook_on_play_start = v2_playbook_on_stats = _take
    v2_playbook_on_task_start = v2_playbook_on_handler_task_start = _take
    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = _take
