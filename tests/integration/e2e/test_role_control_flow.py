# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that a guard ends a run as the same tasks without it do, and pages nobody if that is a success.

Must not test what a failure is reported as: test_role.py and test_role_ways.py do.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import Project

CALLBACK = "[defaults]\ncallbacks_enabled = callgoose.sqibs.callgoose_incident\n"
PLAIN = "ansible.builtin.include_tasks: deploy.yml"
GUARDED = """ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml}"""
OWN = """block:
        - ansible.builtin.include_tasks: deploy.yml
      rescue:
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard, tasks_from: trigger}
          vars: {incident_guard_incident_key: site}
      always:
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard, tasks_from: resolve}
          vars: {incident_guard_incident_key: site}"""
SITE = """
- name: Site
  hosts: all
  gather_facts: false
  strategy: STRATEGY
  tasks:
BEFORE
    - INNER
    - ansible.builtin.debug: {msg: "{{ inventory_hostname }} went on"}
"""

OPTIONAL_FILE = """
- block:
    - ansible.builtin.include_tasks: missing.yml
      when: inventory_hostname != 'b'
  rescue:
    - ansible.builtin.debug: {msg: there is none}
- ansible.builtin.debug: {msg: look back}
"""
OPTIONAL_ROLE = OPTIONAL_FILE.replace("include_tasks: missing.yml", "include_role: {name: missing}")
FATAL = """
- any_errors_fatal: true
  block:
    - ansible.builtin.fail: {msg: bad}
      when: inventory_hostname == 'b'
  rescue:
    - ansible.builtin.debug: {msg: rescued}
- ansible.builtin.debug: {msg: look back}
"""
FINE = "- ansible.builtin.debug: {msg: fine}"
CLEARED = """
- ansible.builtin.raw: "true"
- ansible.builtin.meta: clear_host_errors
"""

# By name: the guarded tasks, and the tasks before the guard. With a plain include, all hosts get to the end.
SCENARIOS = {
    "an optional file": (OPTIONAL_FILE, ""),
    "an optional role": (OPTIONAL_ROLE, ""),
    "an optional file before the guard": (FINE, OPTIONAL_FILE),
    "another host's fatal failure, rescued": (FATAL, ""),
    "a fatal failure before the guard, rescued": (FINE, FATAL),
}
# Under free, another host can pass clear_host_errors before this one is unreachable.
IN_STEP = {"errors cleared after a host was unreachable": (FINE, CLEARED)}
CASES = [(name, scenario, "linear", [PLAIN, GUARDED, OWN]) for name, scenario in {**SCENARIOS, **IN_STEP}.items()]
CASES += [(name, scenario, "free", [GUARDED]) for name, scenario in SCENARIOS.items()]


def indented(tasks: str) -> str:
    return "\n".join(f"    {line}" for line in tasks.strip().splitlines())


def site(inner: str, strategy: str, before: str = "") -> str:
    text = SITE.replace("STRATEGY", strategy).replace("BEFORE", indented(before) if before else "")
    return text.replace("INNER", inner)


@pytest.mark.matrix
@pytest.mark.parametrize(("name", "scenario", "strategy", "inners"), CASES)
def test_a_guard_ends_a_run_as_a_plain_include_does_and_pages_nobody(
    tmp_path, sandbox, name, scenario, strategy, inners
) -> None:
    tasks, before = scenario
    project = Project(tmp_path, sandbox, {"deploy.yml": tasks})
    hosts = ("a", "b ansible_connection=away" if name in IN_STEP else "b", "c")
    for inner in inners:
        result = project.run(site(inner, strategy, before), hosts=hosts, cfg=CALLBACK)
        assert result.rc == 0, result.stdout
        assert all(f"{host} went on" in result.stdout for host in "abc"), result.stdout
        assert "triggered" not in {body["state"] for body in project.sent()}, result.stdout
        assert "incident_guard:" not in result.stderr


def test_under_free_many_failures_are_two_requests(tmp_path, sandbox) -> None:
    hosts = [f"h{number}" for number in range(6)]
    tasks = "- ansible.builtin.fail: {msg: bad}\n  when: inventory_hostname != 'h0'\n"
    project = Project(tmp_path, sandbox, {"deploy.yml": tasks})
    result = project.run(site(GUARDED, "free"), "--forks=3", hosts=hosts, cfg=CALLBACK)
    sent = project.sent()
    assert result.rc == 2 and {body["state"] for body in sent} == {"triggered"}
    assert 1 <= len(sent) <= 2 and len({body["incident_key"] for body in sent}) == 1, sent
    assert sent[-1]["details"]["hosts"] == hosts[1:]
