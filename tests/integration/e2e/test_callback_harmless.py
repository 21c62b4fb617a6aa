# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that the callback does not change a run: the exit code and the output stay the same, except for one line.

Must not test what goes wrong around a run (test_callback_trouble.py does) nor how a run is interpreted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.event_run import Playground
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.integration.e2e.test_run_events import (
    CASES,
    FAIL,
    FAIL_A,
    OK,
    Case,
    play,
)
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

CALLBACK = "callgoose.sqibs.callgoose_incident"
# One fork, because the order in which two hosts finish is not defined.
ONE_BY_ONE = "--forks=1"
# The callback's own lines, and Ansible's lines about loading it.
OURS = re.compile(r"^(?:Callgoose: |.*callgoose\.sqibs)")
LONGEST_LINE = 2000
# What differs in each run: times, and the names of temporary files and processes.
UNSTEADY = re.compile(r'"(?:start|end|delta)": "[^"]*"|\d{5,}|tmp[\w-]{8,}|0x[0-9a-f]+')

ABORTED = {
    "aborted between plays": Case(play(OK) + play(OK, "'{{ nope }}'"), 4),
    "aborted after a failure": Case(play(FAIL_A) + play(OK, "'{{ nope }}'"), 4),
    # One host: if the abort stopped the worker of another host at its start, ansible-core would print a traceback.
    "aborted within a play": Case(play(OK + "- {name: change, command: 'true', notify: nobody}\n"), 1, hosts=("a",)),
}
LOOKS = {
    "--syntax-check": Case(play(FAIL), 0, args=("--syntax-check",)),
    "--list-tasks": Case(play(FAIL), 0, args=("--list-tasks",)),
    "a limit that matches nobody": Case(play(FAIL), 1, args=("--limit=nobody",)),
    "a play that never starts, of hosts that do not exist": Case(play(FAIL) + play(OK, "nobody"), 2),
    "two playbooks": Case(play(OK), 2, args=("second.yml",), files={"second.yml": play(FAIL_A)}),
    "two playbooks, both bad": Case(play(FAIL_A), 2, args=("second.yml",), files={"second.yml": play(FAIL)}),
}
# One of each kind: test_run_events.py runs the others with the callback, and knows their exit codes without it.
KINDS = (
    "a task fails",
    "nothing fails",
    "ignore_errors",
    "a loop's items",
    "until retries end badly",
    "an undefined variable",
    "a rescue catches",
    "a rescue fails",
    "always fails",
    "a failing included role in a block",
    "a missing file in a block",
    "a failing handler flushed in a block",
    "clear_host_errors",
    "end_play",
    "unreachable",
    "ignore_unreachable",
    "run_once fails",
    "any_errors_fatal",
    "max_fail_percentage",
    "serial stops after the first",
    "free",
    "delegate_to an unreachable host",
    "no hosts matched",
    "import_playbook",
    "--check",
    "gather_facts alone",
)
SCENARIOS = {**{name: CASES[name] for name in KINDS}, **ABORTED, **LOOKS}
VERBOSE = (
    ("a task fails", "-v"),
    ("a task fails", "-vvv"),
    ("nothing fails", "-vvv"),
    ("unreachable", "-vvv"),
    ("aborted after a failure", "-vvv"),
)


def run_case(folder: Path, case: Case, env: Mapping[str, str]) -> Result:
    """Run a case. The directory must be the same each time, because paths are printed."""
    call = Playground(folder, case.files).prepare(case.plays, *case.args, ONE_BY_ONE, inventory=case.hosts)
    without = {name: value for name, value in call.env.items() if not name.startswith("ANSIBLE_CALLBACK")}
    return replace(call, env={**without, **env}).run()


def stable_lines(text: str) -> list[str]:
    """Return the printed lines without those of the callback, and without what differs in each run."""
    return [UNSTEADY.sub("~", line[:LONGEST_LINE]) for line in text.splitlines() if not OURS.match(line)]


def assert_same(folder: Path, sandbox: Sandbox, case: Case, order: Callable = list) -> Result:
    """Check that a case runs with the callback as it does without, and return the result.

    :param order: in which to compare what was printed.
    """
    without = run_case(folder, case, {})
    result = run_case(folder, case, {**connection(sandbox), "ANSIBLE_CALLBACKS_ENABLED": CALLBACK})
    assert result.rc == without.rc
    assert order(stable_lines(result.stdout)) == order(stable_lines(without.stdout))
    assert order(stable_lines(result.stderr)) == order(stable_lines(without.stderr))
    assert result.rc == case.rc
    return result


@pytest.mark.matrix
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_ends_and_prints_the_same_as_without_the_callback(tmp_path, sandbox, name) -> None:
    # Under `free` the lines of hosts mix, and a task's title is printed again each time that another host is next.
    result = assert_same(tmp_path, sandbox, SCENARIOS[name], order=set if name == "free" else list)
    assert "callgoose" not in result.stderr.lower(), "nothing went wrong, so nothing is warned of"
    printed = re.findall("^Callgoose: .*$", result.stdout, re.MULTILINE)
    states = [incident["state"] for incident in sandbox.incidents]
    assert len(printed) == bool(states), (printed, states)
    assert not printed or printed[0].startswith("Callgoose: triggered incident ")


@pytest.mark.parametrize(("name", "word"), VERBOSE)
def test_a_verbose_run_prints_the_same_as_without_the_callback(tmp_path, sandbox, name, word) -> None:
    case = SCENARIOS[name]
    # Workers print at the same time as results are printed, in no defined order.
    assert_same(tmp_path, sandbox, replace(case, args=(*case.args, word)), order=sorted)


def test_an_ad_hoc_command_is_not_changed_and_pages_nobody(tmp_path, sandbox) -> None:
    call = Playground(tmp_path).prepare(play(FAIL), inventory=("a",))
    words = [call.argv[0].removesuffix("-playbook"), *call.argv[1:3], "all", "-m", "fail"]
    without, result = (
        replace(call, argv=words, env={**call.env, **connection(sandbox), **env}).run()
        for env in (
            {"ANSIBLE_LOAD_CALLBACK_PLUGINS": "true", "ANSIBLE_CALLBACKS_ENABLED": "nothing.of.ours"},
            {"ANSIBLE_LOAD_CALLBACK_PLUGINS": "true", "ANSIBLE_CALLBACKS_ENABLED": CALLBACK},
        )
    )
    assert result.rc == without.rc == 2
    assert result.stdout == without.stdout
    assert (result.stderr, sandbox.requests) == ("", [])


# Files that a run needs only if something failed or has to be sent.
ONLY_FOR_PAGES = {
    "module_utils._client",
    "plugin_utils._ansible.display",
    "plugin_utils._notification.details",
    "plugin_utils._notification.snapshot",
    "plugin_utils._notification.message",
    "plugin_utils._notification.grouping",
    "plugin_utils._redaction.redactor",
    "plugin_utils._notification.text",
}


def test_a_successful_run_does_not_import_what_only_pages_need(tmp_path, sandbox) -> None:
    env = {**connection(sandbox), "ANSIBLE_CALLBACKS_ENABLED": CALLBACK, "PYTHONPROFILEIMPORTTIME": "1"}
    failed, _resolving, well = (
        set(re.findall(r"callgoose\.sqibs\.plugins\.(\S+)$", run_case(tmp_path, case, env).stderr, re.MULTILINE))
        for case in (Case(play(FAIL_A), 2), Case(play(OK), 0), Case(play(OK), 0))
    )
    assert failed >= ONLY_FOR_PAGES
    assert "plugin_utils._incident.store" in well and not well & ONLY_FOR_PAGES


JSON_OUTPUT = """
import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "machine"

    def v2_playbook_on_stats(self, stats):
        self._display.display(json.dumps({"failures": stats.failures}))
"""


def test_machine_readable_output_stays_the_same(tmp_path, sandbox) -> None:
    plugins = tmp_path / "project" / "callback_plugins"
    plugins.mkdir(parents=True)
    (plugins / "machine.py").write_text(JSON_OUTPUT)
    env = {**connection(sandbox), "ANSIBLE_CALLBACKS_ENABLED": CALLBACK, "ANSIBLE_STDOUT_CALLBACK": "machine"}
    call = Playground(tmp_path).prepare(play(FAIL_A), inventory=("a",))
    result = replace(call, env={**call.env, **env}).run()
    assert json.loads(result.stdout) == {"failures": {"a": 1}}
    assert "Callgoose: triggered incident " in result.stderr


# An action that returns arbitrary Python objects, as third-party actions may do.
ODD = """
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset({"python"})

    def run(self, tmp=None, task_vars=None):
        return {"failed": True, "msg": "odd", **eval(self._task.args["python"])}
"""
# What the action returns on each host, in addition to failed.
RESULTS = {
    "stdout-is-a-dict": "{'stdout': {'a': [1]}, 'stderr': 7, 'stdout_lines': None}",
    "msg-is-a-list": "{'msg': ['no', {'space': None}]}",
    "msg-is-a-dict": "{'msg': {'no': 'space'}}",
    "msg-is-nothing": "{'msg': None, 'stderr': None}",
    "msg-is-a-number": "{'msg': 4.5, 'rc': 'one'}",
    "results-are-a-text": "{'results': 'none'}",
    "results-are-no-dicts": "{'results': [1, None, ['x'], {}, {'failed': 'yes'}]}",
    "results-in-results": "{'results': [{'failed': True, 'results': [{'failed': True, 'msg': 'deep'}]}]}",
    "exception-is-a-list": "{'exception': ['Traceback'], 'assertion': {}}",
    "empty": "{'msg': ''}",
    "binary": "{'stdout': b'caf\\\\xe9\\\\xff'.decode('utf-8', 'surrogateescape')}",
    "control": "{'msg': 'odd \\\\x00\\\\x1b[31m\\\\u202e'}",
    "long": "{'stdout': 'x' * 10_000_000, 'stderr': 'y\\\\n' * 1_000_000, 'msg': 'long \\\\u00e9' * 100_000}",
    "keys": "{7: 'seven', 'reason': [], 'module_stdout': {}, 'failed_when_result': 'x'}",
}


def test_a_run_ends_as_usual_and_pages_for_all_hosts_whatever_a_result_contains(tmp_path, sandbox) -> None:
    task = "- {name: odd, odd: {python: '{{ python }}'}}\n"
    hosts = tuple(f'{name} python="{text}"' for name, text in RESULTS.items())
    case = Case(play(task), 2, hosts=hosts, files={"action_plugins/odd.py": ODD})
    result = assert_same(tmp_path, sandbox, case)
    assert "callgoose" not in result.stderr.lower()
    assert [incident["state"] for incident in sandbox.incidents] == ["open"]
    (request,) = sandbox.requests
    assert len(request["body"]) < 64 * 1024
    for host in RESULTS:
        assert host in request["body"]
