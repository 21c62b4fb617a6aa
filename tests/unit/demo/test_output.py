# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what the demo prints: Ansible's lines are chosen and shortened, never changed, and coloured on a terminal only.

Must not run a playbook.
"""

from __future__ import annotations

import sys

import pytest

from ansible_collections.callgoose.sqibs.tests.demo import colour, output

FAILED = """
PLAY [Deploy the shop] *********

TASK [Check the disk] **********
skipping: [web1]
[ERROR]: Task failed: Action failed: No space left on device
fatal: [web2]: FAILED! => {"changed": false, "msg": "No space left on device"}

TASK [Install the new version] *
ok: [web1] => {
    "msg": "installed"
}

PLAY RECAP *********************
web1                       : ok=2    changed=0    unreachable=0    failed=0
web2                       : ok=0    changed=0    unreachable=0    failed=1

Callgoose: triggered incident shop-site.yml-1
"""
WATCHED = """
TASK [Report what was done] ****
ok: [localhost] => {
    "msg": [
        "photos.yml: a run was killed",
        "triggered a\\\\b: \\"created\\"."
    ]
}
"""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal with colours."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_the_lines_that_tell_the_story_are_left() -> None:
    assert output.readable(FAILED).splitlines() == [
        "TASK [Check the disk]",
        'fatal: [web2]: FAILED! => msg: "No space left on device"',
        "PLAY RECAP",
        "web1                       : ok=2    changed=0    unreachable=0    failed=0",
        "web2                       : ok=0    changed=0    unreachable=0    failed=1",
        "Callgoose: triggered incident shop-site.yml-1",
    ]


def test_the_report_of_watch_is_shown_as_text() -> None:
    lines = ["TASK [Report what was done]", "photos.yml: a run was killed", r'triggered a\b: "created".']
    assert output.readable(WATCHED).splitlines() == lines


def test_a_killed_run_shows_the_task_that_it_was_in() -> None:
    assert output.readable("TASK [Check] **\nok: [web1]\n\nTASK [Wait] **\n") == "TASK [Wait]"
    assert output.exit_code(-9) == "Killed by SIGKILL"


def test_a_page_is_whole_inside_its_box() -> None:
    box = output.boxed("Disk full", "Host: web2\n\n" + "long " * 40)
    lines = box.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert " ".join(line.strip(" |") for line in lines[1:-1]).split() == [
        "Disk",
        "full",
        "Host:",
        "web2",
        *["long"] * 40,
    ]


def test_a_terminal_shows_colours(terminal: None) -> None:
    assert "\033[31mfatal: [web2]" in output.readable(FAILED)
    assert output.incident({"state": "open", "title": "Disk full"}) == "    \033[31mopen\033[0m  Disk full"
    assert "\033[1mDisk full" in output.boxed("Disk full", "Host: web2")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_user_who_wants_no_colours_gets_none(
    terminal: None, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert colour.paint("text", "red") != "text"
    monkeypatch.setenv(name, value)
    assert colour.paint("text", "red") == "text"


def test_a_file_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert "\033" not in output.readable(FAILED) + output.boxed("Disk full", "Host: web2") + output.heading("A")
