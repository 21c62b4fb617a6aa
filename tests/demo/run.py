# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work: real ansible-playbook runs against the emulated API, and what the API holds after each.

Must not need anything but this Python's ansible-core, and must leave nothing behind.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

DEMO = Path(__file__).resolve().parent
sys.path.insert(0, str(DEMO.parent))

import artifact  # noqa: E402  (found beside this folder, whatever the working directory is)
from output import indented, readable  # noqa: E402
from sandbox import Sandbox  # noqa: E402
from stories import STORIES, Step, Story  # noqa: E402

ANSWERS = {200: "processed", 201: "created", 208: "duplicate"}


def main() -> int:
    """Tell all stories and return the process's exit code: 0 when each step went as announced."""
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sqibs-demo-") as scratch, Sandbox() as sandbox:
        print(f"An emulated API listens on {sandbox.base_url}; nothing leaves this machine.")
        print("Of what ansible-playbook prints, the lines that matter are shown.\n")
        artifact.install(Path(scratch, "collections"))
        for letter, story in zip("ABC", STORIES, strict=True):
            failed += tell(letter, story, Path(scratch), sandbox)
    if failed:
        say("NOT as announced: " + "; ".join(failed))
        return 1
    say("Done: each incident was opened once and closed once. The emulated API is stopped, nothing is left running.")
    return 0


def tell(letter: str, story: Story, scratch: Path, sandbox: Sandbox) -> list[str]:
    """Show a story's files, run its steps, and return the titles of those that did not go as announced."""
    print(f"=== {letter}. {story.title}\n", flush=True)
    project = scratch / story.folder
    project.mkdir()
    env = {
        **artifact.private_environment(project),
        "ANSIBLE_COLLECTIONS_PATH": str(scratch / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "CALLGOOSE_BASE_URL": sandbox.base_url,
        "CALLGOOSE_API_TOKEN": sandbox.token,
    }
    shutil.copytree(DEMO / story.folder, project, dirs_exist_ok=True)
    for name in story.files:
        print(f"{name}:\n")
        print(indented((project / name).read_text(encoding="utf-8").partition("\n\n")[2]))
    sandbox.reset()
    steps = enumerate(story.steps, 1)
    return [step.title for number, step in steps if not show(f"{letter}{number}", step, project, env, sandbox)]


def show(number: str, step: Step, project: Path, env: dict[str, str], sandbox: Sandbox) -> bool:
    """Run one step, print what Ansible says and what the API holds, and return whether it went as announced."""
    say(f"{number}. {step.title}")
    print(f"$ ansible-playbook {step.words}", flush=True)
    asked = len(sandbox.requests)
    ansible_playbook = [sys.executable, "-m", "ansible", "playbook", *step.words.split()]
    done = subprocess.run(ansible_playbook, cwd=project, env=env, capture_output=True, text=True, check=False)
    requests, incidents = sandbox.requests[asked:], sandbox.incidents
    answers = tuple(request["status"] for request in requests)
    states = tuple(incident["state"] for incident in incidents)
    as_announced = step.said in done.stdout and (done.returncode, answers, states) == (
        step.exit_code,
        step.answers,
        step.incidents,
    )
    print(indented(readable(done.stdout) if as_announced else done.stdout + done.stderr))
    print("Requests that the API got:" if requests else "Requests that the API got: none")
    for request in requests:
        payload = json.loads(request["body"])
        answer = f"{request['status']} ({ANSWERS.get(request['status'], 'refused')})"
        print(f"    {payload['state']}  {payload['incident_key']}  answered with {answer}")
    if step.note:
        print(textwrap.fill(step.note, 110, initial_indent="    ", subsequent_indent="    "))
    print("The API now holds:")
    for incident in incidents:
        print(f"    {incident['state']}  {incident['title']}  (key {incident['key']})")
    print()
    return as_announced


def say(text: str) -> None:
    """Print a heading."""
    print(f"--- {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
