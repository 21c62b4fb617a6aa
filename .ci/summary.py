# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up what .ci/run did: one line for each step, session and suite, then ``N passed, N failed`` as the last line.

Must not call anything passed that has no report of its own: a check that did not run has failed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree


def main(reports: Path) -> int:
    """Print the sum of the reports in this folder and return the exit code: 0 only when everything passed."""
    passed = failed = 0
    for name, good, bad, words in [*steps(reports), *sessions(reports), *suites(reports)]:
        print(f"{'failed' if bad else 'passed'}  {name}  {words}")
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def steps(reports: Path):
    """Yield the commands of .ci/run."""
    for line in reports.joinpath("steps.txt").read_text(encoding="utf-8").splitlines():
        outcome, name, seconds = line.split()
        yield name, outcome == "passed", outcome != "passed", seconds


def sessions(reports: Path):
    """Yield nox's sessions; a session that was skipped counts as failed."""
    report = reports / "nox.json"
    if not report.exists():
        yield "nox", 0, 1, "gave no report"
        return
    for session in json.loads(report.read_text(encoding="utf-8"))["sessions"]:
        name, good = session["signatures"][0], session["result"] == "success"
        yield name, good, not good, session["result"]


def suites(reports: Path):
    """Yield pytest's runs, with the number of tests in each; a skipped test counts as failed, none is meant to be."""
    for report in sorted(reports.glob("*.xml")):
        total = bad = 0
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            total += int(suite.get("tests", 0))
            bad += sum(int(suite.get(kind, 0)) for kind in ("failures", "errors", "skipped"))
        yield report.stem, total - bad, bad, f"{total} tests"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
