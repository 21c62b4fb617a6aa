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
AWAY = ("a", "b ansible_connection=away", "c")


def indented(tasks: str) -> str:
    return "\n".join(f"    {line}" for line in tasks.strip().splitlines())


# By name: the guarded tasks, the tasks before the guard, and the hosts.
SCENARIOS = {
    "an optional file": (OPTIONAL_FILE, "", ("a", "b", "c")),
    "an optional role": (OPTIONAL_ROLE, "", ("a", "b", "c")),
    "an optional file before the guard": (FINE, OPTIONAL_FILE, ("a", "b", "c")),
    "another host's fatal failure, rescued": (FATAL, "", ("a", "b", "c")),
    "a fatal failure before the guard, rescued": (FINE, FATAL, ("a", "b", "c")),
    "errors cleared after a host was unreachable": (FINE, CLEARED, AWAY),
}


@pytest.mark.parametrize(
    ("inner", "strategy", "cfg"),
    [
        (GUARDED, "linear", "[defaults]\n"),
        (GUARDED, "linear", CALLBACK),
        (GUARDED, "free", "[defaults]\n"),
        (OWN, "linear", "[defaults]\n"),
    ],
    ids=["guard", "guard and callback", "guard under free", "trigger and resolve"],
)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_guard_ends_the_run_as_it_would_have_ended_and_pages_nobody(
    tmp_path, sandbox, name, inner, strategy, cfg
) -> None:
    tasks, before, hosts = SCENARIOS[name]
    project = Project(tmp_path, sandbox, {"deploy.yml": tasks})
    site = SITE.replace("STRATEGY", strategy).replace("BEFORE", indented(before) if before else "")
    plain = project.run(site.replace("INNER", PLAIN), hosts=hosts)
    result = project.run(site.replace("INNER", inner), hosts=hosts, cfg=cfg)
    went_on = [sorted(line for line in run.stdout.splitlines() if "went on" in line) for run in (plain, result)]
    assert (result.rc, went_on[1]) == (plain.rc, went_on[0]), result.stdout
    assert plain.rc == 0, "the scenario is one of a run that succeeds"
    assert "triggered" not in {body["state"] for body in project.sent()}, result.stdout
    assert "incident_guard:" not in result.stderr


def test_under_free_many_failures_are_two_requests(tmp_path, sandbox) -> None:
    hosts = [f"h{number}" for number in range(6)]
    tasks = "- ansible.builtin.fail: {msg: bad}\n  when: inventory_hostname != 'h0'\n"
    project = Project(tmp_path, sandbox, {"deploy.yml": tasks})
    site = SITE.replace("STRATEGY", "free").replace("BEFORE", "").replace("INNER", GUARDED)
    result = project.run(site, "--forks=3", hosts=hosts, cfg=CALLBACK)
    sent = project.sent()
    assert result.rc == 2 and {body["state"] for body in sent} == {"triggered"}
    assert 1 <= len(sent) <= 2 and len({body["incident_key"] for body in sent}) == 1, sent
    assert sent[-1]["details"]["hosts"] == hosts[1:]
