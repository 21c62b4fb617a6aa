# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the task runs: on the controller for any target host, or on the host to which it is delegated.

Must not test what is sent: the other test_task_*.py files do.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.module_utils import basic

from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import DOCUMENTED, connection, run_tasks

pytestmark = pytest.mark.matrix

# Hosts that never answer (RFC 5737), with connections whose libraries are not installed here.
UNREACHABLE = """
[all]
server ansible_host=192.0.2.1 ansible_connection=ssh ansible_python_interpreter=/nonexistent/python
windows ansible_host=192.0.2.2 ansible_connection=winrm ansible_user=x ansible_password=y
switch ansible_host=192.0.2.3 ansible_connection=persistent ansible_network_os=cisco.ios.ios
"""

# Like network_cli of ansible.netcommon: if an action requires it, Ansible first starts a process that connects.
PERSISTENT = '''
DOCUMENTATION = """
name: persistent
short_description: A connection of the kind of network devices
description: It must never be made.
author: x
options:
  persistent_connect_timeout: {type: int, default: 5, description: x}
  persistent_command_timeout: {type: int, default: 5, description: x}
  persistent_log_messages: {type: boolean, default: false, description: x}
"""

from ansible.plugins.connection import NetworkConnectionBase


class Connection(NetworkConnectionBase):
    transport = "persistent"

    def _connect(self):
        raise AssertionError("connected")
'''

ANYWHERE = """
- hosts: all
  gather_facts: false
  tasks:
    - name: trigger
      callgoose.sqibs.callgoose_incident: {title: "{{ inventory_hostname }} is down"}
    - name: with environment
      callgoose.sqibs.callgoose_incident: {title: "{{ inventory_hostname }} is still down"}
      environment: {CALLGOOSE_SOURCE: "{{ inventory_hostname }}"}
    - name: local
      callgoose.sqibs.callgoose_incident: {state: resolved, title: "{{ inventory_hostname }} is down"}
      delegate_to: localhost
    - name: loopback
      callgoose.sqibs.callgoose_incident: {state: resolved, title: "{{ inventory_hostname }} is still down"}
      delegate_to: 127.0.0.1
"""

DELEGATED = """
- hosts: web1
  gather_facts: false
  module_defaults:
    group/callgoose.sqibs.callgoose: {auth_method: url_parameter}
  tasks:
    - {name: trigger, callgoose.sqibs.callgoose_incident: {title: Disk full}, delegate_to: relay}
    - {name: trigger again, callgoose.sqibs.callgoose_incident: {title: Disk full}, delegate_to: relay}
    - name: resolve
      callgoose.sqibs.callgoose_incident: {state: resolved, title: Disk full}
      delegate_to: relay
      environment: {CALLGOOSE_SOURCE: the task's environment, PYTHONDONTWRITEBYTECODE: 1}
    - {name: drill, callgoose.sqibs.callgoose_incident: {title: x}, delegate_to: relay, check_mode: true, diff: true}
    - name: warn
      callgoose.sqibs.callgoose_incident: {payload: {no: filter}, unmatched: warn}
      delegate_to: relay
    - name: refused
      callgoose.sqibs.callgoose_incident: {title: x, api_token: not-valid}
      delegate_to: relay
      ignore_errors: true
    - name: missing file
      callgoose.sqibs.callgoose_incident: {title: x, ca_path: /nonexistent/ca.pem}
      delegate_to: relay
      ignore_errors: true
"""

ASYNC = """
- hosts: localhost
  gather_facts: false
  tasks:
    - {name: background, callgoose.sqibs.callgoose_incident: {title: x}, async: 60, poll: 0, ignore_errors: true}
    - {name: waiting, callgoose.sqibs.callgoose_incident: {title: x}, async: 60, poll: 1, ignore_errors: true}
"""

CONTROL = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: until
      callgoose.sqibs.callgoose_incident: {title: Disk full}
      register: until
      until: until.status_code == 201
      retries: 3
      delay: 0
    - {name: ignored, callgoose.sqibs.callgoose_incident: {title: x, api_token: not-valid}, ignore_errors: true}
    - name: own failure
      callgoose.sqibs.callgoose_incident: {title: Disk full}
      register: again
      failed_when: again.outcome == 'duplicate'
      changed_when: true
      ignore_errors: true
    - name: What was registered
      ansible.builtin.assert:
        that:
          - until.status_code == 201 and until is changed
          - again is failed and again is changed and again.status_code == 208
    - name: A failure is caught
      block:
        - {name: caught, callgoose.sqibs.callgoose_incident: {title: x, api_token: not-valid}}
      rescue:
        - name: What a rescue sees
          ansible.builtin.assert:
            that: ansible_failed_result.status_code == 401 and 'Incident token' in ansible_failed_result.msg
"""


def interpreters() -> list[str]:
    """Return the interpreters for delegated hosts: the running one, and the oldest that this ansible-core supports."""
    minimum = getattr(basic, "_PY_MIN", None)  # before 2.17, ansible-core supports every Python that we support
    oldest = max((3, 8), minimum) if isinstance(minimum, tuple) else (3, 8)
    name = f"python{oldest[0]}.{oldest[1]}"
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{oldest[0]}.{oldest[1]}.*/bin/{name}"))
    found = [str(path) for path in pyenv] or [path for path in (shutil.which(name),) if path and "/shims/" not in path]
    return [sys.executable, *found[:1]]


@pytest.fixture(scope="module", params=interpreters())
def relay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of the host to which a task is delegated; it has `requests`."""
    if request.param == sys.executable:
        return sys.executable
    directory = tmp_path_factory.mktemp("relay")
    subprocess.run([request.param, "-m", "venv", str(directory)], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "requests"]
    subprocess.run([str(directory / "bin" / "python"), *install], check=True)
    return str(directory / "bin" / "python")


def hosts(interpreter: str) -> list[str]:
    """Return an inventory whose host `relay` has this interpreter, and whose host `web1` has none."""
    return [
        "web1 ansible_connection=ssh ansible_host=192.0.2.1",
        f"relay ansible_connection=local ansible_python_interpreter={interpreter}",
    ]


def test_the_task_never_connects_to_a_target_host(tmp_path, sandbox) -> None:
    inventory = tmp_path / "inventory.ini"
    inventory.write_text(UNREACHABLE, encoding="utf-8")
    plugins = tmp_path / "connections"
    plugins.mkdir()
    (plugins / "persistent.py").write_text(PERSISTENT, encoding="utf-8")
    env = {**connection(sandbox), "ANSIBLE_CONNECTION_PLUGINS": str(plugins)}
    run = run_tasks(tmp_path, ANYWHERE, "-vvvv", env=env, inventory=inventory)
    assert run.call.rc == 0, run.output
    assert [result["outcome"] for result in run.results("trigger")] == ["created"] * 3
    assert {request["query"]["from"] for request in sandbox.requests} == {"Ansible", "server", "windows", "switch"}
    assert not sandbox.open_incidents
    for sign in ("ESTABLISH", "attempting to start connection"):
        assert sign not in run.output, "Ansible says so at -vvvv when it connects"
    assert run.call.elapsed < 20, "no attempt to connect was waited for"


def test_a_delegated_task_runs_on_that_host_with_the_controllers_settings(tmp_path, sandbox, relay) -> None:
    run = run_tasks(tmp_path, DELEGATED, "-vvv", env=connection(sandbox), inventory=hosts(relay))
    assert run.call.rc == 0, run.output
    assert f"{relay} " in run.call.stdout, "the relay's own interpreter ran the module"
    outcomes = [(record["task"], record["result"]["outcome"], record["result"]["changed"]) for record in run.records]
    assert outcomes == [
        ("trigger", "created", True),
        ("trigger again", "duplicate", False),
        ("resolve", "resolved", True),
        ("drill", "would_send", True),
        ("warn", "unmatched", False),
        ("refused", "failed", False),
        ("missing file", "failed", False),
    ]
    assert all(set(record["result"]) >= DOCUMENTED for record in run.records)
    assert [request["query"]["from"] for request in sandbox.requests[1:3]] == ["Ansible", "the task's environment"]
    assert all("Authorization" not in request["headers"] for request in sandbox.requests), "by module_defaults"
    assert run.result("drill")["diff"]["after_header"] == "sent to Callgoose (triggered)"
    assert "[WARNING]: Callgoose: The API accepted the payload, but no API Filter" in run.output
    assert run.result("missing file")["msg"].startswith("ca_path: the path does not exist on the host that sends")
    assert "Traceback" not in run.output


def test_if_requests_is_missing_the_message_says_where_to_install_it(tmp_path, sandbox) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = str(bare / "bin" / "python")
    run = run_tasks(tmp_path, DELEGATED, env=connection(sandbox), inventory=hosts(python))
    result = run.result("trigger")
    assert run.call.rc == 2 and set(result) >= DOCUMENTED
    assert f"Install it for {python} " in result["msg"] and "requests" in result["msg"]
    assert "Traceback" not in run.output and not sandbox.requests


def test_async_is_refused_with_an_alternative(tmp_path, sandbox) -> None:
    run = run_tasks(tmp_path, ASYNC, "-vvv", env=connection(sandbox))
    for task in ("background", "waiting"):
        result = run.result(task)
        assert result["failed"] and "async" in result["msg"] and "timeout and retries" in result["msg"]
        assert set(result) >= DOCUMENTED
    assert "Traceback" not in run.output and not sandbox.requests


def test_task_keywords_work(tmp_path, sandbox) -> None:
    sandbox.queue_fault("status", status=503, count=2)
    run = run_tasks(tmp_path, CONTROL, env=connection(sandbox))
    assert run.call.rc == 0, run.output
    assert [request["status"] for request in sandbox.requests] == [503, 503, 201, 401, 208, 401]
    assert "rescued=1    ignored=2" in run.call.stdout
