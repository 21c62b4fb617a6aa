# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's documentation in `ansible-doc` is complete, and its examples are valid.

Must not test the module's behaviour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import ARGUMENT_SPEC
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import run_playbook
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import DOCUMENTED

NAME = "callgoose.sqibs.callgoose_incident"
SHOWN = ["trigger", "resolve", "loop", "custom payload", "Windows", "delegate_to", "module_defaults", "vault", "check"]


def ansible_doc(*words: str) -> str:
    """Return what ansible-doc prints."""
    command = [str(Path(sys.executable).with_name("ansible-doc")), *words, NAME]
    env = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "PAGER": "cat"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def documentation() -> dict[str, Any]:
    """The documentation as data, including its fragments."""
    return json.loads(ansible_doc("--json"))[NAME]


def test_the_page_renders() -> None:
    page = ansible_doc()
    assert "Triggers an incident with Callgoose SQIBS" in page and "EXAMPLES:" in page and "RETURN VALUES:" in page


def test_every_option_is_documented_correctly(documentation) -> None:
    options = documentation["doc"]["options"]
    assert set(options) == set(ARGUMENT_SPEC)
    for name, spec in ARGUMENT_SPEC.items():
        assert options[name]["type"] == spec["type"], name
        assert options[name].get("default") == spec.get("default"), name
        assert options[name].get("choices") == spec.get("choices"), name


def test_every_documented_return_value_exists(documentation) -> None:
    returned = {name for name, value in documentation["return"].items() if value["returned"] == "always"}
    assert returned | {"changed"} == DOCUMENTED


def test_the_examples_show_the_common_uses(documentation) -> None:
    examples = documentation["examples"]
    assert [word for word in SHOWN if word.lower() not in examples.lower()] == []


def tasks_in(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every task in these plays, blocks and tasks."""
    for entry in entries:
        inner = [entry[part] for part in ("tasks", "block", "rescue", "always") if part in entry]
        for part in inner:
            yield from tasks_in(part)
        if not inner:
            yield entry


def test_the_examples_use_options_that_exist(documentation) -> None:
    ours = [task[NAME] for task in tasks_in(yaml.safe_load(documentation["examples"])) if NAME in task]
    assert len(ours) >= len(SHOWN)
    assert {name for task in ours for name in task} <= set(ARGUMENT_SPEC)


def test_ansible_reads_the_examples(documentation, tmp_path) -> None:
    entries = yaml.safe_load(documentation["examples"])
    loose = [entry for entry in entries if "hosts" not in entry]
    plays = [entry for entry in entries if "hosts" in entry]
    for play in plays:
        for path in play.get("vars_files", []):
            project = tmp_path / "project"
            project.mkdir(exist_ok=True)
            (project / path).write_text("callgoose_api_token: x\n", encoding="utf-8")
    text = yaml.safe_dump([{"hosts": "all", "tasks": loose}, *plays])
    result = run_playbook(tmp_path, text, "--syntax-check", inventory=["windows", "switches"])
    assert result.rc == 0 and "ERROR" not in result.stderr, result
