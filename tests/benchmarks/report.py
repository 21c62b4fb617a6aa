# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns results into the page `docs/benchmarks.md` and its charts: ``report.py RESULTS DIRECTORY``.

Must not measure anything: `make bench` does, and writes the results as JSON, from which this can be repeated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from chart import Chart, svg, words
from results import Figure, Results, Table

PAGE, IMAGES = "benchmarks.md", "images"
CHARTS = (
    Chart("task", "The task: wall time of a run", "times the run with debug", "debug"),
    Chart("callback", "The callback: CPU time of a run without failures", "times the run without", "no callback"),
    Chart("guard", "The role: CPU time of a run", "times the run with a plain include", "plain include"),
    Chart("notice", "The immediate notice", "seconds from the failed task's end to the arrival of the page"),
)
TEXTS = {
    "task": """\
One request on each host. Each run is compared with the same run that only prints (`debug`). The action with one bare
POST checks neither options nor answers. `uri` starts a module on the host.""",
    "callback": """\
Nothing fails, so the callback has nothing to send. The other callbacks send or record each result: they do other work,
and show what a callback can cost. Their servers and databases are on the same machine.""",
    "guard": """\
Three `debug` tasks in a file, included plainly and by `incident_guard`. Under the strategy `linear`, the role's own
steps run once for a batch of hosts; under `free`, they run on each host.""",
    "notice": """\
With `notify: immediately`, the callback sends the page while the run goes on. The time is from the line about the
failed task to the arrival of the whole request at the server.""",
}
INTRODUCTION = """# Benchmarks

`make bench` wrote this page: do not edit it. It measures what the collection costs, on one machine, beside other ways
to do the same. Every server is on the same machine, so no figure contains a network. Ratios come first, since they
hold on other machines too. The two runs of a ratio take turns or run at the same time, so that other load affects both.
A red line in a chart is a limit that the project promises.
"""
MEDIANS = (
    "A ratio is the median of the ratios of all rounds. The times beside it are medians too, each by itself, so that\n"
    "dividing them can give another number."
)
WARNING = "**A quick run wrote this page. It shows that the benchmarks work; its figures mean nothing.**\n"


class NoFigures(Exception):
    """A chart has no figures: its benchmark did not run."""


def write(results: Results, directory: Path) -> None:
    """Write the page and its charts.

    :param directory: where ``benchmarks.md`` is written, and the charts below it.
    :raises NoFigures: the results are not complete. Then nothing is written.
    """
    found = {chart: figures_of(chart, results) for chart in CHARTS}
    images = {image_of(chart): svg(chart, figures) for chart, figures in found.items()}
    images_directory = directory / IMAGES
    images_directory.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        (images_directory / name).write_text(image, encoding="utf-8")
    (directory / PAGE).write_text(page(results), encoding="utf-8")


def figures_of(chart: Chart, results: Results) -> list[Figure]:
    """Return the figures that are bars of this chart.

    :raises NoFigures: there is none.
    """
    found = [one for table in results.tables for one in table.figures if one.drawn and one.drawn.chart == chart.name]
    if not found:
        raise NoFigures(f"no figures for the chart {chart.name}: run make bench, which runs all benchmarks")
    return found


def image_of(chart: Chart) -> str:
    """Return the name of the chart's file."""
    return f"benchmark-{chart.name}.svg"


def page(results: Results) -> str:
    """Return the page in Markdown."""
    parts = [INTRODUCTION, *([WARNING] if results.quick else [])]
    parts.append(_table(("condition", "value"), list(results.conditions.items())))
    parts += [_section(chart, results) for chart in CHARTS]
    parts.append(f"## All figures\n\n{MEDIANS}\n")
    parts.append(f"Limits that are missed: {_missed(results.tables)}.\n" if not results.quick else "No limits apply.\n")
    parts += [_figures(table) for table in results.tables]
    return "\n".join(parts)


def _section(chart: Chart, results: Results) -> str:
    figures = figures_of(chart, results)
    said = "; ".join(f"{one.drawn.label} {words(one)}" for one in figures if one.drawn)
    workloads = [table.title for table in results.tables if any(one in figures for one in table.figures)]
    return (
        f"## {chart.title}\n\n{TEXTS[chart.name]}\n\n"
        f"![{chart.axis}: {said}]({IMAGES}/{image_of(chart)})\n\nMeasured: {'; '.join(workloads)}.\n"
    )


def _missed(tables: Sequence[Table]) -> str:
    return ", ".join(f"{one.name} ({table.title})" for table in tables for one in table.figures if one.missed) or "none"


def _figures(table: Table) -> str:
    ratios_first = sorted(table.figures, key=lambda one: one.unit != "times")
    rows = [(one.name, f"{one.value:.2f} {one.unit}".strip(), _seconds(one), _limit(one)) for one in ratios_first]
    return f"### {table.title}\n\n{table.taken[:1].upper()}{table.taken[1:]}.\n\n" + _table(
        ("figure", "value", "times of the ratio", "limit"), rows
    )


def _seconds(figure: Figure) -> str:
    return " / ".join(f"{one:.2f} s" if one >= 0.1 else f"{one * 1000:.2f} ms" for one in figure.seconds)


def _limit(figure: Figure) -> str:
    target = figure.target.replace("<=", "at most").replace(">=", "at least")
    return f"{target}: **missed**" if figure.missed else f"{target}: met" if target else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *rows))


def main() -> int:
    """Write the page and the charts from results, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the JSON file that make bench wrote")
    parser.add_argument("directory", type=Path, help="where to write benchmarks.md and images/")
    options = parser.parse_args()
    try:
        write(Results.read(options.results), options.directory)
    except NoFigures as reason:
        parser.error(str(reason))
    return 0


if __name__ == "__main__":
    sys.exit(main())
