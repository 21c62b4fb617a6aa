# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One incident for each group of hosts: `group_by` with a host variable.

Must not test the rules of one incident again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import ENABLED, Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

HOSTS = ("web1 owner=shop", "web2 owner=shop", "db1 owner='{{ team }}' team=data", "lost")


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox) -> Site:
    return Site(tmp_path, sandbox, hosts=HOSTS, cfg=f"{ENABLED}group_by = owner\n")


def test_each_group_has_an_incident_that_resolves_by_itself(site: Site) -> None:
    site.run(bad="web1 web2 db1 lost")
    groups = {page.get("group", ""): page for page in site.sent}
    assert set(groups) == {"shop", "data", ""}
    assert groups["shop"]["details"]["hosts"] == ["web1", "web2"]
    assert "group shop" in groups["shop"]["content"]
    assert len({page["incident_key"] for page in site.sent}) == 3
    site.run(bad="db1")
    resolved = sorted((page["state"], page.get("group", "")) for page in site.sent)
    assert resolved == [("resolved", ""), ("resolved", "shop")]
    site.run()
    assert [(page["state"], page.get("group")) for page in site.sent] == [("resolved", "data")]
    assert site.incidents == ["resolved"] * 3


def test_what_no_later_run_can_resolve_is_said_with_its_key(site: Site) -> None:
    nowhere = {"CALLGOOSE_STATE_URL": "sqlite:////proc/nowhere/state.db"}
    result = site.run(bad="web1", env=nowhere)
    (page,) = site.sent
    assert f"callgoose_incident_key={page['incident_key']}" in "".join(result.stderr.split())


def test_each_host_can_be_a_group(site: Site) -> None:
    site.run(bad="web1 web2", env={"CALLGOOSE_GROUP_BY": "inventory_hostname"})
    assert sorted(page["group"] for page in site.sent) == ["web1", "web2"]
    assert all(page["incident_key"].rpartition("-")[0].endswith(page["group"]) for page in site.sent)


def test_a_variable_that_no_host_has_warns_and_loses_no_page(site: Site) -> None:
    result = site.run(bad="web1 db1", env={"CALLGOOSE_GROUP_BY": "ownr"})
    assert "group_by: no failed host has the variable ownr" in " ".join(result.stderr.split())
    (page,) = site.sent
    assert page["details"]["hosts"] == ["db1", "web1"]
    assert result.rc == 2


def test_groups_for_which_there_was_no_time_are_sent_by_the_next_run(tmp_path: Path, sandbox: Sandbox) -> None:
    hosts = [f"web{number}" for number in range(20)]
    site = Site(tmp_path, sandbox, hosts=hosts, cfg=f"{ENABLED}group_by = inventory_hostname\nmax_delay = 1\n")
    sandbox.queue_fault("hang", count=None)
    site.run(bad=" ".join(hosts))
    assert len(site.sent) <= 8, "no request is sent after the time is up"
    sandbox.clear_faults()
    site.run(bad=" ".join(hosts), env={"CALLGOOSE_MAX_DELAY": "60"})
    assert site.incidents == ["open"] * 20
