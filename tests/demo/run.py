# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work: real ansible-playbook runs against the emulated API, and what the API holds after each.

Must not need anything but this Python's ansible-core, and must leave nothing behind.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

DEMO = Path(__file__).resolve().parent
sys.path.insert(0, str(DEMO.parent))

import artifact  # noqa: E402  (found beside this folder, whatever the working directory is)
from sandbox import Sandbox  # noqa: E402

PLAYBOOK = "backup.yml"


@dataclass(frozen=True)
class Step:
    """One run of the playbook, and how it must end for the demonstration to be true."""

    title: str
    words: tuple[str, ...]
    recap: str
    incidents: tuple[str, ...]


STEPS = (
    Step("The backup fails: raise an incident", (), "changed=1", ("open",)),
    Step("It fails again: the API answers 208, a duplicate, so nobody is called twice", (), "changed=0", ("open",)),
    Step("The backup works again: resolve it", ("-e", "backup_state=resolved"), "changed=1", ("resolved",)),
    Step("Still fine: there is nothing left to resolve", ("-e", "backup_state=resolved"), "changed=0", ("resolved",)),
)


def main() -> int:
    """Run all steps and return the process's exit code: 0 when each went as announced."""
    with tempfile.TemporaryDirectory(prefix="sqibs-demo-") as scratch:
        project = Path(scratch)
        artifact.install(project / "collections")
        shutil.copy(DEMO / PLAYBOOK, project)
        with Sandbox() as sandbox:
            say("Callgoose SQIBS collection: an incident from start to end")
            print(f"An emulated API listens on {sandbox.base_url}; nothing leaves this machine.\n")
            print(f"The playbook, {PLAYBOOK}:\n")
            print(indented((DEMO / PLAYBOOK).read_text(encoding="utf-8").partition("\n\n")[2]))
            failed = [step.title for number, step in enumerate(STEPS, 1) if not show(number, step, project, sandbox)]
    if failed:
        say("NOT as announced: " + "; ".join(failed))
        return 1
    say("Done: one incident was opened once and closed once. The emulated API is stopped, nothing is left running.")
    return 0


def show(number: int, step: Step, project: Path, sandbox: Sandbox) -> bool:
    """Run one step, print what Ansible says and what the API holds, and return whether it went as announced."""
    say(f"{number}. {step.title}")
    print(f"$ ansible-playbook {' '.join((PLAYBOOK, *step.words))}")
    env = {
        **artifact.private_environment(project),
        "ANSIBLE_COLLECTIONS_PATH": str(project / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "CALLGOOSE_BASE_URL": sandbox.base_url,
        "CALLGOOSE_API_TOKEN": sandbox.token,
    }
    ansible_playbook = [sys.executable, "-m", "ansible", "playbook", PLAYBOOK, *step.words, "-v"]
    done = subprocess.run(ansible_playbook, cwd=project, env=env, capture_output=True, text=True, check=False)
    print(indented(readable(done.stdout + done.stderr)))
    print("The API now holds:")
    incidents = sandbox.incidents
    for incident in incidents:
        print(f"    {incident['state']:8}  {incident['title']}  (key {incident['key']})")
    answers = ", ".join(str(request["status"]) for request in sandbox.requests)
    print(f"    requests answered so far: {answers}\n")
    found = tuple(incident["state"] for incident in incidents)
    return done.returncode == 0 and step.recap in done.stdout and found == step.incidents


def readable(output: str) -> str:
    """Return Ansible's output with a result's main fields in place of all, and without blank and banner lines."""
    lines = [line.rstrip(" *") for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("Using ", "PLAY ["))]
    return "\n".join(re.sub(r"=> \{.*\}$", shorten, line) for line in lines)


def shorten(match: re.Match[str]) -> str:
    """Return the fields of a result that tell the story."""
    fields = re.findall(r'"(outcome|status_code|msg)": ("[^"]*"|\d+)', match[0])
    return "=> " + ", ".join(f"{name}: {value}" for name, value in sorted(fields, reverse=True))


def say(text: str) -> None:
    """Print a heading."""
    print(f"--- {text}", flush=True)


def indented(text: str) -> str:
    """Return the text moved four columns to the right."""
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
