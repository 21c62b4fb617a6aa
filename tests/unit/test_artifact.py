# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of the artifact: it is what the tests use, and it is complete.

Must not look into the source tree, which pytest collected these lines from.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def artifact(collections_path: Path) -> Path:
    return collections_path / "ansible_collections" / "callgoose" / "sqibs"


def test_the_collection_under_test_is_the_installed_artifact_and_nothing_else(artifact: Path) -> None:
    package = importlib.import_module("ansible_collections.callgoose.sqibs.plugins.module_utils")
    assert [Path(path).resolve() for path in package.__path__] == [(artifact / "plugins" / "module_utils").resolve()]
    assert (artifact / "MANIFEST.json").exists(), "the collection under test is not an installed artifact"


@pytest.fixture
def files(artifact: Path) -> set[str]:
    """Every path in the artifact, from its FILES.json: the test run adds the tests to the directory afterwards."""
    listed = json.loads((artifact / "FILES.json").read_text(encoding="utf-8"))["files"]
    return {entry["name"] for entry in listed}


@pytest.mark.parametrize(
    "name",
    [
        "CHANGELOG.md",
        "LICENSES/GPL-3.0-or-later.txt",
        "README.md",
        "changelogs/changelog.yaml",
        "docs/docsite/extra-docs.yml",
        "docs/docsite/links.yml",
        "docs/docsite/rst/page_on_failure.rst",
        "extensions/eda/rulebooks/incidents.yml",
        "extensions/eda/rulebooks/remediate.yml",
        "meta/runtime.yml",
        "playbooks",
        "plugins",
        "roles",
        "tests/config.yml",
        "tests/sandbox",
    ],
)
def test_the_artifact_contains_what_users_need(files: set[str], name: str) -> None:
    assert name in files


def test_the_artifact_omits_what_only_tests_and_developers_need(files: set[str]) -> None:
    top = {name.split("/")[0] for name in files} - {"."}
    text = {"CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "COPYING", "LICENSES", "MAINTAINERS.md"}
    text |= {"README.md", "REUSE.toml", "SECURITY.md", "changelogs", "docs"}
    assert top - {"extensions"} == {*text, "meta", "playbooks", "plugins", "roles", "tests"}
    assert {name for name in files if name.startswith("changelogs/")} == {"changelogs/changelog.yaml"}
    assert {name.split("/")[1] for name in files if name.startswith("tests/")} == {"config.yml", "sandbox"}
    assert not [name for name in files if name.startswith("extensions/molecule")]
    assert not [name for name in files if "__pycache__" in name]


def test_no_finding_of_ansible_test_is_ignored(files: set[str]) -> None:
    assert not [name for name in files if name.startswith("tests/sanity")]


def test_each_module_is_in_the_action_group_that_module_defaults_name(artifact: Path) -> None:
    runtime = yaml.safe_load((artifact / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    modules = sorted(path.stem for path in (artifact / "plugins" / "modules").glob("[!_]*.py"))
    assert sorted(runtime["action_groups"]["callgoose"]) == modules


def test_an_execution_environment_installs_what_the_collection_imports(artifact: Path) -> None:
    environment = yaml.safe_load((artifact / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    lines = (artifact / environment["dependencies"]["python"]).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["requests>=2.31.0"]


def test_each_link_of_the_readme_works_on_galaxy_too(artifact: Path) -> None:
    links = re.findall(r"\]\(([^)]*)\)", (artifact / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
