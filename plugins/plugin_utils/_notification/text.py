# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleans and shortens strings from terminals and untrusted hosts, so that a page can show them.

Must not know what a string means. Lengths are in bytes of UTF-8, unless a docstring says characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ELLIPSIS = "…"
# Colours and cursor movements, window titles, and the other two-letter codes of ECMA-48.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# All control characters except tab and line feed, and those that change the direction of writing: they can make a text
# look like another one.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# What can be the value of a name that was cut off: a word, or a quoted string.
_VALUE = r"""(?:\\*"[^"\n]{0,256}"?|\\*'[^'\n]{0,256}'?|[^\s"']\S{0,256})"""
_CUT_WORD = re.compile(rf"[ ]*{_VALUE}[,;]?[ ]*")
_CUT_LINE = re.compile(rf"[ \t]*(?:-[ \t]+)?{_VALUE},?[ \t]*(?:\n|\Z)")
# Maximum number of characters of a cut word that are removed.
_LONGEST_WORD = 256


def cleaned(text: str) -> str:
    """Return ``text`` as lines of plain, valid characters, without leading and trailing white space."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        text = "\n".join(map(_last_state, text.replace("\r\n", "\n").split("\n")))
    return _CONTROLS.sub("", text).strip()


def _last_state(line: str) -> str:
    """Return what a line shows in the end: a progress bar returns to its beginning and writes over it."""
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def one_line(text: str) -> str:
    """Return ``text`` cleaned and joined to one line."""
    return " ".join(cleaned(text).split())


def beginning(text: str, most: int) -> str:
    """Return the beginning of ``text``, at most ``most`` bytes, with an ellipsis if it was cut."""
    data = text.encode("utf-8")
    if len(data) <= most:
        return text
    room = most - len(_ELLIPSIS.encode())
    return data[:room].decode("utf-8", "ignore").rstrip() + _ELLIPSIS if room >= 0 else ""


def ending(text: str, most: int) -> str:
    """Return the end of ``text``, at most ``most`` bytes, with an ellipsis if it was cut."""
    data = text.encode("utf-8")
    if len(data) <= most:
        return text
    room = most - len(_ELLIPSIS.encode())
    return _ELLIPSIS + data[len(data) - room :].decode("utf-8", "ignore") if room >= 0 else ""


def shortened(text: str, most: int) -> str:
    """Return the beginning of ``text``, at most ``most`` characters, with an ellipsis if it was cut."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + _ELLIPSIS[:most]


def without_cut_word(text: str) -> str:
    """Return a text whose end was cut off, without its last word: no pattern recognizes half a secret."""
    at = max(text.rfind(" "), text.rfind("\n"), len(text) - _LONGEST_WORD)
    return text[: max(at, 0)]


def without_cut_line(text: str) -> str:
    """Return a text whose beginning was cut off, without its first line (or first word, if it is a single line).

    The cut can be between a secret's name and the secret. So what follows goes too if it can be a value: a line of one
    word, or the next word of a single line.
    """
    at = text.find("\n")
    if at < 0:
        at = min(text.find(" ") % (len(text) + 1), _LONGEST_WORD)
        found = _CUT_WORD.match(text, at + 1)
    else:
        found = _CUT_LINE.match(text, at + 1)
    return text[found.end() if found else at + 1 :]


def listed(names: Sequence[str], total: int) -> str:
    """Return names as ``a, b and 3 more``, or only the number if there are no names.

    :param total: number of all names, including those that are not listed.
    """
    if not names:
        return str(total)
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return ", ".join(names) + more
