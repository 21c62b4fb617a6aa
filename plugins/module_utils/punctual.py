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
import time
from typing import Any, List, Type

try:
    import urllib3.exceptions
    import urllib3.util.connection
except ImportError:  # the client says so, before anything here is called
    pass

# A socket takes 0 for "never wait", which is another mode.
SHORTEST_WAIT = 0.001


class Clock:
    """When the attempt in progress must be over.

    :ivar end: a reading of ``time.monotonic()``.
    """

    def __init__(self) -> None:
        self.end = 0.0

    def left(self) -> float:
        """Return the seconds that a socket may still wait."""
        return max(self.end - time.monotonic(), SHORTEST_WAIT)

    def is_over(self) -> bool:
        """Return whether no time is left."""
        return time.monotonic() >= self.end


def keep_time(manager: Any, clock: Clock) -> None:
    """Let every connection that this urllib3 PoolManager opens from now on end by the clock."""
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _connection_class(pool.ConnectionCls, clock)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _connection_class(base: Any, clock: Clock) -> Type[Any]:
    fields = {"clock": clock, "response_class": staticmethod(functools.partial(_Response, clock))}
    return type(base.__name__, (_Punctual, base), fields)


class _Punctual:
    """Mixed into a connection class of urllib3: whatever waits for the other side waits until the clock's end."""

    clock: Clock
    timeout: float
    sock: Any
    host: str
    port: int
    _dns_host: str

    def _new_conn(self) -> Any:
        """Connect to the first address that answers. urllib3 alone would give the whole timeout to each address."""
        host = self._dns_host
        addresses = self._addresses()
        try:
            while True:
                self._dns_host = addresses.pop(0)
                self.timeout = self.clock.left()
                try:
                    connected = super()._new_conn()  # type: ignore[misc]
                except urllib3.exceptions.HTTPError:
                    if not addresses or self.clock.is_over():
                        raise
                else:
                    connected.settimeout(self.clock.left())  # for the handshake, which keeps it as a whole
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
        self.sock.settimeout(self.clock.left())

    def send(self, data: Any) -> None:
        """Send, on a kept connection too, within what is left."""
        if self.sock is not None:
            self.sock.settimeout(self.clock.left())
        super().send(data)  # type: ignore[misc]


class _Response(http.client.HTTPResponse):
    """An answer whose status line, headers and body are read until the clock's end."""

    def __init__(self, clock: Clock, sock: Any, *words: Any, **named: Any) -> None:
        super().__init__(sock, *words, **named)
        self.fp: Any = io.BufferedReader(_Reader(clock, sock, self.fp.detach()))


class _Reader(io.RawIOBase):
    """Reads from a socket's file, waiting no longer than the clock says."""

    def __init__(self, clock: Clock, sock: Any, raw: Any) -> None:
        super().__init__()
        self._clock = clock
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        """Say to BufferedReader that it may read."""
        return True

    def readinto(self, buffer: Any) -> Any:
        """Read what has arrived; raises ``socket.timeout`` at the clock's end, also while bytes keep arriving."""
        if self._clock.is_over():
            raise socket.timeout("timed out")
        self._sock.settimeout(self._clock.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the socket's file with this one."""
        self._raw.close()
        super().close()
