# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the benchmarks: what it says, in which order, and when it is not written.

Must not run a benchmark: the figures are made by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import report
from results import Bar, Figure, Results, Table

TASK = Table(
    "100 hosts, one trigger each",
    "medians of 3",
    (
        Figure("largest process", "MiB", 5.5, at_most=15),
        Figure(
            "wall time, trigger / debug",
            "times",
            1.19,
            at_most=1.1,
            seconds=(2.44, 0.05),
            drawn=Bar("task", "callgoose_incident"),
        ),
        Figure("wall time, uri / trigger", "times", 12.5, at_least=12),
    ),
)
OTHERS = tuple(
    Table(f"the workload of {name}", "medians of 3", (Figure(name, "s", 0.2, drawn=Bar(name, f"bar of {name}")),))
    for name in ("callback", "guard", "notice")
)
RESULTS = Results({"processor": "A processor", "date": "2026-01-31"}, (TASK, *OTHERS))


def test_the_page_has_the_conditions_and_then_the_charts_and_then_all_figures() -> None:
    page = report.page(RESULTS)
    words = ["| date | 2026-01-31 |", "benchmark-task.svg", "benchmark-callback.svg", "benchmark-guard.svg"]
    places = [page.index(word) for word in (*words, "benchmark-notice.svg", "## All figures", "### 100 hosts")]
    assert places == sorted(places)


def test_a_chart_can_be_read_without_seeing_it() -> None:
    page = report.page(RESULTS)
    assert (
        "![times the run with debug: callgoose_incident 1.19× (2.44 s), limit 1.1×](images/benchmark-task.svg)" in page
    )
    assert "Measured: 100 hosts, one trigger each." in page


def test_a_table_has_ratios_first_with_their_times_and_limits() -> None:
    page = report.page(RESULTS)
    table = page[page.index("### 100 hosts") : page.index("### the workload of callback")]
    assert [line for line in table.splitlines() if line.startswith("| ")][2:] == [
        "| wall time, trigger / debug | 1.19 times | 2.44 s / 50.00 ms | at most 1.1: **missed** |",
        "| wall time, uri / trigger | 12.50 times |  | at least 12: met |",
        "| largest process | 5.50 MiB |  | at most 15: met |",
    ]


def test_the_page_names_the_limits_that_are_missed() -> None:
    assert "missed: wall time, trigger / debug (100 hosts, one trigger each)." in report.page(RESULTS)
    assert "missed: none." in report.page(Results({}, (TASK.without_limits(), *OTHERS)))


def test_only_a_quick_run_says_that_its_figures_mean_nothing() -> None:
    assert report.WARNING in report.page(Results({}, RESULTS.tables, quick=True))
    assert report.WARNING not in report.page(RESULTS)


def test_the_page_shows_every_chart_that_is_written(tmp_path: Path) -> None:
    report.write(RESULTS, tmp_path / "docs")
    page = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    images = sorted((tmp_path / "docs" / "images").iterdir())
    assert len(images) == 4
    assert [image.name for image in images if f"](images/{image.name})" not in page] == []
    assert "bar of guard" in images[1].read_text(encoding="utf-8")


def test_nothing_is_written_if_a_benchmark_did_not_run(tmp_path: Path) -> None:
    with pytest.raises(report.NoFigures, match="no figures for the chart notice: run make bench"):
        report.write(Results({}, RESULTS.tables[:-1]), tmp_path / "docs")
    assert list(tmp_path.iterdir()) == []


def test_the_page_can_be_made_again_from_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    RESULTS.write(tmp_path / "results.json")
    monkeypatch.setattr(sys, "argv", ["report.py", str(tmp_path / "results.json"), str(tmp_path / "docs")])
    assert report.main() == 0
    assert (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8") == report.page(RESULTS)


def test_a_chart_without_figures_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    Results({}, ()).write(tmp_path / "results.json")
    monkeypatch.setattr(sys, "argv", ["report.py", str(tmp_path / "results.json"), str(tmp_path / "docs")])
    with pytest.raises(SystemExit):
        report.main()
    assert "no figures for the chart task" in capsys.readouterr().err
