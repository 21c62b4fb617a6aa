# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Deadlines for urllib3's connections. A socket's timeout alone does not stop a server that sends byte by byte.

Must not use `requests`, and must not know what is sent. Limit: Python cannot interrupt a DNS lookup.
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
except ImportError:  # the client reports this before it calls anything here
    pass

# In seconds. Not 0: that would switch the socket to non-blocking mode.
SHORTEST_WAIT = 0.001


class Attempt(threading.local):
    """The attempt that this thread is making.

    :ivar end: when the attempt must end, as a time of ``time.monotonic()``, in seconds.
    :ivar sent: whether the request may have left: the connection, its proxy and its TLS handshake are complete.
    """

    end = 0.0
    sent = False

    def begin(self, seconds: float) -> None:
        """Start an attempt that may take this many seconds."""
        self.end = time.monotonic() + seconds
        self.sent = False

    def left(self) -> float:
        """Return how many seconds a socket may still wait."""
        return max(self.end - time.monotonic(), SHORTEST_WAIT)

    def is_over(self) -> bool:
        """Return whether the attempt's time is up."""
        return time.monotonic() >= self.end


ATTEMPT = Attempt()


def enforce_deadline(manager: Any) -> None:
    """Make every connection of this urllib3 PoolManager end when the attempt's time is up."""
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
    """An HTTP response that is read, from status line to body, until the attempt's end and no longer."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(_Reader(sock, self.fp.detach()))


class _Reader(io.RawIOBase):
    """Reads from a socket's file until the attempt's end."""

    def __init__(self, sock: Any, raw: Any) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        """Tell BufferedReader that it may read."""
        return True

    def readinto(self, buffer: Any) -> Any:
        """Read the bytes that have arrived.

        :raises socket.timeout: the attempt's time is up, even if bytes keep arriving.
        """
        if ATTEMPT.is_over():
            raise socket.timeout("timed out")
        self._sock.settimeout(ATTEMPT.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close this reader and the socket's file."""
        self._raw.close()
        super().close()


class _DeadlineConnection:
    """A mixin for urllib3's connection classes: every wait for the other side ends with the attempt."""

    response_class = _Response
    timeout: float
    sock: Any
    host: str
    port: int
    _dns_host: str
    connect: Callable[[], None]

    def _new_conn(self) -> Any:
        """Connect to the first address that answers. By itself, urllib3 would grant each address the full timeout."""
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
                    connected.settimeout(ATTEMPT.left())  # the TLS handshake as a whole uses this timeout
                    return connected
        finally:
            self._dns_host = host

    def _addresses(self) -> List[str]:
        """Return the host's addresses. Return only its name if a SOCKS proxy looks it up, or if it has no address."""
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

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        """Connect first, if needed: a request that finds no connection does not count as sent."""
        if self.sock is None:
            self.connect()
        ATTEMPT.sent = True
        super().endheaders(*args, **kwargs)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        """Send data within the time left. A reused connection still has the timeout of the attempt before."""
        if self.sock is not None:
            self.sock.settimeout(ATTEMPT.left())
        super().send(data)  # type: ignore[misc]
