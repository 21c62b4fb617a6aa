# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what a page says about how a run was started, above all that it says no value of an extra var."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.invocation import compare_url, read_invocation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Invocation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    IN_PROJECT,
    INLINE,
    TEMPORARY,
    IdentityFacts,
    Source,
)

SHELL = Origin(user="bob")
FACTS = IdentityFacts(
    "site.yml",
    remote="git@github.com:acme/infra.git",
    sources=(Source(IN_PROJECT, "inventories/production/hosts.ini"),),
    host_name="ctl7",
)
ARGUMENTS: dict[str, Any] = {
    "args": ("site.yml",),
    "inventory": ("inventories/production/hosts.ini",),
    "subset": "web*",
    "tags": ("all",),
    "skip_tags": ("slow", "db"),
    "become": True,
    "become_method": "sudo",
    "connection": "ssh",
    "extra_vars": ("password=hunter2", "@secrets.yml"),
    "vault_password_files": ("~/.vault",),
    "verbosity": 2,
}


def read(origin: Origin = SHELL, facts: IdentityFacts = FACTS, **extra_vars: Any) -> Invocation:
    return read_invocation(ARGUMENTS, extra_vars, facts, origin, "/srv/infra")


def test_a_call_from_a_shell_can_be_repeated_from_its_page() -> None:
    assert read() == Invocation(
        environment="production",
        inventory="inventories/production/hosts.ini",
        limit="web*",
        controller="ctl7",
        directory="/srv/infra",
        command=(
            *("ansible-playbook", "-i", "inventories/production/hosts.ini", "site.yml"),
            *("--skip-tags", "slow", "--skip-tags", "db", "--vault-password-file", "~/.vault"),
            *("--become", "-e", "..."),
        ),
        compare_url="https://github.com/acme/infra/compare/{good}...{failed}",
    )


def test_no_value_of_an_extra_var_is_read() -> None:
    assert "hunter2" not in repr(read()) and "secrets.yml" not in repr(read())


def test_a_job_of_awx_has_the_name_of_its_inventory_and_no_command() -> None:
    job = read(Origin("AWX", "https://awx.example.com/#/jobs/playbook/42"), awx_inventory_name="Production EU")
    assert (job.environment, job.inventory) == ("Production EU", "Production EU")
    assert (job.controller, job.directory, job.command) == ("", "", ())


def test_the_name_of_an_inventory_beats_its_path() -> None:
    named = read(facts=IdentityFacts("site.yml", inventory_name="blue", sources=FACTS.sources))
    assert (named.environment, named.inventory) == ("blue", "blue")


def test_a_temporary_inventory_is_neither_named_nor_in_a_command_to_repeat() -> None:
    run = read(facts=IdentityFacts("site.yml", sources=(*FACTS.sources, Source(TEMPORARY, "/tmp/tmp.x7/hosts.ini"))))
    assert (run.inventory, run.command) == ("inventories/production/hosts.ini, (temporary)", ())


def test_a_long_list_of_hosts_is_cut() -> None:
    hosts = ",".join(f"web{n}" for n in range(100))
    inventory = read(facts=IdentityFacts("site.yml", sources=(Source(INLINE, hosts),))).inventory
    assert len(inventory) == 60 and inventory.startswith("web0,web1,")


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://user:pw@github.com/acme/infra.git", "https://github.com/acme/infra/compare/{good}...{failed}"),
        ("ssh://git@gitlab.example.com:2222/a/b/c", "https://gitlab.example.com/a/b/c/-/compare/{good}...{failed}"),
        ("git@bitbucket.org:acme/infra", ""),
        ("/srv/git/infra.git", ""),
        ("https://github.com/", ""),
        ("https://github.com/{x}/y", ""),
        ("", ""),
    ],
)
def test_only_hosts_whose_links_are_known_have_a_link_that_compares(remote: str, url: str) -> None:
    assert compare_url(remote) == url
