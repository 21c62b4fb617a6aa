# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of the redactor share: the mask, a text with its views, and the spans of secrets in it.

Must not know any secret.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import words_in

MASK = "[redacted]"
FLAGS = re.ASCII | re.IGNORECASE | re.VERBOSE

# Start and end of a secret in a text.
Span = tuple[int, int]

# A line break or tab as JSON, Python and the like write it, and a line that a shell continues on the next one. The
# second case of \t is that of a path: C:\token.
_LINE_BREAK = re.compile("\n")
_ESCAPED = re.compile(r"\\{1,8}r\\{1,8}n|\\{1,8}(?:[nr]|t(?!oken))|\\\r?\n")
# A mask makes no new word, except that it can take the backslash of ``\n``, which leaves a letter.
_BARED = re.compile(re.escape(MASK) + "[nrt]")


class Text:
    """A text, and views of it that have the same length, so that a position means the same in all of them."""

    def __init__(self, text: str, before: Text | None = None) -> None:
        """Wrap a text.

        :param before: the same text before some of it was masked. Only what has changed since is searched then.
        """
        self.text = text
        self._numbers: dict[tuple[str, ...], list[int]] = {}
        self._windows: dict[tuple[tuple[str, ...], int], list[Span]] = {}
        self._changed: list[int] | None = None
        self._near_changes: dict[int, set[int]] = {}
        if before:
            self._continue(before)

    def _continue(self, before: Text) -> None:
        """Take over what is known of the text before: masks remove words, and leave most lines as they are."""
        if not _BARED.search(self.text):
            self.words = before.words
        old, new = before.text.split("\n"), self.text.split("\n")
        if len(old) != len(new) or len(before._starts) != len(self._starts):
            return
        if self.words is before.words:
            self._numbers = before._numbers
        changed = [number for number, line in enumerate(new) if line != old[number]]
        self._changed = self._lines_in_view(changed, new) if "\\" in self.text else changed

    def _lines_in_view(self, numbers: list[int], lines: list[str]) -> list[int]:
        """Return the numbers that these lines of the text have in the view: one can be several there or a part."""
        ends = list(accumulate(len(line) + 1 for line in lines))
        found: set[int] = set()
        for number in numbers:
            end = ends[number] - 1
            first, last = (bisect_right(self._starts, at) for at in (end - len(lines[number]), end))
            found.update(range(first - 1, min(last, len(self._starts) - 1)))
        return sorted(found)

    @cached_property
    def words(self) -> frozenset[str]:
        """The known words that the text contains, or contained before something was masked."""
        return words_in(self.lowered)

    @cached_property
    def view(self) -> str:
        r"""The text with white space for each escaped line break and tab.

        A pattern for the start of a word does not know that the ``n`` of ``\nAKIA…`` is not a letter.
        """
        return _ESCAPED.sub(_spaces, self.text) if "\\" in self.text else self.text

    @cached_property
    def lowered(self) -> str:
        """The view in lower case. A capital I with a dot would become two characters."""
        return self.view.replace("\u0130", "i").lower()

    def has(self, words: tuple[str, ...]) -> bool:
        """Return whether the text contains one of these known words: much faster than any pattern."""
        return not self.words.isdisjoint(words)

    def windows(self, words: tuple[str, ...], lines: int = 0, near: tuple[str, ...] = ()) -> list[Span]:
        """Return the lines that contain one of these known words, each once, as start and end.

        A pattern takes long for a whole text and little for the few lines in which it can match.

        :param lines: how many lines before and after these belong to them; neighbouring lines are joined then.
        :param near: only lines among which is one of these words too.
        """
        numbers = self._lines_with(words)
        if self._changed is not None:
            # what is found among some lines depends on lines as far away as they span
            numbers = sorted(self._nearby(2 * lines).intersection(numbers))
        starts = self._starts
        if not lines:
            numbers = sorted({*numbers}.intersection(self._lines_with(near))) if near else numbers
            return [(starts[number], starts[number + 1]) for number in numbers]
        if (words, lines) not in self._windows:
            self._windows[words, lines] = self._joined(numbers, lines)
        windows = self._windows[words, lines]
        if near:
            others = self._lines_with(near)
            windows = [(first, end) for first, end in windows if bisect_left(others, first) < bisect_left(others, end)]
        return [(starts[first], starts[end]) for first, end in windows]

    def _nearby(self, lines: int) -> set[int]:
        """Return the numbers of the lines that have changed, and of so many before and after each."""
        if lines not in self._near_changes:
            parts = self._joined(self._changed or [], lines)
            self._near_changes[lines] = {number for first, end in parts for number in range(first, end)}
        return self._near_changes[lines]

    def news(self, lines: int) -> list[Span]:
        """Return the parts that have changed since the text before, or the whole text.

        :param lines: how many lines before and after these belong to them.
        """
        if self._changed is None:
            return [(0, len(self.view))]
        return [(self._starts[first], self._starts[end]) for first, end in self._joined(self._changed, lines)]

    def _lines_with(self, words: tuple[str, ...]) -> list[int]:
        """Return the numbers of the lines that contain one of the words, in order."""
        if words not in self._numbers:
            some = [word for word in words if word in self.words]
            if len(words) == 1 and some:
                self._numbers[words] = self._lines_of(words[0])
            else:
                self._numbers[words] = sorted({number for word in some for number in self._lines_with((word,))})
        return self._numbers[words]

    def _lines_of(self, word: str) -> list[int]:
        lowered, starts, numbers = self.lowered, self._starts, []
        at = lowered.find(word)
        while at >= 0:
            number = bisect_right(starts, at)
            numbers.append(number - 1)
            at = lowered.find(word, starts[number])
        return numbers

    def _joined(self, numbers: list[int], lines: int) -> list[Span]:
        """Return these lines with those around them, as the first line and the line after the last."""
        joined: list[Span] = []
        last = len(self._starts) - 1 if numbers else 0
        for number in numbers:
            first, end = max(number - lines, 0), min(number + lines + 1, last)
            if joined and first <= joined[-1][1]:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((first, end))
        return joined

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line starts, and where the text ends."""
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.view)), len(self.view)]

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of the view, each with the position at which it starts."""
        return zip(self._starts[:-1], self.view.split("\n"), strict=True)

    def masked(self, spans: Iterable[Span]) -> str:
        """Return the text with each span replaced by the mask, and spans that overlap by one."""
        pieces: list[str] = []
        done = 0
        for start, end in sorted(spans):
            if end <= done:
                continue
            if start >= done or not pieces:
                pieces += [self.text[done:start], MASK]
            done = end
        return "".join([*pieces, self.text[done:]])


def _spaces(escaped: re.Match[str]) -> str:
    sequence = escaped[0]
    if sequence[-1] == "\n" or (
        sequence[-1] == "n" and sequence.count("\\") == 3
    ):  # a continued line, plain or in JSON
        return " " * len(sequence)
    return " " * (len(sequence) - 1) + ("\t" if sequence[-1] == "t" else "\n")


def group_of(pattern: re.Pattern[str]) -> str | int:
    """Return which group of a match is secret: ``secret``, or the whole match if the pattern has no such group."""
    return "secret" if "secret" in pattern.groupindex else 0


def spans_of(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Yield where the secret of each match is."""
    group = group_of(pattern)
    for found in pattern.finditer(text):
        yield found.span(group)
