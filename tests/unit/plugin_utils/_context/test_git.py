# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows that a git checkout and its remote are found from git's files in every layout that git makes.

Must not start git: the layouts are written as git writes them, so that the tests need none either.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.git import Checkout, find_checkout, remote_url

URL = "git@git.example.com:org/infra.git"
CONFIG = f"""[core]
\trepositoryformatversion = 0
\turl = not-a-remote
[remote "origin"]
\turl = {URL}
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
"""


def make_git_folder(folder: Path, config: str = CONFIG) -> Path:
    folder.mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (folder / "config").write_text(config, encoding="utf-8")
    return folder


def test_a_checkout_is_found_from_its_root_and_from_any_depth(tmp_path: Path) -> None:
    make_git_folder(tmp_path / "infra/.git")
    (tmp_path / "infra/playbooks/web").mkdir(parents=True)
    found = Checkout(tmp_path / "infra", "infra", URL)
    assert find_checkout(tmp_path / "infra") == found
    assert find_checkout(tmp_path / "infra/playbooks/web") == found
    assert find_checkout(tmp_path / "infra/not/there") == found


def test_a_checkout_is_found_through_a_link_and_named_as_it_is(tmp_path: Path) -> None:
    make_git_folder(tmp_path / "infra/.git")
    (tmp_path / "current").symlink_to("infra")
    assert find_checkout(tmp_path / "current") == Checkout(tmp_path / "infra", "infra", URL)


def test_there_is_no_checkout_outside_of_one(tmp_path: Path) -> None:
    (tmp_path / "plain/.git").mkdir(parents=True)
    assert find_checkout(tmp_path / "plain") is None


def test_a_submodule_is_a_project_of_its_own(tmp_path: Path) -> None:
    make_git_folder(tmp_path / "infra/.git")
    make_git_folder(tmp_path / "infra/.git/modules/lib", CONFIG.replace("infra.git", "lib.git"))
    (tmp_path / "infra/lib").mkdir()
    (tmp_path / "infra/lib/.git").write_text("gitdir: ../.git/modules/lib\n", encoding="utf-8")
    found = find_checkout(tmp_path / "infra/lib")
    assert found == Checkout(tmp_path / "infra/lib", "lib", "git@git.example.com:org/lib.git")


@pytest.mark.parametrize("remote", [URL, ""])
def test_a_linked_worktree_is_the_same_project_as_its_main_one(tmp_path: Path, remote: str) -> None:
    make_git_folder(tmp_path / "infra/.git", CONFIG if remote else "")
    linked = tmp_path / "infra/.git/worktrees/fix"
    linked.mkdir(parents=True)
    (linked / "HEAD").write_text("ref: refs/heads/fix\n", encoding="utf-8")
    (linked / "commondir").write_text("../..\n", encoding="utf-8")
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix/.git").write_text(f"gitdir: {linked}\n", encoding="utf-8")
    assert find_checkout(tmp_path / "fix") == Checkout(tmp_path / "fix", "infra", remote)


def test_a_worktree_mounted_without_its_main_one_is_still_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix/.git").write_text("gitdir: /not/there/infra/.git/worktrees/fix\n", encoding="utf-8")
    assert find_checkout(tmp_path / "fix") == Checkout(tmp_path / "fix", "fix", "")


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe", "link to itself", "bytes"])
def test_a_configuration_that_cannot_be_read_leaves_the_folders_name(tmp_path: Path, kind: str) -> None:
    config = make_git_folder(tmp_path / "infra/.git") / "config"
    config.unlink()
    if kind == "folder":
        config.mkdir()
    elif kind == "pipe":
        os.mkfifo(config)
    elif kind == "link to itself":
        config.symlink_to("config")
    elif kind == "bytes":
        config.write_bytes(b"\x00\xff[remote\xfe")
    assert find_checkout(tmp_path / "infra") == Checkout(tmp_path / "infra", "infra", "")


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (CONFIG, URL),
        ('[remote "fork"]\nurl = b\n[remote "origin"]\nurl = a\n', "a"),
        ('[remote "upstream"]\nurl = b\n[remote "backup"]\nurl = a\n', "a"),
        ('[remote "origin"]\nurl = a\nurl = b\n', "a"),
        ('[remote "origin"]\nurl =\nurl = b\n', "b"),
        ('[remote "origin"]\npushurl = b\nurl = a\n', "a"),
        ('[Remote "origin"]\nURL=a\n', "a"),
        ('[remote "Origin"]\nurl = b\n[remote "origin"]\nurl = a\n', "a"),
        ('[remote "origin"] url = a\n', "a"),
        ('[remote "origin"]\nurl = a # the main one\n', "a"),
        ('[remote "origin"]\nurl = "a#b;c" ; quoted\n', "a#b;c"),
        ('[remote "origin"]\nurl = "C:\\\\x"\\"y\n', 'C:\\x"y'),
        ('[remote "origin"]\nurl = https://host/\\\norg/repo\n', "https://host/org/repo"),
        ('[remote "or\\"igin"]\nurl = a\n', "a"),
        ('; [remote "origin"]\n#url = b\n', ""),
        ('[branch "origin"]\nurl = b\n', ""),
        ("[remote]\npushDefault = origin\n", ""),
        ("", ""),
    ],
)
def test_the_remote_is_read_as_git_reads_it(config: str, url: str) -> None:
    assert remote_url(config) == url


@given(st.text(alphabet=st.sampled_from('[]"\\=#; \n\taremoteurlgin'), max_size=200))
def test_no_configuration_is_too_odd_to_be_read(config: str) -> None:
    assert remote_url(f'{config}\n\n[remote "origin"]\nurl = a\n') != ""
