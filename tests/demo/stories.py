# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration shows: a story for each way to use the collection, each a list of runs of ansible-playbook.

Must not run anything: run.py does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One run of ansible-playbook, and how it must end for the demonstration to be true.

    :param words: what comes after ``ansible-playbook``.
    :param said: what Ansible must print.
    :param answers: the status of each request that the API gets.
    :param incidents: the states of all incidents that it holds afterwards.
    :param exit_code: of ansible-playbook.
    :param note: what needs an explanation.
    """

    title: str
    words: str
    said: str
    answers: tuple[int, ...]
    incidents: tuple[str, ...]
    exit_code: int = 0
    note: str = ""


@dataclass(frozen=True)
class Story:
    """A project and what is done in it, one step after the other.

    :param folder: beside this file; ``files`` are those of its files to show first.
    """

    title: str
    folder: str
    files: tuple[str, ...]
    steps: tuple[Step, ...]


TASK = Story(
    "A task in a playbook raises and resolves an incident",
    "backup",
    ("backup.yml",),
    (
        Step("The backup fails: raise an incident", "backup.yml -v", "changed=1", (201,), ("open",)),
        Step(
            "It fails again: the API answers 208, a duplicate, so nobody is called twice",
            "backup.yml -v",
            "changed=0",
            (208,),
            ("open",),
        ),
        Step(
            "The backup works again: resolve it",
            "backup.yml -v -e backup_state=resolved",
            "changed=1",
            (200,),
            ("resolved",),
        ),
        Step(
            "Still fine: there is nothing left to resolve",
            "backup.yml -v -e backup_state=resolved",
            "changed=0",
            (208,),
            ("resolved",),
        ),
    ),
)

CALLBACK = Story(
    "The callback pages when a run fails: a line in ansible.cfg, and no change in the playbook",
    "shop",
    ("ansible.cfg", "site.yml"),
    (
        Step(
            "The disk of web2 is full, and the run fails: an incident",
            "site.yml -e full_disk=web2",
            "raised incident",
            (201,),
            ("open",),
            exit_code=2,
        ),
        Step(
            "It fails again: the incident is open already, so nothing is sent",
            "site.yml -e full_disk=web2",
            "failed=1",
            (),
            ("open",),
            exit_code=2,
        ),
        Step(
            "There is room again, and web2 is done alone: it was the last failed host, so the incident is resolved",
            "site.yml --limit web2",
            "resolved incident",
            (200, 200),
            ("resolved",),
            note="The second request is about an incident of '--limit web2' alone. There is none, but the callback has "
            "never asked the API before; from now on it knows.",
        ),
        Step("All is well, and the callback knows it: nothing is sent", "site.yml", "failed=0", (), ("resolved",)),
    ),
)

ROLE = Story(
    "The role incident_guard does the same around the tasks that a playbook gives it",
    "guarded",
    ("site.yml",),
    (
        Step(
            "The disk of web2 is full: an incident, and the run fails as it would have without the role",
            "site.yml -e full_disk=web2",
            "No space left on device",
            (201,),
            ("open",),
            exit_code=2,
        ),
        Step("There is room again: resolved", "site.yml", "failed=0", (200,), ("resolved",)),
    ),
)

STORIES = (TASK, CALLBACK, ROLE)
