# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what somebody at the terminal does to a run: what ends it there is deliberate, and no failure.

Must not test signals: test_run_events.py does.
"""

from __future__ import annotations

import pexpect
import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.event_run import Playground, Recorded
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result
from ansible_collections.callgoose.sqibs.tests.integration.e2e.test_run_events import FAIL, OK, play


def answer(tmp_path, playbook: str, *dialogue: tuple[str, str]) -> Recorded:
    """Run a playbook at a terminal, and type each answer when its prompt appears. Return what was recorded."""
    ground = Playground(tmp_path)
    call = ground.prepare(playbook, inventory=("a",))
    command, *words = call.argv
    terminal = pexpect.spawn(command, words, env=call.env, cwd=str(call.cwd), timeout=60, encoding="utf-8")
    terminal.delaybeforesend = 0.3  # the terminal is set up just after the prompt
    printed = ""
    try:
        for prompt, typed in dialogue:
            terminal.expect_exact(prompt)
            printed += terminal.before
            terminal.send(typed)
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
    return ground.recorded(Result(terminal.exitstatus, printed + terminal.before, "", 0))


@pytest.mark.parametrize(
    ("playbook", "dialogue", "rc"),
    [
        (play(OK + FAIL).replace("hosts:", "debugger: on_failed\n  hosts:", 1), [("debug)>", "q\n")], 99),
        (play(OK + "- {pause: {prompt: Continue}}\n"), [("Continue", "\x03"), ("abort", "a")], 2),
        (play(OK).replace("hosts:", "vars_prompt: [{name: x}]\n  hosts:", 1), [("x", "\x04")], 250),
    ],
    ids=["the debugger's q", "an aborted pause", "end of input at a prompt"],
)
def test_what_ends_a_run_at_the_keyboard_is_deliberate(tmp_path, playbook, dialogue, rc) -> None:
    recorded = answer(tmp_path, playbook, *dialogue)
    assert recorded.call.rc == rc, recorded.output
    assert recorded.run["interrupted"], recorded.output


def test_a_task_that_the_debugger_runs_again_can_succeed(tmp_path) -> None:
    playbook = play("- {name: broken, command: 'false'}\n").replace("hosts:", "debugger: on_failed\n  hosts:", 1)
    mend = "task.args['_raw_params'] = 'true'\n"
    recorded = answer(tmp_path, playbook, ("debug)>", mend), ("debug)>", "redo\n"))
    assert recorded.call.rc == 0, recorded.output
    assert (recorded.run["failures"], recorded.run["succeeded"]) == ({}, ["a"]), recorded.output
