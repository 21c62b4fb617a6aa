# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests which runs share a key and which do not, from facts alone.

Must not touch files: _context/test_project.py tests how the facts are read.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    IN_PROJECT,
    INLINE,
    ON_MACHINE,
    TEMPORARY,
    IdentityFacts,
    JobTemplate,
    Scope,
    Source,
    identify,
    key_var_values,
    readable_key,
    remote_path,
    scope_of,
)

SITE = IdentityFacts(
    playbook="playbooks/site.yml",
    remote="https://git.example.com/org/infra.git",
    folder="infra",
    sources=(Source(IN_PROJECT, "inventories/prod"),),
    host_name="runner-1",
)
IN_AWX = replace(SITE, job_template=JobTemplate("https://awx.example.com", "7", "3"))
WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters=",\0"), max_size=8), max_size=5)
SOURCES = st.lists(
    st.builds(Source, st.sampled_from([IN_PROJECT, ON_MACHINE, INLINE]), st.text(max_size=8)), max_size=3
)


def key(facts: IdentityFacts) -> str:
    return identify(facts).key


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/org/infra.git",
        "https://git.example.com/org/infra",
        "https://git.example.com/org/infra/",
        "https://GIT.Example.com:8443/org/infra.git/",
        "https://user:pw@git.example.com/org/infra.git",
        "https://user:p@ss@git.example.com/org/infra.git",
        "https://git.example.com//org/infra.git?ref=main#top",
        "ssh://git@git.example.com:2222/org/infra.git",
        "ssh://git@git.example.com/~/org/infra.git",
        "git@git.example.com:org/infra.git",
        "git@git.example.com:/org/infra.git",
        "git@git.example.com:~/org/infra.git",
        "git.example.com:org/infra",
        "git@[2001:db8::1]:org/infra.git",
        "git://git.example.com/org/infra.git",
        "git+ssh://git@git.example.com/org/infra.git",
        "/org/infra.git",
        "/org/infra/.git",
        "file:///org/infra.git",
        " git@git.example.com:org/infra.git\n",
    ],
)
def test_every_form_of_a_remote_gives_the_same_path(url: str) -> None:
    assert remote_path(url) == "org/infra"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://host/a/b/c/infra.git", "a/b/c/infra"),
        ("https://host/Org/Infra.git", "Org/Infra"),
        ("https://host/my%20team/infra", "my team/infra"),
        ("https://host/org/git.github", "org/git.github"),
        ("codecommit::eu-west-1://profile@infra", "infra"),
        ("codecommit://profile@infra", "infra"),
        ("../infra.git", "../infra"),
        ("", ""),
    ],
)
def test_a_remote_in_an_unusual_form_still_names_the_project(url: str, path: str) -> None:
    assert remote_path(url) == path


@given(st.text())
def test_any_remote_can_be_read(url: str) -> None:
    path = remote_path(url)
    assert path == path.strip("/")
    assert "//" not in path


@given(user=st.from_regex(r"[a-z0-9%:._~-]{1,20}", fullmatch=True))
def test_credentials_never_reach_the_identity(user: str) -> None:
    told = replace(SITE, remote=f"https://{user}@git.example.com/org/infra.git")
    assert identify(told) == identify(SITE)


def test_the_project_option_overrides_the_remote_and_the_remote_the_directory() -> None:
    named = identify(replace(SITE, project="platform"))
    assert named.name == "platform playbooks/site.yml"
    assert named == identify(replace(SITE, project=" platform ", remote="", folder="elsewhere"))
    assert identify(SITE).name == "org/infra playbooks/site.yml"
    assert identify(SITE) == identify(replace(SITE, folder="infra-2"))
    assert identify(replace(SITE, remote="")).name == "infra playbooks/site.yml"


def test_the_key_is_readable_and_fits() -> None:
    assert re.fullmatch(r"org-infra-playbooks-site\.yml-[0-9a-f]{16}", key(SITE))


def test_this_version_gives_the_same_keys_as_earlier_ones() -> None:
    # A change here orphans every open incident: its resolve would carry another key.
    assert key(replace(SITE, limit=("web1",))) == "org-infra-playbooks-site.yml-f34986ecefacff70"
    assert key(IN_AWX) == "awx.example.com-template-7-inventory-3-a752164c4eb594f8"


@given(
    facts=st.builds(
        IdentityFacts,
        playbook=st.text(max_size=80),
        project=st.text(max_size=80),
        remote=st.text(max_size=80),
        folder=st.text(max_size=20),
        sources=SOURCES.map(tuple),
        host_name=st.text(max_size=20),
        limit=WORDS.map(tuple),
        tags=WORDS.map(tuple),
        skip_tags=WORDS.map(tuple),
    )
)
def test_a_key_is_always_safe_and_at_most_64_characters(facts: IdentityFacts) -> None:
    assert re.fullmatch(r"[a-z0-9.-]{16,64}", key(facts))
    assert key(facts)[0] not in "-."


def test_a_long_name_keeps_its_end_and_starts_with_a_whole_word() -> None:
    deep = replace(SITE, remote="https://host/a-very-long-organisation-name/subgroup/another-subgroup/infra")
    assert key(deep).startswith("another-subgroup-infra-playbooks-site.yml-")
    assert readable_key("x" * 100, "a") == readable_key("x" * 47, "a")


def test_a_name_without_latin_letters_leaves_only_the_hash() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", readable_key("плейбук", "a"))


@pytest.mark.parametrize(
    "change",
    [
        {"playbook": "playbooks/db.yml"},
        {"playbook": "callgoose.sqibs.trigger"},
        {"remote": "git@git.example.com:other/infra.git"},
        {"project": "platform"},
        {"sources": (Source(IN_PROJECT, "inventories/staging"),)},
        {"sources": (Source(IN_PROJECT, "inventories/prod"), Source(IN_PROJECT, "inventories/staging"))},
        {"sources": (Source(ON_MACHINE, "inventories/prod"),)},
        {"sources": (Source(INLINE, "web1,web2,"),)},
        {"sources": ()},
        {"key_vars": (("env", "prod"),)},
        {"job_template": JobTemplate("https://awx.example.com", "7", "3")},
    ],
)
def test_another_playbook_project_inventory_or_key_variable_gives_another_base(change: dict) -> None:
    other = replace(SITE, **change)
    assert identify(other).base != identify(SITE).base
    assert key(other) != key(SITE)


@given(st.lists(SOURCES.map(tuple), min_size=2, max_size=2, unique=True), st.text(max_size=5))
def test_different_inventories_never_share_a_key(pair: list[tuple[Source, ...]], host: str) -> None:
    one, other = (key(replace(SITE, sources=sources, host_name=host)) for sources in pair)
    assert one != other


@given(st.text(), st.text())
def test_the_host_name_does_not_matter_if_the_inventory_is_in_the_project_or_inline(one: str, other: str) -> None:
    for sources in ((), (Source(IN_PROJECT, "hosts"),), (Source(INLINE, "web1,web2,"),)):
        here = replace(SITE, sources=sources)
        assert key(replace(here, host_name=one)) == key(replace(here, host_name=other))


def test_the_host_name_matters_if_one_source_is_on_the_machine() -> None:
    mixed = replace(SITE, sources=(Source(IN_PROJECT, "hosts"), Source(ON_MACHINE, "/etc/ansible/hosts")))
    assert key(mixed) != key(replace(mixed, host_name="runner-2"))
    assert key(mixed) == key(replace(mixed, host_name="Runner-1"))


def test_in_awx_the_template_and_inventory_replace_project_playbook_and_sources() -> None:
    moved = replace(
        IN_AWX,
        playbook="renamed.yml",
        project="option",
        remote="",
        folder="project",
        sources=(Source(ON_MACHINE, "/runner/inventory"),),
        host_name="automation-job-42-x7z",
    )
    assert identify(moved) == identify(IN_AWX)
    assert identify(IN_AWX).name == "awx.example.com template 7 inventory 3"


@pytest.mark.parametrize(
    "template",
    [
        JobTemplate("https://awx.example.org", "7", "3"),
        JobTemplate("https://awx.example.com", "8", "3"),
        JobTemplate("https://awx.example.com", "7", "4"),
        JobTemplate("https://awx.example.com", "73", ""),
        JobTemplate("", "7", "3"),
    ],
)
def test_another_awx_template_or_awx_inventory_gives_another_base(template: JobTemplate) -> None:
    assert identify(replace(IN_AWX, job_template=template)).base != identify(IN_AWX).base


@pytest.mark.parametrize("facts", [SITE, IN_AWX], ids=["shell", "awx"])
def test_key_variables_always_matter_and_their_order_does_not(facts: IdentityFacts) -> None:
    both = replace(facts, key_vars=(("env", "prod"), ("zone", "a")))
    assert identify(both).base == identify(replace(facts, key_vars=(("zone", "a"), ("env", "prod")))).base
    bases = {
        identify(replace(facts, key_vars=key_vars)).base
        for key_vars in (
            (),
            (("env", "prod"),),
            (("env", "test"),),
            (("envprod", ""),),
            (("env", "prod"), ("zone", "a")),
        )
    }
    assert len(bases) == 5


def test_key_variables_are_the_named_extra_vars_that_were_given() -> None:
    extra_vars = {"env": "prod", "n": 1, "on": True, "zones": ["a", {"z": 1, "b": 2}], "secret": "s3cret"}
    assert key_var_values(["zones", "n", "env", "on", "env", "absent"], extra_vars) == (
        ("env", "prod"),
        ("n", "1"),
        ("on", "true"),
        ("zones", '["a",{"b":2,"z":1}]'),
    )


def test_a_key_variable_means_the_same_as_a_string_and_as_a_number() -> None:
    assert key_var_values(["n"], {"n": 1}) == key_var_values(["n"], {"n": "1"})


def test_a_key_variable_that_refers_to_itself_does_not_fail() -> None:
    loop: list = []
    loop.append(loop)
    assert key_var_values(["loop"], {"loop": loop}) == (("loop", ""),)


def test_the_scope_is_not_part_of_the_base() -> None:
    part = identify(replace(SITE, limit=("web1",), tags=("db",), skip_tags=("slow",)))
    assert part.base == identify(SITE).base
    assert part.scope == Scope(("web1",), ("db",), ("slow",))


def test_each_part_of_the_scope_changes_the_key() -> None:
    scopes = [
        {},
        {"limit": ("a",)},
        {"tags": ("a",)},
        {"skip_tags": ("a",)},
        {"limit": ("a", "b")},
        {"limit": ("a,b",)},
    ]
    assert len({key(replace(SITE, **scope)) for scope in scopes}) == len(scopes)


@given(limit=WORDS, tags=WORDS, skip_tags=WORDS, data=st.data())
def test_neither_order_nor_repetition_of_limits_and_tags_matters(limit, tags, skip_tags, data) -> None:
    def shuffled(words: list[str]) -> tuple[str, ...]:
        again = data.draw(st.lists(st.sampled_from(words))) if words else []
        return tuple(data.draw(st.permutations(words + again)))

    given_once = replace(SITE, limit=tuple(limit), tags=tuple(tags), skip_tags=tuple(skip_tags))
    given_again = replace(SITE, limit=shuffled(limit), tags=shuffled(tags), skip_tags=shuffled(skip_tags))
    assert identify(given_once) == identify(given_again)


@given(limit=WORDS, tags=WORDS, skip_tags=WORDS)
def test_a_scope_is_sorted_and_stays_the_same_if_parsed_again(limit, tags, skip_tags) -> None:
    scope = scope_of(limit, tags, skip_tags)
    for part in (scope.limit, scope.tags, scope.skip_tags):
        assert list(part) == sorted(set(part))
        assert "" not in part
    assert scope_of(scope.limit, scope.tags, scope.skip_tags) == scope


@pytest.mark.parametrize(
    ("tags", "scope"),
    [
        ((), ()),
        (("all",), ()),
        (("all", "debug"), ("all", "debug")),
        (("web,db", " app "), ("app", "db", "web")),
        (("web,,",), ("web",)),
    ],
)
def test_tags_are_split_and_the_tag_all_alone_means_no_tags(tags: tuple[str, ...], scope: tuple[str, ...]) -> None:
    assert scope_of(tags=tags) == Scope(tags=scope)


def test_skipped_tags_are_split() -> None:
    assert scope_of(skip_tags=("web,db", "app")) == Scope(skip_tags=("app", "db", "web"))
    assert scope_of(skip_tags=("all",)) == Scope(skip_tags=("all",))


@pytest.mark.parametrize(
    ("limit", "scope"),
    [
        (("all",), ()),
        (("*", "web1"), ()),
        (("all", "!web1"), ("!web1", "all")),
        (("all", "&web"), ("&web", "all")),
        (("!web1",), ("!web1",)),
        (("web1", " ", "web1 "), ("web1",)),
    ],
)
def test_a_limit_that_excludes_nothing_counts_as_no_limit(limit: tuple[str, ...], scope: tuple[str, ...]) -> None:
    assert scope_of(limit) == Scope(scope)


def test_an_unlimited_identity_keeps_its_tags() -> None:
    limited = identify(replace(IN_AWX, limit=("web1",), tags=("db",)))
    assert limited.scope == Scope(("web1",), ("db",))
    assert limited.unlimited == identify(replace(IN_AWX, tags=("db",)))


def test_the_option_names_the_inventory_in_place_of_path_machine_and_content() -> None:
    named = replace(SITE, inventory_name="production")
    elsewhere = replace(named, sources=(Source(ON_MACHINE, "/etc/x"),), host_name="other", is_local=True)
    assert key(named) == key(elsewhere) != key(SITE)
    assert key(named) != key(replace(named, inventory_name="staging"))


def test_a_temporary_inventory_is_identified_by_its_content() -> None:
    one = replace(SITE, sources=(Source(TEMPORARY, "/tmp/a/hosts"),), inventory_content=("web1", "db1", "all"))
    again = replace(one, sources=(Source(TEMPORARY, "/tmp/b/hosts"),), inventory_content=("all", "db1", "web1"))
    assert key(one) == key(replace(again, host_name="runner-2"))
    assert key(one) != key(replace(again, inventory_content=("all", "db1", "web2")))


def test_an_inventory_of_local_names_alone_belongs_to_its_machine() -> None:
    cron = replace(SITE, sources=(Source(INLINE, "localhost,"),), is_local=True)
    assert key(cron) == key(replace(cron, host_name="RUNNER-1"))
    assert key(cron) != key(replace(cron, host_name="runner-2"))
    assert key(replace(cron, is_local=False)) == key(replace(cron, is_local=False, host_name="runner-2"))


def test_names_that_are_not_valid_utf_8_can_still_be_sent() -> None:
    odd = identify(replace(SITE, playbook="site-\udce4.yml", limit=("web\udce4",), tags=("\udce4",)))
    assert odd.name.encode("utf-8") == b"org/infra site-?.yml"
    assert odd.scope == Scope(("web?",), ("?",))
    assert odd.base != identify(replace(SITE, playbook="site-?.yml")).base
