# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes wrong with the store, and whenever a run is killed: no page is lost, each incident ends as it should.

Must not test a store by itself: its unit tests do. The table is in faults/store_table.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.columns import COLUMNS, Seen
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.store_table import (
    KILLS,
    PASSWORD,
    STORE_FAULTS,
    Kill,
    StoreFault,
)
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.table import Fault, answers
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import Api, World, served

pytestmark = pytest.mark.matrix

# The row of runs that have no fault on their way to the API.
PLAIN = Fault("plain", answers("hang"), "")


def matrix(rows: tuple, *core: str) -> list:
    """Return rows for pytest. One ansible-core is enough for all but those with these names."""
    return [pytest.param(row, id=row.name, marks=[] if row.name in core else [pytest.mark.any_core]) for row in rows]


def run(column: str, world: World, api: Api, bad: bool, env: dict[str, str]) -> Seen:
    return COLUMNS[column].run(world, [(PLAIN, api)], bad, env)[PLAIN.name]


def text(seen: Seen) -> str:
    return " ".join(f"{seen.call.stdout} {seen.call.stderr}".split())


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("fault", matrix(STORE_FAULTS, "disk full", "read-only once it succeeds", "corrupt while open"))
def test_a_fault_of_the_store_loses_no_page_and_leaves_no_incident_open(
    tmp_path: Path, request: pytest.FixtureRequest, column, fault: StoreFault
) -> None:
    world = World(tmp_path / "world")
    if fault.shared:
        server = request.getfixturevalue("postgresql")
        world.env["CALLGOOSE_STATE_URL"] = server.url(options=f"-csearch_path={server.new_schema()}")
    store = world.folder / "home" / ".ansible" / "callgoose" / "state.sqlite3"
    with served("mapped") as api:
        for place, (bad, faulty) in enumerate(fault.runs):
            if faulty and store.exists():
                fault.spoil(store)
            seen = run(column, world, api, bad, dict(fault.env) if faulty else {})
            assert seen.call.rc == (COLUMNS[column].failing_rc if bad else 0), text(seen)
            assert "Traceback" not in text(seen)
            assert world.secrets_in(seen.call) == []
            assert PASSWORD not in text(seen)
            if column == "task":
                assert seen.details["outcome"] != "failed"
                assert not store.exists(), "a task has no store"
            else:
                assert api.incidents == fault.incidents[place], f"run {place + 1}: {text(seen)}"
                assert (fault.says in text(seen)) == faulty, f"run {place + 1}: {text(seen)}"
                assert seen.details["count"] <= 1, seen.says
        assert api.incidents == ["resolved"]


def parents() -> dict[int, int]:
    """Return the parent of each process. A small container has no ps, and only Linux has /proc."""
    if Path("/proc/self/stat").exists():
        # the name in parentheses may contain anything
        stats = [read(path) for path in Path("/proc").glob("[0-9]*/stat")]
        pairs = [(stat.split(" ", 1)[0], stat.rpartition(")")[2].split()[1]) for stat in stats if stat]
    else:
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        pairs = [(line.split()[0], line.split()[1]) for line in listed.splitlines()]
    return {int(child): int(parent) for child, parent in pairs}


def read(path: Path) -> str:
    """Return what a file contains; nothing if its process has ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def descendants(pid: int) -> list[int]:
    """Return the processes below this one. Workers lead sessions of their own since ansible-core 2.19."""
    parent_of = parents()
    found, waiting = [], [pid]
    while waiting:
        below = [child for child, parent in parent_of.items() if parent in waiting]
        found, waiting = found + below, below
    return found


def kill_while_it_sends(column: str, world: World, api: Api, kill: Kill) -> None:
    """Start a run and kill it, with all of its processes, once the API has its request."""
    asked = len(api.sandbox.requests)
    api.sandbox.queue_fault("hang", processed=kill.processed)
    env = {"CALLGOOSE_TIMEOUT": "60", "CALLGOOSE_MAX_DELAY": "60"}
    process = COLUMNS[column].call(world, [(PLAIN, api)], kill.bad, env).start()
    deadline = time.monotonic() + 60
    while len(api.sandbox.requests) == asked and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in [process.pid, *descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert len(api.sandbox.requests) == asked + 1
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("reading", ["body", "mapped"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("kill", matrix(KILLS, KILLS[1].name))
def test_a_run_that_is_killed_while_it_sends_loses_no_page_and_pages_nobody_twice(
    tmp_path: Path, column, kill: Kill, reading
) -> None:
    world = World(tmp_path / "world")
    with served(reading) as api:
        if not kill.bad:
            run(column, world, api, True, {})
        kill_while_it_sends(column, world, api, kill)
        assert api.incidents == kill.incidents[0]
        seen = run(column, world, api, kill.bad, {})
        assert api.incidents == kill.incidents[1], text(seen)
        run(column, world, api, False, {})
        assert api.incidents == ["resolved"]
        assert world.secrets_in(seen.call) == []
