# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the helper that runs playbooks: the caller's environment does not leak into runs, and no process stays behind.

Must not test the collection: other files in this directory do.
"""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import end, prepare, run_playbook
from ansible_collections.callgoose.sqibs.tests.waiting import wait_for

SHOW = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "token=<{{ lookup('env', 'CALLGOOSE_API_TOKEN') }}> proxy=<{{ lookup('env', 'https_proxy') }}>
          home={{ lookup('env', 'HOME') }} host={{ inventory_hostname }}"
"""

HANG = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command:
        argv:
          - "{{ ansible_playbook_python }}"
          - -c
          - "import fcntl, time; held = open('held', 'w'); fcntl.flock(held, fcntl.LOCK_EX); time.sleep(60)"
        chdir: "{{ playbook_dir }}"
"""


def test_the_callers_environment_does_not_reach_a_playbook(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CALLGOOSE_API_TOKEN", "the-users-own")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    result = run_playbook(tmp_path, SHOW)
    assert result.rc == 0, result
    assert f"token=<> proxy=<> home={tmp_path / 'home'}" in result.stdout


def test_variables_set_by_a_test_reach_a_playbook(tmp_path) -> None:
    result = run_playbook(tmp_path, SHOW, inventory=["web1", "web2"], env={"CALLGOOSE_API_TOKEN": "the-tests-own"})
    assert result.rc == 0, result
    assert result.stdout.count("token=<the-tests-own>") == 2
    assert "host=web1" in result.stdout and "host=web2" in result.stdout


def test_a_hanging_run_raises_an_error(tmp_path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_playbook(tmp_path, HANG, timeout=0.5)


def test_ending_a_run_ends_all_processes_that_it_started(tmp_path) -> None:
    process = prepare(tmp_path, HANG).start()
    held = tmp_path / "project" / "held"
    assert wait_for(lambda: held.exists() and is_locked(held)), "the task never started"
    end(process)
    assert wait_for(lambda: not is_locked(held)), "the task's own process still lives and holds its lock"


def is_locked(path: Path) -> bool:
    """Return whether a running process holds the lock of this file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
