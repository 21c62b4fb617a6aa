# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chart: the same bytes each time, text as text, light and dark mode, a line at each limit.

Must not look at pixels: the SVG says it all.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import chart
import pytest
from chart import Chart, svg
from results import Bar, Figure

TASK = Chart("task", "Wall time of a run", "times the run with debug", "debug")
OURS = Figure("", "times", 1.19, at_most=1.1, seconds=(2.44, 2.05), drawn=Bar("task", "callgoose_incident"))
URI = Figure("", "times", 12.3, seconds=(25.2, 2.05), drawn=Bar("task", "uri", ours=False))


def texts(image: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(image).iter("{http://www.w3.org/2000/svg}text")]


def test_the_same_figures_give_the_same_bytes() -> None:
    first = svg(TASK, [OURS, URI])
    assert first == svg(TASK, [OURS, URI])
    assert "dc:date" not in first and "Matplotlib" not in first


def test_text_is_text() -> None:
    words = {"debug", "callgoose_incident", "uri", "Wall time of a run", "times the run with debug (less is better)"}
    assert words < set(texts(svg(TASK, [OURS, URI])))


def test_each_bar_has_its_ratio_with_the_time_beside_it_and_the_limit() -> None:
    assert {"1.00× (2.05 s)", "1.19× (2.44 s), limit 1.1×", "12.30× (25.20 s)"} < set(texts(svg(TASK, [OURS, URI])))


def test_seconds_are_no_ratio() -> None:
    notice = Figure("", "s", 0.31, at_most=0.5, drawn=Bar("notice", "median"))
    found = texts(svg(Chart("notice", "The immediate notice", "seconds"), [notice]))
    assert "0.31 s, limit 0.5 s" in found


def test_there_is_a_line_at_each_limit_and_only_there() -> None:
    line = f"stroke: {chart.LIMIT[0]}"
    body = [svg(TASK, figures).split("</style>", 1)[1].count(line) for figures in ([URI], [OURS, URI])]
    assert body == [0, 1]


def test_ours_is_of_another_colour() -> None:
    body = svg(TASK, [OURS, URI]).split("</style>", 1)[1]
    assert (body.count(f"fill: {chart.OURS[0]}"), body.count(f"fill: {chart.OTHER[0]}")) == (1, 2)


def test_every_colour_has_one_for_dark_mode() -> None:
    style, body = svg(TASK, [OURS, URI]).split("</style>", 1)
    assert "@media (prefers-color-scheme: dark){" in style
    used = set(re.findall(r"(?:fill|stroke): #\w+", body))
    assert used
    assert {one for one in used if f'[style*="{one}"]' not in style} == set()


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("name", "least"), [("TEXT", 4.5), ("LIMIT", 4.5), ("OURS", 3), ("OTHER", 3)])
def test_colours_have_the_contrast_that_WCAG_asks_for(name: str, least: float, mode: int) -> None:
    darker, lighter = sorted(luminance(color[mode]) for color in (getattr(chart, name), chart.BACKGROUND))
    assert (lighter + 0.05) / (darker + 0.05) >= least
