# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes wrong on the way to the API: the user sees why, and once it is over each incident is as it should be.

Must not test how often and how long the client retries: its unit tests do. The table is in faults/table.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.columns import COLUMNS, Seen
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.table import DONE, FAULTS, UNKNOWN, Fault
from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import Api, World, served

pytestmark = pytest.mark.matrix

# The runs of one project, in order: whether it fails, and whether the fault lasts.
SEQUENCES = {
    "and fails again": ((True, True), (True, False), (False, True), (False, False)),
    "and then succeeds": ((True, True), (False, False)),
}
DOUBT = "may not have been paged"
# Seconds within which a run ends, however busy the machine is, and how many more a row may take in a shared run. A
# resolver that hangs takes longer than all of them.
LIMIT, LIMIT_OF_ROW = 60, 5


def problems_with(column: str, world: World, faults: Sequence[Fault], sequence: str, reading: str) -> list[str]:
    """Run a sequence for all of these rows, and return what was not as it should be."""
    problems: list[str] = []
    with ExitStack() as stack:
        rows = [(fault, stack.enter_context(served(reading, tls=fault.tls, host=fault.host))) for fault in faults]
        for fault in faults:
            world.name(fault.host, "here")
        expected: dict[str, list[str]] = {fault.name: [] for fault in faults}
        for place, (bad, faulty) in enumerate(SEQUENCES[sequence], start=1):
            with ExitStack() as lasting:
                for fault, api in rows if faulty else ():
                    lasting.enter_context(fault.within(world, api))
                world.trust(*(api.sandbox for _fault, api in rows if api.trusted))
                # The token is part of the URL while the fault lasts.
                method = {"CALLGOOSE_AUTH_METHOD": "url_parameter" if faulty else "bearer"}
                seen = COLUMNS[column].run(world, rows, bad, method)
            for fault, api in rows:
                after(expected[fault.name], bad, not faulty or fault.processed or fault.fate == DONE)
                for problem in differences(column, fault, api, seen[fault.name], bad, faulty, expected[fault.name]):
                    problems.append(f"{fault.name}, run {place}: {problem}")
            for call in {id(one.call): one.call for one in seen.values()}.values():
                problems += [f"run {place} shows a secret: {shown}" for shown in world.secrets_in(call)]
    return problems


def after(incidents: list[str], bad: bool, is_processed: bool) -> None:
    """Change the states of the incidents at the API as one run does."""
    if is_processed and bad and "open" not in incidents:
        incidents.append("open")
    elif is_processed and not bad:
        incidents[:] = ["resolved"] * len(incidents)


def is_unclear(fault: Fault) -> bool:
    """Return whether the API processed what the client does not know of: only that can be sent twice."""
    return fault.fate == UNKNOWN and fault.processed


def differences(
    column: str, fault: Fault, api: Api, seen: Seen, bad: bool, faulty: bool, expected: list[str]
) -> Iterator[str]:
    """Yield what one run showed of one row and should not have, or the other way round."""
    call = seen.call
    if call.rc != (COLUMNS[column].failing_rc if bad else 0):
        yield f"the exit code is {call.rc}"
    if call.elapsed > LIMIT + LIMIT_OF_ROW * len(FAULTS):
        yield f"the run took {call.elapsed:.0f} seconds"
    if "Traceback" in call.stdout + call.stderr:
        yield "there is a traceback"
    if api.incidents != expected:
        yield f"the incidents are {api.incidents}, not {expected}"
    is_failure = faulty and fault.fate != DONE
    # A duplicate does not tell whether it repeats the trigger without an answer, or an older one: the user hears of it.
    is_doubtful = column != "task" and bad and not faulty and is_unclear(fault)
    says = DOUBT if is_doubtful else fault.says if is_failure or (faulty and column == "task") else ""
    if not re.search(says, seen.says):
        yield f"it does not say {says!r}, but {seen.says!r}"
    if column == "task":
        result = seen.details
        if bool(result.get("failed")) != is_failure or (is_failure and result["changed"] != (fault.fate == UNKNOWN)):
            yield f"the result is {result}"
    elif seen.details["count"] != (is_failure or is_doubtful):
        yield f"there are {seen.details['count']} warnings: {seen.says!r}"


def cases() -> list[tuple[tuple[Fault, ...], str, str, bool]]:
    """Return rows that are run together, their sequence and reading, and whether one ansible-core is enough."""
    core = tuple(fault for fault in FAULTS if fault.core)
    rest = tuple(fault for fault in FAULTS if not fault.core)
    unclear = tuple(fault for fault in FAULTS if is_unclear(fault))
    again, then = SEQUENCES
    return [
        (core, again, "body", False),
        (core, then, "body", True),
        (rest, again, "body", True),
        (tuple(fault for fault in unclear if not fault.core), then, "body", True),
        (unclear, again, "mapped", True),
        (unclear, then, "mapped", True),
    ]


def marks(is_slow: bool) -> list[pytest.MarkDecorator]:
    return [pytest.mark.any_core] if is_slow else []


TOGETHER = [
    pytest.param(faults, sequence, reading, id=f"{len(faults)} faults {sequence}, {reading}", marks=marks(is_slow))
    for faults, sequence, reading, is_slow in cases()
]
APART = [
    pytest.param(fault, sequence, reading, id=f"{fault.name} {sequence}, {reading}", marks=marks(is_slow))
    for faults, sequence, reading, is_slow in cases()
    for fault in faults
]


@pytest.mark.parametrize("column", ["task", "guard"])
@pytest.mark.parametrize(("faults", "sequence", "reading"), TOGETHER)
def test_after_a_fault_the_incidents_are_as_they_should_be(tmp_path: Path, column, faults, sequence, reading) -> None:
    problems = problems_with(column, World(tmp_path / "world"), faults, sequence, reading)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("fault", "sequence", "reading"), APART)
def test_after_a_fault_in_a_run_with_the_callback_its_incident_is_as_it_should_be(
    tmp_path: Path, fault, sequence, reading
) -> None:
    problems = problems_with("callback", World(tmp_path / "world"), [fault], sequence, reading)
    assert not problems, "\n".join(problems)
