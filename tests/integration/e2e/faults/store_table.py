# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix goes on as a table: faults of the store, and the moments at which a run can be killed.

Must not run anything: the tests do. Each row stands for the task, the callback and the guard; the task has no store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Runs = tuple[tuple[bool, bool], ...]
# The runs of one project, in order: whether it fails, and whether the fault lasts.
AT_FIRST: Runs = ((True, True), (True, False), (False, False))
WHILE_OPEN: Runs = ((True, False), (True, True), (True, False), (False, False))
WHILE_RESOLVED: Runs = ((True, False), (False, True), (False, False))


def leave(_store: Path) -> None:
    """Leave the store's file as it is."""


def corrupt(store: Path) -> None:
    """Overwrite all but the head of the store's file."""
    data = store.read_bytes()
    store.write_bytes(data[:100] + b"\xff" * (len(data) - 100))


@dataclass(frozen=True)
class StoreFault:
    """One row.

    :ivar runs: the runs that show it.
    :ivar says: a regular expression for what a run with the fault prints.
    :ivar incidents: the states of the incidents at the API after each run.
    :ivar spoil: what happens to the store's file before a run with the fault.
    :ivar env: environment variables of a run with the fault.
    :ivar shared: the other runs have the store in a PostgreSQL database.
    """

    name: str
    runs: Runs
    says: str
    incidents: tuple[list[str], ...]
    spoil: Callable[[Path], None] = leave
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    shared: bool = False


FULL = {"FAULT_PRAGMA": "PRAGMA max_page_count = 1"}
READ_ONLY = {"FAULT_PRAGMA": "PRAGMA query_only = ON"}
PASSWORD = "hunter2pw"
GONE = {"CALLGOOSE_STATE_URL": f"postgresql://me:{PASSWORD}@127.0.0.1:1/incidents"}
OPEN, RESOLVED = ["open"], ["resolved"]

STORE_FAULTS = (
    StoreFault("disk full", AT_FIRST, "database or disk is full", (OPEN, OPEN, RESOLVED), env=FULL),
    StoreFault("read-only at first", AT_FIRST, "attempt to write a readonly", (OPEN, OPEN, RESOLVED), env=READ_ONLY),
    StoreFault(
        "read-only while open", WHILE_OPEN, "attempt to write a readonly", (OPEN, OPEN, OPEN, RESOLVED), env=READ_ONLY
    ),
    StoreFault(
        "read-only once it succeeds",
        WHILE_RESOLVED,
        "cannot be resolved until the store is writable again",
        (OPEN, OPEN, RESOLVED),
        env=READ_ONLY,
    ),
    StoreFault("corrupt while open", WHILE_OPEN, "is broken", (OPEN, OPEN, OPEN, RESOLVED), corrupt),
    StoreFault("corrupt once it succeeds", WHILE_RESOLVED, "is broken", (OPEN, RESOLVED, RESOLVED), corrupt),
    StoreFault("PostgreSQL gone at first", AT_FIRST, "127.0.0.1", (OPEN, OPEN, RESOLVED), env=GONE, shared=True),
    StoreFault(
        "PostgreSQL gone while open", WHILE_OPEN, "127.0.0.1", (OPEN, OPEN, OPEN, RESOLVED), env=GONE, shared=True
    ),
    StoreFault(
        "PostgreSQL gone once it succeeds", WHILE_RESOLVED, "127.0.0.1", (OPEN, OPEN, RESOLVED), env=GONE, shared=True
    ),
)


@dataclass(frozen=True)
class Kill:
    """One row: a run is killed while a request waits for its answer, which the API has processed or not."""

    name: str
    bad: bool
    processed: bool
    incidents: tuple[list[str], ...]


# After the killed run, and after the next one that ends as the killed one would have.
KILLS = (
    Kill("killed before the trigger is processed", True, False, ([], OPEN)),
    Kill("killed after the trigger is processed", True, True, (OPEN, OPEN)),
    Kill("killed before the resolve is processed", False, False, (OPEN, RESOLVED)),
    Kill("killed after the resolve is processed", False, True, (RESOLVED, RESOLVED)),
)
