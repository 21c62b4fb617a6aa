# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that the oracle would notice: what it reads from Ansible's output, what it rewrites, and what it complains of.

Must not run Ansible: test_targets.py does.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from ansible_collections.callgoose.sqibs.tests.integration.oracle import guarded, rules
from ansible_collections.callgoose.sqibs.tests.integration.oracle.invocation import Invocation

pytestmark = pytest.mark.quick

OUTPUT = """\
PLAY [all] ****

TASK [deploy] ****
ok: [a]
fatal: [b -> db]: FAILED! => {"changed": false, "msg": "bad"}
failed: [c] (item=1) => {"msg": "bad"}
...ignoring

PLAY RECAP ****
a                          : ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
b                          : ok=0    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0
c                          : ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=1
"""
WARNINGS = """\
[WARNING]: one that is longer than a line, and so
goes on
[WARNING]: another one
Callgoose: triggered incident site.yml-0123456789abcdef
[WARNING]: another one
ERROR! Task failed
[ERROR]: Task failed
"""
PAGE = {"state": "triggered", "details": {"hosts": ["b"], "failures": [{"kind": "failed", "hosts": ["b"]}]}}
REQUESTS = ({"body": PAGE},)
FAILED = Invocation("ansible-playbook", ("site.yml",), "/", 2, OUTPUT, WARNINGS, REQUESTS, ({"state": "open"},))
PLAYBOOK = """\
- hosts: "all"
  vars: {password: !unsafe "{{ x }}"}
  tasks:
    - debug: {msg: 'on'}
- hosts: all
  roles: [web]
"""


def paging(*hosts: str) -> Invocation:
    details = {"hosts": list(hosts), "failures": [{"kind": "failed", "hosts": list(hosts)}]}
    return replace(FAILED, requests=({"body": {**PAGE, "details": details}},))


def test_what_ansible_prints_is_read() -> None:
    assert (FAILED.started, FAILED.failed, FAILED.lost) == (True, {"b", "c"}, {"b"})
    assert FAILED.warnings == {"one that is longer than a line, and so goes on": 1, "another one": 2}
    assert replace(FAILED, arguments=("-i", "hosts.yml", "-v", "a.yml")).playbooks == ["a.yml"]
    assert not replace(FAILED, arguments=("site.yml", "--list-tasks")).started


@pytest.mark.parametrize(
    ("rule", "run"),
    [
        (rules.same_exit_code, replace(FAILED, rc=0)),
        (rules.same_recap, replace(FAILED, stdout=OUTPUT.replace("ok=1", "ok=2"))),
        (rules.same_warnings, replace(FAILED, stderr=WARNINGS + "[WARNING]: a third\n")),
        (rules.same_warnings, replace(FAILED, stderr=WARNINGS + "[WARNING]: another one\n")),
        (rules.no_warning_of_ours, replace(FAILED, stderr="[WARNING]: callgoose.sqibs: no token\n")),
        (rules.nothing_for_a_success, replace(FAILED, rc=0)),
        (rules.nothing_without_a_play, replace(FAILED, stdout="")),
        (rules.one_incident_for_a_failure, replace(FAILED, requests=(), incidents=())),
        (rules.one_incident_for_a_failure, replace(FAILED, rc=1, requests=(), incidents=())),
        (rules.one_incident_for_a_failure, replace(FAILED, requests=FAILED.requests * 2)),
        (rules.one_incident_for_a_failure, replace(FAILED, incidents=({"state": "resolved"},))),
        (rules.a_page_for_a_failure, replace(FAILED, requests=(), incidents=())),
        (rules.only_failed_hosts, paging("a", "b")),
        (rules.all_failed_hosts, paging("c")),
    ],
)
def test_each_rule_complains_of_what_it_forbids_and_of_nothing_else(rule, run) -> None:
    assert rule(FAILED, run)
    assert not rule(FAILED, FAILED)


def test_tasks_move_under_a_guard_and_the_rest_stays_as_it_was(tmp_path) -> None:
    playbook, whole, other = (tmp_path / name for name in ("site.yml", "whole.yml", "vars.yml"))
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    whole.write_text(PLAYBOOK[: PLAYBOOK.index("- hosts: all")], encoding="utf-8")
    other.write_text("hosts: [a]\n", encoding="utf-8")
    assert guarded.put_under_guard(tmp_path) == {whole}
    text = playbook.read_text(encoding="utf-8")
    assert "!unsafe" in text and "incident_guard_tasks: site-guarded-0.yml" in text and "debug" not in text
    tasks = tmp_path.joinpath("site-guarded-0.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(tasks) == [{"debug": {"msg": "on"}}]
    assert other.read_text(encoding="utf-8") == "hosts: [a]\n"
