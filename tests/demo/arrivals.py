# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what has arrived at the emulated API, each request and each page once.

Must not judge: the caller does.
"""

from __future__ import annotations

import sys
from typing import Any

from ..sandbox import Sandbox
from . import output


class Arrivals:
    """What arrives from now on.

    :ivar answers: the status codes of the answers to the requests that were printed.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._asked, self._opened = len(sandbox.requests), len(sandbox.incidents)
        self.answers: list[int] = []

    def new(self) -> list[dict[str, Any]]:
        """Return the requests that are not printed yet."""
        return self._sandbox.requests[self._asked :]

    def show(self) -> None:
        """Print the new requests, and the pages that they caused."""
        requests, incidents = self.new(), self._sandbox.incidents[self._opened :]
        self._asked, self._opened = self._asked + len(requests), self._opened + len(incidents)
        self.answers += [request["status"] for request in requests]
        print("Requests to the API:" if requests else "Requests to the API: none")
        for request in requests:
            print(output.request(request))
        for incident in incidents:
            print("The page that the on-call engineer reads:")
            print(output.boxed(incident["title"], incident["description"]), end="")
        sys.stdout.flush()
