# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP client for the tests of the sandbox.

Must not use the collection's client: its tests rely on the sandbox.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:  # when pytest loads this file the artifact is not importable yet
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

TRIGGER = {"state": "triggered", "incident_key": "disk", "title": "Disk full", "content": "It is full."}
RESOLVE = {"state": "resolved", "incident_key": "disk"}


class Client:
    """Sends requests to one sandbox over one session, independent of environment variables and netrc."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False

    def post(self, payload: Any = None, source: str | None = None, token: str | None = None, **more: Any):
        """Post a payload with the bearer token. Pass ``more`` to `requests`."""
        more.setdefault("headers", {"Authorization": f"Bearer {token or self.sandbox.token}"})
        if payload is not None:
            more["json"] = payload
        more.setdefault("params", {} if source is None else {"from": source})
        more.setdefault("verify", self.sandbox.ca_path)
        url = f"{self.sandbox.base_url}/v1/process"
        return self.session.post(url, timeout=more.pop("timeout", 10), allow_redirects=False, **more)

    def text(self, body: str | bytes, content_type: str | None):
        """Post an unchanged body, with this content type or none."""
        headers = {"Authorization": f"Bearer {self.sandbox.token}"}
        return self.post(data=body, headers=headers | ({"Content-Type": content_type} if content_type else {}))

    def control(self, method: str, name: str, value: Any = None):
        """Call the control API."""
        return self.session.request(method, f"{self.sandbox.control_url}/{name}", json=value, timeout=10)


@pytest.fixture()
def sandbox(reading: str) -> Iterator[Sandbox]:
    """A sandbox, once for each meaning of "similar request"."""
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

    with Sandbox(reading=reading) as running:
        yield running


@pytest.fixture()
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client of the sandbox."""
    made = Client(sandbox)
    yield made
    made.session.close()


@pytest.fixture()
def make_client() -> Iterator[Callable[..., Client]]:
    """Return a function that starts a sandbox with the given arguments and returns its client, for one test."""
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

    with contextlib.ExitStack() as stack:

        def make(**arguments: Any) -> Client:
            made = Client(stack.enter_context(Sandbox(**arguments)))
            stack.callback(made.session.close)
            return made

        yield make


@pytest.fixture()
def trigger() -> dict[str, Any]:
    """A payload that matches the Trigger part of the documented filter."""
    return dict(TRIGGER)


@pytest.fixture()
def resolve() -> dict[str, Any]:
    """A payload that resolves the incident of ``trigger``."""
    return dict(RESOLVE)
