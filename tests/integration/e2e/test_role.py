# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the role incident_guard from failure to recovery: one incident for all hosts, and the original error.

Must not test how Ansible's keywords change the order of hosts and tasks: test_role_ways.py does.
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
MODULE = """\
from ansible.module_utils.basic import AnsibleModule

AnsibleModule({}).exit_json(msg="hello")
"""
FILTER = """\
class FilterModule:
    def filters(self):
        return {"shout": str.upper}
"""


@pytest.fixture()
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


def test_one_incident_is_triggered_for_all_failed_hosts_and_resolved_once_all_succeed(project):
    failed = project.run(SITE, "-e", "broken=a.c")
    (triggered,) = project.sent()
    again = project.run(SITE, "-e", "broken=a.c")
    assert project.sent_states() == []
    good = project.run(SITE)
    (resolved,) = project.sent()
    once_more = project.run(SITE)

    assert (failed.rc, again.rc, good.rc, once_more.rc) == (2, 2, 0, 0), failed.stdout + good.stdout
    assert project.sent_states() == []
    assert triggered["title"] == (
        "deploy it failed on a and c: cannot deploy to a, and 1 other error [deploy.yml (playbook.yml)]"
    )
    assert "cannot deploy to a" in triggered["content"] and "cannot deploy to c" in triggered["content"]
    assert triggered["severity"] == "critical"
    assert (triggered["state"], resolved["state"]) == ("triggered", "resolved")
    assert resolved["incident_key"] == triggered["incident_key"]
    assert project.sandbox.open_incidents == []


def test_failed_hosts_fail_again_with_their_original_error_and_the_others_continue(project):
    run = project.run(SITE, "-e", "broken=a.c")
    last = run.stdout.partition("Fail again with the original error")[2]
    assert '"msg": "cannot deploy to a"' in last and '"msg": "cannot deploy to c"' in last
    assert "b went on" in last
    assert "a went on" not in last and "c went on" not in last


def test_with_fail_false_the_play_continues_with_all_hosts(project):
    run = project.run(SITE, "-e", "broken=a", "-e", "{incident_guard_fail: false}")
    assert run.rc == 0
    assert all(f"{host} went on" in run.stdout for host in HOSTS)
    assert project.sent_states() == [("triggered", ("a",))]


def test_a_limited_run_resolves_only_what_it_covers(project):
    project.run(SITE, "-e", "broken=a.b")
    (triggered,) = project.sent()
    project.run(SITE, "--limit", "b,c")
    # the resolve is for this limit's own key: it is unknown whether that has an incident
    (asked,) = project.sent()
    assert asked["state"] == "resolved" and asked["incident_key"] != triggered["incident_key"]
    project.run(SITE, "--limit", "a")
    assert (triggered["incident_key"], "resolved") in [(body["incident_key"], body["state"]) for body in project.sent()]


def test_a_guard_works_with_a_single_host(project):
    assert project.run(SITE, "-e", "broken=a", hosts=["a"]).rc == 2
    assert project.run(SITE, hosts=["a"]).rc == 0
    assert project.sent_states() == [("triggered", ("a",)), ("resolved", ())]


@pytest.mark.matrix
def test_twenty_hosts_cause_one_request_and_at_most_eight_results_each(project):
    hosts = [f"web{number:02}" for number in range(20)]
    project.run(SITE, "-e", "broken=web07.web13", "--forks=10", hosts=hosts)
    assert project.sent_states() == [("triggered", ("web07", "web13"))]
    good = project.run(SITE, "--forks=10", hosts=hosts)
    assert project.sent_states() == [("resolved", ())]
    recap = good.stdout.partition("PLAY RECAP")[2].split()
    # four of them are not the role's: two ok and one skipped task of deploy.yml, and the debug task
    results = sum(int(word.partition("=")[2]) for word in recap if word.startswith(("ok=", "skipped="))) / len(hosts)
    assert results - 4 <= 8


def test_two_guards_in_one_playbook_have_separate_incidents(project):
    project.files.update(APP)
    run = project.run(TWO_GUARDS, "-e", "broken=b")
    assert run.rc == 0, run.stdout
    first, second = project.sent()
    assert first["details"]["hosts"] == ["b"]
    # the other guard succeeds: it is not known yet whether it has an older incident
    assert second["state"] == "resolved"
    assert first["incident_key"] != second["incident_key"]
    assert project.run(TWO_GUARDS, "-e", "{app_broken: true}").rc == 2
    closed, opened = project.sent()
    assert (closed["state"], closed["incident_key"]) == ("resolved", first["incident_key"])
    assert (opened["state"], opened["incident_key"]) == ("triggered", second["incident_key"])
    assert opened["details"]["hosts"] == ["a", "b", "c"]


def test_variables_set_by_guarded_roles_and_tasks_can_be_used_later(project):
    project.files.update(APP)
    run = project.run(TWO_GUARDS)
    assert run.stdout.count("default var fact") == len(HOSTS)


@pytest.mark.matrix
def test_a_nested_guard_is_a_guard_of_its_own(project):
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


@pytest.mark.matrix
@pytest.mark.parametrize(("outer", "inner"), [("tasks", "roles"), ("roles", "tasks"), ("roles", "roles")])
def test_a_nested_guard_does_not_change_the_key_and_title_of_the_outer_one(project, outer, inner):
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
    inner_sent, outer_sent = project.sent()
    assert (outer_sent["incident_key"], outer_sent["title"]) == ("outer", "Mine has recovered")
    assert inner_sent["incident_key"] != "outer" and "Mine" not in inner_sent["title"]


def test_several_files_run_in_order_until_the_first_failure(project):
    project.files["after.yml"] = "- ansible.builtin.debug: {msg: afterwards}\n"
    playbook = SITE.replace("incident_guard_tasks: deploy.yml", "incident_guard_tasks: [deploy.yml, after.yml]")
    run = project.run(playbook, "-e", "broken=a")
    assert run.stdout.count('"msg": "afterwards"') == 2
    assert project.sent()[0]["title"].endswith("[deploy.yml, after.yml (playbook.yml)]")


@pytest.mark.matrix
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
    assert project.sent_states() == [("triggered", ("b",))]
    assert project.run(playbook).rc == 0
    assert project.sent_states() == [("resolved", ())]


ROLLED_BACK = """
- block:
    - {name: "Migrate {{ inventory_hostname }}", ansible.builtin.command: sh -c 'echo lock timeout >&2; exit 2'}
  rescue:
    - {name: Report, ansible.builtin.fail: {msg: "Deployment failed, rolled back"}}
"""
INNER_GUARD = """
- ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
  vars: {incident_guard_tasks: inner.yml}
"""


@pytest.mark.matrix
@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_what_led_into_a_failed_rescue_inside_is_named_first(project, strategy):
    project.files["deploy.yml"] = ROLLED_BACK
    project.run(SITE.replace("  tasks:", f"  strategy: {strategy}\n  tasks:"))
    for sent in project.sent():
        assert "exit status 2: lock timeout" in sent["title"]
        assert re.findall("^(?:Task|Cause): .*", sent["content"], re.MULTILINE) == [
            "Task: Migrate {{ inventory_hostname }} (deploy.yml:3)",
            "Cause: exit status 2: lock timeout",
            "Task: Report (deploy.yml:5)",
            "Cause: Deployment failed, rolled back",
        ]


def test_an_outer_guard_names_what_led_into_a_rescue_in_the_inner_one(project):
    project.files |= {"deploy.yml": INNER_GUARD, "inner.yml": ROLLED_BACK}
    project.run(SITE)
    inner, outer = project.sent()
    assert inner["title"].partition("[")[0] == outer["title"].partition("[")[0]
    assert outer["content"].count("Task: ") == 2


@pytest.mark.matrix
def test_trigger_and_resolve_work_in_a_users_own_rescue(project):
    failed = project.run(OWN, "-e", "broken=a.b")
    (triggered,) = project.sent()
    assert failed.rc == 0 and "a went on" in failed.stdout
    assert triggered["incident_key"] == "site"
    assert triggered["severity"] == "warning"
    assert triggered["title"] == "deploy it failed on a and b: cannot deploy to a, and 1 other error [The site]"
    project.run(OWN, "-e", "broken=b")
    assert project.sent_states() == [], "fewer hosts are no reason to page again"
    project.run(OWN)
    assert project.sent_states() == [("resolved", ())]


@pytest.mark.matrix
@pytest.mark.parametrize(("later", "good"), [("all", [("resolved", ())]), ("a", [])])
def test_resolve_in_a_later_play_knows_the_hosts_that_triggered(project, later, good):
    first, _always, second = OWN.partition("      always:\n")
    resolve = textwrap.indent(textwrap.dedent(second.partition("    - ansible.builtin.debug")[0]), "    ")
    playbook = f"{first}\n- hosts: {later}\n  gather_facts: false\n  tasks:\n{resolve}"
    assert project.run(playbook, "-e", "broken=b").rc == 0
    assert project.sent_states() == [("triggered", ("b",))]
    assert project.run(playbook).rc == 0
    # a play without the failed host does not change its state
    assert project.sent_states() == good


def test_trigger_fails_again_with_fail_true(project):
    run = project.run(OWN, "-e", "broken=a", "-e", "{incident_guard_fail: true}")
    assert run.rc == 2
    triggered, _title, resolved = run.stdout.partition("Trigger the incident")[2].partition("Resolve the incident")
    assert '"msg": "cannot deploy to a"' in triggered and "cannot deploy" not in resolved
    assert project.sent_states() == [("triggered", ("a",))]


def test_variables_set_the_key_title_severity_and_tags_of_the_incident(project):
    run = project.run(
        SITE,
        "-e",
        '{"broken": "a", "incident_guard_severity": "info", "incident_guard_tags": ["eu", "web"],'
        ' "incident_guard_incident_key": "my-site", "incident_guard_title": "Web shop"}',
    )
    assert run.rc == 2
    (triggered,) = project.sent()
    assert (triggered["severity"], triggered["tags"], triggered["incident_key"]) == ("info", ["eu", "web"], "my-site")
    assert triggered["title"].endswith("[Web shop]")


def test_in_check_mode_nothing_is_sent(project):
    project.run(SITE, "-e", "broken=a")
    project.sent()
    assert project.run(SITE, "--check").rc == 0
    assert project.run(SITE, "--check", "-e", "broken=b").rc == 2
    assert project.sent_states() == []


@pytest.mark.matrix
def test_a_partial_run_triggers_but_does_not_resolve(project):
    playbook = SITE.replace("  tasks:", "  tasks:\n    - {name: first, ansible.builtin.debug: {msg: first}}")
    project.run(playbook, "--tags", "all,deploy", "-e", "broken=a")
    assert project.sent_states() == [("triggered", ("a",))]
    for words in (["--tags", "all,deploy"], ["--skip-tags", "other"], ["--start-at-task", "first"]):
        assert project.run(playbook, *words).rc == 0
        assert project.sent_states() == []
    project.run(playbook)
    assert project.sent_states() == [("resolved", ())]


def test_without_a_ledger_a_successful_run_resolves_the_incident_of_a_failed_one(project):
    env = {"CALLGOOSE_STATE_URL": "sqlite:////proc/nowhere/state"}
    project.run(SITE, "-e", "broken=a", env=env)
    assert project.sent_states() == [("triggered", ("a",))]
    project.run(SITE, env=env)
    assert project.sent_states() == [("resolved", ())]
    assert project.sandbox.open_incidents == []


def test_the_example_of_the_guide_triggers_and_resolves_as_described(tmp_path, sandbox):
    guide = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"^``(\S+)``:\n\n\.\. code-block:: \w+\n\n((?:   .*\n|\n)+)", guide, re.MULTILINE)
    files = {name: textwrap.dedent(text).strip() + "\n" for name, text in blocks}
    assert sorted(files) == ["deploy.yml", "inventory.ini", "site.yml"]
    project = Project(tmp_path, sandbox, files)
    words = ("-i", "inventory.ini")
    for _time in range(2):
        assert project.run("site.yml", *words, "-e", "broken=web1,web2", hosts=None).rc == 2
    (triggered,) = project.sent()
    assert f"``{triggered['title']}``" in " ".join(guide.split())
    good = project.run("site.yml", *words, hosts=None)
    assert good.rc == 0 and "Callgoose: resolved incident" in good.stdout
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]
    project.sent()
    assert project.run("site.yml", *words, hosts=None).rc == 0
    assert project.sent() == []


def test_guarded_tasks_find_modules_and_filters_of_the_project(project):
    # a role of a collection does not search these directories on its own
    project.files |= {
        "library/greet.py": MODULE,
        "filter_plugins/shout.py": FILTER,
        "deploy.yml": '- greet:\n  register: greeting\n- fail: {msg: "{{ greeting.msg | shout }}"}\n',
    }
    assert project.run(SITE).rc == 2
    (page,) = project.sent()
    assert [failure["message"] for failure in page["details"]["failures"]] == ["HELLO"]
