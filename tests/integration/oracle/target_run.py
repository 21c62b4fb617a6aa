# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a target in one of three ways and returns its invocations: as it is, with the callback, and under guards.

Must not compare them: rules.py does.
"""

from __future__ import annotations

import enum
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.integration.oracle import shim
from ansible_collections.callgoose.sqibs.tests.integration.oracle.invocation import Invocation, read_log
from ansible_collections.callgoose.sqibs.tests.integration.oracle.project import Project
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

CALLBACK = "callgoose.sqibs.callgoose_incident"
# Seconds for a whole target; the longest takes two minutes on a busy machine with two cores.
LIMIT = 1200


class Way(enum.Enum):
    """How a target runs."""

    PLAIN = "plain"
    CALLBACK = "callback"
    GUARD = "guard"


@dataclass(frozen=True)
class TargetRun:
    """The invocations of one run of a target, and the playbooks of which everything was guarded."""

    invocations: list[Invocation]
    guarded: set[Path]

    def is_guarded(self, invocation: Invocation) -> bool:
        """Return whether nothing of an invocation's playbooks ran outside a guard."""
        playbooks = {Path(invocation.cwd, word).resolve() for word in invocation.playbooks}
        return bool(playbooks) and playbooks <= self.guarded


def run_target(scratch: Path, integration: Path, name: str, way: Way) -> TargetRun:
    """Run a target in one way.

    :param scratch: a temporary directory. Each run has the same paths there, so that outputs can be compared.
    :param integration: ansible-core's ``test/integration``.
    :raises subprocess.TimeoutExpired: the target did not end in time.
    """
    project = Project(scratch / "project", integration, name, way is Way.GUARD)
    guarded = project.lay_out()
    log = scratch / "logs" / f"{name}-{way.value}"
    log.mkdir(parents=True)
    env = {**project.environment, shim.LOG: str(log)}
    with Sandbox() as sandbox:
        if way is not Way.PLAIN:
            env |= {**connection(sandbox), shim.CONTROL: sandbox.control_url}
        if way is Way.CALLBACK:
            env[shim.CALLBACK] = CALLBACK
        with log.joinpath("script.txt").open("wb") as output:
            _call(project.call, project.cwd, env, output.fileno())
    return TargetRun(read_log(log), {path.resolve() for path in guarded})


def _call(command: list[str], directory: Path, env: dict[str, str], output: int) -> None:
    """Run a command to its end; its exit code says nothing, as its checks on the output cannot end it."""
    process = subprocess.Popen(
        ["/usr/bin/env", *command],
        cwd=directory,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        process.wait(LIMIT)
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
