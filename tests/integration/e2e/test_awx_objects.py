# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of `awx_setup` under AWX's rules: the credential type, and the messages for jobs of each kind.

Must not run Ansible: test_awx_setup.py does.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.integration.awx import contexts, notification_rules
from ansible_collections.callgoose.sqibs.tests.integration.awx.contexts import CANCELED, FAILED_JOBS, NASTY, SUCCEEDED
from ansible_collections.callgoose.sqibs.tests.integration.awx.credential_rules import check_type, inject
from ansible_collections.callgoose.sqibs.tests.integration.awx.refusal import Refusal
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook_data import PlaybookData, playbooks
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def objects(collections_path) -> PlaybookData:
    return PlaybookData(playbooks(collections_path) / "vars" / "awx_objects.yml")


@pytest.fixture(scope="module")
def kind(objects) -> dict[str, Any]:
    return {name: objects.value(f"sqibs_type_{name}") for name in ("inputs", "injectors")}


@pytest.fixture(scope="module")
def messages(objects) -> dict[str, Any]:
    return objects.value("sqibs_notification_messages")


@pytest.fixture()
def post(messages):
    """Render a message as AWX does: post(event, context)."""
    return lambda event, context: notification_rules.render(messages[event]["body"], context)


def test_awx_accepts_the_credential_type(kind) -> None:
    check_type(kind["inputs"], kind["injectors"])
    fields = [field["id"] for field in kind["inputs"]["fields"]]
    assert fields == ["api_token", "base_url", "source", "auth_method", "ca", "state_url", "job_url"]
    assert [field["id"] for field in kind["inputs"]["fields"] if field.get("secret")] == ["api_token", "state_url"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"env": {"ANSIBLE_CALLBACKS_ENABLED": "x"}}, "ANSIBLE_CALLBACKS_ENABLED may affect Ansible configuration"),
        ({"env": {"AWX_HOST": "x"}}, "AWX_HOST is not allowed to be used in credentials"),
        ({"env": {"CALLGOOSE_API_TOKEN": "{{ token }}"}}, "uses an undefined field"),
        ({"env": {"CALLGOOSE_CA_PATH": "{{ tower.filename.pem }}"}}, "uses an undefined field"),
        ({"env": {"CALLGOOSE_API_TOKEN": "{{ api_token"}}, "Syntax error"),
        ({"environment": {}}, "Additional properties"),
    ],
)
def test_the_rules_refuse_what_awx_refuses(kind, changed, says) -> None:
    with pytest.raises(Refusal, match=says):
        check_type(kind["inputs"], changed)


def test_a_credential_with_a_token_alone_sets_nothing_that_differs_from_the_defaults(kind) -> None:
    env, explanation = inject(kind, {"api_token": "t", "base_url": ""}, lambda label, _content: f"/runner/env/{label}")
    assert not explanation
    assert {name: value for name, value in env.items() if value} == {
        "CALLGOOSE_API_TOKEN": "t",
        "CALLGOOSE_SOURCE": "Ansible",
    }


def test_certificates_reach_the_job_as_a_file(kind) -> None:
    written = {}

    def write(label: str, content: str) -> str:
        written[label] = content
        return f"/runner/env/{label}"

    env, _explanation = inject(kind, {"api_token": "t", "ca": "-----BEGIN CERTIFICATE-----\n"}, write)
    assert env["CALLGOOSE_CA_PATH"] == "/runner/env/template.ca"
    assert written == {"template.ca": "-----BEGIN CERTIFICATE-----\n"}


def test_awx_accepts_the_messages_and_stores_them_as_they_are(messages) -> None:
    """If AWX added an event to them, each run would find a difference."""
    notification_rules.check_messages(messages, contexts.example())
    assert notification_rules.merge(messages, messages) == messages


@pytest.mark.parametrize("case", FAILED_JOBS)
def test_each_failed_job_triggers_and_its_success_resolves_the_same_incident(post, case) -> None:
    failed = FAILED_JOBS[case]
    page = post("error", failed)
    assert page["state"] == "triggered"
    assert page["title"].startswith(failed["job_friendly_name"])
    assert str(failed["job"]["id"]) in page["content"] and failed["url"] in page["content"]
    assert (page["severity"], page["details"]["status"]) == ("critical", failed["job"]["status"])

    good = post("success", {**failed, "job": {**failed["job"], **SUCCEEDED}})
    assert (good["state"], good["incident_key"]) == ("resolved", page["incident_key"])


def test_a_cancelled_job_neither_triggers_nor_resolves(post) -> None:
    assert post("error", CANCELED)["state"] == "ignored"


def test_the_webhook_opens_and_closes_an_incident(post, reading) -> None:
    job = FAILED_JOBS["failure"]
    good = {**job, "job": {**job["job"], **SUCCEEDED}}
    with Sandbox(reading=reading) as sandbox:
        states = []
        for event, context in (("error", CANCELED), ("error", job), ("success", good)):
            requests.post(
                f"{sandbox.base_url}/v1/process",
                params={"from": "AWX"},
                headers={"Authorization": f"Bearer {sandbox.token}"},
                json=post(event, context),
                timeout=5,
            )
            states.append([incident["state"] for incident in sandbox.incidents])
        assert states == [[], ["open"], ["resolved"]]
        assert sandbox.incidents[0]["title"] == "AWX - Job Deploy the shop failed"


def test_the_key_names_awx_the_template_and_what_the_job_covers(post) -> None:
    keys = {case: post("error", context)["incident_key"] for case, context in FAILED_JOBS.items()}
    assert keys["failure"] == keys["timeout"] == keys["scheduled"] == "awx awx.example.com job 7"
    assert keys["slice"] == "awx awx.example.com job 7 slice 2/3"
    assert keys["limit"] == "awx awx.example.com job 7 limit web2:&eu"
    assert keys["project update"] == "awx awx.example.com project_update 6"
    assert keys["workflow"] == "awx awx.example.com workflow_job 9"


def test_a_page_says_what_failed_where_and_who_started_it(post) -> None:
    assert post("error", FAILED_JOBS["failure"])["content"].splitlines() == [
        "Job 42 ended as failed: https://awx.example.com/#/jobs/playbook/42",
        "Hosts: 1 failed, 2 unreachable",
        "Inventory: Production",
        "Started by: marge",
    ]
    assert "Job terminated due to timeout" in post("error", FAILED_JOBS["timeout"])["content"].splitlines()
    assert f"Started by: {NASTY}" in post("error", FAILED_JOBS["scheduled"])["content"].splitlines()
    assert "Started by: webhook" in post("error", FAILED_JOBS["nobody"])["content"].splitlines()
    assert "Failed to clone" in post("error", FAILED_JOBS["project update"])["content"].splitlines()


def test_names_reach_the_page_as_they_are(post) -> None:
    page = post("error", FAILED_JOBS["names with quotes, braces and more"])
    assert page["title"] == f"Job {NASTY} failed"
    assert page["incident_key"].endswith(f"limit {NASTY}")
    assert f"Inventory: {NASTY}" in page["content"]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ({"failure": {"body": "x"}}, "Event 'failure' invalid"),
        ({"error": {"body": {"state": "triggered"}}}, "Expected string for 'body'"),
        ({"error": {"body": "{{ job.extra_vars }}"}}, "Field 'extra_vars' unavailable"),
        ({"error": {"body": "{{ job.name "}}, "Unable to render message"),
    ],
)
def test_the_rules_refuse_messages_that_awx_refuses(messages, says) -> None:
    with pytest.raises(Refusal, match=says):
        notification_rules.check_messages(messages, contexts.example())


def test_a_body_without_tojson_loses_the_page() -> None:
    """This is what the bodies must prevent: AWX posts an empty object, and reports a success."""
    body = '{"title": "{{ job.name }}"}'
    assert notification_rules.render(body, contexts.job(name='The "shop"')) == {}
