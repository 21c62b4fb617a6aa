# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: aiohttp's requests in, answers out, with a log of the emulated API's requests.

Must not hold state of its own but the connections: everything else is in State.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from . import control
from .delivery import deliver, respond
from .faults import TEMPORARY_ERROR, Reply, json_reply
from .state import Request, State

BASE_PATH = "/sqibs-api"
PROCESS_PATH = f"{BASE_PATH}/v1/process"
# The number of a connection that its client has left before its request was read.
GONE = 0


class Server(web.Server):
    """aiohttp's low-level server: no routing, no middleware, no access log, so that benchmarks see little of it."""

    def __init__(self, state: State) -> None:
        super().__init__(self._handle, request_factory=self._unlimited, access_log=None)
        self._state = state
        self._numbers: dict[RequestHandler, int] = {}
        self._next_number = count(1)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Number the connection; over TLS this is called when the handshake is done."""
        self._numbers[handler] = next(self._next_number)
        if transport.get_extra_info("ssl_object") is not None:
            self._state.handshakes += 1
        super().connection_made(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget the connection's number."""
        self._numbers.pop(handler, None)
        super().connection_lost(handler, exc)

    @staticmethod
    def _unlimited(message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]) -> web.BaseRequest:
        """Make a request of any size: the API's limit is not known, and a 413 of aiohttp's would not be in the log."""
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=0)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        number = self._numbers.get(request.protocol, GONE)
        certificate = request.get_extra_info("peercert")
        body = await request.read()
        if request.path.startswith("/sandbox/"):
            return respond(control.answer(self._state, request.method, request.path, body))
        state = self._state
        fault = state.faults.take()
        entry = Request(
            method=request.method,
            path=request.path,
            target=request.raw_path,
            query=dict(request.query),
            headers=dict(request.headers),
            token=_token(request),
            body=body.decode("utf-8", errors="replace"),
            connection=number,
            client_certificate=_common_name(certificate),
            fault=fault.kind if fault else None,
            time=state.now,
        )
        state.requests.append(entry)
        reply = self._process(entry, request, body) if fault is None or fault.lets_process else TEMPORARY_ERROR
        if fault is None:
            entry.status = reply.status
            return respond(reply)
        reply = fault.answer(reply)
        entry.status = None if fault.kind in ("reset", "hang") else reply.status
        return await deliver(request, reply, fault, state.released)

    def _process(self, entry: Request, request: web.BaseRequest, body: bytes) -> Reply:
        if entry.path != PROCESS_PATH:
            return json_reply(404, {"message": f"There is nothing at {entry.path}."})
        if entry.method != "POST":
            return json_reply(405, {"message": f"{entry.method} is not for {entry.path}."})
        content_type = request.headers.get("Content-Type", "")
        answer = self._state.model.process(entry.token, entry.query.get("from"), content_type, body, entry.time)
        return json_reply(answer.status, answer.body())


def _token(request: web.BaseRequest) -> str | None:
    scheme, _space, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else request.query.get("token")


def _common_name(certificate: dict[str, Any] | None) -> str | None:
    """Return the common name of what ssl's getpeercert gives: empty, or None, without a client certificate."""
    pairs = [pair for group in (certificate or {}).get("subject", ()) for pair in group]
    return next((value for name, value in pairs if name == "commonName"), None)
