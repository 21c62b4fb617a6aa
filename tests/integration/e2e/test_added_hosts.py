# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests hosts and groups that a run itself adds (add_host, group_by): they change no identity, and stay while in doubt.

Must not test hosts of the inventory's sources: test_callback_incidents.py and test_role.py do.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import Project
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = pytest.mark.matrix

# Adds the hosts that the extra var `new` names, unless the host that adds them fails.
ADDING = """
- hosts: web1
  gather_facts: false
  tasks:
    - ansible.builtin.assert: {that: "inventory_hostname not in (bad | default('')).split(',')"}
    - ansible.builtin.add_host: {name: "{{ item }}", groups: [new], ansible_connection: local}
      loop: "{{ (new | default('')).split(',') | select | list }}"
    - ansible.builtin.group_by: {key: grouped}
"""
CHECK = "    - ansible.builtin.assert: {that: \"inventory_hostname not in (bad | default('')).split(',')\"}\n"
ON_ADDED = f"""
- hosts: new
  gather_facts: false
  tasks:
{CHECK}"""
ON_GIVEN = ON_ADDED.replace("hosts: new", "hosts: web1")
GUARDED = """
- name: Site
  hosts: {hosts}
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {{name: callgoose.sqibs.incident_guard}}
      vars: {{incident_guard_tasks: deploy.yml}}
"""
# A host that is lost here is in no group of the second play.
GROUPING = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: "true"
    - ansible.builtin.assert: {that: "inventory_hostname != (lost | default(''))"}
    - ansible.builtin.group_by: {key: grouped}
"""
INVENTORIES = pytest.mark.parametrize("inventory", ["temporary", "local"])


@pytest.fixture
def site(tmp_path):
    # Under the other reading, an update with further hosts is a second incident.
    with Sandbox(reading="mapped") as sandbox:
        yield Site(tmp_path, sandbox, ["web1"], playbook=ADDING + ON_ADDED)


@pytest.fixture
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


def arguments(tmp_path, inventory: str, playbook: str) -> tuple[list[str], str]:
    """Return the arguments that name an inventory whose hosts count for its identity, and the playbook for its host."""
    if inventory == "local":
        return ["-i", "localhost,", "-c", "local"], playbook.replace("web1", "localhost")
    path = tmp_path / "hosts.ini"
    path.write_text("web1 ansible_connection=local\n", encoding="utf-8")
    return ["-i", str(path)], playbook


def test_an_added_host_stays_in_the_incident_if_a_run_fails_before_it_is_added(site) -> None:
    site.run("-e", "new=vm1", bad="vm1")
    site.run("-e", "new=vm1", bad="web1")
    assert site.sent[0]["details"]["hosts"] == ["vm1", "web1"]
    site.run("--limit", "web1")
    assert site.incidents == ["open"]
    site.run("-e", "new=vm1")
    assert site.incidents == ["resolved"]


def test_an_added_host_leaves_the_incident_by_a_wholly_successful_run_that_does_not_add_it(site) -> None:
    site.run("-e", "new=vm1,vm2", bad="vm1")
    site.run("-e", "new=vm2,vm3", bad="vm3")
    assert site.sent[0]["details"]["hosts"] == ["vm1", "vm3"]
    site.run("-e", "new=vm2")
    assert site.incidents == ["resolved"]


@INVENTORIES
def test_hosts_that_an_earlier_playbook_of_the_call_added_do_not_change_the_identity(site, tmp_path, inventory) -> None:
    site.hosts = None
    words, site.playbook = arguments(tmp_path, inventory, ON_GIVEN)
    first = tmp_path / "project" / "first.yml"
    first.parent.mkdir()
    first.write_text(arguments(tmp_path, inventory, ADDING)[1], encoding="utf-8")
    site.run(*words, bad="web1 localhost")
    assert site.incidents == ["open"]
    # Ansible runs the playbooks in the order in which they are named.
    site.playbook, second = "first.yml", "playbook.yml"
    assert site.run(second, *words, "-e", "new=vm1").rc == 0
    assert site.incidents == ["resolved"]


@INVENTORIES
def test_hosts_that_the_run_added_do_not_change_the_identity_of_a_guard(project, tmp_path, inventory) -> None:
    words, playbook = arguments(tmp_path, inventory, ADDING + GUARDED.format(hosts="web1"))
    broken = "localhost" if inventory == "local" else "web1"
    project.run(playbook, *words, "-e", f"broken={broken}", hosts=None)
    project.run(playbook, *words, "-e", "new=vm1", hosts=None)
    triggered, resolved = project.sent()
    assert (triggered["state"], resolved["state"]) == ("triggered", "resolved")
    assert triggered["incident_key"] == resolved["incident_key"]


def test_an_added_host_leaves_the_incident_of_a_guard_whose_play_has_it_no_longer(project) -> None:
    playbook = ADDING + GUARDED.format(hosts="new")
    project.run(playbook, "-e", "new=vm1,vm2", "-e", "broken=vm1", hosts=["web1"])
    project.run(playbook, "-e", "new=vm2", hosts=["web1"])
    assert project.sent_states() == [("triggered", ("vm1",)), ("resolved", ())]


@pytest.mark.parametrize(("hosts", "words"), [(["a", "b"], ["-e", "lost=b"]), (["a", "b ansible_connection=away"], [])])
def test_a_host_that_was_lost_before_it_was_grouped_stays_in_the_incident_of_a_guard(project, hosts, words) -> None:
    playbook = GROUPING + GUARDED.format(hosts="grouped")
    project.run(playbook, "-e", "broken=b", hosts=["a", "b"])
    assert project.run(playbook, *words, hosts=hosts).rc in (2, 4)
    assert project.sent_states() == [("triggered", ("b",))]
    project.run(playbook, hosts=["a", "b"])
    assert project.sent_states() == [("resolved", ())]
