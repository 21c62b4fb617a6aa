# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running sandbox's state: the model with its clock, the waiting faults, the request log and the counters.

Must not do I/O. Everything here belongs to the server's thread; Sandbox is the door for other threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .errors import require, require_seconds
from .faults import FaultQueue
from .filters import Filter
from .model import Model
from .settings import Settings


@dataclass
class Request:
    """One request of the log; only ``status`` is set later: the code that was answered, None for no answer.

    :ivar target: the request line's path and query exactly as they came.
    :ivar headers: the names as the client wrote them.
    :ivar token: the bearer token, else the ``token`` URL parameter, else None.
    :ivar connection: which TCP connection it came on, a running number.
    :ivar client_certificate: the common name of the client's certificate, over TLS.
    :ivar fault: the kind of fault it got.
    :ivar time: the sandbox's clock.
    """

    method: str
    path: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]
    token: str | None
    body: str
    connection: int
    client_certificate: str | None
    fault: str | None
    time: float
    status: int | None = None


class State:
    """What requests and the control API read and change.

    :ivar released: set when the server is reset or stops: requests that are held back then end without an answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._first_settings = settings
        self.released = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Forget everything: as after the start, with the settings of the start."""
        self.released.set()
        self.released = asyncio.Event()
        self.model = Model(self._first_settings)
        self.faults = FaultQueue()
        self.requests: list[Request] = []
        self.connections = 0
        self.handshakes = 0
        self._started = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the start or the last reset, and what the clock was advanced."""
        return time.monotonic() - self._started

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        require_seconds(seconds, "advance")
        self._started -= seconds

    def set(self, **changes: Any) -> None:
        """Replace these fields of the settings.

        :raises SetupError: there is no such setting, or it does not take this value; nothing is changed then.
        """
        known = [field.name for field in fields(Settings)]
        unknown = sorted(set(changes) - set(known))
        require(not unknown, f"there is no setting {', '.join(unknown)}; there are {', '.join(known)}")
        self.model.settings = replace(self.model.settings, **changes)

    def set_filters(self, filters: Sequence[Filter], service: str) -> None:
        """Replace the filters of a service."""
        services = self.model.settings.services
        require(service in [one.name for one in services], f"there is no service {service!r}")
        filters = tuple(filters)
        self.set(services=tuple(replace(one, filters=filters) if one.name == service else one for one in services))

    def snapshot(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "time": self.now,
            "settings": asdict(self.model.settings),
            "incidents": [asdict(incident) for incident in self.model.incidents],
            "requests": [asdict(request) for request in self.requests],
            "faults": [asdict(fault) for fault in self.faults],
            "connections": self.connections,
            "handshakes": self.handshakes,
        }
