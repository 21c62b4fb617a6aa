# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that ansible-core's own integration targets run with the collection as without it, and page when they fail.

Must not judge whether a target passes: what it does without the collection is right, whatever that is.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.oracle import rules, targets
from ansible_collections.callgoose.sqibs.tests.integration.oracle.exceptions import EXCEPTIONS
from ansible_collections.callgoose.sqibs.tests.integration.oracle.invocation import Invocation
from ansible_collections.callgoose.sqibs.tests.integration.oracle.sdist import integration_directory
from ansible_collections.callgoose.sqibs.tests.integration.oracle.target_run import TargetRun, Way, run_target

CORE = ".".join(version("ansible-core").split(".")[:2])
TARGETS = [
    pytest.param(name, id=name, marks=marks)
    for names, marks in ((targets.QUICK, [pytest.mark.quick]), (targets.OTHERS, []))
    for name in names
]


@pytest.fixture(scope="session")
def integration(pytestconfig) -> Path:
    """ansible-core's ``test/integration``. The download goes into the source tree's cache, which git ignores."""
    return integration_directory(pytestconfig.rootpath / ".cache" / "oracle")


# One test for both ways: each is compared with the same run without the collection.
@pytest.mark.parametrize("target", TARGETS)
def test_callback_and_guard_change_no_run_and_page_for_failed_ones(
    integration, tmp_path_factory, target, record_property
) -> None:
    scratch = tmp_path_factory.mktemp("oracle")
    plain, callback, guard = (run_target(scratch, integration, target, way) for way in Way)
    assert any(one.started for one in plain.invocations), "no play of the target started"
    record_property("invocations", len(plain.invocations))
    complaints = [
        *complaints_about(Way.CALLBACK, target, plain, callback),
        *complaints_about(Way.GUARD, target, plain, guard),
    ]
    assert not complaints, "\n".join(complaints)


def complaints_about(way: Way, target: str, plain: TargetRun, done: TargetRun) -> list[str]:
    """Return every complaint that is not excused, and one about each entry for this target that excuses nothing."""
    if [str(one) for one in plain.invocations] != [str(one) for one in done.invocations]:
        return [f"{way.value}: the target made other invocations"]
    complaints, used = [], set()
    for number, (before, run) in enumerate(zip(plain.invocations, done.invocations, strict=True)):
        for rule in rules_for(way, before, done.is_guarded(run)):
            complaint = rule(before, run)
            excuse = [one for one in EXCEPTIONS if one.covers(way, target, run, rule.__name__, CORE)]
            if complaint and not excuse:
                complaints.append(f"{way.value}: {number} {run}\n  {rule.__name__}: {complaint}")
            elif complaint:
                used.update(excuse)
    entries = [one for one in EXCEPTIONS if (one.way, one.target) == (way, target)]
    idle = [one for one in entries if one.is_for(CORE) and not one.by_chance and one not in used]
    return [*complaints, *(f"{one} excuses nothing: remove it" for one in idle)]


def rules_for(way: Way, plain: Invocation, is_guarded: bool) -> tuple[rules.Rule, ...]:
    """Return what must hold of an invocation; nothing where a guard cannot be compared.

    A file that cannot be read ends the call before any play without a guard, and fails a task with it. An include does
    not pass its tags on (the guide's table of what Ansible does not allow).
    """
    if way is Way.CALLBACK:
        return rules.CALLBACK
    if not plain.started or plain.selects_tags:
        return ()
    return rules.WHOLLY_GUARDED if is_guarded else rules.GUARD
