# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A git checkout and its remote are found from git's files, in every layout that git creates.

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


def make_git_directory(directory: Path, config: str = CONFIG) -> Path:
    directory.mkdir(parents=True)
    (directory / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (directory / "config").write_text(config, encoding="utf-8")
    return directory


def test_a_checkout_is_found_from_its_root_and_from_any_depth(tmp_path: Path) -> None:
    make_git_directory(tmp_path / "infra/.git")
    (tmp_path / "infra/playbooks/web").mkdir(parents=True)
    found = Checkout(tmp_path / "infra", "infra", URL)
    assert find_checkout(tmp_path / "infra") == found
    assert find_checkout(tmp_path / "infra/playbooks/web") == found
    assert find_checkout(tmp_path / "infra/not/there") == found


def test_a_checkout_found_through_a_link_has_its_real_name(tmp_path: Path) -> None:
    make_git_directory(tmp_path / "infra/.git")
    (tmp_path / "current").symlink_to("infra")
    assert find_checkout(tmp_path / "current") == Checkout(tmp_path / "infra", "infra", URL)


COMMIT = "4f2b9c1e0d7a6b5c3f8e9d2a1b0c4e7f6a5d3b2c"


def test_the_commit_that_is_checked_out_is_read_from_a_loose_or_packed_reference(tmp_path: Path) -> None:
    git = make_git_directory(tmp_path / "infra/.git")
    packed = f"# pack-refs with: peeled\n{'1' * 40} refs/heads/mainline\n{COMMIT} refs/heads/main\n^{'2' * 40}\n"
    (git / "packed-refs").write_text(packed, encoding="utf-8")
    assert find_checkout(tmp_path / "infra").revision == COMMIT
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/main").write_text(f"{'3' * 40}\n", encoding="utf-8")
    assert find_checkout(tmp_path / "infra").revision == "3" * 40


@pytest.mark.parametrize(("head", "revision"), [(COMMIT, COMMIT), ("ref: refs/heads/new", ""), ("garbage", "")])
def test_the_commit_of_a_detached_or_unborn_head(tmp_path: Path, head: str, revision: str) -> None:
    git = make_git_directory(tmp_path / "infra/.git")
    (git / "HEAD").write_text(f"{head}\n", encoding="utf-8")
    assert find_checkout(tmp_path / "infra").revision == revision


def test_outside_a_checkout_none_is_found(tmp_path: Path) -> None:
    (tmp_path / "plain/.git").mkdir(parents=True)
    assert find_checkout(tmp_path / "plain") is None


def test_a_submodule_is_a_separate_project(tmp_path: Path) -> None:
    make_git_directory(tmp_path / "infra/.git")
    make_git_directory(tmp_path / "infra/.git/modules/lib", CONFIG.replace("infra.git", "lib.git"))
    (tmp_path / "infra/lib").mkdir()
    (tmp_path / "infra/lib/.git").write_text("gitdir: ../.git/modules/lib\n", encoding="utf-8")
    found = find_checkout(tmp_path / "infra/lib")
    assert found == Checkout(tmp_path / "infra/lib", "lib", "git@git.example.com:org/lib.git")


@pytest.mark.parametrize("remote", [URL, ""])
def test_a_linked_worktree_is_the_same_project_as_the_main_worktree(tmp_path: Path, remote: str) -> None:
    make_git_directory(tmp_path / "infra/.git", CONFIG if remote else "")
    linked = tmp_path / "infra/.git/worktrees/fix"
    linked.mkdir(parents=True)
    (linked / "HEAD").write_text("ref: refs/heads/fix\n", encoding="utf-8")
    (linked / "commondir").write_text("../..\n", encoding="utf-8")
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix/.git").write_text(f"gitdir: {linked}\n", encoding="utf-8")
    assert find_checkout(tmp_path / "fix") == Checkout(tmp_path / "fix", "infra", remote)


def test_a_worktree_mounted_without_the_main_one_is_still_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix/.git").write_text("gitdir: /not/there/infra/.git/worktrees/fix\n", encoding="utf-8")
    assert find_checkout(tmp_path / "fix") == Checkout(tmp_path / "fix", "fix", "")


@pytest.mark.parametrize("kind", ["absent", "directory", "pipe", "link to itself", "bytes"])
def test_without_a_readable_configuration_the_name_is_that_of_the_directory(tmp_path: Path, kind: str) -> None:
    config = make_git_directory(tmp_path / "infra/.git") / "config"
    config.unlink()
    if kind == "directory":
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
def test_any_string_can_be_read_as_configuration(config: str) -> None:
    assert remote_url(f'{config}\n\n[remote "origin"]\nurl = a\n') != ""
