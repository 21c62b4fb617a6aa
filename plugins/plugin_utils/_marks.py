# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of this controller: empty files in Ansible's home, for what must be known without the store, or despite it.

Must not raise: without its mark, a run or task does what it did before there were marks. Must import next to nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ansible import constants as C


class Marks:
    """The marks of one kind.

    :param kind: the name of their directory.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @property
    def _directory(self) -> Path:
        return Path(C.ANSIBLE_HOME, "callgoose", self._kind)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        with contextlib.suppress(OSError), os.scandir(self._directory) as files:
            return any(files)
        return False

    def __contains__(self, name: str) -> bool:
        return (self._directory / name).exists()

    def add(self, name: str) -> None:
        """Make a mark.

        :param name: hexadecimal digits.
        """
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._directory / name).touch(mode=0o600)

    def discard(self, name: str) -> None:
        """Remove a mark, if there is one."""
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()


# By run: it ended, and the store could not be told. Otherwise it would look killed.
ENDED = Marks("ended")
# By digest of an incident key: a task's request was queued. Other tasks open the store only for such a key.
QUEUED = Marks("queued")
