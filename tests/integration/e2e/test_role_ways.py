# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the role incident_guard with Ansible's keywords and strategies: how hosts run, skip or leave the guarded tasks.

Must not test what an incident says, or how it is resolved in the simple case: test_role.py does.
"""

from __future__ import annotations

import textwrap

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import HOSTS, OWN, SITE, Project, site

pytestmark = pytest.mark.matrix

AWAY = ("a", "b", "c ansible_connection=away")
CENSORED = "no_log: true"


@pytest.fixture()
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


# serial and strategies


def test_with_serial_only_the_last_batch_resolves(project):
    by_one = site("serial: 1")
    project.run(by_one, "-e", "broken=b", "-e", "{incident_guard_fail: false}")
    # the second batch triggers; the first has nothing to report, and the last has nothing new
    assert project.sent_states() == [("triggered", ("b",))]
    good = project.run(by_one)
    assert project.sent_states() == [("resolved", ())]
    assert "Callgoose: resolved" in good.stdout.rpartition("PLAY [Site]")[2]


def test_if_a_batch_ends_the_play_the_incident_stays_open(project):
    by_one = site("serial: 1")
    project.run(by_one, "-e", "broken=c")
    assert project.sent_states() == [("triggered", ("c",))]
    # a fails now; b and c are not reached, so c does not recover
    assert project.run(by_one, "-e", "broken=a").rc == 2
    assert project.sent_states() == [("triggered", ("a", "c"))]


def test_with_the_free_strategy_the_first_host_to_finish_does_not_resolve(project):
    project.files["deploy.yml"] = """
- ansible.builtin.command: {cmd: "sleep {{ {'a': 0, 'b': 1, 'c': 2}[inventory_hostname] }}"}
- {name: deploy it, ansible.builtin.fail: {msg: broken}, when: inventory_hostname in (broken | default('')).split('.')}
"""
    free = site("strategy: free")
    project.run(free, "-e", "broken=b.c")
    # each failed host reports when it fails, and no other host resolves anything in between
    assert project.sent_states() == [("triggered", ("b",)), ("triggered", ("b", "c"))]
    assert project.run(free).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_if_some_hosts_skip_the_guard_the_others_resolve_the_incident(project):
    when = "}\n      when: inventory_hostname != 'c'\n"
    playbook = SITE.replace("deploy.yml}\n", "deploy.yml" + when)
    project.run(playbook, "-e", "broken=b")
    (triggered,) = project.sent()
    assert triggered["details"]["total_hosts"] == 2
    project.run(playbook)
    assert project.sent_states() == [("resolved", ())]


# hosts that leave the play


def test_a_nested_guard_fails_again_and_names_the_task_if_the_outer_one_continues(project):
    project.files["outer.yml"] = """
- ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
  vars: {incident_guard_tasks: deploy.yml}
- ansible.builtin.debug: {msg: "{{ inventory_hostname }} went on within"}
"""
    outer = SITE.replace("deploy.yml}", "outer.yml, incident_guard_fail: false}")
    run = project.run(outer, "-e", "broken=b")
    assert run.rc == 0
    assert "b went on within" not in run.stdout and "b went on" in run.stdout
    by_inner, by_outer = project.sent()
    assert by_inner["state"] == by_outer["state"] == "triggered"
    assert by_inner["details"]["failures"][0]["task"] == by_outer["details"]["failures"][0]["task"] == "deploy it"


def test_failed_task_in_the_result_of_another_module_is_ignored(project):
    project.files["library/told.py"] = """#!/usr/bin/python
import json, sys
print(json.dumps({"failed": True, "msg": "no", "failed_task": "of its own"}))
sys.exit(1)
"""
    project.files["deploy.yml"] = "- {name: ask, ansible.legacy.told: }\n"
    run = project.run(SITE, hosts=["a"])
    assert run.rc == 2 and "of its own" in run.stdout
    (triggered,) = project.sent()
    assert triggered["details"]["failures"][0]["task"] == "ask"


ROLL_BACK = """
        - {name: roll back, ansible.builtin.fail: {msg: cannot roll back}, when: "'b' in (broken | default(''))"}
"""
BROKEN_RESCUE = OWN.replace("      rescue:\n", f"      rescue:{ROLL_BACK}")
GUARDED_BLOCK = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.fail: {msg: not today}
          when: inventory_hostname == (stopped | default(''))
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
          vars: {incident_guard_tasks: deploy.yml}
      always:
        - ansible.builtin.debug: {msg: tidy up}
"""


def test_a_host_whose_rescue_failed_does_not_count_as_succeeded_while_its_always_runs(project):
    project.run(BROKEN_RESCUE, "-e", "broken=a")
    assert project.sent_states() == [("triggered", ("a",))]
    assert project.run(BROKEN_RESCUE, "-e", "broken=b").rc == 2
    assert ("resolved", ()) not in project.sent_states()


def test_a_host_that_failed_earlier_in_a_block_with_an_always_prevents_the_resolve(project):
    project.run(GUARDED_BLOCK, "-e", "broken=a")
    assert project.sent_states() == [("triggered", ("a",))]
    assert project.run(GUARDED_BLOCK, "-e", "stopped=b").rc == 2
    assert project.sent_states() == []
    assert project.run(GUARDED_BLOCK).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_a_host_that_was_unreachable_and_then_cleared_prevents_the_resolve(project):
    project.files["deploy.yml"] = """
- ansible.builtin.ping:
- ansible.builtin.meta: clear_host_errors
- {ansible.builtin.fail: {msg: no}, when: inventory_hostname == (broken | default(''))}
"""
    project.run(SITE, "-e", "broken=c")
    assert project.sent_states() == [("triggered", ("c",))]
    project.run(SITE, hosts=AWAY)
    assert ("resolved", ()) not in project.sent_states()


def test_unreachable_hosts_are_in_the_incident_and_hosts_ended_deliberately_are_not(project):
    project.files["deploy.yml"] = """
- {ansible.builtin.meta: end_host, when: inventory_hostname == 'a'}
- ansible.builtin.ping:
"""
    run = project.run(SITE, hosts=AWAY)
    assert run.rc == 4
    (triggered,) = project.sent()
    assert triggered["details"]["failures"] == [{"hosts": ["c"], "kind": "unreachable"}]
    assert project.run(SITE).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_with_the_free_strategy_a_host_dropped_earlier_is_in_the_incident(project):
    project.files["deploy.yml"] = """
- ansible.builtin.command: {cmd: sleep 1}
  when: inventory_hostname == 'a'
- {ansible.builtin.meta: end_host, when: inventory_hostname == 'b'}
- ansible.builtin.ping:
"""
    project.run(site("strategy: free"), hosts=AWAY)
    assert project.sent_states() == [("triggered", ("c",))]


def test_hosts_that_left_the_play_before_the_guard_prevent_the_resolve(project):
    project.run(SITE, "-e", "broken=a")
    before = SITE.replace("  tasks:", "  tasks:\n    - {ansible.builtin.fail: , when: inventory_hostname == 'b'}")
    project.sent()
    project.run(before)
    assert project.sent_states() == []


@pytest.mark.parametrize("include", ["include_role: {name: nowhere}", "include_tasks: nowhere.yml"])
def test_a_host_on_which_an_include_fails_is_in_the_incident_and_fails(project, include):
    project.files["deploy.yml"] = f"- ansible.builtin.{include}\n  when: inventory_hostname == 'b'\n"
    run = project.run(SITE)
    # if the role did not fail itself, Ansible would treat the rescue as a success: exit code 0
    assert run.rc == 2
    assert project.sent_states() == [("triggered", ("b",))]


def test_an_earlier_failure_is_not_reported_for_a_failed_include(project):
    project.files["deploy.yml"] = """
- ansible.builtin.include_tasks: nowhere.yml
  when: inventory_hostname == 'b'
"""
    rescued = """
    - block:
        - ansible.builtin.fail: {msg: another matter}
      rescue:
        - ansible.builtin.debug: {msg: rescued}
"""
    project.run(SITE.replace("  tasks:\n", "  tasks:\n" + rescued.lstrip("\n")))
    (triggered,) = project.sent()
    assert triggered["details"]["hosts"] == ["b"]
    assert "another matter" not in triggered["content"]


# failures that are fatal for others


def test_run_once_in_a_guarded_task_fails_all_hosts(project):
    project.files["deploy.yml"] = "- {name: once, ansible.builtin.fail: {msg: broken}, run_once: true}\n"
    assert project.run(SITE).rc == 2
    (triggered,) = project.sent()
    assert triggered["details"]["hosts"] == list(HOSTS)
    kinds = {failure["kind"]: failure["hosts"] for failure in triggered["details"]["failures"]}
    assert kinds == {"failed": ["a"], "not_reached": ["b", "c"]}


def test_any_errors_fatal_ends_the_play_as_it_would_without_the_guard(project):
    run = project.run(site("any_errors_fatal: true"), "-e", "broken=b")
    assert run.rc == 2
    assert "went on" not in run.stdout
    (triggered,) = project.sent()
    assert "b" in triggered["details"]["hosts"] and "cannot deploy to b" in triggered["content"]
    project.run(site("any_errors_fatal: true"))
    assert project.sent_states() == [("resolved", ())]


# secrets


@pytest.mark.parametrize("no_log", ["true", '"{{ hide }}"'])
def test_a_no_log_task_stays_censored_in_the_page_and_in_the_error(project, no_log):
    project.files["deploy.yml"] = f"""
- name: log in with {{{{ password }}}}
  ansible.builtin.command: {{cmd: "sh -c 'echo my-little-secret >&2; exit 3'"}}
  no_log: {no_log}
"""
    run = project.run(SITE, "-e", "{hide: true, password: my-little-secret}", "-vvv", hosts=["a"])
    assert run.rc == 2
    (triggered,) = project.sent()
    assert CENSORED in triggered["content"]
    # Ansible templates the name before it passes it to a rescue. The page has it as it is written.
    assert "Task: log in with {{ password }} (deploy.yml:2)" in triggered["content"]
    assert "my-little-secret" not in str(triggered)
    told_again = run.stdout.partition("Record what failed")[2]
    assert CENSORED in told_again and "my-little-secret" not in told_again


def test_the_same_guard_twice_in_a_play_is_refused_unless_each_has_its_own_key(project):
    twice = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml, incident_guard_fail: false}
      loop: [one, two]
"""
    refused = project.run(twice, "-e", "broken=b")
    assert refused.rc == 2
    assert (
        "incident_guard_incident_key: this play has already guarded the same files or roles"
        in refused.stdout + refused.stderr
    )
    keyed = twice.replace("incident_guard_fail", "incident_guard_incident_key: 'app {{ item }}', incident_guard_fail")
    assert project.run(keyed, "-e", "broken=b").rc == 0
    assert [body["incident_key"] for body in project.sent()][-2:] == ["app one", "app two"]


GUARD = """
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml, incident_guard_incident_key: app, incident_guard_fail: false}
"""
PLAY = "\n- hosts: all\n  gather_facts: false\n  tasks:"


@pytest.mark.parametrize("again", [GUARD, PLAY + GUARD], ids=["in the play", "in another play"])
def test_two_guards_with_one_key_are_refused_before_the_second_runs(project, again):
    run = project.run(PLAY + GUARD + again)
    assert run.rc == 2
    assert "incident_guard_incident_key: another guard of this run has the same key" in run.stdout
    assert run.stdout.count("deploy it") == 1
    assert project.run(PLAY + GUARD + again.replace("key: app", "key: other"), "-e", "broken=b").rc == 0
    assert [body["incident_key"] for body in project.sent() if body["state"] == "triggered"] == ["app", "other"]


def test_variables_set_by_the_guarded_tasks_do_not_change_the_guard(project):
    project.files["deploy.yml"] = "- ansible.builtin.set_fact: {version: 2}\n" + project.files["deploy.yml"]
    key = "incident_guard_tasks: deploy.yml, incident_guard_incident_key: 'app {{ version | default(1) }}'"
    playbook = SITE.replace("incident_guard_tasks: deploy.yml", key)
    assert project.run(playbook, "-e", "broken=b").rc == 2
    assert [(body["state"], body["incident_key"]) for body in project.sent()] == [("triggered", "app 1")]
    assert project.run(playbook).rc == 0
    assert [(body["state"], body["incident_key"]) for body in project.sent()] == [("resolved", "app 1")]


def test_with_one_key_each_host_can_have_its_own_file(project):
    deploy = project.files.pop("deploy.yml")
    project.files |= {f"{host}.yml": deploy for host in HOSTS}
    own = "incident_guard_tasks: '{{ inventory_hostname }}.yml', incident_guard_incident_key: app"
    playbook = SITE.replace("incident_guard_tasks: deploy.yml", own)
    assert project.run(playbook, "-e", "broken=b").rc == 2
    assert project.sent_states() == [("triggered", ("b",))]
    assert project.run(playbook).rc == 0
    assert project.sent_states() == [("resolved", ())]


@pytest.mark.parametrize("second", ["./deploy.yml", "sub/deploy.yml"])
def test_the_same_file_is_the_same_guard_however_it_is_named(project, second):
    project.files["sub/again.yml"] = textwrap.dedent(GUARD).replace(", incident_guard_incident_key: app", "")
    guard = GUARD.replace(", incident_guard_incident_key: app", "")
    again = guard.replace("deploy.yml", second) if second.startswith(".") else "    - include_tasks: sub/again.yml\n"
    run = project.run(PLAY + guard + again, "-e", "broken=b")
    assert run.rc == 2
    assert (
        "incident_guard_incident_key: this play has already guarded the same files or roles" in run.stdout + run.stderr
    )
    assert project.sent_states() == [("triggered", ("b",))]


def test_a_file_with_a_guard_can_be_nested_in_itself(project):
    project.files["guarded.yml"] = """
- ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
  vars: {incident_guard_tasks: "{{ what }}"}
"""
    project.files["inner.yml"] = "- ansible.builtin.debug: {msg: inner}\n"
    inner = "- ansible.builtin.include_tasks: guarded.yml\n  vars: {what: inner.yml}\n"
    project.files["outer.yml"] = inner + project.files["deploy.yml"]
    outer = PLAY + "\n    - ansible.builtin.include_tasks: guarded.yml\n      vars: {what: outer.yml}\n"
    assert project.run(outer, "-e", "broken=b").rc == 2
    states = {body["details"].get("name") or body["title"].partition(" ")[0]: body["state"] for body in project.sent()}
    assert states == {"inner.yml": "resolved", "outer.yml (playbook.yml)": "triggered"}
    assert project.run(outer).rc == 0
    assert [(body["title"].partition(" ")[0], body["state"]) for body in project.sent()] == [("outer.yml", "resolved")]


@pytest.mark.parametrize(
    "around",
    [
        "\n    - when: deployed is not defined\n      block:\n        - ansible.builtin.include_role:",
        "\n    - when: deployed is not defined\n      ansible.builtin.import_role:",
    ],
    ids=["block", "import"],
)
def test_a_condition_that_applies_to_each_step_is_refused(project, around):
    variables = f"{' ' * (10 if 'block' in around else 6)}vars: {{incident_guard_tasks: deploy.yml}}"
    run = project.run(f"{PLAY}{around} {{name: callgoose.sqibs.incident_guard}}\n{variables}\n")
    assert run.rc == 2
    assert "incident_guard_tasks: a condition around the role (deployed is not defined) applies" in run.stdout
    assert "look around" not in run.stdout and project.sent() == []


def test_a_refused_guard_does_not_affect_another_guard(project):
    project.files["trigger.yml"] = """
- block:
    - ansible.builtin.include_tasks: deploy.yml
  rescue:
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard, tasks_from: trigger}
"""
    refused = """
    - ansible.builtin.include_tasks: trigger.yml
    - ignore_errors: true
      block:
        - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
          vars: {incident_guard_tasks: gone.yml}
"""
    assert project.run(PLAY + refused, "-e", "broken=b").rc == 0
    assert project.sent_states() == [("triggered", ("b",))]
    assert project.run(PLAY + refused).rc == 0
    assert project.sent_states() == []


def test_hosts_that_reach_the_guard_in_a_later_loop_item_are_waited_for(project):
    project.files["guard.yml"] = textwrap.dedent(GUARD).replace(
        "incident_guard_fail: false", "incident_guard_fail: true"
    )
    loop = "\n    - ansible.builtin.include_tasks: guard.yml\n      loop: \"{{ [inventory_hostname == 'b'] }}\"\n"
    assert project.run(PLAY + loop, "-e", "broken=b").rc == 2
    assert project.sent_states() == [("triggered", ("b",))]
    assert project.run(PLAY + loop).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_an_unreachable_host_does_not_count_as_recovered_even_if_that_is_ignored(project):
    project.files["deploy.yml"] = """
- name: look
  ansible.builtin.command: /bin/true
  ignore_unreachable: true
  vars: {ansible_connection: "{{ 'away' if inventory_hostname == (away | default('')) else 'local' }}"}
""" + project.files["deploy.yml"]
    project.run(SITE, "-e", "broken=c")
    assert project.sent_states() == [("triggered", ("c",))]
    run = project.run(SITE, "-e", "away=c", "-v")
    assert run.rc == 0 and "c was unreachable for a task" in run.stdout
    assert project.sent_states() == []
    assert project.run(SITE).rc == 0
    assert project.sent_states() == [("resolved", ())]


def test_group_defaults_for_the_task_do_not_affect_the_guard(project):
    defaults = "module_defaults: {group/callgoose.sqibs.callgoose: {retries: 0, unmatched: warn}}"
    assert project.run(SITE.replace("gather_facts: false", f"gather_facts: false\n  {defaults}"), hosts=["a"]).rc == 0


def test_outputs_are_in_the_page_and_in_the_error(project):
    project.files["deploy.yml"] = """
- name: try these
  ansible.builtin.command: {cmd: "sh -c 'echo {{ item }} >&2; exit 3'"}
  loop: [first, second]
- name: not reached
  ansible.builtin.command: /bin/true
"""
    project.run(SITE, hosts=["a"])
    (triggered,) = project.sent()
    assert "item first" in triggered["content"]
    project.files["deploy.yml"] = "- ansible.builtin.command: {cmd: \"sh -c 'echo how it went >&2; exit 3'\"}\n"
    run = project.run(SITE, hosts=["a"])
    last = run.stdout.partition("Fail again with the original error")[2]
    assert '"rc": 3' in last and '"stderr": "how it went"' in last
    project.files["deploy.yml"] = "- ansible.builtin.assert: {that: false, fail_msg: [first_line, second_line]}\n"
    last = project.run(SITE, hosts=["a"]).stdout.partition("Fail again with the original error")[2]
    assert '"msg":["first_line","second_line"]' in "".join(last.split())


# how names are resolved


def test_a_name_is_searched_relative_to_the_caller_and_never_in_the_roles_own_tasks(project):
    # the role itself has task files with these names
    project.files.clear()
    project.files["resolve.yml"] = "- {name: of the playbook, ansible.builtin.debug: {msg: of the playbook}}\n"
    project.files["roles/caller/tasks/main.yml"] = """
- ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
  vars: {incident_guard_tasks: trigger.yml}
- ansible.builtin.include_tasks: sub/main.yml
"""
    project.files["roles/caller/tasks/trigger.yml"] = "- ansible.builtin.debug: {msg: of the role}\n"
    project.files["roles/caller/tasks/sub/main.yml"] = """
- ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
  vars: {incident_guard_tasks: [near.yml, trigger.yml, resolve.yml]}
"""
    project.files["roles/caller/tasks/sub/near.yml"] = "- ansible.builtin.debug: {msg: beside the file}\n"
    playbook = """
- hosts: all
  gather_facts: false
  roles:
    - {role: callgoose.sqibs.incident_guard, incident_guard_tasks: resolve.yml}
  tasks:
    - ansible.builtin.include_role: {name: caller}
"""
    run = project.run(playbook, hosts=["a"])
    assert run.rc == 0, run.stdout + run.stderr
    messages = [line.partition('"msg": ')[2].strip('"') for line in run.stdout.splitlines() if '"msg": ' in line]
    assert messages == ["of the playbook", "of the role", "beside the file", "of the role", "of the playbook"]
    assert len({body["incident_key"] for body in project.sent()}) == 3


def test_handlers_flushed_under_the_guard_belong_to_it(project):
    project.files["deploy.yml"] = """
- {ansible.builtin.command: /bin/true, notify: restart}
- ansible.builtin.meta: flush_handlers
"""
    handlers = SITE + "  handlers:\n    - {name: restart, ansible.builtin.fail: {msg: cannot restart}}\n"
    assert project.run(handlers, hosts=["a"]).rc == 2
    (triggered,) = project.sent()
    assert "restart" in triggered["title"] and "cannot restart" in triggered["content"]
