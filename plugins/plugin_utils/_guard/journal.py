# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what hosts say while one ansible-playbook call lasts, in one file that all its workers read and write.

Must not know what is said: guard.py does. A fact on each host would do too, but reading the facts of all hosts on each
host takes Ansible minutes where there are a thousand.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.state import Record, from_json, to_json

T = TypeVar("T")


class Journal:
    """What was said so far.

    :param folder: of this call alone, readable by its user alone, and removed at its end: Ansible's own
        ``DEFAULT_LOCAL_TMP``.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder, "callgoose_incident_guard.jsonl")

    def write(self, *records: Record) -> None:
        """Add entries.

        :raises OSError: the file cannot be written.
        """
        with self._path.open("a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.writelines(to_json(record) + "\n" for record in records)

    def read(self, name: str) -> list[Record]:
        """Return, in order, all entries in which this name of a host, guard or key is, and perhaps others.

        :raises OSError: the file cannot be read or written.
        """
        return [from_json(line) for line in self._lines(name)]

    def last(self, name: str) -> Record | None:
        """Return the last entry in which this name is, or None: there is none.

        :raises OSError: the file cannot be read or written.
        """
        lines = self._lines(name)
        return from_json(lines[-1]) if lines else None

    def exchange(self, decide: Callable[[list[Record]], tuple[tuple[Record, ...], T]]) -> T:
        """Add what ``decide`` makes of the entries so far, and return what else it returns. Nobody else writes between.

        :raises OSError: the file cannot be read or written.
        """
        with self._path.open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            added, result = decide([from_json(line) for line in file])
            file.writelines(to_json(record) + "\n" for record in added)
            return result

    def _lines(self, name: str) -> list[str]:
        text = json.dumps(name)
        with self._path.open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            file.seek(0)
            # Most lines are other hosts', and to read JSON takes longer than to look for a name.
            return [line for line in file if text in line]
