# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws one chart of figures as SVG: horizontal bars, with a line at the limit where one is promised.

Must not choose figures. The same figures give the same bytes, and the chart follows the reader's light or dark mode.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from results import Figure

# In light and in dark mode. Text and limits keep a contrast of 4.5 to 1 to the background, bars of 3 to 1.
BACKGROUND, TEXT, GRID = ("#ffffff", "#0d1117"), ("#1f2328", "#e6edf3"), ("#d0d7de", "#30363d")
OURS, OTHER, LIMIT = ("#0969da", "#4493f8"), ("#818b98", "#7d8590"), ("#cf222e", "#ff7b72")
SETTINGS = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "callgoose.sqibs",  # else IDs are random
    "font.size": 11,
    "text.color": TEXT[0],
    "axes.edgecolor": GRID[0],
    "axes.labelcolor": TEXT[0],
    "xtick.color": TEXT[0],
    "ytick.color": TEXT[0],
}
# Inches: the width, and the heights of a bar and of everything else.
WIDTH, BAR_HEIGHT, REST = 8.0, 0.42, 1.25


@dataclass(frozen=True)
class Chart:
    """What a chart says beside its figures.

    :ivar name: the name that the figures' bars have.
    :ivar axis: what the bars' lengths are.
    :ivar reference: what all bars are compared with, drawn as a bar of length 1; empty for none.
    """

    name: str
    title: str
    axis: str
    reference: str = ""


@dataclass(frozen=True)
class _Line:
    label: str
    value: float
    words: str
    color: str
    limit: float | None = None

    @property
    def end(self) -> float:
        """Return where the words may start."""
        return max(self.value, self.limit or 0)


def words(figure: Figure) -> str:
    """Return a figure as the chart writes it: the ratio, the time beside it, and the limit."""
    limit = "" if figure.limit is None else f", limit {_number(figure.limit, figure.unit, 'g')}"
    return _beside(figure.value, figure.unit, figure.seconds[:1]) + limit


def svg(chart: Chart, figures: Sequence[Figure]) -> str:
    """Return the chart of these figures, each of which has a bar."""
    lines = [
        _Line(one.drawn.label, one.value, words(one), (OURS if one.drawn.ours else OTHER)[0], one.limit)
        for one in figures
        if one.drawn
    ]
    if chart.reference:
        lines.insert(0, _Line(chart.reference, 1, _beside(1, "times", figures[0].seconds[1:]), OTHER[0]))
    size = (WIDTH, REST + BAR_HEIGHT * len(lines))
    with matplotlib.rc_context(SETTINGS):
        drawing = Drawing(figsize=size, layout="constrained", facecolor=BACKGROUND[0])
        _draw(drawing.add_subplot(facecolor=BACKGROUND[0]), chart, lines)
        buffer = io.StringIO()
        # The date and the library's version would make the bytes differ.
        drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": chart.title})
    plain = "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())
    return plain.replace("</style>", _dark_mode() + "</style>", 1)


def _beside(value: float, unit: str, seconds: Sequence[float]) -> str:
    return _number(value, unit, ".2f") + "".join(f" ({one:.2f} s)" for one in seconds)


def _number(value: float, unit: str, form: str) -> str:
    return f"{value:{form}}×" if unit == "times" else f"{value:{form}} {unit}"


def _draw(axes: Axes, chart: Chart, lines: Sequence[_Line]) -> None:
    places = range(len(lines))
    axes.barh(places, [line.value for line in lines], color=[line.color for line in lines], height=0.62)
    axes.set_yticks(places, [line.label for line in lines])
    axes.invert_yaxis()
    longest = max(line.end for line in lines)
    for place, line in zip(places, lines, strict=True):
        axes.text(line.end + longest * 0.015, place, line.words, va="center")
        if line.limit is not None:
            axes.plot([line.limit] * 2, [place - 0.42, place + 0.42], color=LIMIT[0], linewidth=2)
    axes.set_xlim(0, longest * 1.4)  # leaves room for the words beside the longest bar
    axes.set_title(chart.title, loc="left", fontweight="bold")
    axes.set_xlabel(f"{chart.axis} (less is better)")
    axes.tick_params(length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="x", color=GRID[0], linewidth=0.8)
    axes.set_axisbelow(True)


def _dark_mode() -> str:
    """Return the style that exchanges the colours: the drawing library writes them into each element."""
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}: {dark} !important}}'
        for light, dark in (BACKGROUND, TEXT, GRID, OURS, OTHER, LIMIT)
        for part in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme: dark){{{rules}}}"
