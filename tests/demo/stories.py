# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo shows: one story for each way to use the collection, each a list of ansible-playbook runs.

Must not run anything: run.py does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One run of ansible-playbook, with the result that makes its title true.

    :param words: what follows ``ansible-playbook`` on the command line.
    :param said: what Ansible must print.
    :param answers: the status code of each request that the API receives.
    :param incidents: the states of all incidents that the API holds afterwards.
    :param exit_code: of ansible-playbook.
    :param hours_later: how far the emulated API's clock is advanced before the run.
    :param note: an explanation, if the result needs one.
    """

    title: str
    words: str
    said: str
    answers: tuple[int, ...]
    incidents: tuple[str, ...]
    exit_code: int = 0
    hours_later: int = 0
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
        Step(
            "The backup succeeds the next night too: nothing is left to resolve",
            "backup.yml -v -e backup_state=resolved",
            "nothing_to_resolve",
            (200,),
            ("resolved",),
            hours_later=24,
            note="The API detects duplicates for a limited time only, 5 minutes in this demo. A second resolve within "
            "that time would get 208 (duplicate), like the second trigger in A2. Either way, nothing changes.",
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
            "shop-site.yml-",
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
            "web2, the only failed host, has space again and succeeds in a limited run: the incident is resolved",
            "site.yml --limit web2",
            "shop-site.yml-",
            (200, 200),
            ("resolved",),
            note="The second request is for the incident of '--limit web2' runs, which has its own key. The callback "
            "has no record of that key yet, so it sends one resolve to be sure. Nothing was open.",
        ),
        Step(
            "A full run succeeds: the callback knows that nothing is open, so nothing is sent",
            "site.yml",
            "failed=0",
            (),
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

STORIES = (TASK, CALLBACK, ROLE)
