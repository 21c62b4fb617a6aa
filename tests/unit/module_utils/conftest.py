# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stub of the API whose answers each test chooses.

Must import only the standard library and pytest: the oldest supported Python has nothing else.
"""

from __future__ import annotations

import http.server
import threading

import pytest

CREATED = b'{"id":"1","triggered":{"created":true,"duplicate":false},"resolved":{"resolved":false,"duplicate":false}}'


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.requests.append((self.path, dict(self.headers), body))
        reply = server.replies.pop(0) if server.replies else {}
        if reply.get("silent"):
            server.ended.wait(10)
            self.close_connection = True
            return
        answer = reply.get("body", CREATED)
        self.send_response(reply.get("status", 201))
        for name, value in reply.get("headers", {}).items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in reply.get("headers", {}):
            self.send_header("Content-Length", str(reply.get("length", len(answer))))
        self.end_headers()
        seconds = reply.get("drip")
        if seconds is None:
            self.wfile.write(answer)
        else:
            self._drip(answer, seconds)
        if "length" in reply:
            self.close_connection = True

    def _drip(self, answer, seconds):
        self.close_connection = True
        try:
            for place in range(len(answer)):
                self.wfile.write(answer[place : place + 1])
                if self.server.ended.wait(seconds):
                    return
        except OSError:
            pass  # the client has closed the connection

    def log_message(self, *_arguments):
        """Print nothing."""


class StubServer(http.server.ThreadingHTTPServer):
    """Answers each POST with 201, or with the next of ``replies``. Stores what it receives in ``requests``."""

    # closing the server must not wait for clients
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = []
        self.replies = []
        self.connections = 0
        self.ended = threading.Event()
        self.endpoint = f"http://127.0.0.1:{self.server_port}/v1/process"

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def handle_error(self, _request, _client_address):
        """Print nothing: some tests make the client hang up."""


@pytest.fixture()
def server():
    """A stub of the API on loopback, for one test."""
    stub = StubServer()
    thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield stub
    stub.ended.set()
    stub.shutdown()
    thread.join()
    stub.server_close()
