# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work: real ansible-playbook runs against the emulated API, and the result of each.

Must not need anything but the ansible-core of the running Python, and must leave nothing behind.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DEMO = Path(__file__).resolve().parent
sys.path.insert(0, str(DEMO.parent))

import artifact  # noqa: E402  (found next to this directory, whatever the working directory is)
from output import boxed, indented, readable, wrapped  # noqa: E402
from sandbox import Sandbox  # noqa: E402
from stories import STORIES, Step, Story  # noqa: E402

ANSWERS = {200: "processed", 201: "created", 208: "duplicate"}


def main() -> int:
    """Tell all stories and return the process's exit code: 0 if every step had the expected result."""
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sqibs-demo-") as scratch, Sandbox() as sandbox:
        print(f"An emulated API listens on {sandbox.base_url}. Nothing leaves this machine.")
        print("Every step is a real ansible-playbook run. Its output is shortened to the lines that matter.")
        print("Below it are the requests that the API received, the page if one was sent, and the API's incidents.\n")
        artifact.install(Path(scratch, "collections"))
        for letter, story in zip("ABC", STORIES, strict=True):
            failed += tell(letter, story, Path(scratch), sandbox)
    if failed:
        say("NOT the expected result: " + "; ".join(failed))
        return 1
    say("Done. Each story opened one incident and resolved it. The emulated API is stopped; nothing is left running.")
    return 0


def tell(letter: str, story: Story, scratch: Path, sandbox: Sandbox) -> list[str]:
    """Show a story's files, run its steps, and return the titles of those without the expected result."""
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
    """Run one step, print what Ansible and the API made of it, and return whether the result is the expected one."""
    say(f"{number}. {step.title}")
    if step.hours_later:
        print(f"(The emulated API's clock is set {step.hours_later} hours ahead.)")
        sandbox.advance(step.hours_later * 3600)
    print(f"$ ansible-playbook {step.words}", flush=True)
    asked, opened = len(sandbox.requests), len(sandbox.incidents)
    ansible_playbook = [sys.executable, "-m", "ansible", "playbook", *step.words.split()]
    done = subprocess.run(ansible_playbook, cwd=project, env=env, capture_output=True, text=True, check=False)
    requests, incidents = sandbox.requests[asked:], sandbox.incidents
    answers = tuple(request["status"] for request in requests)
    states = tuple(incident["state"] for incident in incidents)
    as_expected = step.said in done.stdout and (done.returncode, answers, states) == (
        step.exit_code,
        step.answers,
        step.incidents,
    )
    print(indented(readable(done.stdout) if as_expected else done.stdout + done.stderr))
    if done.returncode:
        print(f"Exit code: {done.returncode}")
    print("Requests to the API:" if requests else "Requests to the API: none")
    for request in requests:
        payload = json.loads(request["body"])
        answer = f"{request['status']} ({ANSWERS.get(request['status'], 'refused')})"
        print(f"    {payload['state']}  {payload['incident_key']}  answer: {answer}")
    for incident in incidents[opened:]:
        print("The page that the on-call engineer reads:")
        print(boxed(incident["title"], incident["description"]), end="")
    print("Incidents at the API:")
    for incident in incidents:
        print(f"    {incident['state']}  {incident['title']}")
    if step.note:
        print(wrapped(f"Note: {step.note}"))
    print()
    return as_expected


def say(text: str) -> None:
    """Print a heading."""
    print(f"--- {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
