# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the machine on which a run takes place: its resolver, its disk, its threads.

Python imports this file by itself. Must not change anything unless its environment variable is set.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

# A file with lines `host state`: `hangs`, `unknown` or `here`, which is 127.0.0.1. It may change during the run.
NAMES = os.environ.get("FAULT_NAMES")
# A statement for each connection to a store.
PRAGMA = os.environ.get("FAULT_PRAGMA")
# The program to run instead of Python once a thread for a lookup was refused, as Python 3.12 does at exit.
PYTHON = os.environ.get("FAULT_PYTHON")
# In seconds. Much longer than any run may take.
HANGS = 300


def look_up(host: Any, port: Any, family: int = 0, kind: int = 0, protocol: int = 0, flags: int = 0) -> Any:
    """Return what the resolver says of a host."""
    lines = Path(NAMES or "").read_text(encoding="utf-8").splitlines()
    state = dict(line.split() for line in lines).get(host)
    if state is None or flags & socket.AI_NUMERICHOST:
        return real_look_up(host, port, family, kind, protocol, flags)
    if state == "hangs":
        time.sleep(HANGS)
    if state == "unknown":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return real_look_up("127.0.0.1", port, family, kind, protocol, flags)


def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
    """Return a connection to a store on a disk with the fault."""
    connection = real_connect(*args, **kwargs)
    connection.execute(PRAGMA or "")
    return connection


def start(thread: threading.Thread) -> None:
    """Start a thread, unless it is to look up a name."""
    if thread.name == "callgoose lookup":
        sys.executable = str(PYTHON)
        raise RuntimeError("can't create new thread at interpreter shutdown")
    real_start(thread)


real_look_up, real_connect, real_start = socket.getaddrinfo, sqlite3.connect, threading.Thread.start
if NAMES:
    socket.getaddrinfo = look_up  # type: ignore[assignment]
if PRAGMA:
    sqlite3.connect = connect  # type: ignore[assignment]
if PYTHON:
    threading.Thread.start = start  # type: ignore[method-assign]
