# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repeated task changes nothing, whatever "similar request" means to the API; also with several hosts and loops.

Must not test options or where a task runs: the other test_task_*.py files do.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import DOCUMENTED, connection, run_tasks

TWICE = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    callgoose.sqibs.callgoose_incident:
      title: Nightly backup failed
      incident_key: nightly-backup
  tasks:
    - {name: trigger, callgoose.sqibs.callgoose_incident: {tags: [backup], details: {b: 1, a: 2}}}
    - {name: trigger again, callgoose.sqibs.callgoose_incident: {tags: [backup], details: {a: 2, b: 1}}}
    - {name: resolve, callgoose.sqibs.callgoose_incident: {state: resolved}}
    - {name: resolve again, callgoose.sqibs.callgoose_incident: {state: resolved}}
"""

NOTHING_OPEN = """
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: resolve, callgoose.sqibs.callgoose_incident: {state: resolved, incident_key: never-opened}}
"""

MANY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: each host
      callgoose.sqibs.callgoose_incident:
        title: Disk of {{ inventory_hostname }} is full
    - name: once
      callgoose.sqibs.callgoose_incident:
        title: The cluster is down
      run_once: true
    - name: loop
      callgoose.sqibs.callgoose_incident:
        title: Disk {{ item }} of {{ inventory_hostname }} is full
      loop: [/, /var, /home, /]
      when: inventory_hostname == 'web1'
      register: looped
    - name: The loop's results are there for later tasks
      ansible.builtin.assert:
        that:
          - looped.results | map(attribute='outcome') | list == ['created', 'created', 'created', 'duplicate']
          - looped is changed
      when: inventory_hostname == 'web1'
"""


def test_a_second_trigger_and_a_second_resolve_change_nothing(tmp_path, sandbox, reading) -> None:
    sandbox.set(reading=reading)
    run = run_tasks(tmp_path, TWICE, env=connection(sandbox))
    assert run.call.rc == 0, run.output
    told = [(record["result"]["outcome"], record["result"]["changed"]) for record in run.records]
    assert told == [("created", True), ("duplicate", False), ("resolved", True), ("duplicate", False)]
    assert [request["status"] for request in sandbox.requests] == [201, 208, 200, 208]
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]
    assert all(set(record["result"]) >= DOCUMENTED for record in run.records)
    created = run.result("trigger")
    assert created["status_code"] == 201 and created["attempts"] == 1 and created["incident_key"] == "nightly-backup"
    assert created["triggered"] == {"created": True, "duplicate": False} and created["api_id"]


def test_a_second_run_of_the_playbook_changes_nothing(tmp_path, sandbox, reading) -> None:
    sandbox.set(reading=reading)
    trigger = TWICE[: TWICE.index("    - {name: trigger again")]
    runs = [run_tasks(tmp_path, trigger, env=connection(sandbox)) for _time in range(2)]
    assert "changed=1" in runs[0].call.stdout and "changed=0" in runs[1].call.stdout
    first, second = (request["body"] for request in sandbox.requests)
    assert first == second


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("resolved_false", "nothing_to_resolve"), ("no_filter", "unmatched"), ("duplicate", "duplicate")],
)
def test_a_resolve_with_nothing_open_succeeds_whatever_the_api_answers(tmp_path, sandbox, answer, outcome) -> None:
    sandbox.set(nothing_open=answer)
    run = run_tasks(tmp_path, NOTHING_OPEN, env=connection(sandbox))
    result = run.result("resolve")
    assert run.call.rc == 0 and result["outcome"] == outcome and not result["changed"]


def test_parallel_hosts_run_once_and_loops_each_send_the_right_requests(tmp_path, sandbox) -> None:
    hosts = ["web1", "web2", "web3", "web4"]
    run = run_tasks(tmp_path, MANY, "--forks=3", env=connection(sandbox), inventory=hosts)
    assert run.call.rc == 0, run.output
    assert sorted(result["incident_key"] for result in run.results("each host")) == [
        f"Disk of {host} is full" for host in hosts
    ]
    assert run.result("once")["outcome"] == "created"
    assert len(sandbox.open_incidents) == len(hosts) + 1 + 3
    assert "web1                       : ok=4    changed=3" in run.call.stdout, "the loop changed something"
    looped = [request["connection"] for request in sandbox.requests[len(hosts) + 1 :]]
    assert len(looped) == 4 and len(set(looped)) == 1, "the items of a loop share one connection"
