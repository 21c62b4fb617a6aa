# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds between an invocation without the collection and the same with it: a rule returns a complaint or "".

Must not know any target: what a rule cannot hold of stands in exceptions.py.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.callgoose.sqibs.tests.integration.oracle.invocation import Invocation

Rule = Callable[[Invocation, Invocation], str]
# The exit codes of a run with failed or unreachable hosts.
FAILED = (2, 4)
# That of a run that ended before its end, for example by an invalid keyword in a file that it includes.
ABORTED = 1
OURS = ("callgoose", "incident_guard", "sqibs")


def same_exit_code(plain: Invocation, run: Invocation) -> str:
    """It ends as without the collection."""
    return "" if run.rc == plain.rc else f"exit code {run.rc}, without the collection {plain.rc}"


def same_recap(plain: Invocation, run: Invocation) -> str:
    """Each host did as many tasks, with the same outcomes."""
    return "" if run.recap == plain.recap else f"recap {run.recap}, without the collection {plain.recap}"


def same_warnings(plain: Invocation, run: Invocation) -> str:
    """Nothing is warned of that is not warned of without the collection, by us or by Ansible because of us."""
    return "" if run.warnings == plain.warnings else f"more warnings: {run.warnings - plain.warnings or 'fewer'}"


def no_warning_of_ours(_plain: Invocation, run: Invocation) -> str:
    """No warning comes from the collection."""
    ours = [text for text in run.warnings if any(word in text for word in OURS)]
    return f"warnings {ours}" if ours else ""


def nothing_for_a_success(_plain: Invocation, run: Invocation) -> str:
    """A run that ends well pages nobody."""
    return f"exit code 0, but {_sent(run)}" if run.rc == 0 and (run.pages or run.incidents) else ""


def nothing_without_a_play(_plain: Invocation, run: Invocation) -> str:
    """Where no play started, there is no run: nothing is sent."""
    return f"no play started, but {_sent(run)}" if not run.started and run.requests else ""


def one_incident_for_a_failure(_plain: Invocation, run: Invocation) -> str:
    """A run that fails or is aborted is one incident and one request."""
    if not run.started or run.rc not in (ABORTED, *FAILED):
        return ""
    open_now = [incident["state"] for incident in run.incidents]
    good = len(run.pages) == len(run.requests) == 1 and open_now == ["open"]
    return "" if good else f"exit code {run.rc}, but {_sent(run)}"


def a_page_for_a_failure(_plain: Invocation, run: Invocation) -> str:
    """A run of nothing but guarded tasks that fails is at least one incident."""
    return f"exit code {run.rc}, but {_sent(run)}" if run.started and run.rc in FAILED and not run.incidents else ""


def only_failed_hosts(_plain: Invocation, run: Invocation) -> str:
    """A host that a page calls failed has a line that says so, if the output has such lines at all."""
    wrong = run.paged - run.failed if run.recap else set()
    return f"the page calls {sorted(wrong)} failed, without any line of a failure" if wrong else ""


def all_failed_hosts(_plain: Invocation, run: Invocation) -> str:
    """A host that the recap calls failed or unreachable is on the page of the failed run."""
    missing = run.lost - run.named if run.pages else set()
    return f"no page names {sorted(missing)}, which failed by the recap" if missing else ""


def _sent(run: Invocation) -> str:
    titles = [f"{request['body'].get('state')} {request['body'].get('title', '')!r}" for request in run.requests]
    return f"{len(run.incidents)} incidents and the requests {titles}"


CALLBACK: tuple[Rule, ...] = (
    same_exit_code,
    same_recap,
    same_warnings,
    no_warning_of_ours,
    nothing_for_a_success,
    nothing_without_a_play,
    one_incident_for_a_failure,
    only_failed_hosts,
    all_failed_hosts,
)
# A guard sees its own tasks only, and each play has one; its own steps count in the recap.
GUARD: tuple[Rule, ...] = (
    same_exit_code,
    no_warning_of_ours,
    nothing_for_a_success,
    nothing_without_a_play,
    only_failed_hosts,
)
# If nothing ran outside a guard.
WHOLLY_GUARDED: tuple[Rule, ...] = (*GUARD, a_page_for_a_failure, all_failed_hosts)
