# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Looks up host names within a time limit, although Python cannot interrupt a lookup.

Must not connect to anything, and must not know what the addresses are for. What holds:

- An address is no name: for it nothing is looked up and nothing is started.
- A lookup runs in a daemon thread, which is abandoned when the time is up. It does not keep the process from ending.
- An abandoned lookup goes on. The next attempt waits for it instead of starting another.
- Where Python refuses to start a thread (3.12 does so at exit, where the callback reports aborted runs), a child
  process looks the name up, and is killed when the time is up.
- If the system allows neither a thread nor a process, the lookup is not limited: a late page is better than none.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from typing import Any, Dict, List, Optional, Tuple

# Prints one address a line. Isolated (-I), so that no socket.py in the working directory is imported.
_PROGRAM = """
import socket, sys
host, port, family = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
try:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
except (OSError, UnicodeError):
    sys.exit(3)
print("\\n".join(address[4][0] for address in found))
"""
_UNKNOWN = 3


class LookupTimeout(socket.timeout):
    """The resolver gave no answer in time."""


class _Lookup:
    """One lookup in a thread of its own."""

    def __init__(self, question: Tuple[str, int, int]) -> None:
        self._question = question
        self._done = threading.Event()
        self._found: List[str] = []
        self._error: Optional[Exception] = None
        threading.Thread(target=self._run, name="callgoose lookup", daemon=True).start()

    def _run(self) -> None:
        try:
            self._found = _look_up(*self._question)
        except Exception as error:  # the caller's thread raises it
            self._error = error
        self._done.set()

    @property
    def is_over(self) -> bool:
        return self._done.is_set()

    def result(self, seconds: float) -> List[str]:
        if not self._done.wait(seconds):
            raise LookupTimeout("timed out")
        if self._error is not None:
            raise self._error
        return self._found


_PENDING: Dict[Tuple[str, int, int], _Lookup] = {}
# A fork has none of its parent's threads.
os.register_at_fork(after_in_child=_PENDING.clear)


def addresses_of(host: str, port: Optional[int], family: int, seconds: float) -> List[str]:
    """Return the addresses of a host, at least one.

    :param host: a name or an address.
    :param port: None if it is not known.
    :param family: of the addresses, such as ``socket.AF_UNSPEC``.
    :param seconds: how long this may take.
    :raises LookupTimeout: there was no answer in time.
    :raises socket.gaierror: the host has no address, or the resolver failed.
    :raises UnicodeError: the name is not valid.
    """
    question = (host, port or 0, int(family))
    try:
        return _look_up(*question, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # a name
    try:
        lookup = _PENDING[question] = _PENDING.get(question) or _Lookup(question)
    except RuntimeError:
        return _look_up_in_child(question, seconds)
    try:
        return lookup.result(seconds)
    finally:
        if lookup.is_over:
            _PENDING.pop(question, None)


def _look_up(host: str, port: int, family: int, flags: int = 0) -> List[str]:
    found: Any = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)
    return [str(address[0]) for *_kind, address in found]


def _look_up_in_child(question: Tuple[str, int, int], seconds: float) -> List[str]:
    command = [sys.executable or "", "-I", "-c", _PROGRAM, *map(str, question)]
    nothing = subprocess.DEVNULL
    try:
        # run_command is a method of a module, and on the controller there is none.
        child = subprocess.run(  # pylint: disable=ansible-bad-function
            command, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise LookupTimeout("timed out") from None
    except (OSError, RuntimeError):
        return _look_up(*question)
    if child.returncode == _UNKNOWN:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return child.stdout.decode("ascii").split() if child.returncode == 0 else _look_up(*question)
