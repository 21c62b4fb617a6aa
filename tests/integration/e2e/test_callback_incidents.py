# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests when the callback triggers and resolves: each rule of the ledger, with real runs against the emulated API.

Must not test what counts as a failure (test_run_events.py does) nor what a page says.
"""

from __future__ import annotations

import shutil
import time

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED, SITE, Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox


@pytest.fixture()
def site(tmp_path, request):
    # test_rules_machine.py holds all rules under both readings. Here, a test that asks for both gets both.
    reading = request.getfixturevalue("reading") if "reading" in request.fixturenames else "mapped"
    with Sandbox(reading=reading) as sandbox:
        yield Site(tmp_path, sandbox)


@pytest.mark.usefixtures("reading")
def test_a_failed_run_pages_once_and_the_next_good_run_resolves(site):
    first = site.run(bad="web1")
    assert (first.rc, site.states, site.incidents) == (2, ["triggered"], ["open"])
    assert first.stdout.count("Callgoose: triggered incident shop-playbook.yml-") == 1

    again = site.run(bad="web1")
    assert (again.rc, site.states) == (2, [])
    assert "Callgoose" not in again.stdout + again.stderr

    good = site.run()
    assert (good.rc, site.states, site.incidents) == (0, ["resolved"], ["resolved"])
    assert good.stdout.count("Callgoose: resolved incident shop-playbook.yml-") == 1

    assert (site.run().rc, site.states) == (0, [])


def test_a_failure_after_a_resolve_opens_a_new_incident_or_warns_that_it_did_not(site, reading):
    for bad in ("web1", "", "web1"):
        site.run(bad=bad)
    if reading == "body":
        assert site.incidents == ["resolved", "open"]
    else:
        # the API treats it as a duplicate of the first: nobody was paged, so it warns and is sent again
        assert site.incidents == ["resolved"]
        site.sandbox.advance(3600)
        site.run(bad="web1")
        assert (site.states, site.incidents) == (["triggered"], ["resolved", "open"])


def test_a_first_success_sends_one_resolve_in_case_a_lost_ledger_left_an_incident_open(site):
    assert (site.run().rc, site.states) == (0, ["resolved"])
    assert (site.run().rc, site.states, site.incidents) == (0, [], [])


def test_a_limited_run_resolves_only_what_it_covers(site):
    site.run(bad="web1 web2")
    site.run("--limit", "web3")
    assert "resolved" not in site.incidents
    site.run("--limit", "web1")
    assert "resolved" not in site.incidents
    site.run("--limit", "web2")
    assert set(site.incidents) == {"resolved"}


def test_a_retry_of_the_failed_host_resolves_and_the_next_full_run_sends_nothing(site):
    site.run()
    site.sandbox.advance(3600)  # the first run sent a resolve, in case the ledger was lost
    site.run(bad="web2")
    site.run("--limit", "web2")
    assert site.incidents == ["resolved"]
    site.run()
    assert site.states == []


def test_hosts_that_fail_in_a_limited_run_join_the_open_incident(site):
    site.run(bad="web1")
    site.run("--limit", "web2", bad="web2")
    assert len({incident["key"] for incident in site.sandbox.incidents}) == 1
    assert site.sent[0]["title"].startswith("Deploy failed on web1 and web2: ")
    site.run()
    assert set(site.incidents) == {"resolved"}


def test_an_incident_is_sent_again_if_other_hosts_fail(site):
    site.run(bad="web1")
    site.run(bad="web1 web2")
    assert site.states == ["triggered"]
    site.run(bad="web1 web2")
    assert site.states == []


def test_a_page_about_hosts_of_earlier_runs_counts_them_alone(site):
    site.run(bad="web1 web2")
    assert site.sent[0]["details"]["total_hosts"] == 3
    site.run("--limit=web3", bad="web3")
    page = site.sent[0]
    assert page["title"].startswith("Deploy failed on web1, web2 and web3: ")
    assert "total_hosts" not in page["details"]


def test_an_incident_is_not_sent_again_while_it_shrinks(site):
    site.run(bad="web1 web2")
    site.run("--limit=web1")
    assert "triggered" not in site.states


def test_an_open_incident_is_sent_again_after_the_repeat_interval(site):
    site.env["CALLGOOSE_REPEAT_INTERVAL"] = "0"
    site.run(bad="web1")
    site.run(bad="web1")
    assert (site.states, site.incidents) == (["triggered"], ["open"])


@pytest.mark.matrix
def test_with_after_failures_only_the_second_consecutive_failure_pages(site):
    site.env["CALLGOOSE_AFTER_FAILURES"] = "2"
    site.run()
    for bad in ("web1", "", "web1"):
        site.run(bad=bad)
        assert site.incidents == []
    site.run(bad="web1")
    assert site.incidents == ["open"]


def test_failures_of_limited_runs_page_only_with_page_limited_runs(site):
    site.env["CALLGOOSE_PAGE_LIMITED_RUNS"] = "false"
    assert site.run("--limit", "web1", bad="web1").rc == 2
    assert site.incidents == []
    site.run(bad="web1")
    assert site.incidents == ["open"]
    site.run("--limit", "web1")
    assert site.incidents == ["resolved"]


def test_runs_with_tags_have_their_own_incidents_and_a_full_run_resolves_them(site):
    site.run("--tags", "deploy", bad="web1")
    site.run("--tags", "other")
    assert "resolved" not in site.incidents
    site.run(bad="web1")
    assert site.incidents == ["open", "open"]
    site.run()
    assert site.incidents == ["resolved", "resolved"]


def test_an_aborted_run_pages_and_only_a_run_with_the_same_limit_or_none_resolves_it(site):
    aborted = site.run("-e", "abort=yes")
    assert aborted.rc not in (0, 2)
    assert (site.states, site.incidents) == (["triggered"], ["open"])
    site.run("--limit", "web1")
    assert site.incidents == ["open"]
    site.run()
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
@pytest.mark.parametrize("words", [("--start-at-task", "Restart"), ("--check",)])
def test_a_run_that_skips_tasks_resolves_nothing(site, words):
    site.run(bad="web1")
    site.run(*words)
    assert (site.states, site.incidents) == ([], ["open"])


def test_a_failure_in_check_mode_pages_nobody(site):
    assert site.run("--check", bad="web1").rc == 2
    assert site.sandbox.requests == []


def test_a_host_removed_from_the_inventory_leaves_the_incident_with_the_next_full_run(site):
    site.run(bad="web3")
    site.hosts = ("web1", "web2")
    site.run("--limit", "web1")
    assert site.incidents == ["open"]
    site.run()
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
@pytest.mark.parametrize("place", ["cloud.sh", "clouds/cloud.sh"])
def test_a_host_whose_inventory_source_cannot_be_read_stays_in_the_incident(site, tmp_path, place):
    cloud = tmp_path / place
    cloud.parent.mkdir(exist_ok=True)
    cloud.write_text(f"""#!/bin/sh
[ -e {tmp_path}/down ] && exit 1
echo '{{"all": {{"hosts": ["web9"], "vars": {{"ansible_connection": "local"}}}}}}'
""")
    cloud.chmod(0o755)
    # Its path is temporary in a test, and such an inventory is identified by the hosts that it names.
    site.env["CALLGOOSE_INVENTORY_NAME"] = "cloud"
    words = ("-i", str(tmp_path / place.partition("/")[0]))
    assert (site.run(*words, bad="web9").rc, site.incidents) == (2, ["open"])
    (tmp_path / "down").touch()
    assert (site.run(*words).rc, site.states, site.incidents) == (0, [], ["open"])
    (tmp_path / "down").unlink()
    assert (site.run(*words).rc, site.incidents) == (0, ["resolved"])


@pytest.mark.matrix
def test_a_run_that_began_before_the_failure_does_not_resolve_it(site, tmp_path):
    go = tmp_path / "go"
    site.playbook = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: {cmd: "touch {{ began | default('/dev/null') }}"}
    - name: Deploy
      ansible.builtin.wait_for: {path: "{{ wait | default('/') }}", timeout: 30}
    - ansible.builtin.fail: {msg: disk full}
      when: inventory_hostname in bad
"""
    began = tmp_path / "began"
    early = site.call("-e", f"wait={go} began={began}").start()
    deadline = time.monotonic() + 20
    while not began.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    site.run(bad="web1")
    assert site.incidents == ["open"]
    go.touch()
    early.communicate(timeout=60)
    assert (early.returncode, site.incidents) == (0, ["open"])
    site.run()
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
@pytest.mark.usefixtures("reading")
def test_if_the_ledger_is_lost_the_next_successful_run_still_resolves(site):
    site.run(bad="web1")
    shutil.rmtree(site.ledger.parent)
    site.run()
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
def test_jobs_without_a_persistent_ledger_resolve_incidents_within_the_deduplication_window(site, reading):
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/shop"}
    for number, bad in enumerate(("web1", "", "web1", "")):
        shutil.rmtree(site.ledger.parent, ignore_errors=True)
        last = site.run("-v", bad=bad, env={**ci, "GITHUB_RUN_ID": str(number)})
    if reading == "body":
        assert site.incidents == ["resolved", "resolved"]
    else:
        # the API treated the second trigger and its resolve as duplicates
        assert site.incidents == ["resolved"]
        assert "as a duplicate of an earlier resolve" in " ".join(last.stdout.split())


def test_without_a_store_failed_and_successful_runs_of_one_command_share_an_incident(site):
    site.env["CALLGOOSE_STATE_URL"] = "sqlite:////proc/nothing/can/be/made/here"
    failed = site.run("--limit", "web1,web2", bad="web1")
    assert site.incidents == ["open"]
    good = site.run("--limit", "web2,web1")
    assert site.incidents == ["resolved"]
    assert failed.stderr == good.stderr == ""
    assert "/proc/nothing" in site.run("-v").stdout


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "status", "status": 401}])
def test_a_trigger_that_the_api_refused_warns_and_is_sent_again_by_the_next_run(site, fault):
    site.sandbox.queue_fault(**fault)
    failed = site.run(bad="web1")
    assert failed.rc == 2
    assert failed.stderr.count("could not be triggered") == 1
    site.run(bad="web1")
    assert site.incidents == ["open"]


@pytest.mark.matrix
@pytest.mark.parametrize("status", [202, 208])
def test_a_resolve_that_was_not_confirmed_warns_once_and_is_sent_again(site, status):
    site.run(bad="web1")
    answer = '{"id": "1", "triggered": {}, "resolved": {"resolved": false, "duplicate": false}}'
    for number in (1, 2):
        site.sandbox.queue_fault("status", status=status, body=answer)
        good = site.run()
        assert (good.rc, site.states, site.incidents) == (0, ["resolved"], ["open"])
        assert good.stderr.count("may still be open") == (1 if number == 1 else 0)
    site.run()
    assert site.incidents == ["resolved"]


def test_a_duplicate_answer_to_a_new_trigger_warns_and_the_trigger_is_sent_again(site):
    answer = '{"id": "1", "triggered": {"created": false, "duplicate": true}, "resolved": {}}'
    site.sandbox.queue_fault("status", status=208, body=answer)
    assert "may not have been paged" in " ".join(site.run(bad="web1").stderr.split())
    site.run(bad="web1")
    assert site.incidents == ["open"]


def test_runs_with_different_values_of_key_vars_have_separate_incidents(site):
    site.env["CALLGOOSE_KEY_VARS"] = "env"
    site.run("-e", "env=prod", bad="web1")
    site.run("-e", "env=stage")
    assert site.incidents == ["open"]
    site.run("-e", "env=prod")
    assert site.incidents == ["resolved"]


@pytest.mark.matrix
def test_playbooks_are_selected_by_their_path_in_the_project(site):
    for pattern, watched in (("playbook.yml", True), ("other/*", False)):
        site.env = {"CALLGOOSE_PLAYBOOKS": pattern}
        site.run(bad="web1")
        assert bool(site.sandbox.requests) is watched
        site.sandbox.reset()
        site.env = {"CALLGOOSE_EXCLUDE_PLAYBOOKS": pattern}
        site.run(bad="web2")
        assert bool(site.sandbox.requests) is not watched
        site.sandbox.reset()


def test_the_collections_own_playbooks_are_not_watched(site):
    site.playbook = "callgoose.sqibs.resolve"
    assert site.run().rc == 2
    assert site.sandbox.requests == []


def test_if_one_of_two_playbooks_in_a_call_fails_only_that_one_pages(site, tmp_path):
    site.run()
    (tmp_path / "project" / "second.yml").write_text(SITE.replace("Deploy", "Second"), encoding="utf-8")
    site.sandbox.reset()
    failed = site.run("second.yml", bad="web1")
    assert failed.rc == 2
    assert [incident["title"] for incident in site.sandbox.incidents if "playbook.yml" not in incident["title"]] == []


def test_if_disabled_nothing_is_sent_and_no_warning_is_shown(site):
    site.env["CALLGOOSE_ENABLED"] = "false"
    site.env["CALLGOOSE_API_TOKEN"] = ""
    failed = site.run(bad="web1")
    assert (failed.rc, failed.stderr, site.sandbox.requests) == (2, "", [])


def test_options_come_from_ansible_cfg_and_environment_variables_override_them(site):
    site.cfg = ENABLED + "severity = warning\ntags = shop, night\n"
    site.run(bad="web1")
    assert (site.sent[0]["severity"], site.sent[0]["tags"]) == ("warning", ["shop", "night"])
    site.run(bad="web1 web2", env={"CALLGOOSE_SEVERITY": "info"})
    assert site.sent[0]["severity"] == "info"
