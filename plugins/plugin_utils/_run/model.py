# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in one run, as plain data. A run is one playbook of an ansible-playbook call, or one guard's tasks.

Must not know Ansible's objects, and must not decide what a run means for an incident: `_incident/rules` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

# Why a host counts as failed.
FAILED = "failed"  # a task failed on it, and no rescue caught the failure
UNREACHABLE = "unreachable"
DROPPED = "dropped"  # ansible-core dropped it from the play without an error message
NOT_REACHED = "not_reached"  # the play ended before the host had run all its tasks
NO_RESULTS = "no task of the play had a result: ansible-core could not start its workers or write its output"
DROPPED_MESSAGE = "ansible-core gave no message"

# Characters kept of one string: the beginning of a message, the end of an output.
MESSAGE_LIMIT = 4096
OUTPUT_LIMIT = 2048
COMMAND_LIMIT = 512
# Characters kept of all strings of a run together. Beyond that, each string gets the short limit.
TOTAL_LIMIT = 8 * 1024 * 1024
SHORT_LIMIT = 256
# Without this limit, a play that keeps clearing host errors would use more and more memory.
FAILURES_PER_HOST = 20

NO_HOSTS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Failure:
    """One reason why a host counts as failed. Strings are bounded, but not redacted.

    :param kind: ``FAILED``, ``UNREACHABLE``, ``DROPPED`` or ``NOT_REACHED``.
    :param task: the task's name, untemplated; empty if no task caused the failure.
    :param action: the task's action, as written.
    :param path: absolute path of the file that contains the task.
    :param line: the task's line in that file; 0 if unknown.
    :param play: the play's name.
    :param message: Ansible's error message, or its notice that the result is censored.
    :param stdout: the end of the standard output.
    :param stderr: the end of the standard error.
    :param command: the command that failed, on one line.
    :param status: how that command ended, such as ``exit status 1``, or the HTTP status and who gave it.
    :param delegate: the other host to which the task was delegated; empty if it was not.
    :param runbook: the link to the instructions for the failure of this task; empty if there is none.
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
    command: str = ""
    status: str = ""
    delegate: str = ""
    runbook: str = ""


@dataclass(frozen=True)
class Run:
    """One run that has ended or was aborted.

    :param playbook: its path, absolute or relative to the current directory, or its full name in a collection.
    :param failures: for each failed host, its failures in order; at least one.
    :param succeeded: hosts that succeeded: at least one real task was ok, and nothing counts against them.
    :param hosts: every host that a play matched.
    :param matched: the same hosts, or None if a play has a template as its hosts: another call may match others.
    :param guarded: hosts whose failures a guard has reported. They count neither as failed nor as succeeded.
    :param aborted: the run started, but never reached its end.
    :param last_task: of an aborted run, the task that started last; None if none did.
    :param error: of an aborted run, the message of the error that ended it; empty if it is not known.
    :param interrupted: the run was ended deliberately, by a signal, in the debugger, or at a prompt.
    :param check_mode: the run was in check mode.
    :param dubious: part of the run could not be read, or Ansible's statistics show more failures than its events. No
        host then counts as recovered.
    """

    playbook: str
    failures: Mapping[str, tuple[Failure, ...]] = field(default_factory=dict)
    succeeded: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    matched: frozenset[str] | None = None
    guarded: frozenset[str] = frozenset()
    aborted: bool = False
    last_task: Task | None = None
    error: str = ""
    interrupted: bool = False
    check_mode: bool = False
    dubious: bool = False


@dataclass(frozen=True)
class Inventory:
    """The hosts of the inventory when a run ended.

    :param hosts: all of them; none if Ansible could not read one of the sources.
    :param added: those that no source names: tasks have added them (``add_host``), so another run may lack them.
    """

    hosts: frozenset[str] = NO_HOSTS
    added: frozenset[str] = NO_HOSTS


@dataclass(frozen=True)
class Task:
    """The parts of a task that a failure report needs.

    :param name: the task's name, untemplated.
    :param action: the task's action, as written.
    :param path: absolute path of the file that contains the task.
    :param line: the task's line in that file; 0 if unknown.
    :param caught_by: id of the enclosing block whose rescue runs if the task fails; empty if none does.
    :param rescues: ids of the blocks whose rescue contains the task.
    :param fatal: if the task fails, the play may end for other hosts too: ``run_once``, ``any_errors_fatal``, or a play
        with ``max_fail_percentage``.
    :param guard: the task belongs to the guard itself: its failure repeats what the guard has reported.
    :param runbook: the link to the instructions for its failure; empty if there is none.
    """

    name: str
    action: str = ""
    path: str = ""
    line: int = 0
    caught_by: str = ""
    rescues: frozenset[str] = frozenset()
    fatal: bool = False
    guard: bool = False
    runbook: str = ""


@dataclass(frozen=True)
class Output:
    """The output of a failed task, neither redacted nor bounded. `Failure` describes the fields."""

    message: str = ""
    stdout: str = ""
    stderr: str = ""
    command: str = ""
    status: str = ""
    delegate: str = ""


@dataclass(frozen=True)
class Play:
    """A play or one batch of it, either when it starts or because it never started.

    :param id: the same for all batches of one play.
    :param name: the play's name, or its host pattern.
    :param hosts: the hosts of this batch; empty if the play never started.
    :param matched: all hosts of the play, including those of later batches; ``None`` if they cannot be determined.
    """

    id: str
    name: str
    hosts: frozenset[str]
    matched: frozenset[str] | None


@dataclass(frozen=True)
class Verdict:
    """How Ansible counts the hosts at the end of a play or batch.

    :param failed: hosts that failed in this play or an earlier one, except those that recovered through a rescue or
        ``clear_host_errors``.
    :param unreachable: hosts that are unreachable, with the same exceptions.
    :param unfinished: hosts of this batch that are neither, but had tasks left.
    :param ended: the play ended deliberately (``meta: end_play``), so that later batches do not start.
    """

    failed: Collection[str] = NO_HOSTS
    unreachable: Collection[str] = NO_HOSTS
    unfinished: Collection[str] = NO_HOSTS
    ended: bool = False
