# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role incident_guard from a failure to its end: one incident for all hosts, the original error, and who closes it.

Must not test how Ansible's keywords change the way of the hosts: test_role_ways.py does.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import HOSTS, OWN, SITE, Project

GUIDE = Path(__file__).resolve().parents[3] / "docs/docsite/rst/incident_guard.rst"

TWO_GUARDS = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml, incident_guard_fail: false}
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_roles: [app]}
    - ansible.builtin.debug: {msg: "{{ app_default }} {{ app_var }} {{ app_fact }}"}
"""
APP = {
    "roles/app/tasks/main.yml": """
- ansible.builtin.set_fact: {app_fact: fact}
- name: start the app
  ansible.builtin.fail: {msg: no app}
  when: app_broken | default(false)
""",
    "roles/app/defaults/main.yml": "app_default: default\n",
    "roles/app/vars/main.yml": "app_var: var\n",
}


@pytest.fixture()
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


def test_one_incident_is_raised_for_all_failed_hosts_and_resolved_when_all_come_through(project):
    failed = project.run(SITE, "-e", "broken=a.c")
    (raised,) = project.sent()
    again = project.run(SITE, "-e", "broken=a.c")
    assert project.told() == []
    good = project.run(SITE)
    (resolved,) = project.sent()
    once_more = project.run(SITE)

    assert (failed.rc, again.rc, good.rc, once_more.rc) == (2, 2, 0, 0), failed.stdout + good.stdout
    assert project.told() == []
    assert raised["title"] == "deploy.yml (playbook.yml) failed on 2 of 3 hosts (a, c): deploy it"
    assert "cannot deploy to a" in raised["content"] and "cannot deploy to c" in raised["content"]
    assert raised["severity"] == "critical"
    assert (raised["state"], resolved["state"]) == ("triggered", "resolved")
    assert resolved["incident_key"] == raised["incident_key"]
    assert project.sandbox.open_incidents == []


def test_the_failed_hosts_fail_again_with_their_own_error_and_the_others_go_on(project):
    run = project.run(SITE, "-e", "broken=a.c")
    last = run.stdout.partition("Raise or resolve the incident")[2]
    assert '"msg": "cannot deploy to a"' in last and '"msg": "cannot deploy to c"' in last
    assert "b went on" in last
    assert "a went on" not in last and "c went on" not in last


def test_with_fail_false_the_play_goes_on_with_all_hosts(project):
    run = project.run(SITE, "-e", "broken=a", "-e", "{incident_guard_fail: false}")
    assert run.rc == 0
    assert all(f"{host} went on" in run.stdout for host in HOSTS)
    assert project.told() == [("triggered", ("a",))]


def test_a_limited_run_resolves_only_what_it_covers(project):
    project.run(SITE, "-e", "broken=a.b")
    (raised,) = project.sent()
    project.run(SITE, "--limit", "b,c")
    # the resolve is for this limit's own key, of which nobody knows whether it has an incident
    shrunk, asked = project.sent()
    assert (shrunk["incident_key"], shrunk["details"]["hosts"]) == (raised["incident_key"], ["a"])
    assert asked["state"] == "resolved" and asked["incident_key"] != raised["incident_key"]
    project.run(SITE, "--limit", "a")
    assert (raised["incident_key"], "resolved") in [(body["incident_key"], body["state"]) for body in project.sent()]


def test_a_single_host_is_enough(project):
    assert project.run(SITE, "-e", "broken=a", hosts=["a"]).rc == 2
    assert project.run(SITE, hosts=["a"]).rc == 0
    assert project.told() == [("triggered", ("a",)), ("resolved", ())]


def test_fifty_hosts_make_one_request_and_at_most_eight_results_for_each(project):
    hosts = [f"web{number:02}" for number in range(50)]
    project.run(SITE, "-e", "broken=web07.web33", "--forks=10", hosts=hosts)
    assert project.told() == [("triggered", ("web07", "web33"))]
    good = project.run(SITE, "--forks=10", hosts=hosts)
    assert project.told() == [("resolved", ())]
    recap = good.stdout.partition("PLAY RECAP")[2].split()
    # of those, the role does not add two tasks of deploy.yml that are ok, one that is skipped, and the debug task
    results = sum(int(word.partition("=")[2]) for word in recap if word.startswith(("ok=", "skipped="))) / len(hosts)
    assert results - 4 <= 8


def test_two_guards_in_one_playbook_have_an_incident_each(project):
    project.files.update(APP)
    run = project.run(TWO_GUARDS, "-e", "broken=b")
    assert run.rc == 0, run.stdout
    first, second = project.sent()
    assert first["details"]["hosts"] == ["b"]
    # the other one is good: nobody knows yet whether it has an incident from before
    assert second["state"] == "resolved"
    assert first["incident_key"] != second["incident_key"]
    assert project.run(TWO_GUARDS, "-e", "{app_broken: true}").rc == 2
    closed, opened = project.sent()
    assert (closed["state"], closed["incident_key"]) == ("resolved", first["incident_key"])
    assert (opened["state"], opened["incident_key"]) == ("triggered", second["incident_key"])
    assert opened["details"]["hosts"] == ["a", "b", "c"]


def test_what_guarded_roles_and_tasks_set_can_be_used_after_them(project):
    project.files.update(APP)
    run = project.run(TWO_GUARDS)
    assert run.stdout.count("default var fact") == len(HOSTS)


def test_a_guard_among_guarded_tasks_is_another_one(project):
    nested = """
- ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
  vars: {incident_guard_roles: [app]}
"""
    project.files.update(APP)
    project.files["deploy.yml"] = nested
    assert project.run(SITE, "-e", "{app_broken: true}").rc == 2
    inner, outer = project.sent()
    assert (inner["state"], outer["state"]) == ("triggered", "triggered")
    assert inner["incident_key"] != outer["incident_key"]
    assert "no app" in inner["content"] and "no app" in outer["content"]
    assert project.run(SITE).rc == 0
    assert {body["incident_key"] for body in project.sent()} == {inner["incident_key"], outer["incident_key"]}
    assert project.sandbox.open_incidents == []


@pytest.mark.parametrize(("outer", "inner"), [("tasks", "roles"), ("roles", "tasks"), ("roles", "roles")])
def test_a_guard_among_what_is_guarded_leaves_the_outer_one_with_its_own(project, outer, inner):
    def guard(kind: str, name: str, more: str = "") -> str:
        what = f"{name}.yml" if kind == "tasks" else f"[{name}]"
        return f"""
- ansible.builtin.include_role: {{name: callgoose.sqibs.incident_guard}}
  vars: {{incident_guard_{kind}: {what}{more}}}
"""

    for name, tasks in {"outer": guard(inner, "inner"), "inner": "- ansible.builtin.debug: {msg: deployed}\n"}.items():
        project.files |= {f"{name}.yml": tasks, f"roles/{name}/tasks/main.yml": tasks}
    own = guard(outer, "outer", ", incident_guard_incident_key: outer, incident_guard_title: Mine")
    playbook = "- hosts: all\n  gather_facts: false\n  tasks:" + own.replace("\n", "\n    ")
    run = project.run(playbook)
    assert run.rc == 0, run.stdout + run.stderr
    assert run.stdout.count('"msg": "deployed"') == len(HOSTS)
    inner_said, outer_said = project.sent()
    assert (outer_said["incident_key"], outer_said["title"]) == ("outer", "Mine works again")
    assert inner_said["incident_key"] != "outer" and "Mine" not in inner_said["title"]


def test_several_files_run_in_their_order_and_the_first_failure_ends_it(project):
    project.files["after.yml"] = "- ansible.builtin.debug: {msg: afterwards}\n"
    playbook = SITE.replace("incident_guard_tasks: deploy.yml", "incident_guard_tasks: [deploy.yml, after.yml]")
    run = project.run(playbook, "-e", "broken=a")
    assert run.stdout.count('"msg": "afterwards"') == 2
    assert project.sent()[0]["title"].startswith("deploy.yml, after.yml (playbook.yml) failed on 1 of 3 hosts")


def test_the_users_own_rescue_around_the_guard_sees_the_original_error(project):
    playbook = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
          vars: {incident_guard_tasks: deploy.yml}
      rescue:
        - ansible.builtin.debug: {msg: "rescued from {{ ansible_failed_result.msg }}"}
"""
    run = project.run(playbook, "-e", "broken=b")
    assert run.rc == 0
    assert "rescued from cannot deploy to b" in run.stdout
    assert project.told() == [("triggered", ("b",))]
    assert project.run(playbook).rc == 0
    assert project.told() == [("resolved", ())]


def test_trigger_and_resolve_serve_a_rescue_of_ones_own(project):
    failed = project.run(OWN, "-e", "broken=a.b")
    (raised,) = project.sent()
    assert failed.rc == 0 and "a went on" in failed.stdout
    assert raised["incident_key"] == "site"
    assert raised["severity"] == "warning"
    assert raised["title"] == "The site failed on 2 of 3 hosts (a, b): deploy it"
    project.run(OWN, "-e", "broken=b")
    assert project.told() == [("triggered", ("b",))]
    project.run(OWN)
    assert project.told() == [("resolved", ())]


@pytest.mark.parametrize(("later", "good"), [("all", [("resolved", ())]), ("a", [])])
def test_resolve_in_a_later_play_knows_who_was_in_trigger(project, later, good):
    first, _always, second = OWN.partition("      always:\n")
    resolve = textwrap.indent(textwrap.dedent(second.partition("    - ansible.builtin.debug")[0]), "    ")
    playbook = f"{first}\n- hosts: {later}\n  gather_facts: false\n  tasks:\n{resolve}"
    assert project.run(playbook, "-e", "broken=b").rc == 0
    assert project.told() == [("triggered", ("b",))]
    assert project.run(playbook).rc == 0
    # a play without the host that failed says nothing about it
    assert project.told() == good


def test_trigger_fails_again_when_it_is_asked_to(project):
    run = project.run(OWN, "-e", "broken=a", "-e", "{incident_guard_fail: true}")
    assert run.rc == 2
    raised, _title, resolved = run.stdout.partition("Raise the incident")[2].partition("Resolve the incident")
    assert '"msg": "cannot deploy to a"' in raised and "cannot deploy" not in resolved
    assert project.told() == [("triggered", ("a",))]


def test_variables_say_what_the_incident_is_called(project):
    run = project.run(
        SITE,
        "-e",
        '{"broken": "a", "incident_guard_severity": "info", "incident_guard_tags": ["eu", "web"],'
        ' "incident_guard_incident_key": "my-site", "incident_guard_title": "Web shop"}',
    )
    assert run.rc == 2
    (raised,) = project.sent()
    assert (raised["severity"], raised["tags"], raised["incident_key"]) == ("info", ["eu", "web"], "my-site")
    assert raised["title"].startswith("Web shop failed on 1 of 3 hosts")


def test_in_check_mode_nothing_is_sent(project):
    project.run(SITE, "-e", "broken=a")
    project.sent()
    assert project.run(SITE, "--check").rc == 0
    assert project.run(SITE, "--check", "-e", "broken=b").rc == 2
    assert project.told() == []


@pytest.mark.parametrize("words", [["--tags", "all,deploy"], ["--skip-tags", "other"], ["--start-at-task", "first"]])
def test_a_run_of_a_part_raises_but_resolves_nothing(project, words):
    playbook = SITE.replace("  tasks:", "  tasks:\n    - {name: first, ansible.builtin.debug: {msg: first}}")
    project.run(playbook, *words, "-e", "broken=a")
    assert project.told() == [("triggered", ("a",))]
    assert project.run(playbook, *words).rc == 0
    assert project.told() == []
    project.run(playbook)
    assert project.told() == [("resolved", ())]


def test_without_a_ledger_a_good_run_closes_what_a_failed_one_opened(project):
    env = {"CALLGOOSE_STATE_URL": "sqlite:////proc/nowhere/state"}
    project.run(SITE, "-e", "broken=a", env=env)
    assert project.told() == [("triggered", ("a",))]
    project.run(SITE, env=env)
    assert project.told() == [("resolved", ())]
    assert project.sandbox.open_incidents == []


def test_the_guides_example_opens_and_closes_an_incident_as_it_says(tmp_path, sandbox):
    guide = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"^``(\S+)``:\n\n\.\. code-block:: \w+\n\n((?:   .*\n|\n)+)", guide, re.MULTILINE)
    files = {name: textwrap.dedent(text).strip() + "\n" for name, text in blocks}
    assert sorted(files) == ["deploy.yml", "inventory.ini", "site.yml"]
    project = Project(tmp_path, sandbox, files)
    words = ("-i", "inventory.ini")
    for _time in range(2):
        assert project.run("site.yml", *words, "-e", "broken=web1,web2", hosts=None).rc == 2
    (raised,) = project.sent()
    assert f"``{raised['title']}``" in " ".join(guide.split())
    good = project.run("site.yml", *words, hosts=None)
    assert good.rc == 0 and "Callgoose: resolved incident" in good.stdout
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]
    project.sent()
    assert project.run("site.yml", *words, hosts=None).rc == 0
    assert project.sent() == []
