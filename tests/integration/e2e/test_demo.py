# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that the demo leaves no process and no file, also when it kills a run or is interrupted in one.

Must not test what the demo shows: `make demo` checks each of its steps by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.demo.project import Project
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox
from ansible_collections.callgoose.sqibs.tests.waiting import wait_for

pytestmark = [
    pytest.mark.any_core,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc to find processes in"),
]


@pytest.fixture
def project(tmp_path: Path, collections_path: Path, sandbox: Sandbox) -> Project:
    (tmp_path / "collections").symlink_to(collections_path)
    return Project("nightly", tmp_path, sandbox)


def left(project: Project) -> list[str]:
    """Return the command lines of the processes whose home is the project's directory."""
    home = f"HOME={project.folder}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if home in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # ended, or another user's
    return found


def test_a_killed_run_leaves_no_process(project: Project) -> None:
    done = project.kill("photos.yml", after="TASK [Wait for the upload]")
    assert done.exit_code == -9, done.stdout + done.stderr
    assert left(project) == []


def test_workers_of_a_killed_run_leave_no_process(project: Project) -> None:
    def look(process: subprocess.Popen[str]) -> None:
        assert wait_for(lambda: "AnsiballZ_wait_for" in str(left(project))), "a worker's module runs"
        process.kill()

    assert project.run_on_hold("photos.yml", look).exit_code == -9
    assert left(project) == []


def test_an_interrupted_demo_leaves_no_process(project: Project) -> None:
    def look(_process: subprocess.Popen[str]) -> None:
        assert left(project)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.run_on_hold("photos.yml", look)
    assert left(project) == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_demo_without_leaving_its_files(tmp_path: Path, ending: signal.Signals) -> None:
    root = Path(__file__).parents[3]
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    # A CI job may have been started with SIGHUP ignored, which a child inherits.
    before = signal.signal(ending, signal.SIG_DFL)
    try:
        command = [sys.executable, "-m", "tests.demo"]
        demo = subprocess.Popen(command, cwd=root, env=env, text=True, stdout=subprocess.PIPE)
    finally:
        signal.signal(ending, before)
    with demo:
        assert demo.stdout
        assert demo.stdout.readline().startswith("An emulated API listens")
        assert wait_for(lambda: any(tmp_path.glob("sqibs-build-*/.ansible"))), "the build is running"
        demo.send_signal(ending)
        demo.stdout.read()
    assert demo.returncode == 128 + ending
    assert list(tmp_path.iterdir()) == []
