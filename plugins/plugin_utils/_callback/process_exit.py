# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells when this process ends, and whether a signal wanted that: Ctrl-C, SIGTERM, or SIGHUP of a lost terminal.

Must not change how the process ends: signals go on to whoever handled them before, and no exit code changes.
"""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


class ProcessExit:
    """Watches for the end of this process; a fork of it ends unwatched.

    :param at_end: called once when the process ends, with whether that is an interrupt. It must not raise, and it can
        start no thread: Python 3.12 and later refuse that at exit.
    """

    def __init__(self, at_end: Callable[[bool], None]) -> None:
        self._at_end = at_end
        self._process = 0
        self._interrupted = False
        self._previous: dict[int, Any] = {}

    def watch(self, signals: bool = False) -> None:
        """Begin to watch, if that has not begun.

        :param signals: be told of SIGTERM and SIGHUP too. Otherwise they end the process as ever: at once, with no
            notice here.
        """
        if self._process:
            return
        self._process = os.getpid()
        atexit.register(self._exit)
        # Ctrl-C becomes KeyboardInterrupt, which ansible-core turns into an exit code before atexit runs: only the
        # signal itself tells it from a crash. 2.19 and later have a handler of their own; it comes after this one.
        self._take_over(signal.SIGINT, self._interrupt)
        if signals:
            self._take_over(signal.SIGTERM, self._terminate)
            self._take_over(signal.SIGHUP, self._terminate)

    def _take_over(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        previous = signal.getsignal(number)
        # Ignored (nohup), or not Python's: that is how it has to stay. Left to the system, Ctrl-C ends all at once.
        if callable(previous) or (previous == signal.SIG_DFL and number != signal.SIGINT):
            self._previous[number] = previous
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        self._previous[number](number, frame)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        self._exit()  # now: what comes next leaves no time
        previous = self._previous[number]
        if callable(previous):
            previous(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _exit(self) -> None:
        if os.getpid() == self._process:
            self._process = -1
            self._at_end(self._interrupted)
