# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark found, as plain data: figures in tables, and under which conditions they were taken.

Must not measure or draw anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

MET, MISSED = "met", "MISSED"


@dataclass(frozen=True)
class Bar:
    """The place of a figure in a chart.

    :ivar chart: the chart's name.
    :ivar label: the words beside the bar.
    :ivar ours: whether it is about this collection, and not only beside it for comparison.
    """

    chart: str
    label: str
    ours: bool = True


@dataclass(frozen=True)
class Figure:
    """One figure, with an optional limit.

    :ivar unit: ``times`` for a ratio.
    :ivar seconds: of a ratio of times, the two times, in seconds.
    """

    name: str
    unit: str
    value: float
    at_most: float | None = None
    at_least: float | None = None
    seconds: tuple[float, ...] = ()
    drawn: Bar | None = None

    @property
    def verdict(self) -> str:
        """Return whether the figure meets the limit; empty if there is no limit."""
        if self.limit is None:
            return ""
        met = self.value <= self.limit if self.at_most is not None else self.value >= self.limit
        return MET if met else MISSED

    @property
    def missed(self) -> bool:
        """Return whether there is a limit that the figure does not meet."""
        return self.verdict == MISSED

    @property
    def limit(self) -> float | None:
        """Return the limit, whichever it is."""
        return self.at_most if self.at_most is not None else self.at_least

    @property
    def target(self) -> str:
        """Return the limit as a string."""
        return "" if self.limit is None else f"{'<=' if self.at_most is not None else '>='} {self.limit:g}"


@dataclass(frozen=True)
class Table:
    """The figures of one benchmark.

    :ivar taken: how the figures were taken, such as ``medians of 5``.
    """

    title: str
    taken: str
    figures: tuple[Figure, ...]

    @property
    def kept(self) -> bool:
        """Return whether all limits are met."""
        return not any(figure.missed for figure in self.figures)

    def without_limits(self) -> Table:
        """Return the table without limits, for sizes at which they mean nothing."""
        return replace(self, figures=tuple(replace(one, at_most=None, at_least=None) for one in self.figures))

    def text(self) -> str:
        """Return the table as it is printed."""
        lines = [
            f"  {one.name:58} {one.value:9.2f} {one.unit:5} {one.target:8} {one.verdict}".rstrip()
            for one in self.figures
        ]
        return "\n".join([f"\n{self.title} ({self.taken})", *lines, ""])


@dataclass(frozen=True)
class Results:
    """All tables of a run of the benchmarks.

    :ivar conditions: machine, versions, date and so on: the words of the page, and their values.
    :ivar quick: whether it only showed that the benchmarks work.
    """

    conditions: dict[str, str]
    tables: tuple[Table, ...]
    quick: bool = False

    def write(self, path: Path) -> None:
        """Write the results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Return what :meth:`write` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        tables = tuple(Table(one["title"], one["taken"], _figures(one["figures"])) for one in data["tables"])
        return cls(data["conditions"], tables, data["quick"])


def _figures(data: Iterable[dict]) -> tuple[Figure, ...]:
    return tuple(
        Figure(**{**one, "seconds": tuple(one["seconds"]), "drawn": Bar(**one["drawn"]) if one["drawn"] else None})
        for one in data
    )
