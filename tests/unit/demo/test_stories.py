# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that the demo says so if a step has another result than its title promises, and where it sends the reader.

Must not run a playbook: `make demo` does.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.demo import __main__ as demo
from ansible_collections.callgoose.sqibs.tests.demo.project import Done
from ansible_collections.callgoose.sqibs.tests.demo.stories import STORIES, Step

STEP = Step("The run fails", "site.yml", "failed=1", (201,), ("open",), exit_code=2)
DONE = Done(2, "web2 : failed=1", "")


def test_the_expected_result_is_recognized() -> None:
    assert demo.is_expected(STEP, DONE, [201], ["open"])


@pytest.mark.parametrize(
    ("done", "answers", "states"),
    [
        (dataclasses.replace(DONE, exit_code=0), [201], ["open"]),
        (dataclasses.replace(DONE, stdout="failed=0"), [201], ["open"]),
        (DONE, [], ["open"]),
        (DONE, [201, 208], ["open"]),
        (DONE, [201], ["resolved"]),
    ],
    ids=["exit code", "output", "no request", "one request more", "state"],
)
def test_another_result_is_not_the_expected_one(done: Done, answers: list[int], states: list[str]) -> None:
    assert not demo.is_expected(STEP, done, answers, states)


@pytest.mark.parametrize(("failed", "code"), [([], 0), (["The run fails"], 1)])
def test_the_exit_code_says_whether_each_step_went_as_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failed: list[str], code: int
) -> None:
    monkeypatch.setattr(demo.artifact, "install", lambda _destination: None)
    monkeypatch.setattr(demo, "tell", lambda letter, *_rest: failed if letter == "B" else [])
    assert demo.main() == code
    assert ("NOT the expected result: The run fails" in capsys.readouterr().out) == bool(failed)


def test_each_story_ends_with_all_incidents_resolved() -> None:
    assert [set(story.steps[-1].incidents) for story in STORIES] == [{"resolved"}] * len(STORIES)


def test_what_the_end_names_exists(collections_path: Path) -> None:
    root = collections_path / "ansible_collections" / "callgoose" / "sqibs"
    text = "\n".join(where for _what, where in demo.NEXT)
    guides = re.findall(r"\S+\.rst", text)
    headings = re.findall(r"README\.md, (.*)", text)
    playbooks = re.findall(r"callgoose\.sqibs\.(\w+)", text)
    assert (len(guides), len(headings), len(playbooks)) == (3, 2, 1)
    assert all((root / guide).is_file() for guide in guides)
    assert all((root / "playbooks" / f"{playbook}.yml").is_file() for playbook in playbooks)
    assert set(headings) <= set(re.findall(r"(?m)^## (.*)$", (root / "README.md").read_text(encoding="utf-8")))
