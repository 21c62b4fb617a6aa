# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in one run, as plain data: one playbook of one ansible-playbook call, or the tasks under one guard.

Must not know Ansible's objects, nor decide what a run means for an incident (incidents.py does).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

# Why a host counts as failed.
FAILED = "failed"  # a task failed on it, and nothing caught that
UNREACHABLE = "unreachable"
DROPPED = "dropped"  # ansible-core took it out of the play and gave no message
NOT_REACHED = "not_reached"  # the play ended before it was done
DROPPED_MESSAGE = "ansible-core gave no message"

# Characters kept of one text: of a message its beginning, of an output its end.
MESSAGE_LIMIT = 4096
OUTPUT_LIMIT = 2048
# Characters kept of all texts of a run together; after that each text gets the short limit.
TOTAL_LIMIT = 8 * 1024 * 1024
SHORT_LIMIT = 256
# What one host can add: a play that clears its errors again and again must not grow for ever.
FAILURES_PER_HOST = 20

NO_HOSTS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Failure:
    """Why one host counts as failed, once. Texts are raw (not redacted) but bounded when they are recorded.

    :param kind: ``FAILED``, ``UNREACHABLE``, ``DROPPED`` or ``NOT_REACHED``.
    :param task: the task's name, untemplated; empty where no task is to blame.
    :param action: the task's action, as written.
    :param path: the file that the task is written in, absolute; ``line`` its line, 0 where unknown.
    :param play: the play's name.
    :param message: what Ansible said, or what it is censored to.
    :param stdout: the end of it; ``stderr`` likewise. Empty where there is none.
    """

    kind: str
    task: str = ""
    action: str = ""
    path: str = ""
    line: int = 0
    play: str = ""
    message: str = ""
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True)
class Run:
    """One run that is over, or that has been given up.

    :param playbook: the path, absolute or relative to the current folder, or the full name in a collection.
    :param failures: for each host that counts as failed, what failed, first things first; never empty for a host.
    :param succeeded: hosts that are proven good: at least one real task was ok, and nothing counts against them.
    :param hosts: every host that a play matched.
    :param guarded: hosts of which a guard has reported what failed: they count neither as failed nor as good.
    :param aborted: it started and never reached its end.
    :param interrupted: somebody ended it: Ctrl-C, SIGTERM or SIGHUP.
    :param check_mode: it only looked.
    :param dubious: its events and Ansible's statistics disagree: it proves nothing good.
    """

    playbook: str
    failures: Mapping[str, tuple[Failure, ...]] = field(default_factory=dict)
    succeeded: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    guarded: frozenset[str] = frozenset()
    aborted: bool = False
    interrupted: bool = False
    check_mode: bool = False
    dubious: bool = False


@dataclass(frozen=True)
class Task:
    """A task as a failure needs it.

    :param name: untemplated. ``action`` as written; ``path`` and ``line`` where it is written.
    :param caught: a block around it has a rescue that a failure of it leads to.
    :param fatal: a failure of it may end the play for other hosts too: ``run_once``, ``any_errors_fatal`` or a play
        with ``max_fail_percentage``.
    :param guard: it is a guard's own: its failure repeats what the guard has reported.
    """

    name: str
    action: str = ""
    path: str = ""
    line: int = 0
    caught: bool = False
    fatal: bool = False
    guard: bool = False


@dataclass(frozen=True)
class Output:
    """What a failed task said, as it came; it may be long."""

    message: str = ""
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True)
class Play:
    """A play, or one batch of it, that starts; or one that never did.

    :param id: the same for all batches of one play.
    :param hosts: of this batch.
    :param matched: all hosts of the play, those of later batches too. For a play that never started: ``None`` where
        its hosts can no longer be known.
    """

    id: str
    name: str
    hosts: frozenset[str]
    matched: frozenset[str] | None


@dataclass(frozen=True)
class Verdict:
    """What Ansible itself holds of the hosts when a play, or a batch of it, is over.

    :param failed: hosts that count as failed, in this play or an earlier one; without those that a rescue or
        ``clear_host_errors`` put right.
    :param unreachable: likewise.
    :param unfinished: hosts of this batch that are neither and still had tasks to do.
    :param ended: the play was ended on purpose (``meta: end_play``): further batches were not meant to start.
    """

    failed: Collection[str] = NO_HOSTS
    unreachable: Collection[str] = NO_HOSTS
    unfinished: Collection[str] = NO_HOSTS
    ended: bool = False
