# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback in AWX jobs: their incidents, their pages, and the files they leave behind.

Must not test each variable of identity and origin: test_identity.py and test_ci.py do.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.awx_job import (
    AWX,
    ENABLED,
    Controller,
    JobTemplate,
)
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = pytest.mark.matrix

DEPLOY = JobTemplate()


@pytest.fixture()
def awx(tmp_path, sandbox):
    return Controller(tmp_path, sandbox)


def states(sandbox: Sandbox) -> list[str]:
    return [incident["state"] for incident in sandbox.incidents]


def test_a_failed_job_opens_an_incident_and_a_later_successful_job_closes_it(tmp_path, reading):
    with Sandbox(reading=reading) as sandbox:
        awx = Controller(tmp_path, sandbox)
        failed = awx.launch(DEPLOY, bad="web1")
        assert (failed.rc, failed.states, states(sandbox)) == (2, ["triggered"], ["open"])
        good = awx.launch(DEPLOY)
        assert (good.rc, good.states, states(sandbox)) == (0, ["resolved"], ["resolved"])


def test_identity_title_and_link_come_from_the_job_template_and_the_job(awx):
    (page,) = awx.launch(DEPLOY, bad="web2").sent
    assert re.fullmatch(r"awx\.example\.com-template-7-inventory-3-[0-9a-f]{16}", page["incident_key"])
    assert "Deploy the shop" in page["title"]
    assert "site.yml" not in page["title"]
    for known in (f"{AWX}/#/jobs/playbook/42", "marge", "0f1e2d3c"):
        assert known in page["content"]
        assert known in json.dumps(page["details"])

    edited = replace(DEPLOY, name="Deploy the new shop", playbook="deploy/shop.yml", revision="a1b2c3d4")
    (good,) = awx.launch(edited).sent
    assert good["incident_key"] == page["incident_key"]
    assert states(awx.sandbox) == ["resolved"]


def test_the_option_job_url_is_the_link_of_newer_versions(awx):
    awx.credential["CALLGOOSE_JOB_URL"] = "{host}/execution/jobs/playbook/{id}/output"
    (page,) = awx.launch(DEPLOY, bad="web2").sent
    link = f"{AWX}/execution/jobs/playbook/42/output"
    assert f"AWX run: {link}\n" in page["content"]
    assert page["details"]["run"]["url"] == link


def test_a_job_that_counts_as_a_slice_says_so_when_it_fails_without_a_shared_store(awx):
    meta = {"workflow_job_id": 99, "workflow_job_name": DEPLOY.name}
    for bad, count in (("web1", 1), ("", 0)):
        output = " ".join(awx.launch(DEPLOY, bad=bad, meta=meta).stdout.split())
        assert output.count("give the workflow another name") == count, output
    assert states(awx.sandbox) == ["open"]


def test_an_awx_that_does_not_know_its_address_is_no_part_of_the_key_and_has_no_link(awx):
    awx.host = "https://towerhost"
    failed = awx.launch(DEPLOY, bad="web2")
    (page,) = failed.sent
    assert re.fullmatch(r"awx-template-7-inventory-3-[0-9a-f]{16}", page["incident_key"])
    assert "towerhost" not in json.dumps(page)
    assert "AWX run: 42" in page["content"]
    output = " ".join(failed.stdout.split())
    assert output.count("Base URL of the service") == 1, output
    awx.launch(DEPLOY)
    assert states(awx.sandbox) == ["resolved"]


def test_a_job_with_a_branch_of_its_own_names_it_instead_of_the_revision_of_the_project(awx):
    (page,) = awx.launch(DEPLOY, bad="web2", meta={"job_scm_branch": "hotfix"}).sent
    assert "Branch: hotfix, instead of the project's" in page["content"]
    assert page["details"]["run"]["branch"] == "hotfix"
    assert DEPLOY.revision not in json.dumps(page)


def test_a_page_sent_by_a_good_limited_job_has_the_link_of_the_job_that_failed(awx, tmp_path):
    awx.credential |= {"CALLGOOSE_STATE_URL": f"sqlite:///{tmp_path}/exposed/state.sqlite3", "CALLGOOSE_RETRIES": "0"}
    awx.sandbox.queue_fault("status", status=503)
    awx.launch(DEPLOY, bad="web2")
    assert states(awx.sandbox) == []
    good = awx.launch(DEPLOY, limit="web1")
    assert states(awx.sandbox) == ["open"]
    page = next(payload for payload in good.sent if payload["state"] == "triggered")
    assert page["details"]["run"]["url"] == f"{AWX}/#/jobs/playbook/42"
    assert "limited to" not in page["content"]


@pytest.mark.parametrize("node", ["trigger", "resolve"])
def test_a_playbook_that_only_imports_those_of_this_collection_is_not_watched(awx, node):
    content = f"- name: Report\n  ansible.builtin.import_playbook: callgoose.sqibs.{node}\n"
    wrapper = JobTemplate(name=f"Workflow {node}", playbook=f"callgoose_{node}.yml", content=content)
    # The task fails, because the API answers none of its attempts.
    awx.credential["CALLGOOSE_RETRIES"] = "0"
    awx.sandbox.queue_fault("status", status=503)
    workflow = {"workflow_job_name": "Deploy all", "workflow_job_id": 40}
    job = awx.launch(wrapper, meta=workflow, variables={"callgoose_title": "Deployment failed"})
    assert (job.rc, [payload["incident_key"] for payload in job.sent]) == (2, [f"{AWX} Deploy all"])


def test_with_a_ledger_a_relaunch_on_failed_hosts_closes_the_incident_of_the_whole_job(awx, tmp_path):
    awx.credential["CALLGOOSE_STATE_URL"] = f"sqlite:///{tmp_path}/exposed/state.sqlite3"
    awx.launch(DEPLOY, bad="web2")
    relaunched = awx.launch(DEPLOY, limit="web2", launch_type="relaunch")
    assert (relaunched.states, states(awx.sandbox)) == (["resolved"], ["resolved"])


@pytest.mark.parametrize("keeps_ledger", [True, False])
def test_a_relaunch_of_a_limited_job_never_closes_the_incident_of_the_whole_job(awx, tmp_path, keeps_ledger):
    if keeps_ledger:
        awx.credential["CALLGOOSE_STATE_URL"] = f"sqlite:///{tmp_path}/exposed/state.sqlite3"
    awx.launch(DEPLOY, bad="web2")
    awx.launch(DEPLOY, limit="web1", launch_type="relaunch")
    assert states(awx.sandbox) == ["open"]


def test_a_job_with_a_limit_closes_no_incident_with_other_hosts(awx):
    awx.launch(DEPLOY, bad="web2")
    awx.launch(DEPLOY, limit="web1")
    assert states(awx.sandbox) == ["open"]


def test_two_job_templates_or_inventories_never_share_an_incident(awx):
    awx.launch(DEPLOY, bad="web1")
    for other in (replace(DEPLOY, id=8), replace(DEPLOY, inventory_id=4)):
        awx.launch(other)
        assert states(awx.sandbox) == ["open"]
    awx.launch(replace(DEPLOY, id=8), bad="web1")
    assert states(awx.sandbox) == ["open", "open"]


def test_a_job_leaves_no_token_behind(awx):
    artifacts = awx.launch(DEPLOY, "-vvv", bad="web1").artifacts
    # ansible-runner itself writes all environment variables into the file "command"
    files = [path for path in artifacts.rglob("*") if path.is_file() and path != artifacts / "command"]
    assert any(path.parent.name == "job_events" for path in files)
    assert artifacts / "stdout" in files
    assert [path.name for path in files if awx.sandbox.token.encode() in path.read_bytes()] == []


def test_the_credential_overrides_the_configuration_of_the_project(awx):
    own = "severity = info\nbase_url = http://127.0.0.1:9/sqibs-api\ntags = shop\n"
    cfg = f"{ENABLED}[callback_callgoose_incident]\n{own}"
    awx.credential["CALLGOOSE_SEVERITY"] = "error"
    (page,) = awx.launch(replace(DEPLOY, cfg=cfg), bad="web1").sent
    assert (page["severity"], page["tags"]) == ("error", ["shop"])


def test_awx_gets_the_same_events_with_and_without_the_callback(awx):
    with_it = awx.launch(DEPLOY, bad="web1")
    without = awx.launch(replace(DEPLOY, cfg="[defaults]\n"), bad="web1")
    # the order in which the two hosts finish is random
    assert sorted(with_it.events) == sorted(without.events)
    assert with_it.events[-1] == without.events[-1] == "playbook_on_stats"
    assert with_it.stdout.count("Callgoose: triggered incident awx.example.com-template-7") == 1
    assert (without.sent, without.rc) == ([], with_it.rc)
