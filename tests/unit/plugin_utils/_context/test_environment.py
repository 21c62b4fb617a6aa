# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how a run's environment is read from the paths of its inventory."""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.environment import environment_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    IN_PROJECT,
    INLINE,
    ON_MACHINE,
    TEMPORARY,
    Source,
)


@pytest.mark.parametrize(
    ("place", "path", "environment"),
    [
        (IN_PROJECT, "inventories/production/hosts.ini", "production"),
        (IN_PROJECT, "inventories/production", "production"),
        (IN_PROJECT, "inventories/staging/web.yml", "staging"),
        (IN_PROJECT, "inventory/eu-west/prod.ini", "eu-west/prod"),
        (IN_PROJECT, "inventories/eu/production/hosts.ini", "eu/production"),
        (IN_PROJECT, "inventories/eu/staging/hosts.ini", "eu/staging"),
        (IN_PROJECT, "inventories/customer-a/prod/hosts", "customer-a/prod"),
        (IN_PROJECT, "infra/prod/eu-west-1/inventory.ini", "prod/eu-west-1"),
        (IN_PROJECT, "inventories/hosts-2.ini", ""),
        (IN_PROJECT, "environments/Prod/aws_ec2.yml", "Prod"),
        (IN_PROJECT, "hosts-staging.yml", "staging"),
        (IN_PROJECT, "production.ini", "production"),
        (IN_PROJECT, "prod/hosts", "prod"),
        (IN_PROJECT, "hosts", ""),
        (IN_PROJECT, "inventory.ini", ""),
        (IN_PROJECT, "inventories/aws_ec2.yml", ""),
        (ON_MACHINE, "/etc/ansible/hosts", ""),
        (ON_MACHINE, "/etc/ansible/inventories/qa/hosts", "qa"),
        (ON_MACHINE, "/home/joe/hosts", ""),
        (ON_MACHINE, "/srv/prod.yml", "prod"),
        (INLINE, "web1,web2", ""),
        (TEMPORARY, "/tmp/x/inventories/qa/hosts", ""),
    ],
)
def test_an_environment_is_what_distinguishes_the_path(place: str, path: str, environment: str) -> None:
    assert environment_of([Source(place, path)]) == environment


def test_several_sources_name_each_environment_once() -> None:
    paths = ("inventories/eu/hosts", "inventories/eu/more.yml", "inventories/us/hosts")
    assert environment_of([Source(IN_PROJECT, path) for path in paths]) == "eu, us"
