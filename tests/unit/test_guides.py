# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides in the artifact: a reader finds each, and learns in its first sentence what it is good for.

Must not check what the nox session docs does: links, references and syntax.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def docsite(collections_path: Path) -> Path:
    return collections_path / "ansible_collections" / "callgoose" / "sqibs" / "docs" / "docsite"


def test_each_guide_is_in_the_table_of_contents_once(docsite: Path) -> None:
    sections = yaml.safe_load((docsite / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    listed = [guide for section in sections for guide in section["toctree"]]
    assert sorted(listed) == sorted(path.stem for path in (docsite / "rst").glob("*.rst"))


def test_each_guide_opens_with_what_the_reader_has_at_its_end(docsite: Path) -> None:
    guides = {path.stem: path.read_text(encoding="utf-8") for path in (docsite / "rst").glob("*.rst")}
    openings = {name: re.split(r"\n=+\n", text, maxsplit=1)[1].lstrip() for name, text in guides.items()}
    assert guides
    assert [name for name, text in openings.items() if not text.startswith("At the end of this guide")] == []


def test_each_guide_that_another_one_links_to_exists(docsite: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (docsite / "rst").glob("*.rst")]
    texts.append((docsite.parents[1] / "README.md").read_text(encoding="utf-8"))
    linked = {name for text in texts for name in re.findall(r"blob/main/docs/docsite/rst/(\w+)\.rst", text)}
    assert linked
    assert linked - {path.stem for path in (docsite / "rst").glob("*.rst")} == set()
