# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: answers aiohttp's requests, and logs those to the emulated API.

Must not hold any state except the connections: everything else is in State.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from . import callers, control, page
from .delivery import deliver, respond
from .faults import TEMPORARY_ERROR, Reply, json_reply
from .state import Request, State

BASE_PATH = "/sqibs-api"
PROCESS_PATH = f"{BASE_PATH}/v1/process"
# The number of a connection that its client closed before the request was read.
GONE = 0


class Server(web.Server):
    """aiohttp's low-level server, without routing, middleware and access log, to cost benchmarks little."""

    def __init__(self, state: State) -> None:
        super().__init__(self._handle, request_factory=self._unlimited, access_log=None)
        self._state = state
        self._numbers: dict[RequestHandler, int] = {}
        self._next_number = count(1)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Number the connection. With TLS, asyncio calls this once the handshake is completed."""
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
        """Accept a request of any size: the API's limit is unknown, and a 413 from aiohttp would not be logged."""
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=0)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        number = self._numbers.get(request.protocol, GONE)
        certificate = request.get_extra_info("peercert")
        body = await request.read()
        is_control = request.path.startswith("/sandbox/")
        if (is_control or page.is_page(request.path)) and not callers.is_own(request.headers):
            return respond(json_reply(403, {"error": callers.REFUSAL}))
        if is_control:
            return respond(control.answer(self._state, request.method, request.path, body))
        if page.is_page(request.path):
            return respond(page.answer(self._state, request.method, request.path, body))
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
            return json_reply(405, {"message": f"{entry.path} does not accept {entry.method}."})
        content_type = request.headers.get("Content-Type", "")
        answer = self._state.model.process(entry.token, entry.query.get("from"), content_type, body, entry.time)
        entry.effects = answer.effects
        return json_reply(answer.status, answer.body())


def _token(request: web.BaseRequest) -> str | None:
    scheme, _space, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else request.query.get("token")


def _common_name(certificate: dict[str, Any] | None) -> str | None:
    """Return the common name from the result of ssl's getpeercert, which is empty or None without a certificate."""
    pairs = [pair for group in (certificate or {}).get("subject", ()) for pair in group]
    return next((value for name, value in pairs if name == "commonName"), None)
