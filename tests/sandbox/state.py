# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one sandbox: the model and its clock, the queued faults, the request log and the counters.

Must not do I/O. The server's thread owns all of it; other threads access it through Sandbox.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .errors import require, require_seconds
from .faults import FaultQueue
from .filters import Filter
from .model import Effect, Model
from .settings import Settings


@dataclass
class Request:
    """One request in the log.

    :ivar target: the path and query of the request line, exactly as received.
    :ivar headers: with their names as the client wrote them.
    :ivar token: the bearer token, or else the ``token`` URL parameter, or else None.
    :ivar connection: the number of its TCP connection, counted from 1.
    :ivar client_certificate: with TLS, the common name of the client's certificate, or None.
    :ivar fault: the kind of fault that applied to it, or None.
    :ivar time: seconds on the sandbox's clock.
    :ivar status: the status code of the answer, set once there is one; None without an answer.
    :ivar effects: what the API did with it, in each service; empty if it did not process it.
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
    effects: tuple[Effect, ...] = ()


class State:
    """Everything that requests and the control API read and change.

    :ivar released: set when the server is reset or stops. Delayed and hanging requests then end without an answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._first_settings = settings
        self.released = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Go back to the state and settings of the start."""
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
        """Seconds since the start or the last reset, plus the seconds by which the clock was advanced."""
        return time.monotonic() - self._started

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        :raises SetupError: the seconds, or the clock's time with them, are no finite number.
        """
        require_seconds(seconds, "advance")
        started = self._started - seconds
        require(math.isfinite(started), f"advance must keep the clock's time finite, and {seconds!r} is too much")
        self._started = started

    def set(self, **changes: Any) -> None:
        """Replace these fields of the settings.

        :raises SetupError: a setting does not exist or is invalid. Then nothing changes.
        """
        known = [field.name for field in fields(Settings)]
        unknown = sorted(set(changes) - set(known))
        require(not unknown, f"there is no setting {', '.join(unknown)}; use {', '.join(known)}")
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
