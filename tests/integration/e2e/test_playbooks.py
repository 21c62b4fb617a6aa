# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the playbooks `trigger`, `resolve` and `demo`: their variables, what they refuse, and AWX workflows.

Must not test `verify`: test_playbooks_verify.py and test_playbooks_findings.py do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import awx_url
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, run_playbook
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook_data import (
    PlaybookData,
    compile_each_template_once,
    playbooks,
)
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

# The files of an AWX project: a job template can only name a file of its project.
NODES = """
- name: Either node of a workflow
  ansible.builtin.import_playbook: "callgoose.sqibs.{{ node }}"
"""


def run(tmp_path, sandbox: Sandbox, playbook: str, *args: str, **env: str) -> Result:
    """Run a playbook against a sandbox, without an inventory, with deprecation warnings."""
    warn = {"ANSIBLE_DEPRECATION_WARNINGS": "true"}
    result = run_playbook(tmp_path, playbook, *args, inventory=None, env={**connection(sandbox), **warn, **env})
    output = result.stdout + result.stderr
    assert "DEPRECATION" not in output and "Traceback" not in output and sandbox.token not in output, output
    return result


def bodies(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the bodies of all requests."""
    return [json.loads(request["body"]) for request in sandbox.requests]


def test_trigger_sends_the_values_of_its_variables(tmp_path, sandbox) -> None:
    variables = {
        "callgoose_title": "Nightly backup failed",
        "callgoose_content": "The volume /backup is full.",
        "callgoose_incident_key": "nightly-backup",
        "callgoose_severity": "warning",
        "callgoose_tags": ["backup", "night"],
        "callgoose_details": {"rack": {"row": 4}, "disks": [1, 2]},
    }
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", json.dumps(variables))
    assert result.rc == 0, result
    sent = {name.removeprefix("callgoose_"): value for name, value in variables.items()}
    assert bodies(sandbox) == [{**sent, "state": "triggered", "source": "Ansible"}]
    assert '"msg": "The incident was created. Incident key: nightly-backup"' in result.stdout
    assert "changed=1 " in result.stdout


def test_without_a_key_trigger_and_resolve_use_the_title(tmp_path, sandbox) -> None:
    words = "callgoose_title='Nightly backup failed' callgoose_tags=backup,night callgoose_content=''"
    assert run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", words).rc == 0
    key = "callgoose_incident_key='Nightly backup failed'"
    assert run(tmp_path, sandbox, "callgoose.sqibs.resolve", "-e", key).rc == 0
    trigger, resolve = bodies(sandbox)
    assert (trigger["tags"], trigger["content"]) == (["backup", "night"], "Nightly backup failed")
    assert resolve == {"state": "resolved", "incident_key": "Nightly backup failed", "source": "Ansible"}
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]


def test_the_nodes_of_an_awx_workflow_share_an_incident_without_a_key(tmp_path, sandbox) -> None:
    """Both nodes get the variables of the workflow, and each job has its own home directory."""
    workflow = {"callgoose_title": "Deployment failed", "callgoose_tags": ["deploy"]}
    failure = {**workflow, "node": "trigger", "awx_workflow_job_name": "Deploy all", "awx_job_id": 7}
    success = {**workflow, "node": "resolve", "tower_workflow_job_name": "Deploy all", "tower_job_id": 9}
    for job, variables, host in (("7", failure, "https://AWX.example.com/"), ("9", success, "https://awx.example.com")):
        folder = tmp_path / job
        folder.mkdir()
        assert run(folder, sandbox, NODES, "-e", json.dumps(variables), AWX_HOST=host).rc == 0
    assert [body["incident_key"] for body in bodies(sandbox)] == ["https://awx.example.com Deploy all"] * 2
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]


def test_the_page_of_a_workflow_without_content_says_where_to_look(tmp_path, sandbox) -> None:
    name = "Deploy {{ all }}"
    words = {"callgoose_title": "Deployment failed", "awx_workflow_job_id": 12, "callgoose_content": ""}
    path = tmp_path / "awx.yml"
    path.write_text(f"{json.dumps(words)[:-1]}, awx_workflow_job_name: !unsafe '{name}'}}", encoding="utf-8")
    awx = "https://awx.example.com"
    for job_url, host in (
        (None, awx),
        ("{host}/execution/jobs/playbook/{id}/output", awx),
        (None, "https://towerhost"),
    ):
        env = {"AWX_HOST": host, **({"CALLGOOSE_JOB_URL": job_url} if job_url else {})}
        assert run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", f"@{path}", **env).rc == 0
    assert [body["content"] for body in bodies(sandbox)] == [
        f"AWX workflow {name}, job 12: {awx}/#/jobs/workflow/12",
        f"AWX workflow {name}, job 12: {awx}/execution/jobs/workflow/12/output",
        f"AWX workflow {name}, job 12",
    ]
    assert [body["incident_key"] for body in bodies(sandbox)] == [f"{awx} {name}", f"{awx} {name}", name]


@pytest.mark.parametrize("nothing", ["", None])
def test_an_unanswered_question_for_the_key_means_the_title(tmp_path, sandbox, nothing) -> None:
    words = json.dumps({"callgoose_title": "Disk full", "callgoose_incident_key": nothing})
    assert run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", words).rc == 0
    assert [body["incident_key"] for body in bodies(sandbox)] == ["Disk full"]
    refused = run(tmp_path, sandbox, "callgoose.sqibs.resolve", "-e", words)
    assert refused.rc == 2 and "callgoose_incident_key: it is missing" in refused.stdout, refused


def test_workflows_of_the_same_name_in_two_organizations_have_two_incidents(tmp_path, sandbox) -> None:
    workflow = {"callgoose_title": "Deployment failed", "awx_workflow_job_name": "Deploy all", "awx_workflow_job_id": 5}
    for node, organization in (("trigger", "Shop"), ("trigger", "Bank"), ("resolve", "Shop")):
        words = json.dumps({**workflow, "node": node, "callgoose_organization": organization})
        assert run(tmp_path, sandbox, NODES, "-e", words, AWX_HOST="https://awx.example.com").rc == 0
    assert [body["incident_key"] for body in bodies(sandbox)][:2] == [
        "https://awx.example.com Shop Deploy all",
        "https://awx.example.com Bank Deploy all",
    ]
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved", "open"]


def test_a_resolve_without_a_key_is_refused_before_any_request(tmp_path, sandbox) -> None:
    result = run(tmp_path, sandbox, "callgoose.sqibs.resolve", "-e", "callgoose_title=x", AWX_HOST="https://a.example")
    assert result.rc == 2 and "callgoose_incident_key: it is missing" in result.stdout, result
    assert not sandbox.requests


def test_unanswered_survey_questions_count_as_unset(tmp_path, sandbox) -> None:
    """AWX sends an empty string for each."""
    names = ("content", "severity", "tags", "details")
    words = " ".join(("callgoose_title=x", *(f"callgoose_{name}=" for name in names)))
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", words)
    assert result.rc == 0, result
    (body,) = bodies(sandbox)
    assert body == {
        "state": "triggered",
        "title": "x",
        "incident_key": "x",
        "content": "x",
        "severity": "critical",
        "source": "Ansible",
    }


@pytest.mark.parametrize("playbook", ["demo", "verify"])
def test_an_empty_severity_is_the_default_in_each_playbook(tmp_path, sandbox, playbook) -> None:
    result = run(tmp_path, sandbox, f"callgoose.sqibs.{playbook}", "-e", "callgoose_severity=")
    assert result.rc == 0, result
    triggers = [body for body in bodies(sandbox) if body["state"] == "triggered"]
    assert triggers and all(body["severity"] == "critical" for body in triggers)


def test_a_severity_may_have_capitals(tmp_path, sandbox) -> None:
    words = '{"callgoose_title": "Disk full", "callgoose_severity": "Warning "}'
    assert run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", words).rc == 0
    assert [body["severity"] for body in bodies(sandbox)] == ["warning"]


def test_all_errors_are_reported_at_once(tmp_path, sandbox) -> None:
    words = "callgoose_titel='Nightly backup failed' callgoose_severity=fatal"
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", words)
    assert result.rc == 2, result
    assert "callgoose_titel: this playbook has no such variable" in result.stdout
    assert "callgoose_title: it is missing" in result.stdout
    assert "callgoose_severity: there is no such severity. Use one of critical, error, warning, info." in result.stdout
    assert not sandbox.requests


def test_a_title_that_was_split_at_a_space_is_refused(tmp_path, sandbox) -> None:
    """Ansible splits key=value at spaces: the page would say only "Nightly"."""
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", "-e", "callgoose_title=Nightly backup failed")
    assert result.rc == 2 and "backup failed: these words of -e belong to no variable" in result.stdout, result
    assert not sandbox.requests


# As in the guide to the playbooks. If this string were templated, it would break the playbook or run a command.
NASTY = """{% no such tag %} {{ lookup('ansible.builtin.pipe', 'touch templated') }} {# kept #} it's "this": \\ {{"""
UNSAFE = f"""
callgoose_title: !unsafe 'Job {{{{ name }}}} failed'
callgoose_incident_key: !unsafe 'job {{{{ name }}}}'
callgoose_content: !unsafe |
  {NASTY}
  second line
callgoose_details:
  command: !unsafe 'docker ps --format "{{{{ .Names }}}}"'
  more: [!unsafe '{{% raw %}}']
callgoose_tags: [!unsafe '{{{{ tag }}}}']
"""
LOOKUPS = """
callgoose_title: Nightly backup failed
callgoose_content: "{{ lookup('ansible.builtin.env', 'REASON') }}"
callgoose_details:
  log: "{{ lookup('ansible.builtin.pipe', 'tail -c 4000 PATH 2>&1 | iconv -c -f UTF-8 -t UTF-8; true') }}"
"""


def given_in_a_file(tmp_path, text: str) -> tuple[str, str]:
    """Write extra vars to a file, and return the arguments that pass it to a playbook."""
    path = tmp_path / "incident.yml"
    path.write_text(text, encoding="utf-8")
    return "-e", f"@{path}"


def test_a_string_marked_unsafe_is_sent_unchanged(tmp_path, sandbox) -> None:
    words = given_in_a_file(tmp_path, UNSAFE)
    for playbook in ("trigger", "resolve"):
        result = run(tmp_path, sandbox, f"callgoose.sqibs.{playbook}", *words)
        assert result.rc == 0, result
    trigger, resolve = bodies(sandbox)
    assert trigger["title"] == resolve["title"] == "Job {{ name }} failed"
    assert trigger["incident_key"] == resolve["incident_key"] == "job {{ name }}"
    assert trigger["content"] == resolve["content"] == f"{NASTY}\nsecond line\n"
    assert trigger["tags"] == ["{{ tag }}"]
    details = {"command": 'docker ps --format "{{ .Names }}"', "more": ["{% raw %}"]}
    assert trigger["details"] == resolve["details"] == details
    assert not list(tmp_path.rglob("templated"))


def test_a_string_from_a_lookup_is_sent_unchanged(tmp_path, sandbox) -> None:
    log = tmp_path / "backup.log"
    log.write_text(f"{NASTY}\nsecond line\n", encoding="utf-8")
    words = given_in_a_file(tmp_path, LOOKUPS.replace("PATH", str(log)))
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", *words, REASON=NASTY)
    assert result.rc == 0, result
    (body,) = bodies(sandbox)
    assert body["content"] == NASTY
    assert body["details"] == {"log": f"{NASTY}\nsecond line"}
    assert not list(tmp_path.rglob("templated"))


@pytest.mark.parametrize(
    ("log", "says"), [(None, "No such file"), (b"old \xff\xfe bytes\n", "old  bytes"), (b"x" * 2_000_000, "x" * 4000)]
)
def test_a_log_that_is_missing_or_odd_does_not_lose_the_page(tmp_path, sandbox, log, says) -> None:
    path = tmp_path / "backup.log"
    if log is not None:
        path.write_bytes(log)
    words = given_in_a_file(tmp_path, LOOKUPS.replace("PATH", str(path)))
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", *words)
    assert result.rc == 0, result
    (body,) = bodies(sandbox)
    assert says in body["details"]["log"] and len(body["details"]["log"]) <= 4000


def test_with_a_limit_that_lacks_localhost_nothing_is_sent(tmp_path, sandbox) -> None:
    for limit, sent in (("web01", 0), ("web01,localhost", 1)):
        words = ("-e", "callgoose_title=x", "-i", "web01,", "--limit", limit)
        result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", *words)
        assert result.rc == 0 and len(sandbox.requests) == sent, result


def test_check_mode_sends_nothing(tmp_path, sandbox) -> None:
    result = run(tmp_path, sandbox, "callgoose.sqibs.trigger", "--check", "-e", "callgoose_title=x")
    assert result.rc == 0 and "Would send this payload" in result.stdout, result
    assert not sandbox.requests


def test_the_demo_shows_an_incident_from_start_to_end_each_time(tmp_path, sandbox) -> None:
    sandbox.set(reading="mapped")
    for _time in range(2):
        result = run(tmp_path, sandbox, "callgoose.sqibs.demo")
        assert result.rc == 0 and "changed=2 " in result.stdout, result
    assert [request["status"] for request in sandbox.requests] == [201, 208, 200, 208] * 2
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"] * 2


def test_the_demo_leaves_nothing_open_if_it_fails(tmp_path, sandbox) -> None:
    sandbox.queue_fault("delay", seconds=0)
    sandbox.queue_fault("status", status=503)
    assert run(tmp_path, sandbox, "callgoose.sqibs.demo").rc == 2
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]


@dataclass(frozen=True)
class Wrong:
    """Invalid variables, and what the message about them says."""

    name: str
    variables: dict[str, Any] = field(hash=False)
    says: tuple[str, ...] = ()


TITLE = {"callgoose_title": "x"}
WRONG = (
    Wrong("no title", {}, ("callgoose_title: it is missing", "-e")),
    Wrong("empty title", {"callgoose_title": " "}, ("callgoose_title: it is empty",)),
    Wrong("no value for the title", {"callgoose_title": None}, ("callgoose_title: it is empty or not a string",)),
    Wrong("list as title", {"callgoose_title": ["x"]}, ("callgoose_title: it is empty or not a string",)),
    Wrong("flag as title", {"callgoose_title": True}, ("callgoose_title: it is empty or not a string",)),
    Wrong(
        "typo",
        {**TITLE, "callgoose_key": "x"},
        ("callgoose_key: this playbook has no such", "callgoose_incident_key"),
    ),
    Wrong("blank key", {**TITLE, "callgoose_incident_key": " "}, ("callgoose_incident_key: it is blank",)),
    Wrong("flag as key", {**TITLE, "callgoose_incident_key": False}, ("callgoose_incident_key: it is blank",)),
    Wrong(
        "dictionary as key", {**TITLE, "callgoose_incident_key": {"a": 1}}, ("callgoose_incident_key", "not a string")
    ),
    Wrong("list as content", {**TITLE, "callgoose_content": ["x"]}, ("callgoose_content: it is not a string",)),
    Wrong("flag as content", {**TITLE, "callgoose_content": False}, ("callgoose_content: it is not a string",)),
    Wrong("unknown severity", {**TITLE, "callgoose_severity": "high"}, ("callgoose_severity", "critical, error")),
    Wrong("blank severity", {**TITLE, "callgoose_severity": " "}, ("callgoose_severity: there is no such",)),
    Wrong("flag as severity", {**TITLE, "callgoose_severity": False}, ("callgoose_severity: there is no such",)),
    Wrong("list as severity", {**TITLE, "callgoose_severity": ["error"]}, ("callgoose_severity: there is no such",)),
    Wrong(
        "dictionary as tags", {**TITLE, "callgoose_tags": {"a": 1}}, ("callgoose_tags: it is not a list of strings",)
    ),
    Wrong("number as tags", {**TITLE, "callgoose_tags": 5}, ("callgoose_tags: it is not a list of strings",)),
    Wrong("lists in tags", {**TITLE, "callgoose_tags": [["a"]]}, ("callgoose_tags: it is not a list of strings",)),
    Wrong(
        "text as details", {**TITLE, "callgoose_details": '{"a": 1}'}, ("callgoose_details: it is not a dictionary",)
    ),
    Wrong("list as details", {**TITLE, "callgoose_details": [1]}, ("callgoose_details: it is not a dictionary",)),
)
FINE: tuple[dict[str, Any], ...] = (
    TITLE,
    {"callgoose_title": 5, "callgoose_incident_key": 7, "callgoose_content": 1.5},
    {**TITLE, "callgoose_content": "", "callgoose_severity": "", "callgoose_tags": "", "callgoose_details": ""},
    {**TITLE, "callgoose_content": None, "callgoose_severity": None, "callgoose_tags": None, "callgoose_details": None},
    {**TITLE, "callgoose_tags": [], "callgoose_details": {}},
    {**TITLE, "callgoose_incident_key": ""},
    {"callgoose_playbook": "site.yml", "callgoose_incident_key": "", "callgoose_details": ""},
    {**TITLE, "callgoose_tags": "a, b", "callgoose_api_token": "x", "callgoose_timeout": 3},
    {**TITLE, "callgooses": "a variable of somebody else", "my_callgoose_key": "x"},
)


@pytest.fixture(scope="module")
def data(collections_path) -> Iterator[PlaybookData]:
    """The data that the playbooks share, with the variables of `trigger`."""
    folder = playbooks(collections_path)
    with pytest.MonkeyPatch.context() as patch:
        compile_each_template_once(patch)
        data = PlaybookData(folder / "vars" / "variables.yml")
        (play,) = data.load(folder / "trigger.yml")
        data.variables.update(play["vars"])
        yield data


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_invalid_variables_are_refused_with_their_names_and_a_remedy(data, case) -> None:
    (problem,) = data.value("sqibs_problems", **case.variables)
    assert all(words in problem for words in case.says), problem


@pytest.mark.parametrize("variables", FINE, ids=", ".join)
def test_valid_variables_are_accepted(data, variables) -> None:
    assert data.value("sqibs_problems", **variables) == []


@pytest.mark.parametrize(
    "host",
    [
        "",
        "  ",
        "https://awx.example.com",
        "https://AWX.Example.com:8443/",
        " HTTPS://awx.example.com// ",
        "http://me:Secret@awx.example.com/Prefix/",
        "https://a@b@awx.example.com/x@y",
        "https://awx.example.com?a=b",
        "https://[2001:DB8::1]:443/",
        "https://towerhost",
        "HTTPS://TowerHost:8443/",
        "https://towerhost.example.com",
        "awx.example.com",
        "ftp://awx.example.com",
        "https://",
        "https:///path",
    ],
)
def test_the_url_of_an_awx_is_normalized_as_in_the_rest_of_the_collection(data, host) -> None:
    assert data.value("sqibs_awx_url", sqibs_awx_host=host) == awx_url({"AWX_HOST": host})


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({}, ""),
        ({"awx_workflow_job_name": "Deploy"}, "https://awx.example.com Deploy"),
        ({"tower_workflow_job_name": "Deploy"}, "https://awx.example.com Deploy"),
        ({"awx_workflow_job_name": "", "tower_workflow_job_name": "Deploy"}, "https://awx.example.com Deploy"),
        ({"awx_workflow_job_name": "Deploy", "tower_workflow_job_name": "Other"}, "https://awx.example.com Deploy"),
        ({"awx_workflow_job_name": "Deploy", "callgoose_incident_key": "own"}, "own"),
        ({"awx_workflow_job_name": "Deploy", "callgoose_incident_key": ""}, "https://awx.example.com Deploy"),
        ({"awx_workflow_job_name": "Deploy", "sqibs_awx_host": ""}, "Deploy"),
        ({"awx_workflow_job_name": "Deploy", "callgoose_organization": "Shop"}, "https://awx.example.com Shop Deploy"),
        ({"awx_workflow_job_name": "Deploy", "callgoose_organization": ""}, "https://awx.example.com Deploy"),
        ({"callgoose_organization": "Shop"}, ""),
    ],
)
def test_the_key_is_the_users_own_or_the_workflows_or_none(data, variables, key) -> None:
    assert data.value("sqibs_incident_key", **{"sqibs_awx_host": "https://awx.example.com", **variables}) == key
