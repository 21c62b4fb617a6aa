# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how often the role's own steps run: once under strategies that keep hosts in step.

Must not test what the steps do: test_role.py and test_role_ways.py do.
"""

from __future__ import annotations

import re

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import SITE, Project, site

pytestmark = pytest.mark.matrix

HOSTS = ("a", "b", "c", "d")
# What a plain include of the same file gives: the include, its three tasks, and the task after it.
PLAIN = 5
# Prints a line for each include that a worker ran.
COUNT = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    def v2_runner_on_ok(self, result):
        if result._task.action == "ansible.builtin.include_tasks":
            self._display.display("a worker ran the include on " + result._host.get_name())
"""


@pytest.fixture()
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


def results(stdout: str) -> dict[str, int]:
    """Return by host how many results the recap counts."""
    counts = re.findall(r"^(\w+) +: ok=(\d+) .* skipped=(\d+)", stdout, re.MULTILINE)
    return {host: int(ok) + int(skipped) for host, ok, skipped in counts}


def test_under_linear_a_guard_adds_three_results_to_one_host_and_at_most_one_to_the_others(project) -> None:
    counted = results(project.run(SITE, hosts=HOSTS).stdout)
    assert counted.pop("a") <= PLAIN + 3
    # On ansible-core 2.16 it adds none: there, the recap does not count an include_role.
    assert len(counted) == len(HOSTS) - 1 and max(counted.values()) <= PLAIN + 1


@pytest.mark.parametrize(("keywords", "workers"), [((), 1), (("serial: 3",), 2), (("strategy: free",), len(HOSTS))])
def test_under_linear_one_worker_includes_the_guarded_files_for_the_batch(project, keywords, workers) -> None:
    names = ("one", "two")
    message = "{{ inventory_hostname }}"
    project.files = {f"{name}.yml": f"- ansible.builtin.debug: {{msg: '{name} on {message}'}}" for name in names}
    project.files["callback_plugins/count.py"] = COUNT
    run = project.run(site(*keywords).replace("deploy.yml", "[one.yml, two.yml]"), hosts=HOSTS)
    assert run.stdout.count("a worker ran the include on ") == workers
    for name in names:
        assert all(run.stdout.count(f"{name} on {host}") == 1 for host in HOSTS)
    assert project.sent_states() == [("resolved", ())]


def test_a_file_that_cannot_be_loaded_fails_all_hosts_of_the_batch(project) -> None:
    project.files["deploy.yml"] = "not: a list"
    assert project.run(SITE, hosts=HOSTS).rc == 2
    assert project.sent_states() == [("triggered", HOSTS)]


def test_files_that_differ_from_host_to_host_are_each_guarded(project) -> None:
    project.files = {f"{host}.yml": f"- ansible.builtin.debug: {{msg: this is {host}}}" for host in HOSTS}
    playbook = SITE.replace("deploy.yml", "'{{ inventory_hostname }}.yml'")
    run = project.run(playbook, hosts=HOSTS)
    assert run.rc == 0 and all(f"this is {host}" in run.stdout for host in HOSTS)
    assert [state for state, _hosts in project.sent_states()] == ["resolved"] * len(HOSTS)


def test_files_named_in_the_inventory_are_each_guarded(project) -> None:
    project.files = {f"{name}.yml": f"- ansible.builtin.debug: {{msg: this is {name}}}" for name in ("one", "two")}
    playbook = SITE.replace("      vars: {incident_guard_tasks: deploy.yml}\n", "")
    hosts = ("a incident_guard_tasks=one.yml", "b incident_guard_tasks=two.yml")
    run = project.run(playbook, hosts=hosts)
    assert run.rc == 0 and "this is one" in run.stdout and "this is two" in run.stdout


def test_hosts_that_a_condition_leads_past_the_include_have_no_part_in_the_guard(project) -> None:
    playbook = SITE.replace(
        "      vars: {incident_guard_tasks", "      when: inventory_hostname != 'a'\n      vars: {incident_guard_tasks"
    )
    assert project.run(playbook, "-e", "broken=c", hosts=HOSTS).rc == 2
    (triggered,) = project.sent()
    assert (triggered["details"]["hosts"], triggered["details"]["total_hosts"]) == (["c"], 3)
    assert project.run(playbook, hosts=HOSTS).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_with_serial_each_batch_reports_its_failures_and_the_last_resolves(project) -> None:
    playbook = site("serial: 2")
    assert project.run(playbook, "-e", "broken=b.d", hosts=HOSTS).rc == 2
    assert project.sent_states() == [("triggered", ("b",)), ("triggered", ("b", "d"))]
    assert project.run(playbook, hosts=HOSTS).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_the_documented_name_of_the_entry_point_works_too(project) -> None:
    playbook = SITE.replace(
        "{name: callgoose.sqibs.incident_guard}", "{name: callgoose.sqibs.incident_guard, tasks_from: guard}"
    )
    assert project.run(playbook, "-e", "broken=b").rc == 2
    assert project.sent_states() == [("triggered", ("b",))]
