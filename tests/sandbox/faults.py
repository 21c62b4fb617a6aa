# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that are queued for the next requests, and how each changes the answer: plain data and pure functions.

Must not touch a connection: delivery.py does.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .errors import require, require_seconds, require_string


class Kind(NamedTuple):
    """A kind of fault: required fields, optional fields, and whether the API processes the request by default."""

    needs: frozenset[str]
    takes: frozenset[str]
    processed: bool


NONE: frozenset[str] = frozenset()
KINDS = {
    # the answer is replaced
    "status": Kind(frozenset({"status"}), frozenset({"headers", "body"}), processed=False),
    "redirect": Kind(frozenset({"location"}), frozenset({"status"}), processed=False),
    "body": Kind(frozenset({"body"}), frozenset({"status", "headers"}), processed=True),
    # the answer arrives late, incomplete or never
    "delay": Kind(frozenset({"seconds"}), NONE, processed=True),
    "reset": Kind(NONE, NONE, processed=False),
    "cut_off": Kind(NONE, NONE, processed=True),
    "drip": Kind(NONE, frozenset({"seconds"}), processed=True),
    "drip_head": Kind(NONE, frozenset({"seconds"}), processed=True),
    "garbage": Kind(NONE, NONE, processed=True),
    "hang": Kind(NONE, NONE, processed=False),
}
REDIRECTS = (301, 302, 303, 307, 308)
DRIP_SECONDS = 1.0


class Reply(NamedTuple):
    """An HTTP answer before it is sent."""

    status: int
    body: str
    headers: Mapping[str, str] = {}


def json_reply(status: int, value: object) -> Reply:
    """Return a reply with this JSON body."""
    return Reply(status, json.dumps(value), {"Content-Type": "application/json"})


# The answer to a request that the API has not processed, unless the fault sets another one.
TEMPORARY_ERROR = json_reply(500, {"message": "Server encountered a temporary error. Please try again."})


@dataclass(frozen=True)
class Fault:
    """One fault, for the next ``count`` requests (None: until the faults are cleared or the sandbox is reset).

    =========== ==============================================================================================
    ``kind``    what the request gets
    =========== ==============================================================================================
    status      ``status``, with ``headers`` (such as ``Retry-After``) and ``body`` if given
    redirect    ``status`` (default 302) to ``location``
    body        the answer with this ``body`` instead, for example not JSON; ``status`` and ``headers`` if given
    delay       the answer after ``seconds``
    reset       a connection reset instead of an answer
    cut_off     half of the answer's body, then the connection is closed
    drip        the answer's body, one byte every ``seconds`` (default 1)
    drip_head   the same, from the first byte of the status line
    garbage     the answer's head, which announces chunks, then bytes that are none
    hang        no answer at all
    =========== ==============================================================================================

    ``processed`` says whether the API processes the request although the answer is faulty. With reset, cut_off, garbage
    or hang, the client cannot know. Default: true for body, delay, cut_off, drip, drip_head and garbage. If the request
    is not processed, its answer is a 500, which is then delayed, cut off and so on.
    """

    kind: str
    count: int | None = 1
    processed: bool | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = field(default=None, hash=False)
    body: str | None = None
    location: str | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        known = isinstance(self.kind, str) and self.kind in KINDS
        require(known, f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        kind = KINDS[self.kind]
        for name in ("status", "headers", "body", "location", "seconds"):
            given = getattr(self, name) is not None
            require(given or name not in kind.needs, f"a {self.kind} fault needs {name}")
            require(not given or name in kind.needs | kind.takes, f"a {self.kind} fault takes no {name}")
        counts = self.count is None or (_is_whole(self.count) and self.count >= 1)
        require(counts, f"count must be 1 or more, or null, not {self.count!r}")
        require(self.processed in (None, True, False), f"processed must be true or false, not {self.processed!r}")
        self._check_answer()

    def _check_answer(self) -> None:
        if self.status is not None:
            require(
                _is_whole(self.status) and 200 <= self.status <= 599, f"status must be 200 to 599, not {self.status!r}"
            )
            redirects = self.kind != "redirect" or self.status in REDIRECTS
            require(redirects, f"status of a redirect must be one of {REDIRECTS}, not {self.status}")
        if self.headers is not None:
            strings = isinstance(self.headers, Mapping) and all(
                isinstance(word, str) and word.isprintable() for pair in self.headers.items() for word in pair
            )
            require(strings, "headers must be an object of strings without line breaks")
        if self.location is not None:
            require_string(self.location, "location")
            require(self.location.isprintable(), "location must be a URL without line breaks")
        require(self.body is None or isinstance(self.body, str), "body must be a string")
        if self.seconds is not None:
            require_seconds(self.seconds, "seconds")

    @property
    def lets_process(self) -> bool:
        """Whether the API processes the request."""
        return KINDS[self.kind].processed if self.processed is None else self.processed

    def answer(self, reply: Reply) -> Reply:
        """Return the answer that replaces ``reply``."""
        if self.kind == "redirect":
            return Reply(self.status or 302, "", {"Location": self.location or ""})
        if self.kind == "status":
            text = json.dumps({"message": "A fault of the sandbox."}) if self.body is None else self.body
            return Reply(self.status or reply.status, text, {**TEMPORARY_ERROR.headers, **(self.headers or {})})
        if self.kind == "body":
            return Reply(self.status or reply.status, self.body or "", {**reply.headers, **(self.headers or {})})
        return reply


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class FaultQueue:
    """Faults in the order in which they were queued; each is used up before the next one starts."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def add(self, fault: Fault) -> None:
        """Queue a fault after the others."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Drop all queued faults."""
        self._waiting.clear()

    def take(self) -> Fault | None:
        """Return the fault for the next request, or None."""
        if not self._waiting:
            return None
        fault = self._waiting[0]
        if fault.count == 1:
            self._waiting.popleft()
        elif fault.count is not None:
            self._waiting[0] = replace(fault, count=fault.count - 1)
        return fault
