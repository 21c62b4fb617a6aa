# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work: real ansible-playbook runs against the emulated API, and the result of each.

Must not need anything but the ansible-core of the running Python, and must leave nothing behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from .. import artifact
from ..sandbox import Sandbox
from ..waiting import wait_for
from . import output
from .arrivals import Arrivals
from .project import Done, Project
from .stories import STORIES, How, Step, Story

# What ends a process without a word to its ``finally`` blocks: kill, and a terminal that is closed.
ENDS = (signal.SIGTERM, signal.SIGHUP)
NEXT = (
    ("Try your own playbooks without an account", "make sandbox, and docs/docsite/rst/sandbox.rst"),
    ("Install the collection", "README.md, Installation and quick start"),
    ("Set up the token and the filter", "README.md, Set up the token and the filter"),
    ("Verify them with a real test incident", "ansible-playbook callgoose.sqibs.verify"),
    ("Page when a run fails", "docs/docsite/rst/page_on_failure.rst"),
    ("Page when a run is killed or never happens", "docs/docsite/rst/missing_runs.rst"),
)


def main() -> int:
    """Tell all stories and return the process's exit code: 0 if every step had the expected result."""
    end_cleanly()
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sqibs-demo-") as scratch, Sandbox() as sandbox:
        print(f"An emulated API listens on {sandbox.base_url}. Nothing leaves this machine.")
        print("Every step is a real ansible-playbook run. Its output is shortened to the lines that matter.")
        print("Below it are the requests that the API received, the page if one was sent, and the API's incidents.\n")
        artifact.install(Path(scratch, "collections"))
        for letter, story in zip("ABCD", STORIES, strict=True):
            failed += tell(letter, story, Path(scratch), sandbox)
    if failed:
        say(output.heading("NOT the expected result: " + "; ".join(failed)))
        return 1
    say(output.heading("Done. Each incident that was opened is resolved. Nothing is left running."))
    print("Where to go next:")
    print(output.table(NEXT))
    return 0


def end_cleanly() -> None:
    """Make signals end the demo as Ctrl-C does: its runs are stopped and its temporary directory is removed."""

    def end(number: int, _frame: FrameType | None) -> None:
        for one in ENDS:
            signal.signal(one, signal.SIG_IGN)  # a second one would interrupt the cleaning up
        sys.exit(128 + number)

    for one in ENDS:
        if signal.getsignal(one) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(one, end)


def tell(letter: str, story: Story, scratch: Path, sandbox: Sandbox) -> list[str]:
    """Show a story's files, run its steps, and return the titles of those without the expected result."""
    say(output.heading(f"=== {letter}. {story.title}\n"))
    sandbox.reset()
    project = Project(story.folder, scratch, sandbox)
    for name in story.files:
        print(f"{name}:\n")
        print(output.indented(project.read(name)))
    steps = enumerate(story.steps, 1)
    return [step.title for number, step in steps if not show(f"{letter}{number}", step, project, sandbox)]


def show(number: str, step: Step, project: Project, sandbox: Sandbox) -> bool:
    """Run one step, print what Ansible and the API made of it, and return whether the result is the expected one."""
    say(output.heading(f"--- {number}. {step.title}"))
    say(output.command(f"$ ansible-playbook {step.words}"))
    arrivals, in_time = Arrivals(sandbox), True

    def look(process: subprocess.Popen[str]) -> None:
        nonlocal in_time
        in_time = wait_for(arrivals.new) and process.poll() is None
        say(f"While the run {'still goes on' if in_time else 'does NOT go on any more'}:")
        arrivals.show()
        say("Now the run may go on to its end:")

    match step.how:
        case How.TO_THE_END:
            done = project.run(step.words)
        case How.ON_HOLD:
            done = project.run_on_hold(step.words, look)
        case How.KILLED:
            done = project.kill(step.words, after=step.said)
    incidents = sandbox.incidents
    answers = [*arrivals.answers, *(request["status"] for request in arrivals.new())]
    as_expected = in_time and is_expected(step, done, answers, [incident["state"] for incident in incidents])
    print(output.indented(output.readable(done.stdout) if as_expected else done.stdout + done.stderr))
    if done.exit_code:
        print(output.exit_code(done.exit_code))
    arrivals.show()
    print("Incidents at the API:" if incidents else "Incidents at the API: none")
    for incident in incidents:
        print(output.incident(incident))
    if step.note:
        print(output.wrapped(f"Note: {step.note}"))
    print()
    return as_expected


def is_expected(step: Step, done: Done, answers: Sequence[int], states: Sequence[str]) -> bool:
    """Return whether a step had the result that makes its title true."""
    expected = (step.exit_code, step.answers, step.incidents)
    return step.said in done.stdout and (done.exit_code, tuple(answers), tuple(states)) == expected


def say(text: str) -> None:
    """Print at once, also where standard output is a file."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
