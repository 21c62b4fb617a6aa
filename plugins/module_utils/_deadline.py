# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lets urllib3's connections end on time: a socket's timeout bounds one wait, not a server that drips byte by byte.

Must not know requests, nor what is sent. A name's lookup takes what the resolver takes: Python can't interrupt it.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import threading
import time
from typing import Any, Callable, List, Type

try:
    import urllib3.exceptions
    import urllib3.util.connection
except ImportError:  # the client says so, before anything here is called
    pass

# A socket takes 0 for "never wait", which is another mode.
SHORTEST_WAIT = 0.001


class Attempt(threading.local):
    """The attempt that this thread is making.

    :ivar end: when it must be over, a reading of ``time.monotonic()``.
    :ivar sent: whether the request is on its way: the connection stands, with its handshake and behind its proxy.
    """

    end = 0.0
    sent = False

    def begin(self, seconds: float) -> None:
        """Start an attempt that may take so long."""
        self.end = time.monotonic() + seconds
        self.sent = False

    def left(self) -> float:
        """Return the seconds that a socket may still wait."""
        return max(self.end - time.monotonic(), SHORTEST_WAIT)

    def is_over(self) -> bool:
        """Return whether no time is left."""
        return time.monotonic() >= self.end


ATTEMPT = Attempt()


def enforce_deadline(manager: Any) -> None:
    """Let every connection that this urllib3 PoolManager opens end with the attempt."""
    manager.pool_classes_by_scheme = {
        scheme: _deadline_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


@functools.lru_cache(maxsize=None)
def _deadline_pool(pool: Any) -> Type[Any]:
    if issubclass(pool.ConnectionCls, _DeadlineConnection):
        return pool
    connection = type(pool.ConnectionCls.__name__, (_DeadlineConnection, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Response(http.client.HTTPResponse):
    """An answer whose status line, headers and body are read until the attempt's end."""

    def __init__(self, sock: Any, *words: Any, **named: Any) -> None:
        super().__init__(sock, *words, **named)
        self.fp: Any = io.BufferedReader(_Reader(sock, self.fp.detach()))


class _Reader(io.RawIOBase):
    """Reads from a socket's file, waiting no longer than the attempt may take."""

    def __init__(self, sock: Any, raw: Any) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        """Say to BufferedReader that it may read."""
        return True

    def readinto(self, buffer: Any) -> Any:
        """Read what has arrived; raises ``socket.timeout`` at the attempt's end, also while bytes keep arriving."""
        if ATTEMPT.is_over():
            raise socket.timeout("timed out")
        self._sock.settimeout(ATTEMPT.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the socket's file with this one."""
        self._raw.close()
        super().close()


class _DeadlineConnection:
    """Mixed into a connection class of urllib3: whatever waits for the other side waits until the attempt's end."""

    response_class = _Response
    timeout: float
    sock: Any
    host: str
    port: int
    _dns_host: str
    connect: Callable[[], None]

    def _new_conn(self) -> Any:
        """Connect to the first address that answers. urllib3 alone would give the whole timeout to each address."""
        host = self._dns_host
        addresses = self._addresses()
        try:
            while True:
                self._dns_host = addresses.pop(0)
                self.timeout = ATTEMPT.left()
                try:
                    connected = super()._new_conn()  # type: ignore[misc]
                except urllib3.exceptions.HTTPError:
                    if not addresses or ATTEMPT.is_over():
                        raise
                else:
                    connected.settimeout(ATTEMPT.left())  # for the handshake, which keeps it as a whole
                    return connected
        finally:
            self._dns_host = host

    def _addresses(self) -> List[str]:
        """Return the host's addresses, or its name where urllib3 is to deal with it: a proxy's or nobody's."""
        if hasattr(self, "_socks_options"):
            return [self._dns_host]
        family = urllib3.util.connection.allowed_gai_family()
        try:
            found = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, family, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return [self._dns_host]
        return [str(address[0]) for *_kind, address in found]

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]
        self.sock.settimeout(ATTEMPT.left())

    def endheaders(self, *words: Any, **named: Any) -> None:
        """Connect, where that is still to be done, before the request counts as sent."""
        if self.sock is None:
            self.connect()
        ATTEMPT.sent = True
        super().endheaders(*words, **named)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        """Request, on a kept connection too, within what is left."""
        if self.sock is not None:
            self.sock.settimeout(ATTEMPT.left())
        super().send(data)  # type: ignore[misc]
