# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds which of the words that patterns need are in a text, all of them at once: only these patterns are tried then.

Most texts have few of these words. To look for one after the other takes longer than all else that is done to a text.
Must take linear time, and not know what a word is for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Generic, TypeVar

Row = TypeVar("Row")

# In characters. What a word begins with is compared as a number of four bytes: of all of a text, Python makes them in
# one step. Two bits of each are left out, because numbers of less than 30 bits are faster.
_BEGINNING = 4
_SIX_BITS = bytes(code & 63 for code in range(256))
# The known words by their beginning, and those that are too short.
_by_beginning: dict[int, list[str]] = {}
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
        if len(word) < _BEGINNING or not word.isascii():
            _short.add(word)
        elif word not in (alike := _by_beginning.setdefault(_numbers(word[:_BEGINNING].encode())[0], [])):
            alike.append(word)
    return words


def words_in(lowered: str) -> frozenset[str]:
    """Return the known words that are in a text of lower-case letters."""
    data = lowered.encode("latin-1", "replace")
    found = {word for word in _short if word in lowered}
    for start in range(_BEGINNING):
        for beginning in _by_beginning.keys() & _numbers(data[start:]):
            found.update(word for word in _by_beginning[beginning] if word in lowered)
    return frozenset(found)


def words_left(lowered: str, before: frozenset[str]) -> frozenset[str]:
    r"""Return the same for a text in which something has been masked since it had the words ``before``.

    A mask makes no new word, except that it can take the backslash of ``\n``, which leaves a letter.
    """
    some = {*before, *(word for word in _all() if word[0] in "nrt")} if "\\" in lowered else before
    return frozenset(word for word in some if word in lowered)


def _all() -> Iterator[str]:
    yield from _short
    for words in _by_beginning.values():
        yield from words


def _numbers(data: bytes) -> memoryview:
    """Return each four bytes as a number."""
    return memoryview(data[: len(data) // _BEGINNING * _BEGINNING].translate(_SIX_BITS)).cast("I")
