# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One invocation of ansible-playbook or ansible by a target, as shim.py logged it and as its output shows it.

Must read Ansible's own output only, never what the collection says about a run.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

# As the default output callback prints them: `fatal: [web1 -> db1]: FAILED!`, or for a loop's item `failed: [web1] (`.
FAILURE = re.compile(r"^(?:fatal|failed): \[(.+?)(?: -> .+?)?\](?::| )", re.MULTILINE)
# The second is the event's name, as callback_debug prints it, an output callback that some targets choose.
PLAY = re.compile(r"^(?:PLAY \[|v2_playbook_on_play_start)", re.MULTILINE)
RECAP = re.compile(r"^(\S+)\s+: (ok=\d+ .*)$", re.MULTILINE)
# A warning may take several lines. The next message, an empty line, or the callback's line about a request ends it.
WARNING = re.compile(r"^\[WARNING\]: (.+?)(?=^\[|^ERROR! |^Callgoose: |^\s*$|\Z)", re.MULTILINE | re.DOTALL)
IDLE = {"--list-tasks", "--list-tags", "--list-hosts", "--syntax-check"}
WITH_A_FILE = {"-i", "--inventory", "-e", "--extra-vars"}
SELECTING = {"--tags", "-t", "--skip-tags"}


@dataclass(frozen=True)
class Invocation:
    """One invocation: its command line, its exit code and output, and what reached the sandbox meanwhile."""

    command: str
    arguments: tuple[str, ...]
    cwd: str
    rc: int
    stdout: str
    stderr: str
    requests: tuple[dict[str, Any], ...]
    incidents: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        return " ".join([self.command, *self.arguments])

    @property
    def started(self) -> bool:
        """Whether a play started, and could have run a task.

        A target's own output callback may print no plays; but what ends well has run them.
        """
        is_run = self.command == "ansible-playbook" and not self.is_idle
        return is_run and (self.rc == 0 or bool(PLAY.search(self.stdout)))

    @property
    def playbooks(self) -> list[str]:
        """The playbooks that the command line names."""
        options = ("", *self.arguments)
        words = zip(options, self.arguments, strict=False)
        return [word for option, word in words if word.endswith((".yml", ".yaml")) and option not in WITH_A_FILE]

    @property
    def is_idle(self) -> bool:
        """Whether it only lists or checks."""
        return not IDLE.isdisjoint(self.arguments)

    @property
    def selects_tags(self) -> bool:
        """Whether it runs the tasks with certain tags only."""
        return any(word.partition("=")[0] in SELECTING for word in self.arguments)

    @cached_property
    def failed(self) -> set[str]:
        """The hosts with a line that says that a task failed or could not reach them, ignored or not."""
        return set(FAILURE.findall(self.stdout))

    @cached_property
    def recap(self) -> dict[str, str]:
        """The line of each host in the recap; empty if the target's own output callback prints none."""
        return {host: " ".join(counts.split()) for host, counts in RECAP.findall(self.stdout)}

    @property
    def lost(self) -> set[str]:
        """The hosts that failed or were unreachable by the recap."""
        return {host for host, counts in self.recap.items() if re.search(r"(?:failed|unreachable)=[1-9]", counts)}

    @cached_property
    def warnings(self) -> Counter[str]:
        """The warnings, each on one line."""
        return Counter(" ".join(text.split()) for text in WARNING.findall(self.stderr))

    @property
    def pages(self) -> list[dict[str, Any]]:
        """The bodies of the requests that trigger."""
        return [request["body"] for request in self.requests if request["body"].get("state") == "triggered"]

    @property
    def paged(self) -> set[str]:
        """The hosts that a page calls failed or unreachable themselves: not those that others kept from going on."""
        failures = [failure for page in self.pages for failure in page["details"].get("failures", ())]
        return {host for one in failures if one["kind"] in ("failed", "unreachable") for host in one["hosts"]}

    @property
    def named(self) -> set[str]:
        """All hosts that a page names."""
        return {host for page in self.pages for host in page["details"].get("hosts", ())}


def read_log(log: Path) -> list[Invocation]:
    """Return a log's invocations in their order."""
    return [_read(log, number) for number in range(len(list(log.glob("*.json"))))]


def _read(log: Path, number: int) -> Invocation:
    entry = json.loads(log.joinpath(f"{number}.json").read_text(encoding="utf-8"))
    out, err = (log.joinpath(f"{number}.{kind}").read_bytes().decode("utf-8", "replace") for kind in ("out", "err"))
    return Invocation(
        entry["command"],
        tuple(entry["arguments"]),
        entry["cwd"],
        entry["rc"],
        out,
        err,
        tuple(entry["requests"]),
        tuple(entry["incidents"]),
    )
