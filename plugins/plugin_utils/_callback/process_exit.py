# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls a function when this process ends, and says why: a signal, the debugger's `q`, or the error of the command.

Must not change how the process ends: signals are passed on to the previous handlers, and the exit code stays the same.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

# The function of ansible-core that shows the error that ends a command, and exits.
_ENDS_COMMAND = "cli_executor"
# Ansible's exit code for "User interrupted execution": after Ctrl-C, and after `q` in the task debugger.
_USER_INTERRUPTED = 99


class ProcessExit:
    """Watches for the end of this process, but not of its forks.

    :param at_end: called once when the process ends. The argument says whether somebody ended it. It must not
        raise, and it cannot start a thread: Python 3.12 and later refuse that at exit.
    :ivar error: the message of the error that ended the command; empty if there was none.
    """

    def __init__(self, at_end: Callable[[bool], None]) -> None:
        self._at_end = at_end
        self._process = 0
        self._interrupted = False
        self._previous: dict[int, Any] = {}
        self.error = ""

    def watch(self, display: Any) -> None:
        """Start watching, unless already started.

        :param display: Ansible's `Display`, which shows the error.
        """
        if self._process:
            return
        self._process = os.getpid()
        atexit.register(self._exit)
        self._watch_exit_code()
        self._watch_errors(display)
        # ansible-core turns KeyboardInterrupt into an exit code before atexit functions run, so only the signal itself
        # distinguishes Ctrl-C from a crash. 2.19 and later have their own handler, which is called after this one.
        self._take_over(signal.SIGINT, self._interrupt)
        # By default they end the process at once, without atexit functions.
        self._take_over(signal.SIGTERM, self._terminate)
        self._take_over(signal.SIGHUP, self._terminate)

    def _watch_exit_code(self) -> None:
        """See the exit code of `sys.exit`: atexit functions are not told, and the debugger leaves no other trace."""
        original = sys.exit

        def watched(code: Any = None) -> NoReturn:
            self._interrupted = self._interrupted or code == _USER_INTERRUPTED
            original(code)

        sys.exit = watched

    def _watch_errors(self, display: Any) -> None:
        """See the error that ends the command: ansible-core shows it, and keeps it nowhere."""
        original = display.error

        def watched(message: Any, *args: Any, **kwargs: Any) -> None:
            # ansible-core shows other errors too, such as that of a failed task.
            if sys._getframe(1).f_code.co_name == _ENDS_COMMAND:
                self.error = str(message)
            original(message, *args, **kwargs)

        display.error = watched

    def _take_over(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        previous = signal.getsignal(number)
        # Leave a signal alone if it is ignored (nohup) or handled outside Python. The default action for SIGINT also
        # stays: it ends the process at once.
        if callable(previous) or (previous == signal.SIG_DFL and number != signal.SIGINT):
            self._previous[number] = previous
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        self._previous[number](number, frame)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        self._exit()  # now, because the process may end before atexit functions run
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
