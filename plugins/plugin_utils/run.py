# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in one run, as plain data: one playbook of one ansible-playbook call, or the tasks under one guard.

Must not know Ansible's objects, nor decide what a run means for an incident (incidents.py does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Why a host counts as failed.
FAILED = "failed"  # a task failed on it, and nothing caught that
UNREACHABLE = "unreachable"
LOST = "lost"  # ansible-core took it out of the play and gave no message
NOT_REACHED = "not_reached"  # the play ended before it was done


@dataclass(frozen=True)
class Failure:
    """Why one host counts as failed, once. Texts are raw (not redacted) but bounded when they are recorded.

    :param kind: ``FAILED``, ``UNREACHABLE``, ``LOST`` or ``NOT_REACHED``.
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
