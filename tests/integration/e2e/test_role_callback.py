# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests role and callback together: failures that a guard reported are not reported twice, all others are.

Must not test either of them alone.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import OWN, SITE, Project

pytestmark = pytest.mark.matrix

CALLBACK = "[defaults]\ncallbacks_enabled = callgoose.sqibs.callgoose_incident\n"
UNGUARDED = (
    SITE
    + """
    - name: unguarded
      ansible.builtin.fail: {msg: nobody guards this}
      when: inventory_hostname == (unguarded | default(''))
"""
)


@pytest.fixture()
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


def test_together_they_open_one_incident_and_resolve_it(project):
    assert project.run(SITE, "-e", "broken=b", cfg=CALLBACK).rc == 2
    (triggered,) = [body for body in project.sent() if body["state"] == "triggered"]
    assert triggered["details"]["hosts"] == ["b"]
    assert project.run(SITE, cfg=CALLBACK).rc == 0
    assert (triggered["incident_key"], "resolved") in [(body["incident_key"], body["state"]) for body in project.sent()]
    assert project.run(SITE, cfg=CALLBACK).rc == 0
    assert project.sent_states() == []
    assert [incident["state"] for incident in project.sandbox.incidents] == ["resolved"]


def test_the_callback_pages_for_a_second_failure_that_no_guard_saw(project):
    assert project.run(UNGUARDED, "-e", "broken=b unguarded=c", cfg=CALLBACK).rc == 2
    by_guard, by_callback = project.sent()
    assert by_guard["details"]["hosts"] == ["b"] and "cannot deploy to b" in by_guard["content"]
    assert by_callback["details"]["hosts"] == ["c"] and "nobody guards this" in by_callback["content"]
    assert project.run(UNGUARDED, cfg=CALLBACK).rc == 0
    assert sorted(body["incident_key"] for body in project.sent()) == sorted(
        [by_guard["incident_key"], by_callback["incident_key"]]
    )
    assert project.sandbox.open_incidents == []


def test_the_callback_pages_if_the_guard_could_not(project):
    project.sandbox.queue_fault("status", status=400)
    project.run(SITE, "-e", "broken=b", cfg=CALLBACK)
    refused, paged = project.sent()
    assert paged["incident_key"] != refused["incident_key"]
    assert paged["details"]["hosts"] == ["b"]


@pytest.mark.parametrize(
    ("was", "hidden"),
    [
        ("incident_guard}", "incident_guard, apply: {no_log: true}}"),
        ("gather_facts: false", "gather_facts: false\n  no_log: true"),
    ],
    ids=["include", "play"],
)
def test_no_log_around_the_guard_hides_the_error_but_not_the_reported_hosts(project, was, hidden):
    run = project.run(SITE.replace(was, hidden), "-e", "broken=b", cfg=CALLBACK)
    assert run.rc == 2
    (triggered,) = project.sent()
    assert "no_log: true" in triggered["content"]
    # ansible-core 2.19 and later print the error of the guarded task even if it is hidden
    assert "cannot deploy" not in str(triggered) + run.stdout.partition("Record what failed")[2]


def test_no_log_does_not_hide_the_hosts_reported_in_a_users_own_rescue(project):
    project.sandbox.queue_fault("status", status=400)
    hidden = OWN.replace("gather_facts: false", "gather_facts: false\n  no_log: true")
    words = ("-e", "broken=b", "-e", "{incident_guard_fail: true}")
    assert project.run(hidden, *words, cfg=CALLBACK).rc == 2
    refused, triggered = project.sent()
    assert refused["incident_key"] == triggered["incident_key"] and triggered["details"]["hosts"] == ["b"]


def test_hosts_that_did_not_start_because_of_a_guarded_failure_open_no_second_incident(project):
    serial = SITE.replace("gather_facts: false", "gather_facts: false\n  serial: 1")
    assert "serial: 1" in serial
    assert project.run(serial, "-e", "broken=a", cfg=CALLBACK).rc == 2
    (triggered,) = project.sent()
    assert (triggered["state"], triggered["details"]["hosts"]) == ("triggered", ["a"])


FORCED = """
- name: Site
  hosts: all
  gather_facts: false
  force_handlers: true
  handlers:
    - name: handle
      ansible.builtin.include_tasks: handler.yml
  tasks:
    - ansible.builtin.command: "true"
      notify: handle
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml}
"""


def test_a_handler_that_runs_after_a_guard_failed_is_no_second_failure(project):
    project.files["handler.yml"] = "- ansible.builtin.debug: {msg: handled}"
    assert project.run(FORCED, "-e", "broken=a", hosts=("a",), cfg=CALLBACK).rc == 2
    assert project.sent_states() == [("triggered", ("a",))]


def test_a_host_that_ansible_drops_after_a_guard_that_does_not_fail_still_counts(project):
    later = """
    - ansible.builtin.include_role: {name: nope}
      when: inventory_hostname == 'b'
"""
    playbook = SITE.replace(
        "incident_guard_tasks: deploy.yml", "incident_guard_tasks: deploy.yml, incident_guard_fail: false"
    )
    assert project.run(playbook + later, "-e", "broken=b", cfg=CALLBACK).rc != 0
    by_guard, by_callback = project.sent()
    assert by_guard["details"]["hosts"] == by_callback["details"]["hosts"] == ["b"]
    assert by_guard["incident_key"] != by_callback["incident_key"]
