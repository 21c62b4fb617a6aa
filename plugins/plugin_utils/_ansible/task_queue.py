# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Ansible's objects behind the running play: Ansible passes them neither to callbacks nor to actions.

Must not change these objects.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager


def find_task_queue() -> Any:
    """Return the task queue manager that runs the play, or None if there is none.

    It knows which hosts count as failed or unreachable; events, statistics and variables do not. It is on the stack of
    every callback, because it calls them, and of every worker, because a worker is a fork of its process.
    """
    return _local_of_run("self")


def find_iterator(play: Any) -> Any:
    """Return the iterator of this play, or None if another play is running. It knows which hosts count as failed."""
    iterator = _local_of_run("iterator")
    return iterator if isinstance(iterator, PlayIterator) and iterator._play is play else None


def find_strategy() -> Any:
    """Return the strategy that runs the play, or None if there is none."""
    return _local_of_run("strategy")


def keeps_step(strategy: Any) -> bool:
    """Return whether a strategy, linear or derived from it, runs each task on all hosts of a batch before the next."""
    return any(base.__module__ == "ansible.plugins.strategy.linear" for base in type(strategy).__mro__)


def freeze_before_fork() -> None:
    """Exclude all objects loaded so far from garbage collection.

    Each worker that Ansible forks would otherwise scan them, and so copy their memory:
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.freeze()


def _local_of_run(name: str) -> Any:
    """Return a local variable of the running `TaskQueueManager.run`, or None.

    Must not read other frames: before Python 3.13, reading a frame's variables keeps them alive until it ends. Those of
    this frame live as long as the play anyway.
    """
    frame = sys._getframe(1)
    while frame is not None and frame.f_code is not TaskQueueManager.run.__code__:
        frame = frame.f_back  # type: ignore[assignment]
    return None if frame is None else frame.f_locals.get(name)
