# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execution environments: the real ansible-builder finds what the collection needs, and accepts the guide's file.

Must not build an image, which needs podman and a registry.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guide import blocks, file_of

pytestmark = pytest.mark.any_core
GUIDE = "execution_environments"


def builder(cwd: Path, *words: str) -> str:
    """Run ansible-builder and return what it printed."""
    command = [str(Path(sys.executable).with_name("ansible-builder")), *words]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_introspect_finds_the_requirements_of_the_installed_artifact(tmp_path: Path, collections_path: Path) -> None:
    texts = [one.text for one in blocks(collections_path, GUIDE)]
    (command,) = [text for text in texts if text.startswith("ansible-builder introspect")]
    place = Path(command.split()[-1].replace("~", str(tmp_path)))
    place.mkdir(parents=True)
    (place / "ansible_collections").symlink_to(collections_path / "ansible_collections")
    found = yaml.safe_load(builder(tmp_path, "introspect", str(place)))
    assert found == {"python": ["requests>=2.31.0  # from collection callgoose.sqibs"], "system": []}


def test_ansible_builder_makes_a_build_from_the_guides_file(tmp_path: Path, collections_path: Path) -> None:
    definition = file_of(collections_path, GUIDE, "execution-environment.yml")
    tmp_path.joinpath("execution-environment.yml").write_text(definition, encoding="utf-8")
    builder(tmp_path, "create")
    build = tmp_path / "context" / "_build"
    assert build.joinpath("requirements.txt").read_text(encoding="utf-8").split() == ["psycopg[binary]>=3.1"]
    collections = yaml.safe_load(build.joinpath("requirements.yml").read_text(encoding="utf-8"))
    assert collections == {"collections": ["callgoose.sqibs"]}
