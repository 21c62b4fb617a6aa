# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All benchmarks together: each runs in a process of its own, and hands its tables on.

Must not run a real benchmark: scripts of a few lines take their place.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from results import Figure, Table

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPT = f"""
import argparse, sys
sys.path.insert(0, {str(BENCHMARKS)!r})
from effort import add_options, effort_of
from measure import end
from results import Figure, Table

parser = argparse.ArgumentParser()
add_options(parser)
options = parser.parse_args()
effort = effort_of(options)
found = Table(effort.level, str(effort.rounds()), (Figure("wall", "s", 2, at_most=1),))
sys.exit(end([found], options.results))
"""


@pytest.fixture
def run() -> Callable:
    return runpy.run_path(str(BENCHMARKS / "__main__.py"), run_name="benchmarks")["run"]


def test_a_benchmark_gets_the_effort_and_hands_on_its_tables_even_with_a_missed_limit(
    run: Callable, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    found = run(script, ["--effort=short", "--rounds=2"])
    assert found == (Table("short", "2", (Figure("wall", "s", 2, at_most=1),)),)


def test_a_benchmark_that_breaks_ends_the_whole(run: Callable, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(3)", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"script\.py ended with 3 and without results"):
        run(script, [])


def test_every_benchmark_is_among_them() -> None:
    names = runpy.run_path(str(BENCHMARKS / "__main__.py"), run_name="benchmarks")["BENCHMARKS"]
    texts = {path.stem: path.read_text(encoding="utf-8") for path in BENCHMARKS.glob("*.py")}
    scripts = {name for name, text in texts.items() if '__name__ == "__main__"' in text}
    assert set(names) == scripts - {"__main__", "report", "stub"}
