# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the store that the options name, or the default one.

Must not use the store.
"""

from __future__ import annotations

from ansible import constants as C

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._config import written_value
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store

# The default store, relative to Ansible's home.
_DEFAULT_STORE = "callgoose/state.sqlite3"
# Minimum seconds to wait for a locked store, however little time is left: an unrecorded run cannot be made up for.
PATIENCE = 0.1


def state_url(option: str) -> str:
    """Return the URL of the store: the option ``state_url``, that of the callback, or the default one."""
    # Not C.config: it would look for the working directory again, which the run may have removed.
    return option or written_value("state_url") or f"sqlite:///{C.ANSIBLE_HOME}/{_DEFAULT_STORE}"


def open_state(option: str, max_delay: float, seconds: float) -> Store:
    """Return the store.

    :param option: the option ``state_url``.
    :param max_delay: the option ``max_delay``, in seconds.
    :param seconds: how long its use may take: waiting for a locked store counts towards it.
    :raises StoreError: it cannot be used.
    """
    return open_store(state_url(option), patience=max(min(max_delay / 5, seconds), PATIENCE))
