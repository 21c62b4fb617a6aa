# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws text as terminal windows, one below the other, in one SVG without fonts or images from elsewhere.

Must not choose what to show: the caller does.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

# Columns: the longest line is one of the recap.
WIDTH = 116
GAP = 24
# rich's own form names a font that a browser would have to load.
FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
FORM = f"""\
<svg x="0" y="@Y" width="{{width}}" height="{{height}}" viewBox="0 0 {{width}} {{height}}">
<style>
svg > rect {{{{ stroke: #8b949e; }}}}
.{{unique_id}}-matrix {{{{ font-family: {FONT}; font-size: {{char_height}}px; }}}}
.{{unique_id}}-title {{{{ font-family: {FONT}; font-size: 20px; font-weight: bold; }}}}
{{styles}}
</style>
<defs>
<clipPath id="{{unique_id}}-clip-terminal">
<rect x="0" y="0" width="{{terminal_width}}" height="{{terminal_height}}"/>
</clipPath>
{{lines}}
</defs>
{{chrome}}
<g transform="translate({{terminal_x}}, {{terminal_y}})" clip-path="url(#{{unique_id}}-clip-terminal)">
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</g>
</svg>"""


@dataclass(frozen=True)
class Window:
    """One window: its name in the SVG, the title above it, its text, and its colours."""

    name: str
    title: str
    text: Text
    theme: TerminalTheme


def draw(title: str, *windows: Window) -> str:
    """Return the windows as SVG.

    :param title: of the whole, for who cannot see it.
    """
    drawn, top, width = [], 0.0, 0.0
    for window in windows:
        svg = _draw(window)
        size = re.match(r'<svg x="0" y="@Y" width="([\d.]+)" height="([\d.]+)"', svg)
        assert size, svg[:200]
        drawn.append(svg.replace("@Y", f"{top:g}", 1))
        width, top = max(width, float(size[1])), top + float(size[2]) + GAP
    box = f'viewBox="0 0 {width:g} {top - GAP:g}" width="{width:g}" height="{top - GAP:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-labelledby="title">'
    whole = "\n".join([head, f'<title id="title">{title}</title>', *drawn, "</svg>"])
    return "".join(f"{line.rstrip(' ')}\n" for line in whole.splitlines() if line.strip(" "))


def _draw(window: Window) -> str:
    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(window.text, overflow="fold", end="\n\n")  # the last line needs room below it
    return console.export_svg(title=window.title, theme=window.theme, code_format=FORM, unique_id=window.name)
