# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs all benchmarks and, if asked, writes the page with their charts: ``python tests/benchmarks --report docs``.

Must not measure anything itself: each benchmark is a process of its own. Linux counts what a process used before it
starts another as used by that other (getrusage(2), ru_maxrss), so a large process would spoil figures of memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import conditions
from effort import add_options, effort_of
from results import Results, Table

HERE = Path(__file__).resolve().parent
BENCHMARKS = ("task", "callback", "guard", "notify", "page", "delivery", "redactor")
RESULTS = HERE.parents[1] / "build" / "benchmarks.json"


def run(script: Path, words: Sequence[str]) -> tuple[Table, ...]:
    """Run one benchmark, and return its tables.

    :param words: further words of its command line.
    :raises SystemExit: it ended before it had results; it has printed why.
    """
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        results = Path(scratch, "results.json")
        done = subprocess.run([sys.executable, str(script), *words, f"--results={results}"], check=False)
        if not results.exists():
            raise SystemExit(f"{script.name} ended with {done.returncode} and without results")
        return Results.read(results).tables


def main() -> int:
    """Run everything, and return the exit code: 1 if a limit was missed."""
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description=__doc__)
    add_options(parser)
    parser.add_argument("--report", type=Path, metavar="DIRECTORY", help="write benchmarks.md and its charts there")
    options = parser.parse_args()
    if options.report:
        import report  # needs matplotlib; without it, this ends before the benchmarks run, not after
    words = [f"--effort={options.effort}", f"--rounds={options.rounds}"]
    found = tuple(table for name in BENCHMARKS for table in run(HERE / f"{name}.py", words))
    effort = effort_of(options)
    results = Results(conditions.read(effort), found, effort.quick)
    results.write(options.results or RESULTS)
    if options.report:
        report.write(results, options.report)
        print(f"{options.report / report.PAGE} and its charts are written")
    return 0 if all(table.kept for table in found) else 1


if __name__ == "__main__":
    sys.exit(main())
