# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that ansible-core's own integration targets run with the collection as without it, and page when they fail.

Must not judge whether a target passes: what it does without the collection is right, whatever that is.
"""

from __future__ import annotations

from importlib.metadata import version

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.oracle import rules, targets
from ansible_collections.callgoose.sqibs.tests.integration.oracle.exceptions import EXCEPTIONS
from ansible_collections.callgoose.sqibs.tests.integration.oracle.invocation import Invocation
from ansible_collections.callgoose.sqibs.tests.integration.oracle.sdist import integration_directory
from ansible_collections.callgoose.sqibs.tests.integration.oracle.target_run import Runner, Way

CORE = ".".join(version("ansible-core").split(".")[:2])
# Each target stays with one worker, because its run without the collection serves both tests.
TARGETS = [
    pytest.param(name, id=name, marks=[pytest.mark.xdist_group(name), *([pytest.mark.quick] if quick else [])])
    for names, quick in ((targets.QUICK, True), (targets.OTHERS, False))
    for name in names
]


@pytest.fixture(scope="session")
def runner(pytestconfig, tmp_path_factory) -> Runner:
    """Runs each target in each way once. The download goes into the source tree's cache, which git ignores."""
    integration = integration_directory(pytestconfig.rootpath / ".cache" / "oracle")
    return Runner(tmp_path_factory.mktemp("oracle"), integration)


@pytest.mark.parametrize("target", TARGETS)
def test_the_callback_changes_nothing_and_pages_once_for_each_failed_run(runner, target, record_property) -> None:
    pairs = paired(runner, target, Way.CALLBACK, record_property)
    hold(Way.CALLBACK, target, [(plain, run, rules.CALLBACK) for plain, run in pairs])


@pytest.mark.parametrize("target", TARGETS)
def test_a_guard_changes_no_exit_code_and_pages_for_failures_only(runner, target, record_property) -> None:
    pairs = paired(runner, target, Way.GUARD, record_property)
    done = runner.run(target, Way.GUARD)
    held = [
        (plain, run, rules.WHOLLY_GUARDED if done.is_guarded(run) else rules.GUARD)
        for plain, run in pairs
        if is_comparable(plain)
    ]
    hold(Way.GUARD, target, held)


def is_comparable(plain: Invocation) -> bool:
    """Return whether a guard may be compared: Ansible reads guarded tasks later, and selects none of them by tags.

    A file that cannot be read ends the call before any play without a guard, and fails a task with it. An include does
    not pass its tags on (the guide's table of what Ansible does not allow).
    """
    return plain.started and not plain.selects_tags


def paired(runner: Runner, target: str, way: Way, record_property) -> list[tuple[Invocation, Invocation]]:
    """Return the invocations of a target without the collection, each with the one at its place in this way."""
    plain, other = (runner.run(target, one).invocations for one in (Way.PLAIN, way))
    assert [str(one) for one in plain] == [str(one) for one in other], "the target made other invocations"
    assert any(one.started for one in plain), "no play of the target started"
    record_property("invocations", len(plain))
    return list(zip(plain, other, strict=True))


def hold(way: Way, target: str, held: list[tuple[Invocation, Invocation, tuple[rules.Rule, ...]]]) -> None:
    """Fail with every complaint that is not excused, and with every entry for this target that excuses nothing."""
    complaints, used = [], set()
    for number, (plain, run, which) in enumerate(held):
        for rule in which:
            complaint = rule(plain, run)
            excuse = [one for one in EXCEPTIONS if one.covers(way, target, run, rule.__name__, CORE)]
            if complaint and not excuse:
                complaints.append(f"{number} {run}\n  {rule.__name__}: {complaint}")
            elif complaint:
                used.update(excuse)
    entries = [one for one in EXCEPTIONS if (one.way, one.target) == (way, target)]
    idle = [one for one in entries if (not one.cores or CORE in one.cores) and one not in used]
    complaints += [f"{one} excuses nothing: remove it" for one in idle]
    assert not complaints, "\n".join(complaints)
