# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs all benchmarks and, if asked, writes the page with their charts: ``python tests/benchmarks --report docs``.

Must not measure anything itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import callback
import conditions
import delivery
import guard
import notify
import other_callbacks
import page
import redactor
import task
from effort import add_options, effort_of
from measure import exit_code, installed_artifact, tables
from results import Results

RESULTS = Path(__file__).resolve().parents[2] / "build" / "benchmarks.json"
BENCHMARKS = {
    f"{module.__name__} {name}": benchmark
    for module in (task, callback, guard, notify, page, delivery, redactor)
    for name, benchmark in module.BENCHMARKS.items()
}


def main() -> int:
    """Run everything, and return the exit code: 1 if a limit was missed."""
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description=__doc__)
    add_options(parser)
    parser.add_argument("--report", type=Path, metavar="DIRECTORY", help="write benchmarks.md and its charts there")
    options = parser.parse_args()
    effort = effort_of(options)
    if options.report:
        import report  # needs matplotlib: missing, it fails before the benchmarks run, not after
    with installed_artifact() as scratch:
        found = tables(BENCHMARKS, effort, scratch)
    if options.report:
        general = {"community.general": other_callbacks.community_general_version()}
        results = Results(conditions.read(effort, general), tuple(found), effort.quick)
        results.write(RESULTS)
        report.write(results, options.report)
        print(f"{options.report / report.PAGE} and its charts are written, from {RESULTS}")
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
