# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds who plays the play that is running: Ansible hands neither to callbacks nor to actions what they hold.

Must not change anything of it.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager


def find_task_queue() -> Any:
    """Return the task queue manager that plays the play, or None where none does.

    It knows which hosts count as failed and which can't be reached any more: events, statistics and variables do not
    say that. A callback is called by it, and a worker is a fork of its process, on top of its stack.
    """
    return _local_of_run("self")


def find_iterator(play: Any) -> Any:
    """Return the iterator of this play, which knows which of its hosts count as failed, or None where another runs."""
    iterator = _local_of_run("iterator")
    return iterator if isinstance(iterator, PlayIterator) and iterator._play is play else None


def freeze_before_fork() -> None:
    """Keep the garbage collector off what is loaded by now.

    Each worker that Ansible forks would look through it, and so copy its memory:
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.freeze()


def _local_of_run(name: str) -> Any:
    """Return a variable of the running `TaskQueueManager.run`.

    Of this frame alone: to read a frame's variables keeps them until it ends (before Python 3.13), and those of this
    one live as long as the play does anyway.
    """
    frame = sys._getframe(1)
    while frame is not None and frame.f_code is not TaskQueueManager.run.__code__:
        frame = frame.f_back  # type: ignore[assignment]
    return None if frame is None else frame.f_locals.get(name)
