# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds which of the words that patterns need are in a text, all of them at once: only these patterns are tried then.

Most texts have few of these words. To look for one after the other takes longer than all else that is done to a text.
Must take linear time, and not know what a word is for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Generic, TypeVar

Row = TypeVar("Row")

# In characters. Runs of so many are compared as numbers of four bytes: Python makes all of them in one step. Two
# bits of each character are left out, because numbers of less than 30 bits are faster.
_RUN = 4
_SIX_BITS = bytes(code & 63 for code in range(256))
# The known words by the run that they end with, each behind the run that it begins with, which is a key too; and those
# that are too short.
_by_end: dict[int, list[tuple[int, str]]] = {}
_short: set[str] = set()


class Table(Generic[Row]):
    """Rows that need one of some words each.

    :param rows: the lower-case words of a row, and the row.
    """

    def __init__(self, rows: Iterable[tuple[Collection[str], Row]]) -> None:
        self._rows = [(tuple(words), row) for words, row in rows]
        self._users: dict[str, list[int]] = {}
        for number, (words, _row) in enumerate(self._rows):
            for word in words:
                self._users.setdefault(word, []).append(number)
        known(*self._users)

    def rows(self, present: frozenset[str]) -> list[tuple[tuple[str, ...], Row]]:
        """Return the rows of which a word is present, in their order, each with its words."""
        numbers = {number for word in self._users.keys() & present for number in self._users[word]}
        return [self._rows[number] for number in sorted(numbers)]


def known(*words: str) -> tuple[str, ...]:
    """Make lower-case words known, so that texts are searched for them, and return them."""
    for word in words:
        if len(word) < _RUN or not word.isascii():
            _short.add(word)
            continue
        (first,), (last,) = (_numbers(part.encode()) for part in (word[:_RUN], word[-_RUN:]))
        _by_end.setdefault(first, [])
        if (first, word) not in (alike := _by_end.setdefault(last, [])):
            alike.append((first, word))
    return words


def words_in(lowered: str) -> frozenset[str]:
    """Return the known words that are in a text of lower-case letters."""
    data = lowered.encode("latin-1", "replace")
    runs: set[int] = set()
    for start in range(_RUN):
        runs |= _by_end.keys() & _numbers(data[start:])
    likely = [word for run in runs for first, word in _by_end[run] if first in runs]
    return frozenset([word for word in (*likely, *_short) if word in lowered])


def _numbers(data: bytes) -> memoryview:
    """Return each four bytes as a number."""
    return memoryview(data[: len(data) // _RUN * _RUN].translate(_SIX_BITS)).cast("I")
