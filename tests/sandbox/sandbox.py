# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as an object: the server in its own thread, for pytest, the demo and the command line.

Must not decide anything about the API: it starts and stops the server, and passes calls to the server's thread.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from aiohttp import web

from . import tls as certificates
from .control import DEFAULT_SERVICE
from .errors import require
from .faults import Fault
from .filters import Filter
from .server import BASE_PATH, Server
from .settings import Settings
from .state import State

P = ParamSpec("P")
T = TypeVar("T")
BACKLOG = 512
# How long close() waits for handlers. By then no request is delayed any more, so they only have to return.
SHUTDOWN_SECONDS = 0.5
# The file descriptor of a closed socket.
CLOSED = -1


class Sandbox:
    """An emulated API on 127.0.0.1, as a context manager. Its logs can still be read after it is closed.

    :param port: TCP port; 0 picks a free one.
    :param tls: serve HTTPS with a temporary certificate authority; see ``ca_path``, ``client_cert``, ``client_key``.
    :param certificate: with TLS, the server's: ``valid``, ``expired`` or ``other_host``.
    :param settings: fields of :class:`Settings`, such as ``reading``, ``window``, ``nothing_open``, ``merge_open``.
    :ivar base_url: the value for the collection's option ``base_url``; set once started.
    :ivar control_url: the URL of the control API (``…/sandbox``).
    :ivar page_url: the URL of the web page.
    :ivar certificate: with TLS, the server's certificate from the next start on.
    :ivar ca_path: with TLS, the path of the authority's certificate; otherwise None.
    :ivar client_cert: with TLS, the path of a client certificate; the request log shows who used it.
    :ivar client_key: with TLS, the path of its key.
    :raises SetupError: a setting is invalid.
    """

    def __init__(
        self, *, port: int = 0, tls: bool = False, certificate: str = certificates.VALID, **settings: Any
    ) -> None:
        known = certificates.CERTIFICATES
        require(certificate in known, f"certificate must be one of {', '.join(known)}, not {certificate!r}")
        self._state = State(Settings(**settings))
        self.certificate = certificate
        self._port = port
        self._tls = tls
        self._thread: threading.Thread | None = None
        self.base_url = ""
        self.control_url = ""
        self.page_url = ""
        self.ca_path: str | None = None
        self.client_cert: str | None = None
        self.client_key: str | None = None

    # start and stop

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Return once requests are served. After close() it starts again on the same port, with its state kept.

        :raises OSError: the port is in use, or the user may not listen on it.
        """
        listener = _Listener(self._state, self._port)
        self._port = listener.getsockname()[1]
        context = None
        if self._tls:
            self._directory = tempfile.TemporaryDirectory(prefix="sqibs-sandbox-")
            context, files = certificates.make(Path(self._directory.name), self.certificate)
            self.ca_path, self.client_cert, self.client_key = files.ca_path, files.client_cert, files.client_key
        origin = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"
        self.base_url, self.control_url, self.page_url = f"{origin}{BASE_PATH}", f"{origin}/sandbox", f"{origin}/"
        self._state.released = asyncio.Event()
        ready: Future[None] = Future()
        # A daemon thread, so that a test run that ends without close() does not hang.
        self._thread = threading.Thread(target=self._run, args=(listener, context, ready), name="sandbox", daemon=True)
        self._thread.start()
        ready.result()

    def close(self) -> None:
        """Stop serving, end delayed and hanging requests, and return once the thread and all sockets are closed."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None
        if self._tls:
            self._directory.cleanup()

    def _run(self, listener: _Listener, context: ssl.SSLContext | None, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(listener, context, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, listener: _Listener, context: ssl.SSLContext | None, ready: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(Server(self._state), shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        await web.SockSite(runner, listener, ssl_context=context, backlog=BACKLOG).start()
        ready.set_result(None)
        await self._stop.wait()
        self._state.released.set()
        await runner.cleanup()
        await listener.drop_connections()

    def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the server's thread, which owns the state; without that thread, run it here."""
        if self._thread is None:
            return function(*args, **kwargs)

        async def call() -> T:
            return function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    # read

    @property
    def token(self) -> str:
        """The first incident token."""
        return self._first_token("incident")

    @property
    def request_token(self) -> str:
        """The first request token, which the API refuses."""
        return self._first_token("request")

    def _first_token(self, kind: str) -> str:
        tokens = self._call(lambda: self._state.model.settings.tokens)
        return next(token.value for token in tokens if token.kind == kind)

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """All incidents, oldest first, with the fields of :class:`Incident`."""
        return self._call(lambda: [asdict(incident) for incident in self._state.model.incidents])

    @property
    def open_incidents(self) -> list[dict[str, Any]]:
        """The open incidents, oldest first."""
        return [incident for incident in self.incidents if incident["state"] == "open"]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests to the emulated API, oldest first, with the fields of :class:`Request`."""
        return self._call(lambda: [asdict(request) for request in self._state.requests])

    @property
    def connections(self) -> int:
        """The number of accepted TCP connections."""
        return self._call(lambda: self._state.connections)

    @property
    def handshakes(self) -> int:
        """The number of completed TLS handshakes."""
        return self._call(lambda: self._state.handshakes)

    # set up

    def queue_fault(self, kind: str, **fields: Any) -> None:
        """Queue a fault after the others; the fields are those of :class:`Fault`.

        :raises SetupError: a field is missing or invalid.
        """
        fault = Fault(kind, **fields)
        self._call(self._state.faults.add, fault)

    def clear_faults(self) -> None:
        """Drop all queued faults."""
        self._call(self._state.faults.clear)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self._call(self._state.advance, seconds)

    def reset(self) -> None:
        """Go back to the state and settings of the start; delayed and hanging requests end."""
        self._call(self._state.reset)

    def set(self, **settings: Any) -> None:
        """Replace these fields of :class:`Settings`.

        :raises SetupError: a setting does not exist or is invalid. Then nothing changes.
        """
        self._call(self._state.set, **settings)

    def set_filters(self, filters: Sequence[Filter], service: str = DEFAULT_SERVICE) -> None:
        """Replace the filters of a service, in the order in which they are tried.

        :raises SetupError: there is no such service.
        """
        self._call(self._state.set_filters, filters, service)


class _Listener(socket.socket):
    """A listening socket on loopback that counts what it accepts: asyncio reports only completed TLS handshakes."""

    def __init__(self, state: State, port: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._state = state
        self._accepted: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        try:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.bind(("127.0.0.1", port))
            self.listen(BACKLOG)
        except BaseException:
            self.close()
            raise

    def accept(self) -> tuple[socket.socket, Any]:
        accepted = super().accept()
        self._state.connections += 1
        self._accepted.add(accepted[0])
        return accepted

    async def drop_connections(self) -> None:
        """Shut down the connections that are left when the server has stopped, and let the loop close them.

        With TLS these are all connections whose client does not answer. asyncio waits for their orderly end, and cannot
        access a connection before its handshake is completed.
        """
        for connection in list(self._accepted):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # already closed, by the server or the client
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while any(connection.fileno() != CLOSED for connection in self._accepted) and time.monotonic() < deadline:
            await asyncio.sleep(0)
