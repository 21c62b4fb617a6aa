# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input that is spelled in another way than documented and still clear works alike in the task, callback and role.

Must not test input that is refused: test_task_bad_input.py, test_callback_trouble.py and test_role_input.py do.
"""

from __future__ import annotations

import sys

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import OWN, SITE, Project
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection, run_tasks
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = pytest.mark.matrix

# `|` ends a string with a line break, `>-` does not.
BLOCKS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: trigger
      callgoose.sqibs.callgoose_incident:
        title: |
          Disk full
        severity: Warning
    - name: resolve
      callgoose.sqibs.callgoose_incident:
        state: resolved
        incident_key: >-
          Disk full
    - {name: delegated, callgoose.sqibs.callgoose_incident: {title: Again, severity: INFO}, delegate_to: relay}
"""
RELAY = f"relay ansible_connection=local ansible_python_interpreter={sys.executable}"

# What an answer's JSON can contain and Ansible cannot handle, or prints as no JSON.
NESTED = "[" * 300 + "]" * 300
ANSWER = (
    f'{{"id": {NESTED}, "triggered": {{"created": true, "odd": {NESTED}, "n": NaN}}, "resolved": {{"i": Infinity}}}}'
)
ODD_ANSWER = """
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: trigger, callgoose.sqibs.callgoose_incident: {title: Disk full}, register: trigger}
    - {name: Print it, ansible.builtin.debug: {var: trigger}}
    - {name: Use it, ansible.builtin.assert: {that: trigger.triggered.created and trigger.api_id is none}}
"""


def with_line_break(sandbox: Sandbox) -> dict[str, str]:
    """Return the connection as a script gives it that reads token and address from files."""
    return {
        **connection(sandbox),
        "CALLGOOSE_API_TOKEN": f"{sandbox.token}\n",
        "CALLGOOSE_BASE_URL": f"{sandbox.base_url}\n",
    }


def test_a_task_ignores_the_line_break_of_a_block_and_of_a_token_and_capitals(tmp_path, sandbox) -> None:
    run = run_tasks(tmp_path, BLOCKS, "-vvv", env=with_line_break(sandbox), inventory=["localhost", RELAY])
    assert run.call.rc == 0, run.output
    assert [record["result"]["outcome"] for record in run.records] == ["created", "resolved", "created"]
    sent = [record["result"]["payload"] for record in run.records]
    assert [body["incident_key"] for body in sent] == ["Disk full", "Disk full", "Again"]
    assert [body.get("severity") for body in sent] == ["warning", None, "info"]
    assert sandbox.token not in run.output


def test_a_task_masks_the_token_that_was_given_with_a_line_break(tmp_path, sandbox) -> None:
    task = f'{{title: "the token {sandbox.token} in a title", api_token: "{sandbox.token}\\n"}}'
    play = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - {{name: here, callgoose.sqibs.callgoose_incident: {task}}}
    - {{name: there, callgoose.sqibs.callgoose_incident: {task}, delegate_to: relay}}
"""
    run = run_tasks(tmp_path, play, env=connection(sandbox), inventory=["localhost", RELAY])
    assert [run.result(name)["status_code"] for name in ("here", "there")] == [201, 208]
    assert [sandbox.token in str(run.result(name)) for name in ("here", "there")] == [False, False]


def test_a_task_passes_on_only_what_ansible_can_handle_of_an_answer(tmp_path, sandbox) -> None:
    sandbox.queue_fault("body", body=ANSWER)
    run = run_tasks(tmp_path, ODD_ANSWER, env=connection(sandbox))
    assert run.call.rc == 0, run.output
    assert (run.result("trigger")["triggered"], run.result("trigger")["resolved"]) == ({"created": True}, {})


@pytest.mark.parametrize("where", ["environment", "ansible.cfg"])
def test_the_callback_ignores_capitals_and_white_space(tmp_path, sandbox, where) -> None:
    site = Site(tmp_path, sandbox, hosts=("web1",), env=with_line_break(sandbox))
    if where == "environment":
        site.env["CALLGOOSE_SEVERITY"] = "Warning\n"
    else:
        site.cfg += "severity = Warning\n"
    failed = site.run(bad="web1")
    assert (failed.rc, failed.stderr, site.incidents) == (2, "", ["open"])
    assert site.sent[0]["severity"] == "warning"


def test_the_guard_ignores_capitals_and_the_line_break_of_a_token(tmp_path, sandbox) -> None:
    project = Project(tmp_path, sandbox)
    by_variable = SITE.replace("deploy.yml}", "deploy.yml, incident_guard_severity: Warning}")
    for playbook, env in ((by_variable, {}), (SITE, {"CALLGOOSE_SEVERITY": " Warning\n"})):
        run = project.run(playbook, "-e", "broken=b", env={**with_line_break(sandbox), **env})
        assert (run.rc, run.stderr) == (2, "")
        assert [body["severity"] for body in project.sent()] == ["warning"]
        assert project.run(playbook, env=with_line_break(sandbox)).rc == 0
        assert project.sent_states() == [("resolved", ())]


def test_the_guards_trigger_and_resolve_find_each_other_despite_a_line_break(tmp_path, sandbox) -> None:
    project = Project(tmp_path, sandbox)
    block = OWN.replace("incident_guard_incident_key: site,", 'incident_guard_incident_key: "site\\n",')
    assert block.count("site\\n") == 1
    project.run(block, "-e", "broken=b")
    project.run(block)
    assert [(body["state"], body["incident_key"]) for body in project.sent()] == [
        ("triggered", "site"),
        ("resolved", "site"),
    ]


@pytest.mark.parametrize("name", ["default", "ansible.builtin.default", "ansible.legacy.default"])
def test_each_name_of_the_default_output_counts_as_output_for_people(tmp_path, sandbox, name) -> None:
    site = Site(tmp_path, sandbox, hosts=("web1",))
    site.cfg = site.cfg.replace("[defaults]", f"[defaults]\nstdout_callback = {name}")
    failed = site.run(bad="web1")
    assert "Callgoose: triggered incident " in failed.stdout
    assert failed.stderr == ""
