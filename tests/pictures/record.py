# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records what the pictures show: real runs of the demo's projects, with what they print and what they send.

Must not invent or leave out a line: only what differs from machine to machine is replaced by a fixed word.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..demo.project import Project
from ..sandbox import Sandbox

COMMAND = "site.yml"
CONTROLLER = "ctl7"
SINCE = "2026-11-27 02:10 UTC"
FAILED = 2
# The environment variables that a run keeps, by how they begin: without those of a CI system, whose job a page names.
KEPT = ("ANSIBLE_", "CALLGOOSE_", "HOME", "LC_ALL", "PATH", "PYTHONUNBUFFERED")
# What the demo tells of one night: first the backup, then the shop.
BACKUP = ("backup.yml", "backup.yml", "backup.yml -e backup_state=resolved")


@dataclass(frozen=True)
class Recording:
    """What a night of runs printed and sent.

    :ivar output: of the failed run, with a terminal's colours.
    :ivar title: of the page for it, as the API shows it.
    :ivar description: of that page.
    :ivar bodies: all requests, oldest first; the last one is that of the failed run.
    """

    output: str
    title: str
    description: str
    bodies: tuple[str, ...]


def record(collections: Path) -> Recording:
    """Run the demo's projects against a sandbox.

    :param collections: the collections path with the collection.
    :raises RuntimeError: a run had another result than the picture is meant to show.
    """
    with tempfile.TemporaryDirectory(prefix="sqibs-pictures-") as scratch, Sandbox() as sandbox:
        Path(scratch, "collections").symlink_to(collections)
        backup = Project("backup", Path(scratch), sandbox)
        for words in BACKUP:
            backup.run(words)
        shop = Project("shop", Path(scratch), sandbox)
        shop.env = {name: value for name, value in shop.env.items() if name.startswith(KEPT)}
        shop.env |= {"ANSIBLE_NOCOLOR": "0", "ANSIBLE_FORCE_COLOR": "1", "USER": "ada"}
        # What the demo gives as an extra variable: web2's disk is full.
        full = shop.folder / "host_vars" / "web2.yml"
        full.parent.mkdir()
        full.write_text("full_disk: web2\n", encoding="utf-8")
        done = shop.run(COMMAND, stderr=subprocess.STDOUT)
        requests = sandbox.requests
        if (done.exit_code, [request["status"] for request in requests]) != (FAILED, [201, 208, 200, 201]):
            raise RuntimeError(f"The runs did not go as the pictures show them:\n{done.stdout}\n{requests}")
        page = sandbox.incidents[-1]
        return Recording(
            steady(done.stdout, shop.folder),
            steady(page["title"], shop.folder),
            steady(page["description"], shop.folder),
            tuple(json.dumps(_steady_values(json.loads(request["body"]), shop.folder)) for request in requests),
        )


def steady(text: str, project: Path) -> str:
    """Return the text with the same path, controller and time on each machine, as the guide's example pages have them.

    :param project: the directory in which the run took place.
    """
    text = text.replace(str(project), f"/srv/{project.name}")
    text = re.sub(r"(?m)^Failing since: .*$", f"Failing since: {SINCE}", text)
    return re.sub(r"(?m)^Run on: [^,\n]*", f"Run on: {CONTROLLER}", text)


def _steady_values(value: Any, project: Path) -> Any:
    if isinstance(value, dict):
        fixed = {"controller": CONTROLLER, "since": SINCE}
        return {name: fixed.get(name) or _steady_values(one, project) for name, one in value.items()}
    if isinstance(value, list):
        return [_steady_values(one, project) for one in value]
    return steady(value, project) if isinstance(value, str) else value
