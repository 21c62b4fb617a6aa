# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token never appears in Ansible's output, at any verbosity, or in a result, however the task ends.

Must not use a token that also occurs elsewhere: the tests search all output for it.
"""

from __future__ import annotations

import json
import sys

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection, run_tasks
from ansible_collections.callgoose.sqibs.tests.sandbox import Token

pytestmark = pytest.mark.matrix

TOKEN = "cg-4711-Very+Secret/Token="
ENCODED = "cg-4711-Very%2BSecret%2FToken%3D"

# The token comes from the controller's environment, from an option and from the task's environment.
EVERY_END = """
- hosts: web1
  gather_facts: false
  tasks:
    - {name: success, callgoose.sqibs.callgoose_incident: {title: success}}
    - {name: option, callgoose.sqibs.callgoose_incident: {title: option, api_token: "{{ own_token }}"}}
    - name: environment
      callgoose.sqibs.callgoose_incident: {title: environment}
      environment: {CALLGOOSE_API_TOKEN: "{{ own_token }}"}
    - name: echo
      callgoose.sqibs.callgoose_incident: {title: "{{ own_token }} is in use", details: {t: "x{{ own_token }}"}}
    - {name: unmatched, callgoose.sqibs.callgoose_incident: {payload: {no: filter}}, ignore_errors: true}
    - {name: drill, callgoose.sqibs.callgoose_incident: {title: drill}, check_mode: true, diff: true}
    - name: no answer
      callgoose.sqibs.callgoose_incident: {title: x, base_url: 'http://127.0.0.1:1'}
      ignore_errors: true
    - name: no host
      callgoose.sqibs.callgoose_incident: {title: x, base_url: 'https://host.invalid'}
      ignore_errors: true
    - {name: unknown option, callgoose.sqibs.callgoose_incident: {title: x, tittle: y}, ignore_errors: true}
    - {name: wrong type, callgoose.sqibs.callgoose_incident: {title: x, retries: many}, ignore_errors: true}
    - name: broken token
      callgoose.sqibs.callgoose_incident: {title: x, api_token: "{{ own_token }}\\n{{ own_token }}"}
      ignore_errors: true
    - name: token in the address
      callgoose.sqibs.callgoose_incident:
        title: x
        base_url: https://{{ own_token | urlencode }}@example.com/?token={{ own_token | urlencode }}
      ignore_errors: true
"""

FAULTS = """
- hosts: web1
  gather_facts: false
  tasks:
    - {name: reset, callgoose.sqibs.callgoose_incident: {title: x}, ignore_errors: true}
    - {name: redirect, callgoose.sqibs.callgoose_incident: {title: x}, ignore_errors: true}
    - {name: refused, callgoose.sqibs.callgoose_incident: {title: x}, ignore_errors: true}
    - {name: said again, callgoose.sqibs.callgoose_incident: {title: x}, ignore_errors: true}
"""


@pytest.fixture(params=["bearer", "url_parameter"])
def env(request, sandbox) -> dict[str, str]:
    """The environment variables of a run with the secret token, once for each auth_method."""
    sandbox.set(tokens=(Token(TOKEN),))
    return {**connection(sandbox), "CALLGOOSE_API_TOKEN": TOKEN, "CALLGOOSE_AUTH_METHOD": request.param}


@pytest.fixture(params=["on the controller", "delegated"])
def play(request) -> str:
    """A play with a task for each outcome, on the controller or delegated."""
    if request.param == "on the controller":
        return EVERY_END
    # each task by name, since a play cannot be delegated
    return EVERY_END.replace("    - {name:", "    - {delegate_to: relay, name:").replace(
        "    - name:", "    - delegate_to: relay\n      name:"
    )


def assert_secret(run) -> None:
    """Check that neither the output nor a result contains the token, plain or URL-encoded."""
    for text in (run.output, json.dumps(run.records)):
        shown = [line for line in text.splitlines() if TOKEN in line or ENCODED in line]
        assert not shown, shown


def test_the_token_never_shows_however_the_task_ends(tmp_path, sandbox, env, play) -> None:
    hosts = ["web1", f"relay ansible_connection=local ansible_python_interpreter={sys.executable}"]
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps({"own_token": TOKEN}), encoding="utf-8")
    run = run_tasks(tmp_path, play, "-vvvv", "-e", f"@{extra}", env=env, inventory=hosts)
    assert run.call.rc == 0, run.output
    assert_secret(run)
    assert "Traceback" not in run.output
    outcomes = [record["result"]["outcome"] for record in run.records]
    assert outcomes == ["created"] * 4 + ["unmatched", "would_send"] + ["failed"] * 6
    assert {request["token"] for request in sandbox.requests} == {TOKEN}, "yet it was sent"
    assert json.loads(sandbox.requests[3]["body"])["title"] == f"{TOKEN} is in use", "what is sent stays as it is"


def test_the_token_never_shows_whatever_the_server_does(tmp_path, sandbox, env) -> None:
    sandbox.queue_fault("reset")
    sandbox.queue_fault("redirect", location=f"{sandbox.base_url}/v1/process?token={ENCODED}")
    sandbox.queue_fault("status", status=401, body=json.dumps({"message": f"no token {TOKEN}"}))
    sandbox.queue_fault("body", body=json.dumps({"id": TOKEN, "triggered": {"created": True, "by": TOKEN}}))
    run = run_tasks(tmp_path, FAULTS, "-vvvv", env=env, inventory=["web1"])
    assert run.call.rc == 0, run.output
    assert_secret(run)
    assert [record["result"]["outcome"] for record in run.records] == ["failed"] * 3 + ["created"]
    assert len(sandbox.requests) == 4, "the redirect was not followed"
