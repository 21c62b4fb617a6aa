# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An attempt ends at its timeout, whichever part of the exchange is slow.

Must import only the standard library and pytest: these tests also run on the oldest Python for modules.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import DeliveryError

TIMEOUT = 0.5
# Seconds by which a busy machine may be late. Whatever does not end in time takes longer than this.
LATE = 1.5
# Shorter than the timeout, so that no single wait of the socket times out.
DRIP = 0.05
ENOUGH = [b" "] * 200
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
SLOW_PARTS = {
    "the status line": [b"HTTP/1.1 201 ", *ENOUGH],
    "the headers": [HEAD, b"X-Slow:", *ENOUGH],
    "many headers": [HEAD, *[b"X-Slow: 1\r\n"] * 90],
    "one continuation after another": [b"HTTP/1.1 100 Continue\r\n\r\n"] * 200,
    "the body": [HEAD, b"Content-Length: 500\r\n\r\n", *ENOUGH],
    "a body without length": [HEAD, b"Connection: close\r\n\r\n", *ENOUGH],
    "the size of a chunk": [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", *[b"0"] * 200],
    "what follows the last chunk": [HEAD, b"Transfer-Encoding: chunked\r\n\r\n0\r\n", *[b"X-Slow: 1\r\n"] * 90],
}


@contextlib.contextmanager
def served(serve):
    """Yield a loopback port that runs ``serve(accepted, ended)`` for each connection."""
    ended = threading.Event()

    def serve_one(accepted):
        with accepted, contextlib.suppress(OSError):  # the client has closed the connection
            accepted.settimeout(5)
            serve(accepted, ended)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def dripping(parts, seconds=DRIP):
    """Return a function that answers a request with these parts, with a pause of these seconds after each."""

    def serve(accepted, ended):
        accepted.recv(65536)
        for part in parts:
            accepted.sendall(part)
            if ended.wait(seconds):
                return

    return serve


def failure(url, timeout=TIMEOUT, body=b"{}"):
    """Send one request and return its error and how many seconds it took."""
    client = Client(Connection(url, "t0ken", timeout=timeout, retries=0))
    began = time.monotonic()
    with pytest.raises(DeliveryError) as failed:
        client.send(body, "application/json")
    return failed.value, time.monotonic() - began


@pytest.mark.parametrize("parts", SLOW_PARTS.values(), ids=SLOW_PARTS)
def test_an_answer_is_abandoned_at_the_timeout_whichever_part_drips(parts):
    with served(dripping(parts)) as port:
        error, elapsed = failure(f"http://127.0.0.1:{port}/")
    assert TIMEOUT <= elapsed < TIMEOUT + LATE
    assert "no complete answer within 0.5 seconds" in str(error)
    assert error.uncertain


def test_an_endless_answer_is_abandoned_even_if_it_never_pauses():
    with served(dripping(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), seconds=0)) as port:
        error, elapsed = failure(f"http://127.0.0.1:{port}/")
    assert elapsed < TIMEOUT + LATE
    assert error.uncertain


def test_a_tls_handshake_that_drips_is_abandoned_at_the_timeout():
    # A handshake record of 16 KiB that arrives byte by byte.
    with served(dripping([b"\x16\x03\x03\x40\x00", *[b"\x02"] * 200])) as port:
        error, elapsed = failure(f"https://127.0.0.1:{port}/")
    assert TIMEOUT <= elapsed < TIMEOUT + LATE
    assert not error.uncertain


def test_a_proxy_whose_answer_drips_is_abandoned_at_the_timeout(monkeypatch):
    with served(dripping([b"HTTP/1.1 200 ", *ENOUGH])) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        error, elapsed = failure("https://api.example/")
    assert TIMEOUT <= elapsed < TIMEOUT + LATE
    assert not error.uncertain


def test_the_handshake_behind_a_slow_proxy_has_only_the_time_left(monkeypatch):
    def serve(accepted, ended):
        accepted.recv(65536)
        ended.wait(1.6)
        accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        ended.wait(5)

    with served(serve) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        error, elapsed = failure("https://api.example/", timeout=2)
    assert 2 <= elapsed < 2 + LATE
    assert not error.uncertain


def test_a_server_that_reads_nothing_is_abandoned_at_the_timeout():
    with served(lambda _accepted, ended: ended.wait(5)) as port:
        error, elapsed = failure(f"http://127.0.0.1:{port}/", body=b" " * 20_000_000)
    assert TIMEOUT <= elapsed < TIMEOUT + LATE
    assert error.uncertain


@contextlib.contextmanager
def silent_port():
    """Yield a port that neither accepts nor refuses connections, because its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _place in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


def fake_addresses(monkeypatch, *addresses):
    """Make the host name api.example resolve to these addresses."""
    look_up = socket.getaddrinfo

    def played(host, port, *words):
        if host != "api.example":
            return look_up(host, port, *words)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", played)


def test_several_silent_addresses_share_one_timeout(monkeypatch):
    fake_addresses(monkeypatch, "127.0.0.1", "127.0.0.1", "127.0.0.1")
    with silent_port() as port:
        error, elapsed = failure(f"http://api.example:{port}/", timeout=0.9)
    assert 0.9 <= elapsed < 0.9 + LATE
    assert "no connection within 0.9 seconds" in str(error)
    assert not error.uncertain


def test_if_an_address_refuses_the_next_one_is_tried(monkeypatch, server):
    fake_addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
    endpoint = f"http://api.example:{server.server_port}/v1/process"
    assert Client(Connection(endpoint, "t0ken", retries=0)).send(b"{}", "application/json").status == 201
    assert server.requests[0][1]["Host"] == f"api.example:{server.server_port}"


def test_each_request_on_a_kept_connection_has_the_full_timeout():
    accepted_connections = []

    def serve(accepted, ended):
        accepted_connections.append(accepted)
        while accepted.recv(65536) and not ended.wait(0.8):
            accepted.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    with served(serve) as port:
        client = Client(Connection(f"http://127.0.0.1:{port}/", "t0ken", timeout=2, retries=0))
        assert [client.send(b"{}", "application/json").status for _turn in range(3)] == [201] * 3
    assert len(accepted_connections) == 1


def test_a_deadline_ends_an_attempt_before_its_timeout():
    with served(dripping(SLOW_PARTS["the headers"])) as port:
        client = Client(Connection(f"http://127.0.0.1:{port}/", "t0ken", timeout=10.0, retries=3))
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="after 1 attempt"):
            client.send(b"{}", "application/json", deadline=began + TIMEOUT)
    assert time.monotonic() - began < TIMEOUT + LATE
