# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that docs/images/run.svg shows what a run prints and what the on-call engineer gets, line by line.

Must not compare the order of lines: hosts finish in any order.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible.release import __version__

from ansible_collections.callgoose.sqibs.tests.pictures import record, shown

# The picture is made on the newest release; an older one words the error in another way.
SINCE = (2, 21)
pytestmark = [
    pytest.mark.any_core,
    pytest.mark.skipif(tuple(map(int, __version__.split(".")[:2])) < SINCE, reason="the picture is of a newer release"),
]


def lines(text: str) -> list[str]:
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    return sorted(line.rstrip() for line in plain.splitlines() if line.strip())


def test_the_picture_shows_a_run_and_its_page_as_they_are(collections_path: Path) -> None:
    svg = collections_path / "ansible_collections" / "callgoose" / "sqibs" / "docs" / "images" / "run.svg"
    picture = svg.read_text(encoding="utf-8")
    recording = record.record(collections_path)
    command = f"$ ansible-playbook {record.COMMAND}\n"
    assert sorted(shown.lines(picture, "run")) == lines(command + recording.output), "run make pictures"
    assert sorted(shown.lines(picture, "page")) == lines(f"{recording.title}\n{recording.description}")
