# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends an answer, with the faults that affect the connection: delays, resets, incomplete and slow answers.

Must not decide what the answer is: the model and the fault do.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from .faults import DRIP_SECONDS, Fault, Reply

# SO_LINGER with a timeout of 0: closing the socket sends a reset instead of an orderly end.
NO_LINGER = struct.pack("ii", 1, 0)
# What no client can read as the chunks that the head announces.
GARBAGE = b"no size\r\n" + b"\xff" * 64


def respond(reply: Reply) -> web.Response:
    """Return the reply as a response of aiohttp's."""
    return web.Response(status=reply.status, body=_body(reply), headers=reply.headers)


async def deliver(request: web.BaseRequest, reply: Reply, fault: Fault, released: asyncio.Event) -> web.Response:
    """Send the reply as the fault demands.

    aiohttp sends the returned response afterwards, which has no effect if the fault has closed the connection.

    :param released: when set, a delayed or hanging request ends with a connection reset.
    """
    if fault.kind == "delay" and not await _held(released, fault.seconds):
        return respond(reply)
    if fault.kind == "hang":
        await _held(released, None)
    if fault.kind in ("delay", "hang", "reset"):
        _reset(request.transport)
    elif fault.kind == "cut_off":
        head, body = _as_bytes(reply)
        _end_after(request.transport, head + body[: len(body) // 2])
    elif fault.kind == "garbage":
        _end_after(request.transport, _as_bytes(reply, {"Transfer-Encoding": "chunked"})[0] + GARBAGE)
    elif fault.kind in ("drip", "drip_head"):
        head, body = _as_bytes(reply)
        at_once, slowly = (head, body) if fault.kind == "drip" else (b"", head + body)
        seconds = DRIP_SECONDS if fault.seconds is None else fault.seconds
        await _drip(request, at_once, slowly, seconds, released)
    return respond(reply)


async def _held(released: asyncio.Event, seconds: float | None) -> bool:
    """Wait for ``released``, and return whether it was set within ``seconds`` (None: no limit)."""
    try:
        await asyncio.wait_for(released.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


async def _drip(
    request: web.BaseRequest, at_once: bytes, slowly: bytes, seconds: float, released: asyncio.Event
) -> None:
    if request.transport is not None:
        request.transport.write(at_once)
    for place in range(len(slowly)):
        if await _held(released, seconds):
            return _reset(request.transport)
        if request.transport is None:  # the client has closed the connection
            return None
        request.transport.write(slowly[place : place + 1])
    return _end_after(request.transport, b"")


def _as_bytes(reply: Reply, framing: Mapping[str, str] | None = None) -> tuple[bytes, bytes]:
    """Return head and body as bytes, for the answers that aiohttp cannot send because they are incomplete or slow.

    :param framing: the header that says where the body ends; the body's length by default.
    """
    body = _body(reply)
    headers = {**reply.headers, **(framing or {"Content-Length": str(len(body))}), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", *lines, "", ""]).encode(), body


def _body(reply: Reply) -> bytes:
    """Return the body as UTF-8. What it cannot encode, such as the "\\ud800" of a request's JSON, becomes ``?``."""
    return reply.body.encode(errors="replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _end_after(transport: asyncio.Transport | None, data: bytes) -> None:
    if transport is not None:
        transport.write(data)
        transport.close()


def _reset(transport: asyncio.Transport | None) -> None:
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
