# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guard says of the task that failed: the same as the callback.

Must not test which hosts a guard reports: the other tests of the role do.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import OWN, SITE, Project

FIRST = """
- name: look around
  ansible.builtin.debug: {msg: x}
- name: Log in with {{ password }}
  ansible.builtin.command: "false"
  delegate_to: b
  when: inventory_hostname == 'a'
"""


@pytest.mark.parametrize("playbook", [SITE, OWN], ids=["guard", "own rescue"])
def test_a_guard_names_the_task_as_written_with_its_file_and_line(tmp_path, sandbox, playbook) -> None:
    project = Project(tmp_path, sandbox, {"deploy.yml": FIRST})
    result = project.run(playbook, "-e", "password=hunter2", hosts=("a", "b"))
    (body,) = (body for body in project.sent() if body["state"] == "triggered")
    (failure,) = body["details"]["failures"]
    assert (failure["task"], failure["path"], failure["line"]) == ("Log in with {{ password }}", "deploy.yml", 4), (
        result
    )
    assert "hunter2" not in json.dumps(body)


AMBIGUOUS = """
- name: Log in with {{ password }}
  ansible.builtin.command: "false"
- name: Log in with {{ password }}
  ansible.builtin.command: "false"
"""


def test_a_task_that_cannot_be_told_for_sure_is_never_named_with_its_variables(tmp_path, sandbox) -> None:
    project = Project(tmp_path, sandbox, {"deploy.yml": AMBIGUOUS})
    project.run(OWN, "-e", "password=hunter2", hosts=("a",))
    (body,) = (body for body in project.sent() if body["state"] == "triggered")
    # ansible-core 2.20 and earlier keep the id of the task, so that the place is sure.
    assert body["details"]["failures"][0]["task"] in ("Log in with {{ password }}", "ansible.builtin.command")
    assert "hunter2" not in json.dumps(body)
