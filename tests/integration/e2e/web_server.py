# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on this machine, for tasks that fail on what it answers.

Must not be the API: the sandbox is.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BODY = b'{"error": "maintenance",\n "retry": 5}'


@contextmanager
def web_server() -> Iterator[str]:
    """Run the server within a ``with`` block, and return its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers 503 with JSON under /bad, otherwise 200."""

    def do_GET(self) -> None:
        self.send_response(503 if "bad" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""
