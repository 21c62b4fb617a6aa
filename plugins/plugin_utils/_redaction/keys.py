# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private keys: complete, cut off at either end, with the prefixes of a log or a diff, in a list, and in base64.

Must take linear time: each line of a text belongs to one key at most.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import Span, Text, spans_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import known

_EDGE = re.compile(r"-----(?P<edge>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BREAK = re.compile(r"""\n|\\{0,8}["'][ \t]*,\s*\\{0,8}["']""")
_BREAK_IN_ONE_LINE = re.compile(r"""\\{0,8}["'][ \t]*,\s*\\{0,8}["']|[ \t]+(?=[A-Za-z0-9+/=]{16}|-----)""")
_PLAIN = re.compile(r"[A-Za-z0-9+/=]+")
# A line of a key's body behind what precedes it in its line. The header of an encrypted key counts too.
_BODY = re.compile(
    r"(?:.*?(?<![A-Za-z0-9+/]))??(?P<data>[A-Za-z0-9+/]{4,}={0,2}|=[A-Za-z0-9+/]{4})[ \t\"',+\\\r]*", re.ASCII
)
_LONG = re.compile(r"(?<![A-Za-z0-9+/])(?P<data>[A-Za-z0-9+/]{16,}={0,2})")
_HEADER = re.compile(r"[^\n]{0,100}?(?:Proc-Type|DEK-Info|Version|Comment|Hash):[^\n]*")
# What differs between the lines of a log, a listing with numbers, a diff or grep's output.
_CHANGES = re.compile(r"""[\d\s:.,+TZ"'\[-]+""")
_JUNK = " \t\"',+\\\r"
# "-----BEGIN " in base64, as in a Secret of Kubernetes; _is_key decides what begins.
_ENCODED = re.compile(
    r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi[A-Za-z0-9+/=]+(?:\s+[A-Za-z0-9+/=]{16,}(?![\w:-]))*(?:\s+[A-Za-z0-9+/]{1,15}={0,2}(?=\s*(?:\n|\Z)))?"
)
_PUTTY = re.compile(r"Private-Lines:[ ][0-9]{1,4}(?P<secret>(?:[ \t]*\n[ \t]*[A-Za-z0-9+/=]{1,76}(?=\s|\Z))+)")
_JWK_WORDS = known("kty")
_JWK = re.compile(r"""["'](?:d|p|q|dp|dq|qi|k)\\{0,8}["']\s*:\s*\\{0,8}["'](?P<secret>[\w-]{16,})""", re.ASCII)
# In characters. A shorter line of base64 is a word.
_LINE = 16


def private_keys(text: Text) -> Iterator[Span]:
    """Yield where private keys are, including those whose beginning or end is cut off."""
    if "PRIVATE KEY" in text.text:
        yield from _armoured(text.view)
    if "LS0tLS1CRUdJTi" in text.text:
        for found in _ENCODED.finditer(text.view):
            if _is_key(found[0]):
                yield found.span()
    if "Private-Lines" in text.text:
        yield from spans_of(_PUTTY, text.view)
    if text.has(_JWK_WORDS):
        yield from spans_of(_JWK, text.view)


def _is_key(encoded: str) -> bool:
    encoded = re.split(r"[^A-Za-z0-9+/]", encoded, maxsplit=1)[0]
    return b"PRIVATE KEY" in base64.b64decode(encoded[: min(len(encoded), 64) // 4 * 4])


def _armoured(text: str) -> Iterator[Span]:
    edges = list(_EDGE.finditer(text))
    done = 0
    for before, edge, after in zip([None, *edges], edges, [*edges[1:], None]):  # noqa: B905 - the first list is longer
        if edge.start() < done:
            continue  # this marker belongs to a key that is already masked
        if edge["edge"] == "END":
            start = _start_of_key(text, max(done, before.end() if before else 0), edge.start())
            end = edge.end()
            if start == edge.start():
                continue
        elif after and after["edge"] == "END":
            start, end = edge.start(), after.end()
        else:
            start, end = edge.start(), _end_of_key(text, edge, after.start() if after else len(text))
            if end == edge.end():
                continue  # a message that mentions the marker, as those of OpenSSL do
        yield start, end
        done = end


def _lines(text: str, earliest: int, end: int) -> list[Span]:
    has_lines = text.find("\n", earliest, end) >= 0
    breaks = list((_BREAK if has_lines else _BREAK_IN_ONE_LINE).finditer(text, earliest, end))
    starts = [earliest, *(found.end() for found in breaks)]
    return list(zip(starts, [*(found.start() for found in breaks), end], strict=True))


def _start_of_key(text: str, earliest: int, end: int) -> int:
    """Return the start of the lines of base64 before ``end``; at least ``earliest``."""
    lines = _lines(text, earliest, end)
    prefix = _CHANGES.sub("0", text[slice(*lines[-1])])
    first = end
    for number, (start, stop) in enumerate(reversed(lines)):
        line = text[start:stop]
        if number == 0 or not line.strip(_JUNK):
            continue
        found = _BODY.fullmatch(line)
        if not found or (len(found["data"]) < _LINE and not (number == 1 or line.strip(_JUNK) == found["data"])):
            break
        ahead = line[: found.start("data")]
        # the beginning of the first line can be cut off, or belong to what shows the key
        if ahead.strip(_JUNK) and _CHANGES.sub("0", ahead).strip("0") != prefix.strip("0"):
            if len(found["data"]) >= 2 * _LINE:
                first = start + found.start("data")
            break
        first = start + found.start("data")
    return first


def _end_of_key(text: str, edge: re.Match[str], latest: int) -> int:
    """Return the end of the lines of base64 after a marker; the end of the marker if there are none."""
    line_start = max(text.rfind("\n", max(0, edge.start() - 200), edge.start()) + 1, edge.start() - 200)
    prefix = _CHANGES.sub("0", text[line_start : edge.start()]).strip("0")
    end, is_short = edge.end(), False
    for start, stop in _lines(text, edge.end(), latest):
        line = text[start:stop]
        if not line.strip(_JUNK):
            continue
        if _HEADER.fullmatch(line):
            end = stop
            continue
        found = _BODY.fullmatch(line) or _LONG.search(line)
        ahead = line[: found.start("data")] if found else ""
        is_alike = not ahead.strip(_JUNK) or (bool(prefix) and _CHANGES.sub("0", ahead).strip("0") == prefix)
        if not found or is_short or not (is_alike or _CHANGES.fullmatch(ahead)):
            break
        if found.end() != len(line) and not line[found.end() :].lstrip().startswith(
            ("<", '"', "'", ";", "}", "]", "\\")
        ):
            break
        is_short = len(found["data"]) < _LINE
        if is_short and end == edge.end():
            break
        end = start + found.end("data")
    return end
