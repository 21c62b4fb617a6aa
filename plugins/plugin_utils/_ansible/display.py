# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in one line what was done about a run.

Must not write into an output that a machine reads: a line of ours behind a callback's JSON is no JSON any more.
"""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible.plugins.callback.default import CallbackModule as DefaultOutput
from ansible.plugins.loader import callback_loader


def announce(display: Any, text: str) -> None:
    """Say a line among the run's own, or on standard error where those are not lines of text for people."""
    display.display(f"Callgoose: {text}", stderr=not _is_for_people())


def _is_for_people() -> bool:
    """Return whether Ansible's output is the usual one, or one made of it, such as AWX's."""
    try:
        output = callback_loader.get(C.DEFAULT_STDOUT_CALLBACK, class_only=True)
        return issubclass(output, DefaultOutput)
    except Exception:
        # A callback is code of anybody's. What it prints is then not known.
        return False
