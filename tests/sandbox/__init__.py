# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of the Callgoose SQIBS incident API, for tests, the demo, and trying playbooks without an account.

Keeps everything in memory and listens on loopback only. Must not import the collection, which it is used to test.
"""

from __future__ import annotations

from .errors import SetupError
from .faults import Fault
from .filters import Filter, Pair, Resolve, Trigger
from .model import Answer, Incident, Model
from .sandbox import Sandbox
from .settings import Service, Settings, Token

__all__ = [
    "Answer",
    "Fault",
    "Filter",
    "Incident",
    "Model",
    "Pair",
    "Resolve",
    "Sandbox",
    "Service",
    "Settings",
    "SetupError",
    "Token",
    "Trigger",
]
