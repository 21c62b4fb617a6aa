# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input fails before any request, in the action and in the module; the message says what is wrong and what to do.

Must not test correct input: the other test_task_*.py files do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import DOCUMENTED, TaskRun, run_tasks
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = pytest.mark.matrix

MODULE = "ansible_collections.callgoose.sqibs.plugins.modules.callgoose_incident"
NOWHERE = "/nonexistent/file.pem"


@dataclass(frozen=True)
class Case:
    """One mistake: changes to the options of a correct task (None: omit the option), and words of the message."""

    name: str
    options: dict[str, Any] = field(hash=False)
    says: tuple[str, ...] = ()


CASES = [
    Case("missing token", {"api_token": None}, ("api_token", "CALLGOOSE_API_TOKEN")),
    Case("empty token", {"api_token": ""}, ("api_token", "Set api_token")),
    Case("token of white space", {"api_token": " \n"}, ("api_token", "Set api_token")),
    Case("token with line break", {"api_token": "secret\nsecret"}, ("api_token", "line break", "file")),
    Case("token with header", {"api_token": "abc\r\nX-Evil: 1"}, ("api_token", "Copy the token again")),
    Case("token with control character", {"api_token": "abc\x07"}, ("api_token", "Copy the token again")),
    Case("no title", {"title": None}, ("title", "payload")),
    Case("empty title", {"title": ""}, ("title", "non-empty string")),
    Case("blank title", {"title": " \t"}, ("title", "non-empty string")),
    Case("empty key", {"incident_key": ""}, ("incident_key", "non-empty string")),
    Case("nothing to resolve by", {"state": "resolved", "title": None}, ("title", "incident_key", "payload")),
    Case("unknown option", {"tittle": "x"}, ("tittle", "title")),
    Case("unknown state", {"state": "open"}, ("state", "triggered, resolved")),
    Case("unknown severity", {"severity": "fatal"}, ("severity", "critical, error, warning, info")),
    Case("unknown auth method", {"auth_method": "basic"}, ("auth_method", "bearer, url_parameter")),
    Case("unknown meaning", {"unmatched": "ignore"}, ("unmatched", "fail, warn, ok")),
    Case("details of a wrong type", {"details": [1]}, ("details", "dict")),
    Case("tags of a wrong type", {"tags": {"a": 1}}, ("tags", "list")),
    Case("timeout of a wrong type", {"timeout": "soon"}, ("timeout", "float")),
    Case("retries of a wrong type", {"retries": "many"}, ("retries", "int")),
    Case("flag of a wrong type", {"validate_certs": "perhaps"}, ("validate_certs", "bool")),
    Case("payload besides title", {"payload": {"a": 1}}, ("payload", "title", "mutually exclusive")),
    Case("binary content type", {"content_type": "application/octet-stream"}, ("content_type", "text/plain")),
    Case("image", {"content_type": "image/png"}, ("content_type", "text/plain")),
    Case("content type without form", {"content_type": "json"}, ("content_type", "application/json")),
    Case("content type with header", {"content_type": "text/plain\r\nX-Evil: 1"}, ("content_type", "text/plain")),
    Case("foreign charset", {"content_type": "text/plain; charset=latin-1"}, ("content_type", "UTF-8")),
    Case("source with header", {"source": "me\r\nX-Evil: 1"}, ("source", "one line")),
    Case("source with control character", {"source": "me\x1b[0m"}, ("source", "one line")),
    Case("address with line break", {"base_url": "https://example.com\n/x"}, ("base_url", "Dashboard")),
    Case("address with space", {"base_url": "https://example.com/ x"}, ("base_url", "Dashboard")),
    Case("empty address", {"base_url": ""}, ("base_url", "Dashboard")),
    Case("address without scheme", {"base_url": "sqibs.callgoose.com/sqibs-api"}, ("base_url", "https://")),
    Case("address of another scheme", {"base_url": "ftp://example.com"}, ("base_url", "https://")),
    Case("address without host", {"base_url": "https:///v1"}, ("base_url", "host")),
    Case("address with credentials", {"base_url": "https://me:secret@example.com"}, ("base_url", "api_token")),
    Case("address with query", {"base_url": "https://example.com/?token=x"}, ("base_url", "api_token")),
    Case("address with fragment", {"base_url": "https://example.com/#x"}, ("base_url", "path")),
    Case("plain http", {"base_url": "http://example.com"}, ("base_url", "https", "allow_http")),
    Case("plain http to a name like ours", {"base_url": "http://127.0.0.1.example.com"}, ("base_url", "allow_http")),
    Case("key without certificate", {"client_key": NOWHERE}, ("client_key", "client_cert")),
    Case("missing authority", {"ca_path": NOWHERE}, ("ca_path", "does not exist", "PEM")),
    Case("missing certificate", {"client_cert": NOWHERE}, ("client_cert", "does not exist", "PEM")),
    Case("endless number", {"details": {"n": float("inf")}}, ("details.n", "JSON", "filter string")),
    Case("no number", {"title": None, "payload": {"a": [float("nan")]}}, ("payload.a[0]", "JSON", "filter string")),
    Case("payload of a wrong type", {"title": None, "payload": 7}, ("payload", "dictionary, list or string")),
    Case("empty payload", {"title": None, "payload": {}}, ("payload", "empty", "API Filter")),
    Case("no time", {"timeout": 0}, ("timeout", "positive", "10")),
    Case("negative timeout", {"timeout": -1}, ("timeout", "positive", "10")),
    Case("endless timeout", {"timeout": "inf"}, ("timeout", "positive", "10")),
    Case("timeout beyond what sockets take", {"timeout": 1e12}, ("timeout", "longer than a day", "10")),
    Case("negative retries", {"retries": -1}, ("retries", "negative", "Use 0")),
]
every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def server():
    """A sandbox that must not receive any request."""
    with Sandbox() as running:
        yield running


def arguments(case: Case, server: Sandbox) -> dict[str, Any]:
    """Return the options of a correct task with the changes of the case."""
    good = {"title": "Disk full", "api_token": server.token, "base_url": server.base_url}
    return {name: value for name, value in {**good, **case.options}.items() if value is not None}


@pytest.fixture(scope="module")
def on_the_controller(tmp_path_factory, server) -> TaskRun:
    """One run with a task for each case."""
    tasks = [
        {
            "name": case.name,
            "callgoose.sqibs.callgoose_incident": arguments(case, server),
            "ignore_errors": True,
        }
        for case in CASES
    ]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    # YAML spells two words of Python's JSON differently
    text = json.dumps([play], indent=1).replace("Infinity", ".inf").replace("NaN", ".nan")
    return run_tasks(tmp_path_factory.mktemp("cases"), text, "-vvv")


def test_the_run_continues_without_tracebacks_and_requests(on_the_controller, server) -> None:
    assert on_the_controller.call.rc == 0, on_the_controller.output
    assert "Traceback" not in on_the_controller.output and "An exception occurred" not in on_the_controller.output
    assert not server.requests


@every_case
def test_the_task_refuses_it_on_the_controller(on_the_controller, case) -> None:
    result = on_the_controller.result(case.name)
    assert result["failed"] and not result["changed"] and result["outcome"] == "failed"
    assert set(result) >= DOCUMENTED and result["attempts"] == 0
    assert result.get("exception") in (None, "(traceback unavailable)"), (
        "since ansible-core 2.19, each failed result says so"
    )
    assert_says(result["msg"], case)


@every_case
def test_the_module_refuses_it_too(case, server) -> None:
    message = json.dumps({"ANSIBLE_MODULE_ARGS": arguments(case, server)})
    env = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", MODULE], input=message, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr, done
    result = json.loads(done.stdout)
    assert result["failed"] and not result.get("changed")
    assert_says(result["msg"], case)
    assert not server.requests


def assert_says(message: str, case: Case) -> None:
    """The message names the option and the remedy, and repeats no secret."""
    assert all(word in message for word in case.says), message
    assert "secret" not in message
