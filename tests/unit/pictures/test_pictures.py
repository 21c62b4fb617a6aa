# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the committed pictures in docs/images: whole, small, and without anything of the machine that made them.

Must not make them: `make pictures` does, and needs more than the tests do.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.callgoose.sqibs.tests.pictures import life, record, shown

# The largest size of each picture, in KiB.
PICTURES = {"life.svg": 150, "run.svg": 150, "sandbox.png": 300, "sandbox-dark.png": 300}
DRAWINGS = [name for name in PICTURES if name.endswith(".svg")]
SCREENSHOTS = [name for name in PICTURES if name.endswith(".png")]


@pytest.fixture
def images(collections_path: Path) -> Path:
    return collections_path / "ansible_collections" / "callgoose" / "sqibs" / "docs" / "images"


def test_each_picture_is_there_and_small(images: Path) -> None:
    sizes = {path.name: path.stat().st_size / 1024 for path in images.iterdir() if path.name in PICTURES}
    assert sizes.keys() == PICTURES.keys()
    assert {name: size for name, size in sizes.items() if not 0 < size < PICTURES[name]} == {}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_well_formed_and_needs_nothing_from_elsewhere(images: Path, name: str) -> None:
    text = (images / name).read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{shown.SVG}svg"
    assert root.find(f"{shown.SVG}title") is not None, "who cannot see it hears what it is"
    assert set(re.findall(r"https?://[^\"'<> ]*", text)) == {"http://www.w3.org/2000/svg"}
    assert [target for target in re.findall(r"url\(([^)]*)\)", text) if not target.startswith("#")] == []
    assert not re.search(r"href|@import|@font-face|<script|<image|<foreignObject", text)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_shows_no_path_of_the_machine_that_made_it(images: Path, name: str) -> None:
    text = "".join(ElementTree.fromstring((images / name).read_text(encoding="utf-8")).itertext())
    assert not re.search(r"/(tmp|home|root|Users|var|work)\b|sqibs-", text)


@pytest.mark.parametrize("name", SCREENSHOTS)
def test_a_screenshot_is_whole_and_has_no_notes(images: Path, name: str) -> None:
    data = (images / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, kinds = 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, end = data[at + 4 : at + 8], at + 8 + length
        assert struct.unpack(">I", data[end : end + 4])[0] == zlib.crc32(data[at + 4 : end])
        kinds.append(kind.decode())
        at = end + 4
    assert (kinds[0], kinds[-1]) == ("IHDR", "IEND")
    assert not {"tEXt", "iTXt", "zTXt", "eXIf"} & set(kinds)


def test_the_life_of_an_incident_is_what_its_data_says(images: Path) -> None:
    assert (images / "life.svg").read_text(encoding="utf-8") == life.draw(), "run make pictures"


def test_the_pictures_tell_one_story(images: Path) -> None:
    svg = (images / "run.svg").read_text(encoding="utf-8")
    run, page = shown.lines(svg, "run"), shown.lines(svg, "page")
    assert run[0] == f"$ ansible-playbook {record.COMMAND}"
    assert 'fatal: [web2]: FAILED! => {"changed": false, "msg": "No space left on device"}' in run
    assert run[-1].startswith("Callgoose: triggered incident shop-site.yml-")
    assert page[0] == "Ansible - Check the disk failed on web2 (production): No space left on device [site.yml]"


def test_what_differs_between_machines_is_replaced_and_nothing_else() -> None:
    page = "a.yml\n\nFailing since: 2031-01-02 03:04 UTC\nRun on: laptop, in /x/y/shop\nRetry: -i /x/y/shop/hosts.ini\n"
    assert record.steady(page, Path("/x/y/shop")) == (
        "a.yml\n\nFailing since: 2026-11-27 02:10 UTC\nRun on: ctl7, in /srv/shop\nRetry: -i /srv/shop/hosts.ini\n"
    )
