# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for the tests of the client: a sandbox over TLS, functions that send to it, and pauses that take no time.

Must not change how the client sends: only its pauses and its environment variables are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # when pytest loads this file the artifact is not importable yet
    from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Answer
    from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

BODY = b'{"incident_key":"disk","state":"triggered","title":"Disk full"}'
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment variables that change how the client connects."""
    for name in (*PROXY_VARIABLES, *map(str.upper, PROXY_VARIABLES), *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, in seconds: recorded, not waited for."""
    from ansible_collections.callgoose.sqibs.plugins.module_utils import _client as client

    recorded: list[float] = []
    monkeypatch.setattr(client.time, "sleep", recorded.append)
    return recorded


@pytest.fixture()
def tls_sandbox() -> Iterator[Sandbox]:
    """An emulated API over https, with its own certificate authority."""
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

    with Sandbox(tls=True) as running:
        yield running


@pytest.fixture()
def connect() -> Callable[..., Connection]:
    """Return a function that returns the connection to a sandbox, with the given fields changed."""
    from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection

    def connect(sandbox: Sandbox, **fields: Any) -> Connection:
        given = {"endpoint": f"{sandbox.base_url}/v1/process", "token": sandbox.token, "ca_path": sandbox.ca_path}
        return Connection(**{**given, **fields})

    return connect


@pytest.fixture()
def send(connect: Callable[..., Connection]) -> Callable[..., Answer]:
    """Return a function that sends one trigger to a sandbox, over a connection with the given fields changed."""
    from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client

    def send(sandbox: Sandbox, body: bytes = BODY, deadline: float | None = None, **fields: Any) -> Answer:
        return Client(connect(sandbox, **fields)).send(body, "application/json", deadline)

    return send
