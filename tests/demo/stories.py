# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo shows: one story for each way to use the collection, each a list of ansible-playbook runs.

Must not run anything: project.py does.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class How(enum.Enum):
    """How a run is watched."""

    TO_THE_END = enum.auto()
    # The API must receive a request while the run goes on.
    ON_HOLD = enum.auto()
    # It gets SIGKILL when its last task has started.
    KILLED = enum.auto()


@dataclass(frozen=True)
class Step:
    """One run of ansible-playbook, with the result that makes its title true.

    :param words: what follows ``ansible-playbook`` on the command line.
    :param said: what Ansible must print.
    :param answers: the status code of each request that the API receives.
    :param incidents: the states of all incidents that the API holds afterwards.
    :param exit_code: of ansible-playbook.
    :param note: an explanation, if the result needs one.
    """

    title: str
    words: str
    said: str
    answers: tuple[int, ...]
    incidents: tuple[str, ...]
    exit_code: int = 0
    how: How = How.TO_THE_END
    note: str = ""


@dataclass(frozen=True)
class Story:
    """A project, and the steps that are run in it one after the other.

    :param folder: the project's directory, next to this file.
    :param files: which of its files to show first.
    """

    title: str
    folder: str
    files: tuple[str, ...]
    steps: tuple[Step, ...]


TASK = Story(
    "The module: a task in a playbook triggers and resolves an incident",
    "backup",
    ("backup.yml",),
    (
        Step(
            "The backup fails: the task triggers an incident",
            "backup.yml -v",
            "changed=1",
            (201,),
            ("open",),
        ),
        Step(
            "A retry of the backup fails too: the API answers 208 (duplicate), so nobody is paged twice",
            "backup.yml -v",
            "changed=0",
            (208,),
            ("open",),
        ),
        Step(
            "The backup succeeds: the task resolves the incident",
            "backup.yml -v -e backup_state=resolved",
            "changed=1",
            (200,),
            ("resolved",),
        ),
    ),
)

CALLBACK = Story(
    "The callback: one line in ansible.cfg pages when a run fails, and the playbook stays as it is",
    "shop",
    ("ansible.cfg", "site.yml"),
    (
        Step(
            "The disk of web2 is full and the run fails: the callback triggers an incident",
            "site.yml -e full_disk=web2",
            "Callgoose: triggered incident shop-site.yml-",
            (201,),
            ("open",),
            exit_code=2,
        ),
        Step(
            "The run fails again on the same host: the incident is open already, so nothing is sent",
            "site.yml -e full_disk=web2",
            "failed=1",
            (),
            ("open",),
            exit_code=2,
        ),
        Step(
            "web2 has space again and the run succeeds: the callback resolves the incident",
            "site.yml",
            "Callgoose: resolved incident shop-site.yml-",
            (200,),
            ("resolved",),
        ),
    ),
)

ROLE = Story(
    "The role: incident_guard does the same for a file of tasks",
    "guarded",
    ("site.yml",),
    (
        Step(
            "The disk of web2 is full: the role triggers an incident, and the run still fails",
            "site.yml -e full_disk=web2",
            "No space left on device",
            (201,),
            ("open",),
            exit_code=2,
            note="After sending the trigger, the role fails web2 again with the original error. The run therefore ends "
            "as it would without the role.",
        ),
        Step(
            "The disk has space again and all hosts succeed: the role resolves the incident",
            "site.yml",
            "failed=0",
            (200,),
            ("resolved",),
        ),
    ),
)

LONG_RUN = Story(
    "The callback, if a run takes long or is killed",
    "nightly",
    ("ansible.cfg", "photos.yml"),
    (
        Step(
            "The disk of web2 is full: the page arrives while the run still goes on for the other hosts",
            "photos.yml -e full_disk=web2",
            "Callgoose: triggered incident nightly-photos.yml-",
            (201,),
            ("open",),
            exit_code=2,
            how=How.ON_HOLD,
        ),
        Step(
            "web2 has space again and the run succeeds: the callback resolves the incident",
            "photos.yml",
            "Callgoose: resolved incident nightly-photos.yml-",
            (200,),
            ("resolved",),
        ),
        Step(
            "A run is killed, as if the machine ran out of memory: it can no longer send anything",
            "photos.yml",
            "TASK [Wait for the upload]",
            (),
            ("resolved",),
            exit_code=-9,
            how=How.KILLED,
        ),
        Step(
            "The playbook watch, which a timer starts every few minutes, finds the killed run and triggers an incident",
            "callgoose.sqibs.watch",
            "photos.yml: a run was killed",
            (201,),
            ("resolved", "open"),
        ),
        Step(
            "The next run succeeds: the callback resolves the incident",
            "photos.yml",
            "Callgoose: resolved incident nightly-photos.yml-",
            (200,),
            ("resolved", "resolved"),
        ),
    ),
)

STORIES = (TASK, CALLBACK, ROLE, LONG_RUN)
