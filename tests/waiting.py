# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for what another process does, however busy the machine is.

Must not know what is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 120


def wait_for(condition: Callable[[], object]) -> bool:
    """Wait until the condition is true, for 2 minutes at most, and return whether it was.

    It is not asked again once it is true: it may hold for a moment only.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(met)
