# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers every request at once with 201, in a separate process so as not to slow down the client.

Must not know more of the API than this answer: the sandbox does, but it is slower.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

ANSWER = b'{"id":"1","triggered":{"created":true,"duplicate":false},"resolved":{"resolved":false,"duplicate":false}}'
HEAD = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
REPLY = HEAD.encode() + ANSWER
TLS = "--tls"


@dataclass
class Counts:
    """The server's counters. Over TLS, each connection is one handshake."""

    connections: int = 0
    requests: int = 0


class Stub:
    """The server's process, as a context manager.

    :ivar base_url: the value for the option ``base_url`` of the collection.
    :ivar ca_path: over TLS, the path of the authority's certificate; empty otherwise.
    """

    def __init__(self, *, tls: bool = False) -> None:
        self._tls = tls

    def __enter__(self) -> Stub:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *([TLS] if self._tls else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started = self._ask()
        self.base_url, self.ca_path = started["base_url"], started["ca_path"]
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.communicate()

    def counts(self) -> Counts:
        """Return the counters so far."""
        return Counts(**self._ask()["counts"])

    def _ask(self) -> dict:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Requests(asyncio.Protocol):
    """Answers each request of a connection. Clients must send a Content-Length, not chunks."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Count the connection. Over TLS, asyncio calls this after the handshake."""
        self._counts.connections += 1
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._data += data
        while (length := self._length()) is not None:
            self._data = self._data[length:]
            self._counts.requests += 1
            self._transport.write(REPLY)

    def _length(self) -> int | None:
        """Return the length of the first request, or None if it is not complete yet."""
        head, separator, rest = self._data.partition(b"\r\n\r\n")
        if not separator:
            return None
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        body = int(fields.get(b"content-length", 0))
        return len(head) + len(separator) + body if len(rest) >= body else None


async def serve(directory: Path | None) -> None:
    """Serve on a free loopback port. For each line on standard input, print address and counters; stop at its end."""
    counts, context, ca_path = Counts(), None, ""
    if directory:
        from sandbox import tls

        context, files = tls.make(directory)
        ca_path = files.ca_path
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Requests(counts), "127.0.0.1", 0, ssl=context, backlog=512)
    port = server.sockets[0].getsockname()[1]
    where = {"base_url": f"{'https' if directory else 'http'}://127.0.0.1:{port}", "ca_path": ca_path}
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({**where, "counts": asdict(counts)}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if TLS in sys.argv:
        with tempfile.TemporaryDirectory(prefix="sqibs-stub-") as scratch:
            asyncio.run(serve(Path(scratch)))
    else:
        asyncio.run(serve(None))
