# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`notify: immediately`: the first failure is sent while the run goes on.

Must see the page before the run ends: each run waits for a file that the test creates.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import SHIMS
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED, Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

# web1 fails first. The others wait until the file `go` exists, then those in `bad` fail too.
SITE = """
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - name: Deploy
      ansible.builtin.fail: {msg: disk full}
      when: inventory_hostname == 'web1' and fails | default('yes') == 'yes'
    - name: Wait
      ansible.builtin.wait_for: {path: "{{ playbook_dir }}/go", timeout: 60, sleep: 1}
      when: inventory_hostname != 'web1'
    - name: Check
      ansible.builtin.assert: {that: "inventory_hostname not in (bad | default('')).split(',')"}
"""
RESCUED = """
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.fail: {msg: disk full}
      rescue:
        - ansible.builtin.debug: {msg: rolled back}
    - ansible.builtin.fail: {msg: does not matter}
      ignore_errors: true
"""
NO_STORE = {"CALLGOOSE_STATE_URL": "sqlite:////proc/nowhere/state.db"}


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox) -> Site:
    cfg = f"{ENABLED}notify = immediately\n"
    return Site(tmp_path, sandbox, hosts=("web1", "web2"), playbook=SITE, cfg=cfg)


def pages(site: Site, seconds: float = 20) -> list[str]:
    """Return the titles that have arrived, as soon as there is one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not site.sent:
        time.sleep(0.1)
    return [page["title"] for page in site.sent]


@pytest.mark.parametrize("store", [{}, NO_STORE], ids=["store", "no store"])
def test_the_first_failure_is_sent_while_the_run_goes_on(site: Site, store: dict[str, str]) -> None:
    call = site.call(env=store)
    process = call.start()
    assert pages(site) == ["Deploy failed on web1: disk full [playbook.yml]"]
    assert process.poll() is None, "the run has not ended"
    (call.cwd / "go").touch()
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "triggered incident" in stdout + stderr
    assert site.incidents == ["open"]
    assert len(site.sent) == 1, site.sent
    assert site.run("-e", "fails=no", env=store).rc == 0
    assert site.incidents == ["resolved"]


def test_the_end_of_the_run_completes_the_incident(site: Site) -> None:
    call = site.call(bad="web2")
    process = call.start()
    pages(site)
    (call.cwd / "go").touch()
    process.communicate(timeout=60)
    assert [page["details"]["hosts"] for page in site.sent] == [["web1"], ["web1", "web2"]]
    assert {page["details"]["episode"] for page in site.sent} == {1}
    assert len({page["incident_key"] for page in site.sent}) == 1


def test_a_store_that_cannot_be_written_is_said_as_without_the_option(site: Site) -> None:
    (site.folder / "project").mkdir()
    (site.folder / "project" / "go").touch()
    site.run()
    site.run("-e", "fails=no")
    read_only = {"PYTHONPATH": str(SHIMS), "FAULT_PRAGMA": "PRAGMA query_only = ON"}
    warnings = [
        " ".join(site.run(env={**read_only, "CALLGOOSE_NOTIFY": when}).stderr.split())
        for when in ("end", "immediately")
    ]
    assert "attempt to write a readonly database. Successful runs may not resolve incident" in warnings[0]
    assert warnings[1] == warnings[0]


def test_a_failed_run_is_counted_once(site: Site) -> None:
    (site.folder / "project").mkdir()
    (site.folder / "project" / "go").touch()
    twice = {"CALLGOOSE_AFTER_FAILURES": "2"}
    site.run(env=twice)
    assert site.sent == []
    site.run(env=twice)
    assert site.states == ["triggered"]


def test_a_rescued_and_an_ignored_failure_send_nothing(site: Site) -> None:
    site.playbook = RESCUED
    assert site.run().rc == 0
    assert [state for state in site.states if state == "triggered"] == []


@pytest.mark.parametrize("store", [{}, NO_STORE], ids=["store", "no store"])
def test_a_run_killed_right_after_the_failure_loses_nothing(site: Site, store: dict[str, str]) -> None:
    # ansible-core 2.21 lets its output wait until the next worker is forked, which may be a minute later.
    call = site.call(env={**store, "PYTHONUNBUFFERED": "1"})
    process = call.start()
    assert process.stdout
    for line in process.stdout:
        if "disk full" in line:
            break
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    (call.cwd / "go").touch()
    assert pages(site) == ["Deploy failed on web1: disk full [playbook.yml]"]
    assert site.incidents == ["open"]
