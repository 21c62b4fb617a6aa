# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a benchmark measures: sizes and rounds for three levels of effort, and the options that all benchmarks have.

Must not know what is measured.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

FULL, SHORT, QUICK = "full", "short", "quick"


@dataclass(frozen=True)
class Size:
    """A number for each level of effort."""

    full: int
    short: int
    quick: int


ROUNDS = Size(5, 3, 1)


@dataclass(frozen=True)
class Effort:
    """The level, and the number of rounds where it was given.

    ``full`` takes the sizes and rounds for which the limits were set. ``short`` is for charts: it takes a smaller size
    where that hardly changes the ratio. ``quick`` only shows that everything works: its figures mean nothing.
    """

    level: str = FULL
    given_rounds: int = 0

    def of(self, size: Size) -> int:
        """Return the number for this level."""
        return int(getattr(size, self.level))

    def rounds(self, usual: Size = ROUNDS) -> int:
        """Return the number of rounds."""
        return self.given_rounds or self.of(usual)

    @property
    def quick(self) -> bool:
        """Return whether figures mean nothing."""
        return self.level == QUICK


def add_options(parser: argparse.ArgumentParser, level: str = FULL) -> None:
    """Add the options that all benchmarks have.

    :param level: the default.
    """
    parser.add_argument(
        "--effort",
        choices=(FULL, SHORT, QUICK),
        default=level,
        help=f"sizes and rounds: {FULL} as the limits say, {SHORT} for charts, {QUICK} only shows that everything "
        f"works, without limits (default: {level})",
    )
    parser.add_argument("--rounds", type=int, default=0, help="number of rounds (default: by effort)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="also write the results there, as JSON")


def effort_of(options: argparse.Namespace) -> Effort:
    """Return the effort that the options ask for."""
    return Effort(options.effort, options.rounds)
