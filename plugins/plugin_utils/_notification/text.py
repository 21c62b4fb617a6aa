# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes texts that a terminal or a hostile host wrote fit to be read in a page: clean, and no longer than they may be.

Must not know what a text is about. Lengths are bytes of UTF-8, unless they are said to be characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ELLIPSIS = "…"
# Colours and cursor movements, window titles, and the other two-letter codes of ECMA-48.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# All controls but tab and line feed, and what turns the direction of writing: a text must not look like another one.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# The longest part of a word that a cut text loses.
_LONGEST_WORD = 256


def cleaned(text: str) -> str:
    """Return ``text`` as lines of plain, valid characters, without white space at its ends."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).strip()


def one_line(text: str) -> str:
    """Return ``text`` cleaned and on one line."""
    return " ".join(cleaned(text).split())


def beginning(text: str, most: int) -> str:
    """Return the beginning of ``text``, at most ``most`` bytes, with an ellipsis where it was cut."""
    data = text.encode("utf-8")
    if len(data) <= most:
        return text
    room = most - len(_ELLIPSIS.encode())
    return data[:room].decode("utf-8", "ignore").rstrip() + _ELLIPSIS if room >= 0 else ""


def ending(text: str, most: int) -> str:
    """Return the end of ``text``, likewise."""
    data = text.encode("utf-8")
    if len(data) <= most:
        return text
    room = most - len(_ELLIPSIS.encode())
    return _ELLIPSIS + data[len(data) - room :].decode("utf-8", "ignore") if room >= 0 else ""


def shortened(text: str, most: int) -> str:
    """Return the beginning of ``text``, at most ``most`` characters, likewise."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + _ELLIPSIS[:most]


def without_cut_word(text: str) -> str:
    """Return a text whose end was cut off without its last word: half a secret is not known for one."""
    at = max(text.rfind(" "), text.rfind("\n"), len(text) - _LONGEST_WORD)
    return text[: max(at, 0)]


def without_cut_line(text: str) -> str:
    """Return a text whose beginning was cut off without its first line, or word where it is one long line."""
    at = text.find("\n")
    if at < 0:
        at = min(text.find(" ") % (len(text) + 1), _LONGEST_WORD)
    return text[at + 1 :]


def listed(names: Sequence[str], total: int) -> str:
    """Return names as ``a, b and 3 more``, of ``total``; without any name the number alone."""
    if not names:
        return str(total)
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return ", ".join(names) + more
