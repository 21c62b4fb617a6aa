# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `watch` and `status` do for runs that were killed, hang or never happened, and for requests that wait.

Must use real runs: each is killed or kept from the API, and the incident must be as it should be in the end.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED, Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

# In its second task, it creates the file `started`, and waits until the file `go` exists.
SLOW = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Deploy
      ansible.builtin.debug: {msg: deployed}
    - name: Restart the {{ service | default('shop') }}
      ansible.builtin.shell: "touch started; for n in $(seq 120); do test -e go && exit; sleep 0.5; done"
      args: {chdir: "{{ playbook_dir }}"}
      check_mode: false
      when: slow is defined
    - name: Check
      ansible.builtin.assert: {that: "inventory_hostname not in (bad | default('')).split(',')"}
"""


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox) -> Site:
    return Site(tmp_path, sandbox, hosts=("web1",), playbook=SLOW)


def killed(site: Site, number: int = signal.SIGKILL, *args: str, env: dict[str, str] | None = None) -> None:
    """Begin a run and end it with a signal, in its second task."""
    call = site.call("-e", "slow=1", *args, env=env)
    started, go = call.cwd / "started", call.cwd / "go"
    for file in (started, go):
        file.unlink(missing_ok=True)
    process = call.start()
    # Not at the task's name: it is printed as the worker is forked, and a signal during a fork is lost to Python.
    while not started.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    process.wait(30)
    go.touch()


def test_watch_pages_once_for_a_run_that_was_killed_and_a_success_resolves_it(site: Site) -> None:
    killed(site)
    assert not site.sandbox.requests, "the run itself said nothing"
    result = site.own("watch")
    assert result.rc == 0, result.stdout
    assert "playbook.yml: a run was killed" in result.stdout
    assert "changed=1" in result.stdout
    (page,) = site.sent
    assert (page["state"], page["title"]) == ("triggered", "playbook.yml was killed")
    assert "Killed: the process of ansible-playbook is gone" in page["content"]
    again = site.own("watch")
    assert (again.rc, site.sent) == (0, []), again.stdout
    assert "Nothing waits in " in again.stdout and "changed=0" in again.stdout
    assert site.run().rc == 0
    assert site.states == ["resolved"]
    assert site.incidents == ["resolved"]


def test_the_next_run_of_the_playbook_finds_it_too(site: Site) -> None:
    killed(site)
    result = site.run()
    assert site.states == ["triggered", "resolved"], result.stdout + result.stderr
    assert "triggered incident" in result.stdout + result.stderr
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_somebody_ended_is_not_killed(site: Site, number: int) -> None:
    killed(site, number)
    assert site.own("watch").rc == 0
    assert not site.sandbox.requests


def test_check_mode_leaves_no_note(site: Site) -> None:
    killed(site, signal.SIGKILL, "--check")
    assert site.own("watch").rc == 0
    assert not site.sandbox.requests


def test_watch_in_check_mode_says_what_it_would_do_and_does_nothing(site: Site) -> None:
    killed(site)
    result = site.own("watch", "--check")
    assert "would send: triggered" in result.stdout and "changed=1" in result.stdout
    assert not site.sandbox.requests
    site.own("watch")
    assert site.states == ["triggered"]


def test_a_run_that_takes_longer_than_it_may_hangs_until_it_ends(site: Site) -> None:
    call = site.call("-e", "slow=1", env={"CALLGOOSE_MAX_RUN_TIME": "1s"})
    process = call.start()
    assert process.stdout
    for line in process.stdout:
        if "Restart the" in line:
            break
    time.sleep(1.5)
    site.own("watch")
    (page,) = site.sent
    assert page["title"] == "playbook.yml hangs: it has been running for more than 1s"
    site.own("watch")
    assert site.sent == []
    (call.cwd / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
def test_a_playbook_without_a_success_for_too_long_is_overdue_until_its_next_success(site: Site) -> None:
    daily = {"CALLGOOSE_OVERDUE_AFTER": "1s"}
    site.run(env=daily)
    time.sleep(1.5)
    assert site.own("watch").rc == 0
    (page,) = site.sent
    assert page["title"].startswith("playbook.yml is overdue: no run of all hosts has succeeded for more than 1s; the")
    site.run(env=daily)
    assert "resolved" in site.states
    assert site.incidents == ["resolved"]


def overdue(site: Site) -> None:
    """Make the playbook overdue, and page for it."""
    site.run(env={"CALLGOOSE_OVERDUE_AFTER": "1s"})
    time.sleep(1.5)
    site.own("watch")
    assert site.incidents == ["open"]


@pytest.mark.matrix
def test_a_run_by_hand_leaves_what_the_schedule_has_set(site: Site) -> None:
    overdue(site)
    site.run("--limit", "web1")
    site.run("--limit", "web2", bad="web2")
    assert site.incidents == ["open"]
    site.run()
    assert site.incidents == ["resolved"]
    time.sleep(1.5)
    site.own("watch")
    assert site.incidents == ["resolved", "open"], "it is still watched"
    site.run("--limit", "web1", env={"CALLGOOSE_OVERDUE_AFTER": "never"})
    assert site.incidents == ["resolved", "resolved"]


def test_a_resolve_by_hand_ends_the_watch_of_a_playbook_that_is_gone(site: Site) -> None:
    overdue(site)
    (page,) = site.sent
    site.own("resolve", "-e", f"callgoose_incident_key={page['incident_key']}")
    assert site.incidents == ["resolved"]
    assert (site.own("watch").rc, site.sent) == (0, [])


AWAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: {cmd: mv STORE STORE.away}
      run_once: true
    - ansible.builtin.file: {path: STORE, state: touch}
      run_once: true
"""


def test_a_run_that_could_not_tell_the_store_of_its_end_was_not_killed(site: Site, tmp_path: Path) -> None:
    store = tmp_path / "store" / "state.sqlite3"
    site.env["CALLGOOSE_STATE_URL"] = f"sqlite:///{store}"
    site.playbook = AWAY.replace("STORE", str(store.parent))
    ended = site.run()
    assert ended.rc == 0, ended.stdout
    store.parent.unlink()
    store.parent.with_suffix(".away").rename(store.parent)
    watched = site.own("watch")
    assert (watched.rc, site.sent) == (0, []), watched.stdout
    assert "running" not in site.own("status").stdout


def test_what_the_api_did_not_get_is_delivered_by_watch(site: Site) -> None:
    dead = {"CALLGOOSE_BASE_URL": "http://127.0.0.1:1", "CALLGOOSE_RETRIES": "0"}
    site.run(bad="web1", env=dead)
    elsewhere = site.own("watch")
    assert (elsewhere.rc, site.sent) == (0, [])
    assert "waited for another API token or base URL" in elsewhere.stdout
    failed = site.own("watch", env=dead)
    assert failed.rc == 2, failed.stdout
    assert "could not be delivered" in failed.stdout


def test_a_run_of_another_playbook_delivers_what_waits(site: Site, tmp_path: Path) -> None:
    site.sandbox.queue_fault("status", status=503)
    site.run(bad="web1", env={"CALLGOOSE_RETRIES": "0"})
    assert site.incidents == []
    other = Site(tmp_path, site.sandbox, hosts=("db1",), cfg=ENABLED.replace("shop", "stock"))
    result = other.run()
    assert sorted(other.states) == ["resolved", "triggered"], result.stdout
    assert site.incidents == ["open"]


@pytest.mark.matrix
def test_what_no_filter_matched_is_parked_until_somebody_asks(site: Site) -> None:
    site.sandbox.queue_fault("body", status=202, body=json.dumps({"id": "1"}))
    site.run(bad="web1")
    watched = site.own("watch")
    assert (watched.rc, site.sent) == (0, [])
    assert "parked" in watched.stdout and "no API Filter matched it" in watched.stdout
    assert "send the parked requests again: -e callgoose_retry_parked=true" in watched.stdout
    foreseen = site.own("watch", "-e", "callgoose_retry_parked=true", "--check").stdout
    assert ("would send: triggered" in foreseen, '"parked ' in foreseen) == (True, False)
    status = site.own("status")
    assert "parked: The API accepted the payload, but no API Filter matched it" in status.stdout
    site.own("watch", "-e", "callgoose_retry_parked=true")
    assert site.states == ["triggered"]
    assert site.incidents == ["open"]


def test_what_was_refused_for_its_token_is_sent_with_another_one_when_somebody_asks(site: Site) -> None:
    site.run(bad="web1", env={"CALLGOOSE_API_TOKEN": "expired"})
    assert site.incidents == []
    site.own("watch")
    assert site.incidents == []
    elsewhere = {"CALLGOOSE_BASE_URL": site.sandbox.base_url.replace("127.0.0.1", "localhost")}
    site.own("watch", "-e", "callgoose_retry_parked=true", env=elsewhere)
    assert site.incidents == [], "another base URL"
    asked = site.own("watch", "-e", "callgoose_retry_parked=true")
    assert site.incidents == ["open"], asked.stdout
    assert site.own("status").stdout.count("open, confirmed") == 1


@pytest.mark.matrix
def test_status_tells_why_nobody_was_paged(site: Site) -> None:
    site.run(bad="web1", env={"CALLGOOSE_AFTER_FAILURES": "2"})
    assert "1 of 2 failed runs" in site.own("status").stdout
    site.run(bad="web1", env={"CALLGOOSE_AFTER_FAILURES": "2"})
    site.run(bad="web1", env={"CALLGOOSE_AFTER_FAILURES": "2"})
    result = site.own("status")
    assert result.rc == 0
    assert "open already" in result.stdout
    assert "open, confirmed" in result.stdout
    site.run("--limit", "web1", bad="web1", env={"CALLGOOSE_PAGE_LIMITED_RUNS": "false"})
    assert "page_limited_runs is false" in site.own("status").stdout
    assert site.own("status", "-e", "callgoose_state=closed").stdout.count("open, confirmed") == 0


def test_a_playbook_that_could_not_start_has_the_incident_that_its_next_success_resolves(site: Site) -> None:
    broken, site.playbook = site.playbook, "- hosts: all\n  tasks: [\n"
    assert site.run().rc == 4
    assert site.sent == []
    inventory = ("-i", "inventory.ini")
    reason = '{"callgoose_content": "YAML parsing failed: token=hunter22x"}'
    words = ("-e", "callgoose_playbook=playbook.yml", "-e", reason)
    result = site.own("trigger", *inventory, *words)
    assert result.rc == 0, result.stdout
    (page,) = site.sent
    assert page["title"] == "playbook.yml could not start: YAML parsing failed: token=[redacted]"
    again = site.own("trigger", *inventory, *words)
    assert (again.rc, site.sent) == (0, []), "it is open already"
    site.playbook = broken
    assert site.run().rc == 0
    assert site.incidents == ["resolved"]


def test_a_playbook_that_is_not_there_is_paged_for_with_a_warning(site: Site) -> None:
    for words, sent in ((("--check",), 0), ((), 1)):
        result = site.own("trigger", "-i", "inventory.ini", "-e", "callgoose_playbook=plybook.yml", *words)
        assert result.rc == 0, result.stdout
        assert "there is no file plybook.yml in" in " ".join(result.stderr.split()), words
        assert len(site.sent) == sent, "a checkout that failed has no file either"


def test_status_names_the_variable_that_is_wrong(site: Site) -> None:
    result = site.own("status", "-e", "callgoose_state=opn callgoose_history=many")
    assert result.rc == 2
    assert "callgoose_state: there is no such state. Use one of open, closed, waiting, parked." in result.stdout
    assert "callgoose_history: it is not a number. Say how many" in result.stdout


def test_watch_fails_if_nobody_was_paged_by_what_it_sent(site: Site) -> None:
    killed(site)
    site.sandbox.queue_fault("body", status=202, body=json.dumps({"id": "1"}))
    assert site.own("watch").rc == 2


def test_an_incident_that_it_names_by_another_key_or_details_is_refused(site: Site) -> None:
    result = site.own("trigger", "-e", "callgoose_playbook=playbook.yml", "-e", "callgoose_incident_key=x")
    assert result.rc == 2
    assert "Remove callgoose_incident_key" in result.stdout
