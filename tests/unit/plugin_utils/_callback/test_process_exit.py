# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that the end of a process is reported once, in that process, and is not changed.

Must not run Ansible: tests/integration/e2e/test_run_events.py does.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# A child inherits ignored signals: SIGHUP under nohup, SIGINT in a shell background job. So it restores the defaults.
START = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, signal.SIG_DFL)
sys.path.insert(0, sys.argv[1])
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._callback.process_exit import ProcessExit
class Display:
    def error(self, message, wrap_text=True): print("shown", message, flush=True)
def cli_executor(): display.error(ValueError("no such file"), wrap_text=False)
display = Display()
end = ProcessExit(lambda interrupted: print("end", interrupted, flush=True))
"""


def run(collections_path, *lines: str) -> tuple[int, str]:
    """Run these lines of Python and return the exit code and what was printed."""
    code = "\n".join([START, *lines])
    result = subprocess.run(
        [sys.executable, "-c", code, str(collections_path)], stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    return result.returncode, result.stdout.strip()


@pytest.mark.parametrize("last", ["sys.exit(3)", "raise SystemExit(3)", "end.watch(display); sys.exit(3)"])
def test_the_end_is_reported_once(collections_path, last) -> None:
    assert run(collections_path, "end.watch(display)", last) == (3, "end False")


@pytest.mark.parametrize(("code", "interrupted"), [("99", True), ("2", False), ("", False), ("'a message'", False)])
def test_the_exit_code_of_an_interrupted_ansible_is_an_interrupt(collections_path, code, interrupted) -> None:
    assert run(collections_path, "end.watch(display)", f"sys.exit({code})")[1] == f"end {interrupted}"


def test_without_watching_nothing_is_reported(collections_path) -> None:
    assert run(collections_path, "sys.exit(3)") == (3, "")


def test_the_end_of_a_fork_is_not_reported(collections_path) -> None:
    fork = ("child = os.fork()", "if not child: sys.exit()", "os.waitpid(child, 0)")
    lines = ("end.watch(display)", *fork)
    assert run(collections_path, *lines) == (0, "end False")


def test_a_fork_ended_by_sigterm_is_not_reported(collections_path) -> None:
    lines = (
        "end.watch(display)",
        "ready, told = os.pipe()",
        "child = os.fork()",
        "if not child: os.write(told, b'1'); time.sleep(30); os._exit(1)",
        "os.read(ready, 1)",  # a signal that comes while Python makes a fork is lost on it
        "os.kill(child, signal.SIGTERM)",
        "sys.exit(os.waitpid(child, 0)[1])",
    )
    assert run(collections_path, *lines) == (signal.SIGTERM, "end False")


def test_ctrl_c_is_an_interrupt_and_stays_a_keyboard_interrupt(collections_path) -> None:
    lines = (
        "end.watch(display)",
        "try: os.kill(os.getpid(), signal.SIGINT); time.sleep(5)",
        "except KeyboardInterrupt: sys.exit(99)",
    )
    assert run(collections_path, *lines) == (99, "end True")


def test_an_ignored_ctrl_c_stays_ignored(collections_path) -> None:
    lines = (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "end.watch(display)",
        "os.kill(os.getpid(), signal.SIGINT)",
        "sys.exit(0)",
    )
    assert run(collections_path, *lines) == (0, "end False")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_watched_signal_is_reported_and_still_ends_the_process(collections_path, number) -> None:
    lines = ("end.watch(display)", f"os.kill(os.getpid(), {number:d}); time.sleep(5)")
    assert run(collections_path, *lines) == (-number, "end True")


def test_a_sighup_ignored_by_nohup_stays_ignored(collections_path) -> None:
    lines = (
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)",
        "end.watch(display)",
        "os.kill(os.getpid(), signal.SIGHUP)",
        "sys.exit(0)",
    )
    assert run(collections_path, *lines) == (0, "end False")


def test_a_previous_handler_gets_the_signal_too(collections_path) -> None:
    lines = (
        "signal.signal(signal.SIGTERM, lambda number, frame: (print('before', flush=True), os._exit(7)))",
        "end.watch(display)",
        "os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)",
    )
    assert run(collections_path, *lines) == (7, "end True\nbefore")


@pytest.mark.parametrize(
    ("shows", "error"), [("cli_executor()", "no such file"), ("display.error('a task failed')", ""), ("pass", "")]
)
def test_the_error_that_ends_the_command_is_known_and_still_shown(collections_path, shows, error) -> None:
    lines = ("end.watch(display)", shows, "print([end.error], flush=True)")
    shown = run(collections_path, *lines)[1].splitlines()
    assert f"[{error!r}]" in shown
    assert any(line.startswith("shown") for line in shown) == (shows != "pass")
