# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results: limits, the table as it is printed, and the JSON file.

Must not run a benchmark: the figures are made by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from results import Bar, Figure, Results, Table

SLOW = Figure("wall time, ours / theirs", "times", 1.2, at_most=1.1, seconds=(2.4, 2.0), drawn=Bar("task", "ours"))
FAST = Figure("wall time, theirs / ours", "times", 12.5, at_least=12)
PLAIN = Figure("memory", "MiB", 3.0)


@pytest.mark.parametrize(
    ("figure", "verdict", "target"), [(SLOW, "MISSED", "<= 1.1"), (FAST, "met", ">= 12"), (PLAIN, "", "")]
)
def test_a_figure_says_whether_it_meets_its_limit(figure: Figure, verdict: str, target: str) -> None:
    assert (figure.verdict, figure.target) == (verdict, target)


def test_a_figure_at_its_limit_meets_it() -> None:
    assert Figure("", "", 2, at_most=2).verdict == Figure("", "", 2, at_least=2).verdict == "met"


def test_a_limit_of_nothing_is_a_limit() -> None:
    assert Figure("requests", "", 1, at_most=0).missed


def test_a_table_keeps_its_limits_only_if_all_figures_do() -> None:
    assert not Table("", "", (FAST, SLOW)).kept
    assert Table("", "", (FAST, PLAIN)).kept


def test_a_table_without_limits_has_the_same_figures() -> None:
    free = Table("", "", (SLOW, FAST)).without_limits()
    assert free.kept
    assert [one.value for one in free.figures] == [1.2, 12.5]
    assert {one.target for one in free.figures} == {""}


def test_the_printed_table_has_a_line_for_each_figure() -> None:
    lines = Table("100 hosts", "medians of 5", (SLOW, PLAIN)).text().splitlines()
    assert lines[1] == "100 hosts (medians of 5)"
    assert lines[2].split() == ["wall", "time,", "ours", "/", "theirs", "1.20", "times", "<=", "1.1", "MISSED"]
    assert lines[3].split() == ["memory", "3.00", "MiB"]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = Results({"cores": "2"}, (Table("100 hosts", "medians of 5", (SLOW, FAST, PLAIN)),), quick=True)
    results.write(tmp_path / "build" / "results.json")
    assert Results.read(tmp_path / "build" / "results.json") == results
