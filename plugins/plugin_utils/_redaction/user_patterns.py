# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks what the user's own patterns match, within a bounded time.

Must not match a pattern in this process. Python's re cannot be stopped here: it looks for signals from time to time,
but that of Python 3.10 not between its attempts at different positions; a handler can only be set in the main thread;
and SIGALRM belongs to the timeout of tasks in a worker of ansible-core 2.16. Threads are out of the question, since
Ansible forks. A process of our own can be killed at any moment, wherever it is.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import MASK

# What a text becomes if a pattern took too long for it. It is short, because what is sent can be cut.
WITHHELD = f"{MASK} (pattern timeout)"

_MATCHER = Path(__file__).with_name("matcher.py")
# In seconds: for one text, and for all texts together that took too long. Names have their own account, so that a page
# keeps its hosts if outputs have used up the other one.
_PER_TEXT = 1.0
_IN_ALL = 2.0
# In seconds: to start the process on a busy machine.
_TO_START = 10.0
_REMEMBERED = 4096  # short texts


class UserPatterns:
    """The user's patterns.

    :param patterns: Python's regular expressions.
    :raises ValueError: one is not a regular expression or matches the empty string; the message names it.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            _check(pattern)
        self._patterns = list(patterns)
        self._matcher: _Matcher | None = None
        self._lost = {True: 0.0, False: 0.0}
        self._remembered: dict[str, str] = {}
        self.trouble = ""

    def masked(self, text: str, *, is_name: bool = False) -> str:
        """Return the text with all matches masked; ``WITHHELD`` if a pattern takes too long or cannot be tried."""
        if not text or text == WITHHELD:
            return text
        if text in self._remembered:
            return self._remembered[text]
        result = self._asked(text, is_name) if self._lost[is_name] < _IN_ALL else None
        if result is None:
            return WITHHELD
        if len(text) < 256 and len(self._remembered) < _REMEMBERED:
            self._remembered[text] = result
        return result

    def _asked(self, text: str, is_name: bool) -> str | None:
        began = time.monotonic()
        for _attempt in range(2):  # an idle process ends itself
            try:
                # A forked process must not share the socket with its parent.
                if self._matcher is None or self._matcher.owner != os.getpid():
                    self._matcher = _Matcher(self._patterns)
                    began = time.monotonic()
                return self._matcher.ask(text, _PER_TEXT)
            except _TooSlow as error:
                pattern = self._patterns[min(error.number, len(self._patterns) - 1)]
                self._give_up(is_name, time.monotonic() - began)
                self.trouble = self.trouble or (
                    f"redact: the pattern {pattern} takes more than {_PER_TEXT:g} s for one text, which was therefore "
                    "left out of the page. Write it without nested repetitions."
                )
                return None
            except (OSError, ValueError):
                self._matcher = None
        self._give_up(is_name, _IN_ALL)
        self.trouble = self.trouble or (
            "redact: the patterns could not be applied because no process could be started for them. The page was sent "
            "without the texts that they apply to."
        )
        return None

    def _give_up(self, is_name: bool, seconds: float) -> None:
        self._matcher = None
        self._lost[is_name] += max(seconds, _PER_TEXT)


class _TooSlow(Exception):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class _Matcher:
    """The process that applies the patterns.

    :ivar owner: the ID of the process that started it.
    :raises OSError: it could not be started.
    """

    def __init__(self, patterns: list[str]) -> None:
        self.owner = os.getpid()
        self._socket, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C is for Ansible. Without site and the user's environment it starts quickly.
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-X", "utf8", str(_MATCHER)],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.end = weakref.finalize(self, _end, process, self._socket, self.owner)
        try:
            if self._answer({"patterns": patterns, "mask": MASK}, _TO_START) != b"ready":
                raise OSError("the process does not answer")
        except _TooSlow as error:
            self.end()
            raise OSError("the process does not start") from error

    def ask(self, text: str, seconds: float) -> str:
        """Return the masked text.

        :raises _TooSlow: after ``seconds``; the process has ended then.
        :raises OSError: the process has ended, or is gone.
        """
        try:
            return str(json.loads(self._answer(text, seconds).lstrip(b".")))
        except _TooSlow:
            self.end()
            raise

    def _answer(self, question: object, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        received = bytearray()
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(json.dumps(question).encode() + b"\n")
            while not received.endswith(b"\n"):
                self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
                piece = self._socket.recv(65536)
                if not piece:
                    raise OSError("the process has ended")
                received += piece
        except TimeoutError as error:
            dots = len(received) - len(received.lstrip(b"."))
            raise _TooSlow(max(dots - 1, 0)) from error
        return bytes(received).rstrip(b"\n")


def _end(process: subprocess.Popen[bytes], ours: socket.socket, owner: int) -> None:
    ours.close()
    if os.getpid() == owner:
        process.kill()
        process.wait()


def _check(pattern: str) -> None:
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"redact: {pattern!r} is not a regular expression: {error}") from error
    if compiled.search(""):
        raise ValueError(f"redact: {pattern!r} matches the empty string, so it would mask everything")
