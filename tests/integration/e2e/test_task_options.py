# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where options come from and what is sent: module defaults, variables, vault, payload types, check and diff mode.

Must not test wrong input or the secrecy of the token: the other test_task_*.py files do.
"""

from __future__ import annotations

import json
import textwrap

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import (
    DOCUMENTED,
    TaskRun,
    connection,
    run_tasks,
)

SOURCES = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/callgoose.sqibs.callgoose:
      source: the group's default
      severity: warning
  environment:
    CALLGOOSE_SOURCE: never used, the group's default is stronger
    CALLGOOSE_API_TOKEN: "{{ token }}"
  tasks:
    - name: group
      callgoose.sqibs.callgoose_incident: {title: group}
    - name: own option
      callgoose.sqibs.callgoose_incident: {title: own option, source: own, severity: info}
- hosts: localhost
  gather_facts: false
  tasks:
    - name: variables
      callgoose.sqibs.callgoose_incident: {title: variables}
      environment:
        CALLGOOSE_SOURCE: the task's environment
        CALLGOOSE_API_TOKEN: "{{ token }}"
    - name: refused token
      callgoose.sqibs.callgoose_incident: {title: refused token}
      ignore_errors: true
    - name: no source
      callgoose.sqibs.callgoose_incident: {title: no source, source: '', api_token: "{{ token }}"}
    - name: dead proxy
      callgoose.sqibs.callgoose_incident: {title: x, api_token: unused, base_url: 'http://192.0.2.1', allow_http: true}
      environment: {http_proxy: "http://127.0.0.1:1"}
      ignore_errors: true
    - name: loopback
      callgoose.sqibs.callgoose_incident: {title: loopback, api_token: "{{ token }}"}
      environment: {http_proxy: "http://127.0.0.1:1", ALL_PROXY: "http://127.0.0.1:1"}
"""

FORMS = """
- hosts: localhost
  gather_facts: false
  vars:
    secret_detail: !vault |
%(detail)s
    secret_token: !vault |
%(token)s
  module_defaults:
    callgoose.sqibs.callgoose_incident:
      api_token: "{{ secret_token }}"
      unmatched: ok
  tasks:
    - name: values
      callgoose.sqibs.callgoose_incident:
        title: "Störung im Rechenzentrum \\U0001F525 温度"
        content: "{{ 'zwei\\nZeilen' }}"
        tags: [späť, b]
        details:
          released: 2026-01-31
          at: 2026-01-31T12:30:00
          nested: {list: ["{{ secret_detail }}", 1, 2.5, true, null]}
    - {name: dictionary, callgoose.sqibs.callgoose_incident: {payload: {z: 1, a: {day: 2026-01-31, list: [x]}}}}
    - {name: list, callgoose.sqibs.callgoose_incident: {payload: [{alert: disk}, 2]}}
    - {name: text, callgoose.sqibs.callgoose_incident: {payload: "Füllstand: 99 %%"}}
    - name: html
      callgoose.sqibs.callgoose_incident: {payload: "<p>disk</p>", content_type: text/html; charset=utf-8}
    - name: own JSON text
      callgoose.sqibs.callgoose_incident:
        payload: "{{ {'state': 'triggered', 'title': 'own'} | to_json }}"
        content_type: application/json
"""

UNMATCHED = """
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: default, callgoose.sqibs.callgoose_incident: {payload: {no: filter}}, ignore_errors: true}
    - {name: fail, callgoose.sqibs.callgoose_incident: {payload: {no: filter}, unmatched: fail}, ignore_errors: true}
    - {name: warn, callgoose.sqibs.callgoose_incident: {payload: {no: filter}, unmatched: warn}}
    - {name: ok, callgoose.sqibs.callgoose_incident: {payload: {no: filter}, unmatched: ok}}
    - name: resolve
      callgoose.sqibs.callgoose_incident: {state: resolved, payload: {no: filter}}
    - name: strict resolve
      callgoose.sqibs.callgoose_incident: {state: resolved, payload: {no: filter}, unmatched: fail}
      ignore_errors: true
"""

DRILL = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: trigger
      callgoose.sqibs.callgoose_incident: {title: Only a drill, details: {a: 1}}
      register: drill
    - name: resolve
      callgoose.sqibs.callgoose_incident: {state: resolved, title: Only a drill}
    - name: text
      callgoose.sqibs.callgoose_incident: {payload: Only a drill, unmatched: ok}
    - name: A handler of a drill sees a change
      ansible.builtin.assert: {that: drill is changed}
"""


def test_options_come_from_the_task_its_defaults_and_its_environment(tmp_path, sandbox) -> None:
    env = {**connection(sandbox), "CALLGOOSE_API_TOKEN": "not-valid"}
    run = run_tasks(tmp_path, SOURCES, "-e", f"token={sandbox.token}", env=env)
    assert run.call.rc == 0, run.output
    sent = {json.loads(request["body"])["title"]: request for request in sandbox.requests}
    sources = {title: request["query"].get("from") for title, request in sent.items()}
    assert sources == {
        "group": "the group's default",
        "own option": "own",
        "variables": "the task's environment",
        "refused token": "Ansible",
        "no source": None,
        "loopback": "Ansible",
    }
    assert [run.result(name)["payload"]["severity"] for name in ("group", "own option")] == ["warning", "info"]
    assert "source" not in run.result("no source")["payload"]


def test_the_environment_of_a_task_applies_to_that_task_only(tmp_path, sandbox) -> None:
    env = {**connection(sandbox), "CALLGOOSE_API_TOKEN": "not-valid"}
    run = run_tasks(tmp_path, SOURCES, "-e", f"token={sandbox.token}", env=env)
    assert run.result("refused token")["status_code"] == 401, "the token of the task before it is gone"
    assert "Incident token" in run.result("refused token")["msg"]
    assert "the proxy could not be used" in run.result("dead proxy")["msg"]
    assert run.result("loopback")["outcome"] == "created", "no proxy sees the token"


@pytest.fixture()
def forms(tmp_path, sandbox) -> TaskRun:
    """A run with a vaulted token and payloads of all types."""
    password = tmp_path / "password"
    password.write_text("open sesame", encoding="utf-8")
    vaulted = {"detail": encrypted("the detail"), "token": encrypted(sandbox.token)}
    env = {name: value for name, value in connection(sandbox).items() if name != "CALLGOOSE_API_TOKEN"}
    run = run_tasks(tmp_path, FORMS % vaulted, "--vault-password-file", str(password), env=env)
    assert run.call.rc == 0, run.output
    return run


def encrypted(text: str) -> str:
    """Return the string encrypted by ansible-vault, indented as the value of a play's variable."""
    secret = VaultSecret(b"open sesame")
    return textwrap.indent(VaultLib([("default", secret)]).encrypt(text).decode(), " " * 6)


def test_unicode_dates_and_vaulted_values_arrive_as_strings(forms, sandbox) -> None:
    (incident,) = (incident for incident in sandbox.incidents if "Rechenzentrum" in incident["title"])
    assert incident["title"] == "Ansible - Störung im Rechenzentrum \U0001f525 温度"
    assert incident["description"] == "zwei\nZeilen"
    assert json.loads(sandbox.requests[0]["body"])["details"] == {
        "released": "2026-01-31",
        "at": "2026-01-31T12:30:00",
        "nested": {"list": ["the detail", 1, 2.5, True, None]},
    }
    assert forms.result("values")["payload"] == json.loads(sandbox.requests[0]["body"])


def test_payloads_of_every_type_arrive_unchanged(forms, sandbox) -> None:
    sent = [(request["headers"]["Content-Type"], request["body"]) for request in sandbox.requests[1:]]
    assert sent == [
        ("application/json", '{"a":{"day":"2026-01-31","list":["x"]},"z":1}'),
        ("application/json", '[{"alert":"disk"},2]'),
        ("text/plain", "Füllstand: 99 %"),
        ("text/html; charset=utf-8", "<p>disk</p>"),
        ("application/json", '{"state": "triggered", "title": "own"}'),
    ]
    assert forms.result("own JSON text")["outcome"] == "created"
    assert forms.result("dictionary")["incident_key"] is None
    assert forms.result("text")["payload"] == "Füllstand: 99 %"


def test_unmatched_decides_what_a_missing_filter_means(tmp_path, sandbox) -> None:
    run = run_tasks(tmp_path, UNMATCHED, env=connection(sandbox))
    failed = {record["task"]: record["result"]["failed"] for record in run.records}
    assert failed == {
        "default": True,
        "fail": True,
        "warn": False,
        "ok": False,
        "resolve": False,
        "strict resolve": True,
    }
    for record in run.records:
        result = record["result"]
        assert (result["outcome"], result["status_code"], result["changed"]) == ("unmatched", 202, False)
    # ansible-core 2.16 wraps its warnings.
    output = " ".join(run.output.split())
    assert output.count("[WARNING]: Callgoose: The API accepted the payload, but no API Filter matched it") == 1


def test_check_mode_sends_nothing_and_shows_the_payload(tmp_path, sandbox) -> None:
    run = run_tasks(tmp_path, DRILL, "--check", "--diff", env=connection(sandbox))
    assert run.call.rc == 0, run.output
    assert not sandbox.requests
    for record in run.records:
        result = record["result"]
        assert result["changed"] and result["outcome"] == "would_send" and set(result) >= DOCUMENTED
        assert result["attempts"] == 0 and result["status_code"] is None
    assert run.result("trigger")["payload"] == {
        "state": "triggered",
        "incident_key": "Only a drill",
        "title": "Only a drill",
        "content": "Only a drill",
        "severity": "critical",
        "source": "Ansible",
        "details": {"a": 1},
    }
    assert "+++ after: sent to Callgoose (triggered)" in run.call.stdout


def test_diff_mode_shows_what_was_sent_and_no_diff_without_a_change(tmp_path, sandbox) -> None:
    first, second = (run_tasks(tmp_path, DRILL, "--diff", env=connection(sandbox)) for _time in range(2))
    assert '+  "title": "Only a drill"' in first.call.stdout
    assert "diff" in first.result("trigger") and "diff" not in second.result("trigger")


def test_a_server_certificate_is_trusted_only_with_its_ca_path(tmp_path, tls_sandbox) -> None:
    play = """
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: unknown authority, callgoose.sqibs.callgoose_incident: {title: x, retries: 3}, ignore_errors: true}
    - name: known authority
      callgoose.sqibs.callgoose_incident: {title: x}
      environment: {CALLGOOSE_CA_PATH: "{{ ca_path }}"}
    - {name: unchecked, callgoose.sqibs.callgoose_incident: {title: y, validate_certs: false}}
"""
    run = run_tasks(tmp_path, play, "-e", f"ca_path={tls_sandbox.ca_path}", env=connection(tls_sandbox))
    refused = run.result("unknown authority")
    assert refused["failed"] and refused["attempts"] == 1 and "ca_path" in refused["msg"]
    assert [run.result(name)["outcome"] for name in ("known authority", "unchecked")] == ["created", "created"]


@pytest.fixture()
def tls_sandbox():
    """A sandbox over TLS, with a certificate authority that the system does not trust."""
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

    with Sandbox(tls=True) as running:
        yield running
