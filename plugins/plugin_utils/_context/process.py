# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names a process so that another one can tell later whether it still runs.

Must not confuse a process with a later one of the same number, also after the machine was started again.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_NAMESPACE = Path("/proc/self/ns/pid")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
# In the file stat of a process in /proc: the field "starttime" (22), counted behind the name in parentheses (2).
_STARTED = 22 - 3


def this_process() -> str:
    """Return a name of this process: its number and when it started; empty if that cannot be read here."""
    started = _started(os.getpid())
    return f"{os.getpid()} {started}" if started else ""


def is_gone(process: str) -> bool:
    """Return whether a process of this machine, as :func:`this_process` named it, has ended. Unknown ones have not."""
    number, _space, started = process.partition(" ")
    if not number.isdecimal() or not started:
        return False
    try:
        if _place_of(_started(os.getpid())) != _place_of(started):
            return False  # it ran in another container, or before the machine was started again
        return _started(int(number)) != started
    except OSError:
        return False


def _place_of(started: str) -> str:
    return started.rpartition(" ")[0]


def _started(number: int) -> str:
    """Return when a process started, and in which boot of the machine; empty if there is no such process.

    :raises OSError: that cannot be found out.
    """
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        # Containers on one machine can have the same host name, and number their processes from 1.
        space = _NAMESPACE.readlink()
        return f"{_BOOT.read_text(encoding='ascii').strip()} {space} {fields[_STARTED]}"
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    # macOS and BSD have no /proc.
    command = ["ps", "-o", "lstart=", "-p", str(number)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=5).stdout.strip()
