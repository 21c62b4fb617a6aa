# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the records of one ansible-playbook call in a file that all its workers read and write.

Must not interpret the records: state.py does. Facts on each host would work too, but with a thousand hosts Ansible
takes minutes to read the facts of all hosts on each host.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.state import Record, from_json, to_json

T = TypeVar("T")


class Journal:
    """The records so far.

    :param directory: Ansible's ``DEFAULT_LOCAL_TMP``, which belongs to this call, is private to its user, and is
        removed when the call ends.
    """

    def __init__(self, directory: str | Path) -> None:
        self._path = Path(directory, "callgoose_incident_guard.jsonl")

    def write(self, *records: Record) -> None:
        """Append records.

        :raises OSError: the file cannot be written.
        """
        with self._path.open("a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.writelines(to_json(record) + "\n" for record in records)

    def read(self, name: str) -> list[Record]:
        """Return, in order, all records that contain this host, guard or key. The result may contain further records.

        :raises OSError: the file cannot be read or written.
        """
        return [from_json(line) for line in self._lines(name)]

    def last(self, name: str) -> Record | None:
        """Return the last record that contains this name, or None if there is none.

        :raises OSError: the file cannot be read or written.
        """
        lines = self._lines(name)
        return from_json(lines[-1]) if lines else None

    def exchange(self, decide: Callable[[list[Record]], tuple[tuple[Record, ...], T]]) -> T:
        """Append the records that ``decide`` returns for those so far, and return its second result.

        No other process can write in between.

        :raises OSError: the file cannot be read or written.
        """
        with self._path.open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            added, result = decide([from_json(line) for line in file])
            file.writelines(to_json(record) + "\n" for record in added)
            return result

    @contextlib.contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Let one process after another run the ``with`` block.

        Each report sends what the reports before it have not sent. Two at the same time would both send it.

        :raises OSError: the file cannot be written.
        """
        with self._path.with_suffix(".lock").open("a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _lines(self, name: str) -> list[str]:
        text = json.dumps(name)
        with self._path.open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            file.seek(0)
            # Most lines are from other hosts, and parsing JSON takes longer than searching for a name.
            return [line for line in file if text in line]
