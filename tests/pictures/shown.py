# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads back the lines that run.svg shows, for the tests.

Must not need the library that drew them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
# The width of a character in rich's SVG.
COLUMN = 12.2


def lines(svg: str, window: str) -> list[str]:
    """Return the lines of one window of the picture, without blank ones and trailing spaces.

    :param window: ``run`` or ``page``.
    """
    (matrix,) = (
        group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("class") == f"{window}-matrix"
    )
    rows: defaultdict[int, str] = defaultdict(str)
    for text in matrix.iter(f"{SVG}text"):
        # Each row has a clip path of its own; a part of it that is all spaces is not in the SVG.
        row = re.search(r"line-(\d+)", text.attrib["clip-path"])
        assert row
        number, column = int(row[1]), round(float(text.attrib["x"]) / COLUMN)
        rows[number] = rows[number].ljust(column) + (text.text or "").replace("\xa0", " ")
    return [line.rstrip() for _number, line in sorted(rows.items()) if line.strip()]
