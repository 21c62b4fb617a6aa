# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers that share their incidents in a PostgreSQL database.

Must not test the store itself: each run has a home directory of its own, so that only the database connects them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox


@pytest.fixture
def database(postgresql: Any) -> str:
    return postgresql.url(options=f"-csearch_path={postgresql.new_schema()}")


@pytest.fixture
def controllers(tmp_path: Path, sandbox: Sandbox, database: str) -> tuple[Site, Site]:
    """Two machines with the same project, as two checkouts of it."""
    sites = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        # named, because a local inventory outside a checkout belongs to its machine
        env = {"CALLGOOSE_STATE_URL": database, "CALLGOOSE_INVENTORY_NAME": "shared"}
        sites.append(Site(folder, sandbox, env=env))
    return sites[0], sites[1]


def test_a_failure_seen_by_one_is_resolved_by_a_run_on_the_other(controllers: tuple[Site, Site]) -> None:
    one, two = controllers
    assert one.run(bad="web1 web2").rc == 2
    assert one.states == ["triggered"]
    assert two.run(bad="web2").rc == 2
    assert two.states == [], "it is open already"
    assert two.run().rc == 0
    assert two.states == ["resolved"]
    assert one.incidents == ["resolved"]
    one.run(bad="web1")
    assert [page["details"]["episode"] for page in one.sent] == [2]


def test_what_one_could_not_send_the_other_delivers(controllers: tuple[Site, Site]) -> None:
    one, two = controllers
    one.sandbox.queue_fault("status", status=503)
    one.run(bad="web1", env={"CALLGOOSE_RETRIES": "0"})
    assert one.incidents == []
    assert two.own("watch").rc == 0
    assert two.states == ["triggered"]
    status = two.own("status").stdout
    assert "open, confirmed" in status and "web1" in status


def test_a_database_that_is_gone_loses_no_page_and_shows_no_password(controllers: tuple[Site, Site]) -> None:
    one, _two = controllers
    gone = {"CALLGOOSE_STATE_URL": "postgresql://me:hunter2pw@127.0.0.1:1/incidents"}
    result = one.run("-vvv", bad="web1", env=gone)
    assert result.rc == 2
    assert one.states == ["triggered"]
    assert "hunter2pw" not in result.stdout + result.stderr
    assert "127.0.0.1" in result.stdout + result.stderr
    good = one.run("-vvv", env=gone)
    assert (good.rc, one.states) == (0, []), "nobody can tell what is open"
    status = one.own("status", "-vvv", env=gone)
    assert status.rc == 2
    assert "hunter2pw" not in status.stdout + status.stderr
