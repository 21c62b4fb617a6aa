# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Deadlines for urllib3's connections. A socket's timeout alone does not stop a server that sends byte by byte.

Must not use `requests`, and must not know what is sent. Names are looked up within the same deadline, those of a SOCKS
proxy too. Limit: on macOS, Python compares the host with the system's proxy exceptions before, which may look it up.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import threading
import time
from typing import Any, Callable, List, Optional, Type

from ansible_collections.callgoose.sqibs.plugins.module_utils._lookup import LookupTimeout, addresses_of

try:
    import urllib3.exceptions
    import urllib3.util.connection
except ImportError:  # the client reports this before it calls anything here
    pass

# In seconds. Not 0: that would switch the socket to non-blocking mode.
SHORTEST_WAIT = 0.001
# PySocks' number for this version of the protocol, which knows no IPv6.
_SOCKS4 = 1


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
    # Of urllib3's connections through a SOCKS proxy.
    _socks_options: Any = None
    connect: Callable[[], None]

    def _new_conn(self) -> Any:
        """Connect to the first address that answers. By itself, urllib3 would grant each address the full timeout."""
        host, socks = self._dns_host, self._socks_options
        try:
            if socks is None:
                return self._first_to_answer("_dns_host", self._addresses_of(host, self.port))
            # The proxy's own address; and, unless the proxy looks the host up, the one that PySocks would choose.
            if not socks["rdns"]:
                family = socket.AF_INET if socks["socks_version"] == _SOCKS4 else socket.AF_UNSPEC
                self._dns_host = self._addresses_of(host, self.port, family)[0]
            proxies = self._addresses_of(socks["proxy_host"], socks["proxy_port"])
            return self._first_to_answer("_socks_options", [{**socks, "proxy_host": proxy} for proxy in proxies])
        finally:
            self._dns_host, self._socks_options = host, socks

    def _first_to_answer(self, attribute: str, values: List[Any]) -> Any:
        """Return a connection made with the first value of this attribute with which that is possible."""
        while True:
            setattr(self, attribute, values.pop(0))
            self.timeout = ATTEMPT.left()
            try:
                connected = super()._new_conn()  # type: ignore[misc]
            except urllib3.exceptions.HTTPError:
                if not values or ATTEMPT.is_over():
                    raise
            else:
                connected.settimeout(ATTEMPT.left())  # the TLS handshake as a whole uses this timeout
                return connected

    def _addresses_of(self, host: str, port: Optional[int], family: Optional[int] = None) -> List[str]:
        """Return a host's addresses; only its name if that is not valid: urllib3 then says so."""
        connection: Any = self
        if family is None:
            family = urllib3.util.connection.allowed_gai_family()
        try:
            return addresses_of(host.strip("[]"), port, family, ATTEMPT.left())
        except UnicodeError:
            return [host]
        except LookupTimeout as error:
            raise urllib3.exceptions.ConnectTimeoutError(
                connection, "The host name was not resolved in time"
            ) from error
        except OSError as error:
            problem = f"The host name cannot be resolved: {error}"
            raise urllib3.exceptions.NewConnectionError(connection, problem) from error

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
