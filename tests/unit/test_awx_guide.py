# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to AWX shows what awx_setup creates, and names all of its variables.

Must not run the playbook: the end-to-end tests do.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from ansible_collections.callgoose.sqibs.tests import awx_guide


@pytest.fixture
def collection(collections_path: Path, tmp_path: Path) -> Path:
    """A copy of what the guide is made of."""
    for name in (awx_guide.OBJECTS, awx_guide.GUIDE):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(collections_path / "ansible_collections" / "callgoose" / "sqibs" / name, tmp_path / name)
    return tmp_path


def guide(collection: Path) -> str:
    return (collection / awx_guide.GUIDE).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """Return the generated code blocks, without their indentation."""
    found = re.findall(
        r"^\.\. generated: \w+\n\n.. code-block:: \w+\n\n(.*?)\n\n\.\. end", text, re.DOTALL | re.MULTILINE
    )
    return [re.sub("^   ", "", block, flags=re.MULTILINE) for block in found]


def test_the_guide_shows_the_objects_as_they_are(collection: Path) -> None:
    assert awx_guide.generate(collection) == guide(collection), "run python tests/awx_guide.py"


def test_a_changed_object_changes_the_guide(collection: Path) -> None:
    path = collection / awx_guide.OBJECTS
    path.write_text(path.read_text("utf-8").replace("CALLGOOSE_SOURCE", "CALLGOOSE_SENDER"), encoding="utf-8")
    assert "CALLGOOSE_SENDER: '{{ source" in awx_guide.generate(collection)


def test_the_blocks_can_be_pasted(collection: Path) -> None:
    inputs, injectors, templates, success, error = blocks(guide(collection))
    assert yaml.safe_load(inputs)["fields"][0]["id"] == "api_token"
    assert yaml.safe_load(injectors)["env"]["CALLGOOSE_BASE_URL"] == "{{ base_url }}"
    assert [template["playbook"] for template in yaml.safe_load(templates)][-1] == "callgoose_watch.yml"
    assert '"resolved"' in success and "{{ key | tojson }}" in error


def test_the_guide_names_every_variable(collections_path: Path, collection: Path) -> None:
    variables = collections_path / "ansible_collections/callgoose/sqibs/playbooks/vars/awx_setup.yml"
    data = yaml.safe_load(variables.read_text(encoding="utf-8"))
    names = {*data["sqibs_takes"], *(f"callgoose_{name}" for name in data["sqibs_connection_options"])}
    assert names - set(re.findall(r"``(callgoose_\w+)``", guide(collection))) == set()
