# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the pages of the guide example_pages.rst: one for each failing run, as the on-call engineer reads it.

Must not hide a change: what differs between two runs of the same failure is replaced by a fixed word, and nothing else.
To write the pages anew, set WRITE_GOLDEN=1 and run this with one process; then review them as text.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__

from ansible_collections.callgoose.sqibs.tests.integration.e2e.event_run import AWAY
from ansible_collections.callgoose.sqibs.tests.integration.e2e.golden_runs import GOLDEN, Golden
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import LOCAL_HOSTS, prepare
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.integration.e2e.web_server import web_server

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs/docsite/rst/example_pages.rst"
# What only ansible-core 2.16 says in other words.
OLD = {"aborted": ("Error processing keyword 'hosts':", "The field 'hosts' has an invalid value, which includes")}
_BLOCK = "\n{heading}\n{line}\n\n.. code-block:: text\n\n"


def stored(heading: str) -> str:
    """Return the page under this heading of the guide."""
    _before, found, rest = GUIDE.read_text(encoding="utf-8").partition(_opening(heading))
    assert found, f"the guide has no page under {heading!r}"
    return textwrap.dedent(re.match(r"(?:   .*\n|\n)*", rest)[0]).strip() + "\n"


def store(heading: str, page: str) -> None:
    """Write the page under this heading of the guide, at the end if the heading is new."""
    guide = GUIDE.read_text(encoding="utf-8")
    before, found, rest = guide.partition(_opening(heading))
    rest = re.sub(r"\A(?:   .*\n|\n)*", "", rest)
    block = textwrap.indent(page, "   ")
    text = f"{before if found else guide}{_opening(heading)}{block}" + (f"\n{rest}" if rest else "")
    GUIDE.write_text(text, encoding="utf-8")


def _opening(heading: str) -> str:
    return _BLOCK.format(heading=heading, line="-" * len(heading))


def page_of(body: dict[str, Any], project: Path, server: str) -> str:
    """Return the title and content of an event, without what differs between two runs of the same failure."""
    text = f"{body['title']}\n\n{body['content']}\n"
    for known, word in ((str(project), "/srv/infra"), (server, "https://lb.example.com")):
        text = text.replace(known, word)
    text = re.sub(r"(?m)^Failing since: .*$", "Failing since: 2026-11-27 02:10 UTC", text)
    text = re.sub(r"(?m)^Run on: [^,\n]*", "Run on: ctl7", text)
    text = re.sub(r"localhost \([^)]*\)", "localhost (ctl7)", text)
    text = re.sub(r"(?m)^Started by: .*$", "Started by: ada", text)
    return re.sub(r"/\S*/bin/python[\d.]*", "/usr/bin/python3", text)


def run(golden: Golden, folder: Path, sandbox: Any, server: str) -> str:
    playbook = golden.tasks
    if not playbook.lstrip().startswith("- name: Site"):
        tasks = "".join(f"    {line}\n" for line in playbook.splitlines())
        playbook = f"- name: Site\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"
    env = {**connection(sandbox), "USER": "ada", **golden.env}
    words = ["-i", golden.inventory, *golden.args, "-e", f"url={server}"]
    call = prepare(folder, playbook, *words, inventory=None, env=env, cfg=ENABLED)
    hosts = "\n".join(golden.hosts) + "\n" + LOCAL_HOSTS
    for name, text in {"connection_plugins/away.py": AWAY, golden.inventory: hosts, **golden.files}.items():
        path = call.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    result = call.run()
    assert result.rc, result.stdout
    (page,) = (json.loads(request["body"]) for request in sandbox.requests)
    return page_of(page, call.cwd, server)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_page_reads_as_reviewed(tmp_path, sandbox, name) -> None:
    golden = GOLDEN[name]
    with web_server() as url:
        page = run(golden, tmp_path, sandbox, url)
    if "WRITE_GOLDEN" in os.environ:
        store(golden.heading, page)
    if __version__.startswith("2.16.") and name in OLD:
        assert OLD[name][1] in page
        return
    assert page == stored(golden.heading)


def test_the_guide_has_no_page_without_a_run() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert guide.count(".. code-block:: text") == len(GOLDEN)
