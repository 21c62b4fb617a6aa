# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix as a table: each fault, what a user sees of it, and what the client can know of its request.

Must not run anything: columns.py does. Each row stands for the task, the callback and the guard.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import ENCODED, TOKEN, Api, World, silent

# What the client knows of its request: it was not processed; nobody can tell; it was.
LOST, UNKNOWN, DONE = "lost", "unknown", "done"


@dataclass(frozen=True)
class Fault:
    """One row.

    :ivar within: a context in which the fault lasts.
    :ivar says: a regular expression for the task's message, and for the warning of callback and guard.
    :ivar fate: what the client knows: ``LOST``, ``UNKNOWN`` or ``DONE``.
    :ivar processed: whether the API processes the request all the same.
    :ivar core: whether the row belongs to the short version of the table.
    :ivar env: environment variables of callback and guard.
    :ivar options: options of the task.
    """

    name: str
    within: Callable[[World, Api], AbstractContextManager[None]]
    says: str
    fate: str = UNKNOWN
    processed: bool = False
    core: bool = False
    tls: bool = False
    host: str = "127.0.0.1"
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)


def answers(kind: str, count: int | None = None, **fields: Any) -> Callable[[World, Api], AbstractContextManager[None]]:
    """Return a fault of the sandbox. A field may be a function of the API."""

    @contextlib.contextmanager
    def within(_world: World, api: Api) -> Iterator[None]:
        given = {name: value(api) if callable(value) else value for name, value in fields.items()}
        api.sandbox.queue_fault(kind, count=count, **given)
        yield
        api.sandbox.clear_faults()

    return within


@contextlib.contextmanager
def refused(_world: World, api: Api) -> Iterator[None]:
    api.sandbox.close()
    yield
    api.sandbox.start()


@contextlib.contextmanager
def no_connection(_world: World, api: Api) -> Iterator[None]:
    port = int(api.sandbox.base_url.split(":")[2].split("/")[0])
    api.sandbox.close()
    with silent(port):
        yield
    api.sandbox.start()


def resolver(state: str) -> Callable[[World, Api], AbstractContextManager[None]]:
    @contextlib.contextmanager
    def within(world: World, api: Api) -> Iterator[None]:
        world.name(api.host, state)
        yield
        world.name(api.host, "here")

    return within


@contextlib.contextmanager
def unknown_authority(_world: World, api: Api) -> Iterator[None]:
    api.trusted = False
    yield
    api.trusted = True


def certificate(kind: str) -> Callable[[World, Api], AbstractContextManager[None]]:
    @contextlib.contextmanager
    def within(_world: World, api: Api) -> Iterator[None]:
        for present in (kind, "valid"):
            api.sandbox.close()
            api.sandbox.certificate = present
            api.sandbox.start()
            if present == kind:
                yield

    return within


def in_three_seconds(_api: Api) -> dict[str, str]:
    return {"Retry-After": formatdate(time.time() + 3, usegmt=True)}


def status(name: int, fate: str, body: str | None = None, **more: Any) -> Fault:
    """Return the row of a status that comes without processing."""
    fields = {} if body is None else {"body": body}
    return Fault(str(name), answers("status", status=name, **fields), rf"HTTP {name}\.", fate, **more)


def body(name: str, says: str, **fields: Any) -> Fault:
    """Return the row of a request that is processed, and whose answer has another body."""
    return Fault(name, answers("body", **fields), says, DONE, processed=True)


def redirect(name: str, location: Any) -> Fault:
    return Fault(f"redirect {name}", answers("redirect", location=location), "Redirects are never followed", LOST)


NO_ANSWER = "no complete answer within 1 seconds"
NO_JSON = "the answer's body is not a JSON object"
HTML = f"<html><h1>Bad gateway</h1><a href='/?token={ENCODED}'>again</a></html>"
# The resolver must be limited by max_delay, not only by a short timeout; a busy machine needs a second before it sends.
PATIENT = {"CALLGOOSE_TIMEOUT": "60", "CALLGOOSE_MAX_DELAY": "3", "CALLGOOSE_RETRIES": "3"}
ONE_RETRY: dict[str, Any] = {"env": {"CALLGOOSE_RETRIES": "1"}, "options": {"retries": 1}}

FAULTS = (
    Fault(
        "503 Retry-After date",
        answers("status", count=1, status=503, headers=in_three_seconds),
        r"created|resolved",
        DONE,
        **ONE_RETRY,
    ),
    Fault(
        "503 Retry-After seconds",
        answers("status", count=1, status=503, headers={"Retry-After": "1"}),
        r"created|resolved",
        DONE,
        **ONE_RETRY,
    ),
    Fault(
        "resolver hangs",
        resolver("hangs"),
        r"the host name was not resolved within [0-3](\.\d+)? seconds",
        LOST,
        core=True,
        host="hangs.example",
        env=PATIENT,
    ),
    Fault("connection refused", refused, "Connection refused", LOST, core=True),
    Fault("name unknown", resolver("unknown"), "the host name cannot be resolved", LOST, host="unknown.example"),
    Fault("reset before processing", answers("reset"), "cut off|connection failed"),
    Fault(
        "reset after processing",
        answers("reset", processed=True),
        "cut off|connection failed",
        processed=True,
        core=True,
    ),
    Fault("unknown authority", unknown_authority, "self-? ?signed|unable to get local issuer", LOST, tls=True),
    Fault("certificate of another host", certificate("other_host"), "IP address mismatch", LOST, tls=True),
    Fault("certificate expired", certificate("expired"), "certificate has expired", LOST, tls=True),
    Fault("no connection", no_connection, "no connection within 1 seconds", LOST),
    Fault("no headers", answers("hang"), NO_ANSWER, core=True),
    Fault("no headers after processing", answers("hang", processed=True), NO_ANSWER, processed=True),
    Fault("no body", answers("drip", seconds=60), NO_ANSWER, processed=True),
    Fault("one byte a second", answers("drip_head"), NO_ANSWER, processed=True),
    status(500, UNKNOWN, core=True),
    Fault("500 after processing", answers("status", status=500, processed=True), "HTTP 500", processed=True),
    status(502, UNKNOWN, HTML),
    status(408, UNKNOWN),
    status(429, LOST),
    status(401, LOST, f'{{"message": "no token {TOKEN}"}}', core=True),
    status(403, LOST),
    status(404, LOST),
    status(413, LOST),
    redirect("relative", "/elsewhere"),
    redirect("to another host", f"https://elsewhere.example/?token={ENCODED}"),
    redirect("to itself", lambda api: f"{api.base_url}/v1/process"),
    body("empty body", NO_JSON, body=""),
    body("truncated JSON", NO_JSON, body='{"id": "1", "triggered": {"created": tr'),
    body("10 MiB", NO_JSON, body="x" * (10 << 20)),
    body("wrong content type", "incomplete", body='{"id": "1"}', headers={"Content-Type": "image/png"}),
    body("JSON of another shape", "incomplete", body=f'{{"triggered": "{TOKEN}", "resolved": 7, "id": ["{TOKEN}"]}}'),
    Fault("cut off", answers("cut_off"), "the answer was cut off", processed=True),
    Fault("chunked garbage", answers("garbage"), "the answer was cut off", processed=True),
)
