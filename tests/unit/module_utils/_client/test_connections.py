# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP and TLS connections: kept between requests, never shared with a fork, refused without a valid certificate.

Must take the numbers of connections and handshakes, and the client certificates, from the sandbox alone.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client, client_for
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import DeliveryError
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

JSON = "application/json"


@pytest.fixture(params=[False, True], ids=["http", "https"])
def any_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox, first without and then with TLS."""
    with Sandbox(tls=request.param) as running:
        yield running


def test_the_items_of_a_loop_share_one_connection_and_one_handshake(any_sandbox, connect):
    for item in range(20):
        client_for(connect(any_sandbox)).send(b'{"item":%d}' % item, JSON)
    assert len(any_sandbox.requests) == 20
    assert any_sandbox.connections == 1
    assert any_sandbox.handshakes == (1 if any_sandbox.ca_path else 0)


def test_the_connection_is_kept_after_an_http_error(any_sandbox, connect):
    any_sandbox.queue_fault("status", status=503)
    any_sandbox.queue_fault("redirect", location="https://elsewhere.example/")
    for _turn in range(3):
        client_for(connect(any_sandbox)).send(b"{}", JSON)
    assert any_sandbox.connections == 1


def test_each_token_and_timeout_has_its_own_client(sandbox, connect):
    first = client_for(connect(sandbox))
    assert client_for(connect(sandbox)) is first
    assert client_for(connect(sandbox, token="another")) is not first
    assert client_for(connect(sandbox, timeout=1.0)) is not first


def test_reconnecting_a_closed_connection_does_not_count_as_an_attempt(sandbox, connect):
    kept = client_for(connect(sandbox))
    kept.send(b"{}", JSON)
    sandbox.close()
    sandbox.start()
    answer = kept.send(b"{}", JSON)
    assert (answer.attempts, answer.uncertain) == (1, False)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_worker_opens_its_own_connection(any_sandbox, connect):
    connection = connect(any_sandbox)
    client_for(connection).send(b'{"who":"parent"}', JSON)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if client_for(connection).send(b'{"who":"child"}', JSON).status == 202 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    answer = client_for(connection).send(b'{"who":"parent again"}', JSON)
    assert (answer.status, answer.attempts) == (202, 1)
    numbers = {request["body"]: request["connection"] for request in any_sandbox.requests}
    assert numbers == {'{"who":"parent"}': 1, '{"who":"child"}': 2, '{"who":"parent again"}': 1}


# Certificates


def test_ca_path_makes_a_private_authority_trusted(tls_sandbox, send):
    assert send(tls_sandbox).status == 201


def test_an_unknown_authority_is_refused_at_once(tls_sandbox, send, pauses):
    with pytest.raises(DeliveryError, match="after 1 attempt: the TLS connection failed") as failed:
        send(tls_sandbox, ca_path=None)
    assert (failed.value.attempts, failed.value.uncertain, pauses) == (1, False, [])
    assert "ca_path" in str(failed.value)
    assert tls_sandbox.requests == []


def test_a_certificate_for_another_name_is_refused_at_once(tls_sandbox, send):
    endpoint = f"{tls_sandbox.base_url}/v1/process".replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(DeliveryError) as failed:
        send(tls_sandbox, endpoint=endpoint, retries=0)
    assert failed.value.attempts == 1
    assert tls_sandbox.requests == []


def test_validate_certs_false_takes_any_certificate(tls_sandbox, send):
    assert send(tls_sandbox, ca_path=None, validate_certs=False).status == 201


def test_the_client_certificate_is_sent(tls_sandbox, send):
    certificate = {"client_cert": tls_sandbox.client_cert, "client_key": tls_sandbox.client_key}
    assert send(tls_sandbox, **certificate).status == 201
    assert [request["client_certificate"] for request in tls_sandbox.requests] == ["sandbox-client"]


def test_one_file_may_contain_the_client_certificate_and_its_key(tls_sandbox, send, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(Path(tls_sandbox.client_key).read_bytes() + Path(tls_sandbox.client_cert).read_bytes())
    assert send(tls_sandbox, client_cert=str(both)).status == 201
    assert tls_sandbox.requests[0]["client_certificate"] == "sandbox-client"


def test_by_default_no_client_certificate_is_sent(tls_sandbox, send):
    send(tls_sandbox)
    assert tls_sandbox.requests[0]["client_certificate"] is None


def test_a_server_that_hangs_up_during_the_handshake_is_retried(pauses):
    def hang_up(listener: socket.socket) -> None:
        for _attempt in range(2):
            accepted, _address = listener.accept()
            accepted.recv(1024)
            accepted.shutdown(socket.SHUT_RDWR)
            accepted.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,), daemon=True)
        thread.start()
        connection = Connection(f"https://127.0.0.1:{listener.getsockname()[1]}/", "t0ken", timeout=5.0, retries=1)
        with pytest.raises(DeliveryError) as failed:
            Client(connection).send(b"{}", JSON)
        thread.join(timeout=2)
    assert (failed.value.attempts, len(pauses)) == (2, 1)


def test_a_server_that_never_ends_the_handshake_costs_one_timeout():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = Connection(f"https://127.0.0.1:{listener.getsockname()[1]}/", "t0ken", timeout=0.3, retries=0)
        began = time.monotonic()
        with pytest.raises(DeliveryError):
            Client(connection).send(b"{}", JSON)
    assert time.monotonic() - began < 2
