# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints one line about what was sent for a run.

Must not add to output that machines read: a line of text after a callback's JSON would make it invalid.
"""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible.plugins.loader import callback_loader

# The modules of the default stdout callback: a copy of its own is loaded for the name ansible.builtin.default.
_DEFAULT_OUTPUT = frozenset(
    ("ansible.plugins.callback.default", "ansible_collections.ansible.builtin.plugins.callback.default")
)


def announce(display: Any, text: str) -> None:
    """Print a line between Ansible's, or on standard error if the stdout callback's output is not meant for people."""
    display.display(f"Callgoose: {text}", stderr=not _is_for_people())


def _is_for_people() -> bool:
    """Return whether the stdout callback is the default one or based on it, as AWX's is."""
    try:
        output = callback_loader.get(C.DEFAULT_STDOUT_CALLBACK, class_only=True)
        return any(kind.__module__ in _DEFAULT_OUTPUT for kind in output.__mro__)
    except Exception:
        # A third-party callback may fail in any way. Its output is then unknown.
        return False
