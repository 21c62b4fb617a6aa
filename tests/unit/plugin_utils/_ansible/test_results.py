# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason, command and output of a failed task are read from every form of result that ansible-core has.

Must not run Ansible: tests/integration/e2e/test_run_events.py does.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import (
    CENSORED,
    output_of,
    output_of_task,
    result_output,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run import model as models
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Output

TRACEBACK = "Traceback (most recent call last):\n  File x\nKeyError: 'x'\n"
QUOTED = "\n\nThe error appears to be in '/srv/site.yml': line 3\n\n  password: hunter2"
NOT_FOUND = "/bin/sh: 1: /no/such/python: not found\n"
COMMAND = {"cmd": ["sh", "-c", "exit 1"], "msg": "non-zero return code", "stdout": "", "stderr": ""}
URI = {"url": "https://bob:pw@web/path?token=x", "msg": "Status code was 503 and not [200]: no"}


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ({"msg": "no", "stdout": "out", "stderr": "err"}, Output("no", "out", "err")),
        ({"msg": ["no", 1]}, Output("no\n1")),
        ({"msg": {"a": [1, "x y"]}}, Output('{"a":[1,"x y"]}')),
        ({"msg": None}, Output()),
        ({"reason": "Could not find the file"}, Output("Could not find the file")),
        ({"msg": "Assertion failed", "assertion": "x == 1"}, Output("Assertion failed: x == 1")),
        ({"exception": TRACEBACK, "stdout": ""}, Output("KeyError: 'x'")),
        ({"exception": "(traceback unavailable)"}, Output()),
        ({"failed_when_result": True, "stdout": "out"}, Output("its failed_when was true", "out")),
        ({"censored": "hidden", "msg": "secret", "stdout": "secret", "exception": TRACEBACK}, Output("hidden")),
        ({"censored": "hidden", "results": [{"failed": True, "msg": "secret"}]}, Output("hidden")),
        ({"msg": "\udcff"}, Output("?")),
        ({"msg": "sum", "results": ["a package", {"msg": "fine"}]}, Output("sum")),
        ({"msg": "no", "out": "out", "err": "err"}, Output("no", "out", "err")),
        ({}, Output()),
    ],
)
def test_the_output_of_a_result(result, output) -> None:
    assert output_of(result) == output


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "Task failed: Action failed: Unknown error.", "message": "no vault secrets"}, "no vault secrets"),
        ({"message": "no vault secrets"}, "no vault secrets"),
        ({"msg": "Task failed: Module failed: went bad"}, "went bad"),
        ({"msg": f"'x' is undefined. 'x' is undefined{QUOTED}"}, "'x' is undefined"),
        ({"msg": "MODULE FAILURE\nSee stdout", "module_stderr": TRACEBACK}, "KeyError: 'x'"),
        ({"msg": "MODULE FAILURE", "module_stderr": NOT_FOUND}, "/no/such/python: not found"),
        ({"msg": "Request failed", "response": "HTTP Error 503"}, "Request failed: HTTP Error 503"),
        ({"msg": "Failed to install", "failures": ["No package a", "No package b"]}, None),
        ({"msg": "One or more conditions", "failed_conditions": ["result[0] contains x"]}, None),
        ({"msg": "no", "error": {"code": 403, "message": "forbidden"}}, "no: forbidden"),
        ({"msg": "no", "error": [{"exception": {"message": "not there"}}]}, "no: not there"),
        ({"msg": "no: forbidden", "error": "forbidden"}, "no: forbidden"),
        ({"msg": "\n:stderr: ERROR: bad"}, "ERROR: bad"),
        ({"msg": "Status code was -1 and not [200]: Request failed: refused", "status": -1}, "Request failed: refused"),
        (
            {"failed_when_result": f"'r' is undefined{QUOTED}", "msg": ""},
            "its failed_when could not be evaluated: 'r' is undefined",
        ),
        ({"changed_when_result": "no 'r'", "msg": ""}, "its changed_when could not be evaluated: no 'r'"),
        ({"failed_when_result": True, "status": 200, "msg": "OK (9 bytes)"}, "its failed_when was true"),
        ({"attempts": 2, "status": 200, "msg": "OK (9 bytes)"}, "gave up after 3 attempts"),
        ({"attempts": 2, **COMMAND, "rc": 1}, "gave up after 3 attempts"),
        ({"attempts": 2, "msg": "No such host"}, "No such host (gave up after 3 attempts)"),
        ({"attempts": 1, "failed_when_result": True, "rc": 0, "msg": ""}, "its failed_when was true"),
        ({"failed_modules": {"setup": {"msg": "MODULE FAILURE", "module_stderr": NOT_FOUND}}}, NOT_FOUND[12:-1]),
        ({"failed_modules": {"a": {"msg": "x"}, "ansible.legacy.b": {"msg": "y"}}}, "a: x\nb: y"),
    ],
)
def test_the_reason_is_found_wherever_a_module_keeps_it(result, message) -> None:
    if message is None:
        message = result["msg"] + ": " + "\n".join(result.get("failures", result.get("failed_conditions")))
    assert output_of(result).message == message


def test_the_innermost_error_replaces_a_message_that_says_nothing() -> None:
    event = SimpleNamespace(msg="Task failed.", chain=SimpleNamespace(event=SimpleNamespace(msg="gone", chain=None)))
    result = SimpleNamespace(
        host=SimpleNamespace(name="a"),
        task=SimpleNamespace(action="command", args={}, delegate_to=None, retries=None),
        result={"msg": "Error executing command.", "rc": 2},
        exception=SimpleNamespace(event=event),
    )
    assert result_output(result).message == "Error executing command: gone"


def test_an_innermost_error_that_says_nothing_replaces_nothing() -> None:
    result = {"msg": "Task failed: Action failed: Unknown error.", "message": "no vault secrets"}
    assert output_of(result, cause="Unknown error.").message == "no vault secrets"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"rc": 1}, "exit status 1"),
        ({"rc": -9}, "killed by SIGKILL (exit status -9)"),
        ({"rc": 137}, "killed by SIGKILL (exit status 137)"),
        ({"rc": 128}, "exit status 128"),
        ({"rc": 255}, "exit status 255"),
        ({"rc": 0}, ""),
        ({"exit_status": 1}, "exit status 1"),
    ],
)
def test_the_status_of_a_command_names_signals(more, status) -> None:
    output = output_of({**COMMAND, **more})
    assert (output.command, output.status) == ("sh -c 'exit 1'", status)
    assert output.message == "non-zero return code"


def test_a_code_of_a_module_is_no_exit_status() -> None:
    assert output_of({"msg": "Destination /x does not exist", "rc": 257}).status == ""


def test_a_server_s_answer_has_its_status_and_its_body_but_no_secrets_of_the_url() -> None:
    output = output_of({**URI, "status": 503, "json": {"error": "down", "retry": [1]}, "content": "x"})
    assert (output.status, output.stdout) == ("HTTP status 503 from https://web/path", '{"error":"down","retry":[1]}')
    assert output_of({**URI, "status": 503, "content": "<html>"}).stdout == "<html>"
    assert output_of({**URI, "status": -1}).status == "no HTTP answer from https://web/path"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"item": "u", "failed": False}, {"item": "v", "failed": True, "msg": "no"}], "item v: no"),
        ([{"item": "u", "failed": True, "msg": "no"}, {"item": "v", "failed": True}], "item u: no\nitem v: failed"),
        ([{"item": "u", "exception": "(none)", "msg": "no"}], "item u: no"),
        ([{"item": "u", "exception": "(none)", "failed_when_result": False, "msg": "no"}], "sum"),
        ([{"item": "u", "unreachable": True, "msg": "no"}], "item u: no"),
        ([{"item": {"password": "x"}, "failed": True, "msg": "no"}], "no"),
        ([{"item": {"name": "x", "port": 1, "motd": "y"}, "failed": True, "msg": "no"}], "item name=x port=1: no"),
        ([{"item": {"zone": "x y", "api_key": "z"}, "failed": True, "msg": "no"}], 'item zone="x y": no'),
        ([{"item": "x", "_ansible_item_label": "label", "failed": True, "msg": "no"}], "item label: no"),
        ([{"ansible_loop_var": "one", "one": 7, "failed": True, "msg": "no"}], "item 7: no"),
        ([{"item": "secret", "failed": True, "censored": "hidden"}], "hidden"),
        ([{"item": "secret", "failed": True, "_ansible_no_log": True, "msg": "secret"}], CENSORED),
        ([{"item": "u", "failed": True, **COMMAND, "rc": 3, "stderr": "a\nb"}], "item u: exit status 3: b"),
    ],
)
def test_the_message_of_a_loop_names_each_failed_item(items, message) -> None:
    lines = output_of({"msg": "sum", "results": items}).message
    total = f"\n{sum(item.get('failed', False) for item in items)} of {len(items)} items failed"
    assert lines == message + (total if len(items) > 1 else "")


def test_many_failed_items_with_long_messages_stay_bounded() -> None:
    items = [{"item": "i" * 500, "failed": True, "msg": f"{number} " + "word " * 999} for number in range(1000)]
    message = output_of({"results": items}).message
    assert message.endswith("\n1000 of 1000 items failed")
    assert len(message) < models.MESSAGE_LIMIT * 2


@pytest.mark.parametrize(
    ("data", "written", "delegate"),
    [
        ({}, "db1", "db1"),
        ({}, "web1", ""),
        ({"_ansible_delegated_vars": {"ansible_delegated_host": "db1"}}, "{{ groups.db[0] }}", "db1"),
        ({"results": [{"item": "db1", "failed": True}]}, "{{ item }}", "db1"),
        ({"results": [{"item": one, "failed": True} for one in ("db1", "db2")]}, "{{ item }}", ""),
        ({}, "{{ nope }}", ""),
    ],
)
def test_the_delegated_host_is_another_one(data, written, delegate) -> None:
    assert output_of_task(data, {"delegate_to": written}, "web1").delegate == delegate


def test_the_task_names_the_command_that_raw_and_script_leave_out() -> None:
    task = {"action": "ansible.builtin.script", "args": {"_raw_params": "x.sh a"}}
    assert output_of_task({"msg": "no"}, task, "a").command == "x.sh a"
    assert output_of_task({"censored": "the output has been hidden"}, task, "a").command == ""
