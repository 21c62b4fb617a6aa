# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How real ansible-playbook runs are recorded: which hosts failed and why, and which succeeded.

Must not test what is sent for a run: the tests of the callback do.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from ansible.release import __version__

from ansible_collections.callgoose.sqibs.tests.integration.e2e.event_run import Playground, Recorded
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Call, Result, end
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection

VERSION = tuple(int(part) for part in __version__.split(".")[:2])
# Since 2.19, a missing role causes an event, and with any_errors_fatal the other hosts run the rescue too.
IS_OLD = VERSION < (2, 19)

HOSTS = ("a", "b", "c")
# Two reachable hosts and one unreachable host.
ONE_AWAY = ("a", "b", "c ansible_connection=away")


@dataclass(frozen=True)
class Case:
    """A playbook and the run that must be recorded for it.

    :param plays: the playbook in YAML.
    :param rc: the exit code of ansible-playbook, which in many of these cases hides failures.
    :param failed: by host, the kind and the task of each failure.
    :param good: the names of the hosts that succeeded, separated by spaces.
    """

    plays: str
    rc: int
    failed: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    good: str = ""
    hosts: tuple[str, ...] = HOSTS
    args: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    dubious: bool = False
    check_mode: bool = False


def play(tasks: str, hosts: str = "all", **keywords: object) -> str:
    """Return a play with these tasks in YAML; the tasks may have any indentation."""
    lines = [f"- hosts: {hosts}", "  gather_facts: false", *(f"  {key}: {value}" for key, value in keywords.items())]
    if tasks.strip():
        lines += ["  tasks:", *(f"    {line}" for line in tasks.strip("\n").splitlines())]
    return "\n".join(lines) + "\n"


def failed(task: str, *hosts: str) -> dict[str, list[tuple[str, str]]]:
    return {host: [("failed", task)] for host in hosts}


def not_reached(*hosts: str) -> dict[str, list[tuple[str, str]]]:
    return {host: [("not_reached", "")] for host in hosts}


OK = "- {name: fine, debug: {msg: x}}\n"
FAIL = "- {name: broken, fail: {msg: bad}}\n"
LATER_THAN_A = "- {name: later, command: sleep 3, when: inventory_hostname != 'a'}\n"
FAIL_A = "- {name: broken, fail: {msg: bad}, when: inventory_hostname == 'a'}\n"
REACH = "- {name: reach, raw: 'true'}\n"


def block(body: str, rescue: str = "", always: str = "", keywords: str = "") -> str:
    """Return a block in YAML."""
    parts = {"block": body, "rescue": rescue, "always": always}
    text = ""
    for name, tasks in parts.items():
        if tasks:
            text += f"  {name}:\n" + "".join(f"    {line}\n" for line in tasks.splitlines())
    return "-" + text[1:] + keywords


ROLE = {
    "roles/caught/tasks/main.yml": block(FAIL, OK),
    "roles/broken/tasks/main.yml": FAIL,
    "tasks/broken.yml": FAIL,
    "tasks/fine.yml": OK,
}
NOTIFY = "- {name: change, command: 'true', notify: handle}\n"
HANDLER = "[{name: handle, fail: {msg: bad}}]"

CASES: dict[str, Case] = {
    "a task fails": Case(play(OK + FAIL_A), 2, failed("broken", "a"), "b c"),
    "all hosts fail": Case(play(OK + FAIL), 2, failed("broken", "a", "b", "c")),
    "nothing fails": Case(play(OK), 0, good="a b c"),
    "ignore_errors": Case(play("- {name: broken, fail: , ignore_errors: true}\n" + OK), 0, good="a b c"),
    "only ignored errors": Case(play("- {name: broken, fail: , ignore_errors: true}\n"), 0),
    "failed_when": Case(play("- {name: odd, debug: {msg: x}, failed_when: true}"), 2, failed("odd", "a", "b", "c")),
    "failed_when false": Case(play("- {name: odd, fail: , failed_when: false}"), 0, good="a b c"),
    "a loop's items": Case(
        play("- {name: loop, fail: {msg: '{{ item }}'}, loop: [x, y, z], when: item != 'x'}"),
        2,
        failed("loop", "a", "b", "c"),
    ),
    "until retries end well": Case(
        play("- {name: again, command: 'true', register: r, until: r.attempts > 1, retries: 3, delay: 0}"),
        0,
        good="a",
        hosts=("a",),
    ),
    "until retries end badly": Case(
        play("- {name: again, command: 'true', register: r, until: false, retries: 1, delay: 0}"),
        2,
        failed("again", "a"),
        hosts=("a",),
    ),
    "an undefined variable": Case(play("- {name: odd, debug: {msg: '{{ nope }}'}}"), 2, failed("odd", "a", "b", "c")),
    # rescue and always
    "a rescue catches": Case(play(block(FAIL_A, OK) + OK), 0, good="a b c"),
    "a rescue around a block catches": Case(play(block(block(FAIL, always=OK), OK)), 0, good="a b c"),
    "a rescue fails": Case(
        play(block(FAIL, "- {name: worse, fail: }")),
        2,
        {host: [("failed", "broken"), ("failed", "worse")] for host in HOSTS},
    ),
    "a rescue fails in an included file": Case(
        play(block(FAIL, block("- include_tasks: tasks/worse.yml"))),
        2,
        {host: [("failed", "broken"), ("failed", "worse")] for host in HOSTS},
        files={"tasks/worse.yml": "- {name: worse, fail: }"},
    ),
    "a rescue in a rescue fails": Case(
        play(block(FAIL, block("- {name: worse, fail: }", "- {name: worst, fail: }"))),
        2,
        {host: [("failed", "broken"), ("failed", "worse"), ("failed", "worst")] for host in HOSTS},
    ),
    "cleared errors": Case(play(FAIL_A + "- meta: clear_host_errors\n" + OK), 0, good="b c"),
    "cleared errors, and a later play": Case(
        play(FAIL_A + "- meta: clear_host_errors\n" + OK) + play(OK), 0, good="a b c"
    ),
    "cleared errors, and a later failure": Case(
        play(FAIL_A + "- meta: clear_host_errors\n")
        + play(OK + "- {name: late, fail: , when: inventory_hostname == 'a'}\n"),
        2,
        failed("late", "a"),
        "b c",
    ),
    "a rescue fails within another's block": Case(play(block(block(FAIL, FAIL), OK)), 0, good="a b c"),
    "always fails": Case(play(block(FAIL_A, OK, "- {name: worse, fail: }")), 2, failed("worse", "a", "b", "c")),
    "only always": Case(play(block(FAIL_A, always=OK)), 2, failed("broken", "a"), "b c"),
    "a failure after a rescue": Case(
        play(block("- {name: caught, fail: }", OK) + FAIL_A), 2, failed("broken", "a"), "b c"
    ),
    "a rescue that tags leave out": Case(
        play(block("- {name: broken, fail: , tags: x}", "- {name: rescue, debug: {msg: x}, tags: y}")),
        2,
        failed("broken", "a", "b", "c"),
        args=("--tags=x",),
    ),
    # includes and roles
    "a failing included file": Case(play("- include_tasks: tasks/broken.yml"), 2, failed("broken", *HOSTS), files=ROLE),
    "a failing included file in a block": Case(
        play(block("- include_tasks: tasks/broken.yml", OK)), 0, good="a b c", files=ROLE
    ),
    "a failing imported file in a block": Case(
        play(block("- import_tasks: tasks/broken.yml", OK)), 0, good="a b c", files=ROLE
    ),
    "a failing included role in a block": Case(
        play(block("- include_role: {name: broken}", OK)), 0, good="a b c", files=ROLE
    ),
    "a failing imported role in a block": Case(
        play(block("- import_role: {name: broken}", OK)), 0, good="a b c", files=ROLE
    ),
    "a failing included role in a rescue": Case(
        play(block(FAIL, "- include_role: {name: broken}")),
        2,
        {host: [("failed", "broken"), ("failed", "broken : broken")] for host in HOSTS},
        files=ROLE,
    ),
    "a role in a block, and again outside": Case(
        play(block("- import_role: {name: broken}", OK) + "- import_role: {name: broken}\n"),
        2,
        failed("broken : broken", *HOSTS),
        files=ROLE,
    ),
    "a role that catches": Case(play("", roles="[caught]"), 0, good="a b c", files=ROLE),
    "a failing role": Case(play("", roles="[broken]"), 2, failed("broken : broken", *HOSTS), files=ROLE),
    "only includes": Case(play("- include_tasks: tasks/empty.yml"), 0, files={"tasks/empty.yml": "[]"}),
    "a missing file": Case(
        play("- {name: include, include_tasks: nope.yml, when: inventory_hostname == 'a'}\n" + OK),
        2,
        failed("include", "a"),
        "b c",
    ),
    "a missing file in a block": Case(play(OK + block("- include_tasks: nope.yml", OK) + OK), 0, good="a b c"),
    "a missing role": Case(
        play("- {name: include, include_role: {name: nope}, when: inventory_hostname == 'a'}\n" + OK),
        2,
        {"a": [("dropped" if IS_OLD else "failed", "include")]},
        "b c",
    ),
    "a missing role in a block": Case(play(OK + block("- include_role: {name: nope}", OK) + OK), 0, good="a b c"),
    "a missing role in a rescue": Case(
        play(OK + block(FAIL, "- {name: include, include_role: {name: nope}}")),
        2,
        {host: [("failed", "broken"), ("dropped" if IS_OLD else "failed", "include")] for host in HOSTS},
    ),
    # ansible-core silently drops the host from later plays after such a block; only the exit code 2 shows it
    "a missing file in a block, and a later play": Case(
        play(block("- {include_tasks: nope.yml, when: inventory_hostname == 'a'}", OK) + OK) + play(OK),
        2,
        {"a": [("dropped", "")]},
        "b c",
    ),
    # ... and if it drops all hosts, it does not even start the later plays, with exit code 0
    "a missing file in a block for all, and a later play": Case(
        play(OK + block("- include_tasks: nope.yml", OK)) + play(OK), 0
    ),
    # handlers
    "a failing handler": Case(play(NOTIFY, "a", handlers=HANDLER), 2, failed("handle", "a")),
    "a failing handler flushed in a block": Case(
        play(block(NOTIFY + "- meta: flush_handlers\n", OK), "a", handlers=HANDLER), 0, good="a"
    ),
    "a failing handler flushed in a block under free": Case(
        play(block(NOTIFY + "- meta: flush_handlers\n", OK), "a", handlers=HANDLER, strategy="free"), 0, good="a"
    ),
    "a failing handler flushed in an inner block": Case(
        play(block(block(NOTIFY + "- meta: flush_handlers\n", always=OK), OK) + FAIL, "a", handlers=HANDLER),
        2,
        failed("broken", "a"),
    ),
    "a failing handler flushed in a rescue": Case(
        play(block(FAIL, NOTIFY + "- meta: flush_handlers\n"), "a", handlers=HANDLER), 2, failed("handle", "a")
    ),
    "a failing handler of a role in a block, flushed after it": Case(
        play(OK + block("- include_role: {name: notifier}", OK), "a"),
        2,
        failed("notifier : handle", "a"),
        files={"roles/notifier/tasks/main.yml": NOTIFY, "roles/notifier/handlers/main.yml": "- " + HANDLER[1:-1]},
    ),
    # meta
    "a play of meta tasks alone": Case(play("- meta: noop\n- meta: refresh_inventory\n"), 0),
    "clear_host_errors": Case(play(OK + FAIL_A + "- meta: clear_host_errors\n" + OK), 0, good="b c"),
    "clear_host_errors under free": Case(
        # the other hosts must get there after host a has failed, but the strategy free does not make them wait
        play(OK + FAIL_A + LATER_THAN_A + "- meta: clear_host_errors\n" + OK, strategy="free"),
        0,
        good="b c",
    ),
    "clear_host_errors that is skipped": Case(
        play(FAIL_A + "- {meta: clear_host_errors, when: false}\n" + OK), 2, failed("broken", "a"), "b c"
    ),
    "clear_host_errors, then a failure": Case(
        play(OK + FAIL_A + "- meta: clear_host_errors\n") + play("- {name: again, fail: }", "a"),
        2,
        failed("again", "a"),
        "b c",
    ),
    "clear_host_errors for an unreachable host": Case(
        play(REACH + "- meta: clear_host_errors\n" + OK), 0, good="a b", hosts=ONE_AWAY
    ),
    "end_play": Case(play(OK + "- meta: end_play\n" + FAIL), 0, good="a b c"),
    "end_play in the first batch": Case(play(OK + "- meta: end_play\n", serial=1), 0, good="a"),
    "end_play, then a failing play": Case(
        play(OK + "- meta: end_play\n", serial=1) + play(FAIL_A), 2, failed("broken", "a")
    ),
    "end_batch": Case(play(OK + "- meta: end_batch\n" + FAIL, serial=1), 0, good="a b c"),
    "end_host": Case(
        play(OK + "- {meta: end_host, when: inventory_hostname == 'a'}\n" + FAIL, "a,b"), 2, failed("broken", "b"), "a"
    ),
    "end_host in a rescue": Case(
        play(OK + block(FAIL_A, "- meta: end_host\n") + OK),
        # ansible-core 2.16 counts the host as failed; fixed since
        2 if IS_OLD else 0,
        failed("broken", "a") if IS_OLD else {},
        "b c" if IS_OLD else "a b c",
    ),
    # unreachable
    "unreachable": Case(play(REACH + OK), 4, {"c": [("unreachable", "reach")]}, "a b", hosts=ONE_AWAY),
    "unreachable in a block": Case(play(block(REACH, OK)), 4, {"c": [("unreachable", "reach")]}, "a b", hosts=ONE_AWAY),
    "unreachable, later plays": Case(
        play(OK + REACH) + play(OK), 4, {"c": [("unreachable", "reach")]}, "a b", hosts=ONE_AWAY
    ),
    "ignore_unreachable": Case(
        play("- {name: reach, raw: 'true', ignore_unreachable: true}\n" + OK), 0, good="a b", hosts=ONE_AWAY
    ),
    "ignore_unreachable of the play": Case(play(REACH + OK, ignore_unreachable="true"), 0, good="a b", hosts=ONE_AWAY),
    "ignore_unreachable by a variable": Case(
        play("- {name: reach, raw: 'true', ignore_unreachable: '{{ 1 == 1 }}'}\n" + OK), 0, good="a b", hosts=ONE_AWAY
    ),
    "ignore_unreachable in a loop": Case(
        play("- {name: reach, raw: 'true', loop: [1, 2], ignore_unreachable: true}\n" + OK),
        0,
        good="a b",
        hosts=ONE_AWAY,
    ),
    "unreachable in a loop": Case(
        play("- {name: reach, raw: 'true', loop: [1, 2]}\n"), 4, {"c": [("unreachable", "reach")]}, "a b", ONE_AWAY
    ),
    "unreachable does not count": Case(
        play(OK + REACH), 4, good="a b", hosts=ONE_AWAY, options=("ignore_unreachable",)
    ),
    "all unreachable, and a later play": Case(
        play(OK + REACH, "c") + play(OK),
        4,
        {"c": [("unreachable", "reach")], **not_reached("a", "b")},
        hosts=ONE_AWAY,
    ),
    # cut short
    "run_once fails": Case(
        play(OK + "- {name: once, fail: , run_once: true}\n" + OK),
        2,
        {**failed("once", "a"), **not_reached("b", "c")},
    ),
    "run_once fails in a block": Case(
        play(OK + block("- {name: once, fail: , run_once: true}\n", OK) + OK),
        # since 2.19, ansible-core marks the other hosts as failed twice, so they fail in the rescue too
        0 if IS_OLD else 2,
        {} if IS_OLD else failed("once", "b", "c"),
        "a b c" if IS_OLD else "a",
    ),
    "run_once fails after a missing role": Case(
        play(
            "- {include_role: {name: nope}, when: inventory_hostname == 'c', name: include}\n"
            "- {name: once, fail: , run_once: true}\n"
        ),
        2,
        {**failed("once", "a"), **not_reached("b"), "c": [("dropped" if IS_OLD else "failed", "include")]},
    ),
    "any_errors_fatal": Case(
        play(OK + FAIL_A + OK, any_errors_fatal="true"), 2, {**failed("broken", "a"), **not_reached("b", "c")}
    ),
    "any_errors_fatal of the task": Case(
        play(OK + FAIL_A.replace("}\n", ", any_errors_fatal: true}\n") + OK),
        2,
        {**failed("broken", "a"), **not_reached("b", "c")},
    ),
    "any_errors_fatal in a block": Case(play(OK + block(FAIL_A, OK) + OK, any_errors_fatal="true"), 0, good="a b c"),
    "any_errors_fatal, unreachable": Case(
        play(OK + REACH + OK, any_errors_fatal="true"),
        2 if IS_OLD else 4,
        {"c": [("unreachable", "reach")], **not_reached("a", "b")},
        hosts=ONE_AWAY,
    ),
    "max_fail_percentage": Case(
        play(OK + FAIL_A + OK, max_fail_percentage=10), 2, {**failed("broken", "a"), **not_reached("b", "c")}
    ),
    "max_fail_percentage is not reached": Case(
        play(OK + FAIL_A + OK, max_fail_percentage=50), 2, failed("broken", "a"), "b c"
    ),
    "serial stops after the first": Case(
        play(OK + FAIL_A, serial=1), 2, {**failed("broken", "a"), **not_reached("b", "c")}
    ),
    "serial stops after the second": Case(
        play(OK + FAIL_A.replace("'a'", "'b'"), serial=1), 2, {**failed("broken", "b"), **not_reached("c")}, "a"
    ),
    "serial goes on": Case(play(OK + FAIL_A, serial=2), 2, failed("broken", "a"), "b c"),
    "serial with a limit": Case(
        play(OK + FAIL_A, serial=1), 2, {**failed("broken", "a"), **not_reached("b")}, args=("--limit=a,b",)
    ),
    "later plays never start": Case(
        play(OK, "b") + play(FAIL, "a") + play(OK, "'{{ target }}'", vars="{target: b}"),
        2,
        {**failed("broken", "a"), **not_reached("b")},
    ),
    "later plays of unknown hosts never start": Case(
        play(OK, "b") + play(FAIL, "a") + play(OK, "'{{ nope }}'"), 2, failed("broken", "a"), "b", dubious=True
    ),
    # strategies
    "free": Case(play(OK + FAIL_A + OK, strategy="free"), 2, failed("broken", "a"), "b c"),
    "host_pinned": Case(play(OK + FAIL_A + OK, strategy="host_pinned"), 2, failed("broken", "a"), "b c"),
    "free, end_host": Case(play(OK + "- meta: end_host\n" + FAIL, strategy="free"), 0, good="a b c"),
    "free, unreachable": Case(
        play(REACH + OK, strategy="free"), 4, {"c": [("unreachable", "reach")]}, "a b", hosts=ONE_AWAY
    ),
    # others
    "delegate_to": Case(play("- {name: there, command: 'false', delegate_to: b}", "a"), 2, failed("there", "a")),
    "delegate_to an unreachable host": Case(
        play("- {name: there, raw: 'true', delegate_to: c}", "a"), 4, {"a": [("unreachable", "there")]}, hosts=ONE_AWAY
    ),
    "no hosts matched": Case(play(FAIL, "nobody"), 0),
    "no hosts matched, then others": Case(play(FAIL, "nobody") + play(OK) + play(FAIL, "nobody"), 0, good="a b c"),
    "a play without tasks": Case(play(""), 0),
    "import_playbook": Case(
        "- import_playbook: other.yml\n" + play(OK, "b"),
        2,
        failed("broken", "a"),
        "b",
        files={"other.yml": play(FAIL_A)},
    ),
    "a missing role file in a later play for a host that failed": Case(
        play(FAIL_A) + play(OK), 2, failed("broken", "a"), "b c"
    ),
    "--check": Case(play(OK + FAIL_A), 2, failed("broken", "a"), "b c", args=("--check",), check_mode=True),
    "check_mode of a task": Case(play("- {name: fine, command: 'true', check_mode: true}\n" + OK), 0, good="a b c"),
    "gather_facts alone": Case("- hosts: a\n", 0),
}


def record(tmp_path, case: Case, env: Mapping[str, str] | None = None) -> Recorded:
    """Run a case and return its records."""
    ground = Playground(tmp_path, case.files)
    call = ground.prepare(case.plays, *case.args, inventory=case.hosts, options=case.options, env=env)
    return ground.recorded(call.run())


@pytest.mark.matrix
@pytest.mark.parametrize("name", CASES)
def test_a_run_is_recorded_correctly_and_pages_if_a_host_failed(tmp_path, sandbox, name) -> None:
    case = CASES[name]
    enabled = {"ANSIBLE_CALLBACKS_ENABLED": "runs,callgoose.sqibs.callgoose_incident"}
    ignoring = {"CALLGOOSE_UNREACHABLE": "ignore"} if "ignore_unreachable" in case.options else {}
    recorded = record(tmp_path, case, {**connection(sandbox), **enabled, **ignoring})
    pages = case.failed and not case.check_mode
    assert [incident["state"] for incident in sandbox.incidents] == ["open"] * bool(pages), recorded.output
    assert recorded.errors == [], recorded.output
    assert recorded.call.rc == case.rc, recorded.output
    run = recorded.run
    seen = {host: [(one["kind"], one["task"]) for one in some] for host, some in run["failures"].items()}
    assert (seen, " ".join(run["succeeded"])) == (dict(case.failed), case.good), recorded.output
    assert not run["aborted"] and not run["interrupted"]
    assert (run["dubious"], run["check_mode"]) == (case.dubious, case.check_mode)
    assert run["playbook"] == "playbook.yml"


TOLD = """
- name: Set up {{ 1 + 1 }}
  hosts: a
  gather_facts: false
  tasks:
    - include_role: {name: app}
"""
APP = """---

- name: Ask {{ inventory_hostname }}
  ansible.builtin.shell: echo out; echo err >&2; exit 3
"""
NO_LOG = """
- name: secret
  command: echo hunter2
  args: {chdir: /nonexistent/hunter2}
  no_log: true
"""
NO_LOG_LOOP = """
- name: secrets
  fail: {msg: "{{ item }}"}
  loop: [hunter2, hunter3]
  no_log: true
"""


def test_a_failure_has_the_place_and_the_output_of_its_task(tmp_path) -> None:
    recorded = record(tmp_path, Case(TOLD, 2, hosts=("a",), files={"roles/app/tasks/main.yml": APP}))
    (failure,) = recorded.run["failures"]["a"]
    assert failure.pop("path").endswith("/project/roles/app/tasks/main.yml")
    assert "non-zero return code" in failure.pop("message")
    assert failure == {
        "kind": "failed",
        "task": "app : Ask {{ inventory_hostname }}",
        "action": "ansible.builtin.shell",
        "line": 3,
        "play": "Set up 2",
        "stdout": "out",
        "stderr": "err",
        "command": "echo out; echo err >&2; exit 3",
        "status": "exit status 3",
        "delegate": "",
        "runbook": "",
    }, recorded.output


def test_a_failed_loop_has_the_message_of_each_failed_item(tmp_path) -> None:
    recorded = record(tmp_path, Case(play("- {name: x, fail: {msg: 'no {{ item }}'}, loop: [u, v]}"), 2, hosts=("a",)))
    assert [one["message"] for one in recorded.run["failures"]["a"]] == [
        "item u: no u\nitem v: no v\n2 of 2 items failed"
    ], recorded.output


@pytest.mark.parametrize("tasks", [NO_LOG, NO_LOG_LOOP], ids=["task", "loop"])
def test_no_log_results_stay_censored(tmp_path, tasks) -> None:
    recorded = record(tmp_path, Case(play(tasks), 2, hosts=("a",)))
    (failure,) = recorded.run["failures"]["a"]
    assert "no_log: true" in failure["message"], recorded.output
    assert "hunter" not in str(recorded.runs)


@pytest.mark.parametrize(
    ("plays", "rc", "failures"),
    [
        (play(OK) + play(OK, "'{{ nope }}'"), 4, {}),
        (play(FAIL_A) + play(OK, "'{{ nope }}'"), 4, failed("broken", "a")),
        (play(OK + "- {name: change, command: 'true', notify: nobody}\n" + OK), 1, {}),
    ],
    ids=["between plays", "after a failure", "within a play"],
)
def test_a_run_that_never_reaches_its_end_is_aborted(tmp_path, plays, rc, failures) -> None:
    recorded = record(tmp_path, Case(plays, rc))
    assert (recorded.call.rc, recorded.errors) == (rc, []), recorded.output
    run = recorded.run
    assert run["aborted"] and not run["interrupted"]
    assert {host: [(one["kind"], one["task"]) for one in some] for host, some in run["failures"].items()} == failures
    assert run["succeeded"] == []


SLEEP = play(OK + "- {name: sleep, shell: touch started; exec sleep 60, args: {chdir: '{{ playbook_dir }}'}}\n")


def interrupt(tmp_path, number: int) -> Recorded:
    """Send this signal to the process group of a running call, as a terminal does, and return its records."""
    ground = Playground(tmp_path)
    call = ground.prepare(SLEEP, inventory=("a",))
    process = call.start()
    try:
        deadline = time.monotonic() + 60
        while not (call.cwd / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, number)
        stdout, stderr = process.communicate(timeout=30)
    except BaseException:
        end(process)
        raise
    return ground.recorded(Result(process.returncode, stdout, stderr, 0))


NO_FORK = """
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = "{name: nofork, type: notification, short_description: x, description: x}"


def fail():
    raise BlockingIOError(11, "Resource temporarily unavailable")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_NAME = 2.0, "nofork"

    def v2_playbook_on_play_start(self, play):
        os.fork = fail
"""


def test_a_play_none_of_whose_tasks_had_a_result_has_failed(tmp_path) -> None:
    ground = Playground(tmp_path, {"more/nofork.py": NO_FORK})
    recorded = ground.recorded(ground.prepare(play(OK), inventory=HOSTS).run())
    assert recorded.run["succeeded"] == ["a", "b", "c"], recorded.output
    call = ground.prepare(play(OK), inventory=HOSTS)
    call.env["ANSIBLE_CALLBACK_PLUGINS"] += f":{call.cwd / 'more'}"
    call.env["ANSIBLE_CALLBACKS_ENABLED"] += ",nofork"
    recorded = ground.recorded(call.run())
    assert recorded.call.rc == 0, recorded.output
    failures = recorded.runs[-1]["failures"]
    assert {host: [one["kind"] for one in some] for host, some in failures.items()} == {h: ["dropped"] for h in HOSTS}
    assert "could not start its workers" in failures["a"][0]["message"]


def test_a_play_all_of_whose_tasks_were_skipped_has_not_failed(tmp_path) -> None:
    recorded = record(tmp_path, Case(play("- {name: fine, debug: {msg: x}, when: false}\n"), 0))
    assert (recorded.run["failures"], recorded.run["succeeded"]) == ({}, []), recorded.output


def test_an_aborted_run_names_the_task_that_started_last(tmp_path) -> None:
    plays = play(OK + "- {name: change, command: 'true', notify: nobody}\n" + OK)
    recorded = record(tmp_path, Case(plays, 1, hosts=("a",)))
    assert recorded.run["last_task"]["name"] == "change", recorded.output
    recorded = record(tmp_path, Case(play(OK) + play(OK, "'{{ nope }}'"), 4))
    assert recorded.runs[-1]["last_task"]["name"] == "fine", recorded.output


def test_an_unreachable_delegated_host_counts_for_the_host_whose_task_it_was(tmp_path) -> None:
    task = "- {name: there, raw: 'true', delegate_to: z, when: inventory_hostname == 'a'}\n"
    hosts = (*HOSTS, "z ansible_connection=away")
    recorded = record(tmp_path, Case(play(OK + task, "a,b,c"), 4, hosts=hosts))
    assert {host: [one["kind"] for one in some] for host, some in recorded.run["failures"].items()} == {
        "a": ["unreachable"]
    }, recorded.output
    assert recorded.run["succeeded"] == ["b", "c"]


def test_ctrl_c_counts_as_deliberate(tmp_path) -> None:
    recorded = interrupt(tmp_path, signal.SIGINT)
    assert recorded.call.rc == 99, recorded.output
    assert (recorded.run["aborted"], recorded.run["interrupted"]) == (True, True), recorded.output


def test_sigterm_is_noticed_and_ends_the_run_as_usual(tmp_path) -> None:
    recorded = interrupt(tmp_path, signal.SIGTERM)
    assert recorded.call.rc == -signal.SIGTERM, recorded.output
    assert (recorded.run["aborted"], recorded.run["interrupted"]) == (True, True), recorded.output


def test_each_playbook_of_a_call_is_a_separate_run(tmp_path) -> None:
    ground = Playground(tmp_path, {"b.yml": play(OK, "a,b") + play("- {name: late, fail: }", "b")})
    first = play(FAIL_A + "- meta: clear_host_errors\n" + OK)
    recorded = ground.recorded(ground.prepare(first, "b.yml", inventory=HOSTS).run())
    assert recorded.call.rc == 2, recorded.output
    assert recorded.begun == ["playbook.yml", "b.yml"]
    one, two = recorded.runs
    assert (one["failures"], one["succeeded"], one["dubious"]) == ({}, ["b", "c"], False), recorded.output
    assert (list(two["failures"]), two["succeeded"], two["dubious"]) == (["b"], ["a"], False), recorded.output


def test_a_playbook_that_never_starts_is_not_a_run(tmp_path) -> None:
    ground = Playground(tmp_path, {"b.yml": play(OK)})
    recorded = ground.recorded(ground.prepare(play(FAIL_A), "b.yml", inventory=HOSTS).run())
    assert (recorded.begun, list(recorded.run["failures"])) == (["playbook.yml"], ["a"]), recorded.output


@pytest.mark.parametrize("word", ["--syntax-check", "--list-hosts", "--list-tasks", "--list-tags"])
def test_syntax_check_and_list_options_are_not_runs(tmp_path, word) -> None:
    recorded = record(tmp_path, Case(play(FAIL), 0, args=(word,)))
    assert (recorded.call.rc, recorded.begun, recorded.runs) == (0, [], []), recorded.output


def test_an_ad_hoc_command_is_not_a_run(tmp_path) -> None:
    ground = Playground(tmp_path)
    call = ground.prepare(play(FAIL), inventory=("a",), env={"ANSIBLE_LOAD_CALLBACK_PLUGINS": "true"})
    ansible = call.argv[0].replace("ansible-playbook", "ansible")
    argv = [ansible, *call.argv[1:3], "all", "-m", "fail"]
    recorded = ground.recorded(Call(argv, call.env, call.cwd).run())
    assert recorded.call.rc == 2, recorded.output
    assert (recorded.begun, recorded.runs, recorded.errors) == ([], [], [])


def test_an_error_in_the_callback_harms_no_run_and_no_host_counts_as_succeeded(tmp_path) -> None:
    recorded = record(tmp_path, Case(play(OK + OK), 0, options=("broken",)))
    assert recorded.call.rc == 0, recorded.output
    assert len(recorded.errors) == 6
    printed = " ".join(f"{recorded.call.stdout}{recorded.call.stderr}".split())
    assert printed.count("AssertionError") == 1, recorded.output
    assert recorded.run["dubious"]
