# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does to the store: `on_unreachable: queue`, and a resolve that empties an incident there.

Must not need the callback, except where a run of it delivers what a task has queued.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = pytest.mark.matrix

TASK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Tell
      callgoose.sqibs.callgoose_incident:
        title: Nightly backup failed
        state: "{{ state | default('triggered') }}"
        incident_key: "{{ key | default('backup') }}"
        on_unreachable: "{{ otherwise | default('queue') }}"
        retries: 0
      register: told
    - ansible.builtin.debug: {msg: "{{ told.outcome }} {{ told.msg }}"}
"""


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox) -> Site:
    return Site(tmp_path, sandbox, hosts=("localhost",), playbook=TASK, cfg="[defaults]\n")


def test_a_request_without_an_answer_is_queued_and_delivered_by_watch(site: Site) -> None:
    site.sandbox.queue_fault("status", status=503)
    result = site.run()
    assert result.rc == 0, result.stdout
    assert "queued The API has a temporary error" in result.stdout.replace("HTTP 503. ", "")
    assert site.incidents == []
    watched = site.own("watch")
    assert "triggered backup" in watched.stdout
    assert site.incidents == ["open"]
    assert site.own("watch").rc == 0
    assert site.sent == []


WITHOUT_QUEUE = ("-e", "otherwise=fail")


def test_a_task_without_the_option_replaces_a_queued_resolve(site: Site) -> None:
    site.run()
    site.sandbox.queue_fault("status", status=503)
    site.run("-e", "state=resolved")
    site.sandbox.advance(400)  # so that the next one is no duplicate
    site.run(*WITHOUT_QUEUE)
    assert site.incidents == ["open", "open"]
    assert (site.own("watch").rc, site.sent) == (0, [])


def test_a_resolve_by_hand_replaces_a_queued_trigger(site: Site) -> None:
    site.sandbox.queue_fault("status", status=503)
    site.run()
    site.own("resolve", "-e", "callgoose_incident_key=backup")
    assert site.states == ["resolved"]
    assert (site.own("watch").rc, site.sent, site.incidents) == (0, [], [])
    assert "backup" not in site.own("status").stdout.partition("HISTORY")[0], "nothing is open, and nothing waits"


def test_only_the_newest_request_of_a_key_is_delivered(site: Site) -> None:
    site.sandbox.queue_fault("reset")
    site.run()
    site.sandbox.queue_fault("reset")
    site.run("-e", "state=resolved")
    site.own("watch")
    assert site.states == ["resolved"]
    site.sandbox.queue_fault("reset")
    site.run()
    site.run("-e", "state=resolved")
    site.own("watch")
    assert site.states == [], "a later task has overtaken it"


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 413}])
def test_an_answer_that_will_not_change_fails_the_task(site: Site, fault: dict[str, int]) -> None:
    site.sandbox.queue_fault("status", **fault)
    assert site.run().rc == 2
    site.own("watch")
    assert site.sent == []


def test_a_store_that_cannot_be_used_leaves_the_error_and_says_why(site: Site) -> None:
    site.sandbox.queue_fault("status", status=503)
    result = site.run(env={"CALLGOOSE_STATE_URL": "sqlite:////proc/nowhere/state.db"})
    assert result.rc == 2
    assert "HTTP 503" in result.stdout and "It could not be kept either" in result.stdout


def test_after_a_resolve_by_a_task_the_next_failure_pages(tmp_path: Path, sandbox: Sandbox) -> None:
    site = Site(tmp_path, sandbox)
    site.run(bad="web1")
    key = site.sent[0]["incident_key"]
    assert site.own("resolve", "-e", f"callgoose_incident_key={key}").rc == 0
    assert site.incidents == ["resolved"]
    site.run(bad="web1")
    assert site.states == ["triggered"]
    assert site.incidents[-1] == "open"
