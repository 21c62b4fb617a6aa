# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks secrets in everything that is sent: tokens, passwords, keys, and matches of the user's own patterns.

Must run in time linear in the length of the text, since a hostile host may have written it. Must not use files, the
network or Ansible.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import patterns
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import MASK

# In characters. Masking a shorter secret would damage ordinary words that contain it.
_SHORTEST_SECRET = 4
_MAX_DEPTH = 32
_MAX_PASSES = 8


class Redactor:
    """Masks secrets in text and in plain data.

    Masking is idempotent. Its time is linear in the length of the text, if that of each of ``extra_patterns`` is.

    :param extra_patterns: Python's regular expressions; all that they match is masked.
    :param secrets: values known to be secret, such as the API token. Those with fewer than 4 characters are ignored.
    :raises ValueError: an extra pattern is not a regular expression or matches the empty string; the message names it.
    """

    def __init__(self, extra_patterns: Sequence[str] = (), secrets: Sequence[str] = ()) -> None:
        self._extra = [_compiled(pattern) for pattern in extra_patterns]
        spellings = {s for secret in secrets if len(secret) >= _SHORTEST_SECRET for s in _spellings(secret)}
        longest_first = sorted(spellings, key=lambda s: (-len(s), s))
        # the mask is the first alternative, so that a secret such as "redacted" is not masked inside it
        self._known = re.compile("|".join(map(re.escape, [MASK, *longest_first]))) if spellings else None

    def text(self, text: str) -> str:
        """Return ``text`` with each secret replaced by ``[redacted]``. Text without secrets is returned unchanged."""
        # A mask can expose another secret next to it, so repeat until a pass finds nothing.
        for _pass in range(_MAX_PASSES):
            before, text = text, self._masked_once(text)
            if text == before:
                break
        return text

    def _masked_once(self, text: str) -> str:
        if self._known:
            text = self._known.sub(MASK, text)
        for pattern in self._extra:
            text = MASK.join(pattern.sub(MASK, piece) for piece in text.split(MASK))
        # Most text contains no secret. To be fast, search for fixed words before running a pattern.
        lowered = text.lower()
        if "private key" in lowered:
            text = _without_private_keys(text)
        for hints, pattern in patterns.SHAPES:
            if any(hint in lowered for hint in hints):
                text = pattern.sub(rf"\1{MASK}", text)
        if "://" in lowered:
            text = patterns.URL.sub(_without_password, text)
        if "basic" in lowered:
            text = patterns.BASIC.sub(_without_credentials, text)
        if "authorization" in lowered or "cookie" in lowered:
            text = _masked(text, patterns.HEADER)
        for hints, command, option in patterns.COMMANDS:
            if any(hint in lowered for hint in hints):
                text = _masked_in(text, command, option)
        if "sshpass" in lowered:
            text = _masked(text, patterns.SSHPASS)
        for hints, pattern in patterns.STATED:
            if any(hint in lowered for hint in hints):
                text = _masked(text, pattern)
        if any(hint in lowered for hint in patterns.NAME_HINTS):
            text = patterns.XML.sub(rf"\1{MASK}", text)
            text = _masked(text, patterns.OPTION)
            text = _masked(text, patterns.ASSIGNED)
        return text

    def data(self, data: Any) -> Any:
        """Return a copy of ``data`` with masked secrets: in its strings, and each value whose key names a secret.

        :param data: JSON data. Other objects become strings; tuples and sets become lists.
        """
        return self._data(data, 0)

    def _data(self, data: Any, depth: int) -> Any:
        if data is None or isinstance(data, (bool, int, float)):
            return data
        if isinstance(data, bytes):
            data = data.decode("utf-8", "replace")
        if isinstance(data, str):
            return self.text(data)
        if depth >= _MAX_DEPTH:
            return MASK
        if isinstance(data, Mapping):
            # {"name": "DB_PASSWORD", "value": …}: how Kubernetes and ECS list environment variables
            named = data.get("name", data.get("key"))
            return {
                self.text(str(key)): MASK
                if _is_secret(named if str(key).lower() == "value" else key, value)
                else self._data(value, depth + 1)
                for key, value in data.items()
            }
        if isinstance(data, (list, tuple, set, frozenset)):
            items = sorted(data, key=repr) if isinstance(data, (set, frozenset)) else list(data)
            return [
                MASK if _is_option(before) and _is_secret(before, item) else self._data(item, depth + 1)
                for before, item in zip([None, *items], items)  # noqa: B905 - no item follows the last one
            ]
        return self.text(str(data))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"redact: {pattern!r} is not a regular expression: {error}") from error
    if compiled.search(""):
        raise ValueError(f"redact: {pattern!r} matches the empty string, so it would mask everything")
    return compiled


def _spellings(secret: str) -> Iterator[str]:
    """Yield a known secret unchanged, and as it is encoded in a URL, in JSON and in base64."""
    yield from (secret, quote(secret, safe="", errors="replace"), json.dumps(secret)[1:-1])
    yield base64.b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")


def _is_option(item: Any) -> bool:
    return isinstance(item, str) and item.startswith("-") and "=" not in item


def _is_secret(key: Any, value: Any) -> bool:
    """Return whether ``value`` must be masked because its key names a secret."""
    if value is None or isinstance(value, bool) or not isinstance(key, str) or not patterns.KEY_OF_A_SECRET.search(key):
        return False
    return str(value) not in ("", "[]", "{}") and not _is_harmless(str(value), key)


def _is_harmless(value: str, name: str) -> bool:
    is_path = name.lower().endswith(("pwd", "key")) and patterns.PATH.fullmatch(value)
    return bool(is_path or patterns.HARMLESS.fullmatch(value))


def _without_password(found: re.Match[str]) -> str:
    if found["token"] or not patterns.HARMLESS.fullmatch(found["password"]):
        return (found["user"] or "") + MASK
    return found[0]


def _without_credentials(found: re.Match[str]) -> str:
    """Mask what follows ``Basic`` if it is base64 of ``user:password``, even if cut off. Leave prose unchanged."""
    encoded = found[2].rstrip("=")
    decoded = base64.b64decode(encoded[: len(encoded) // 4 * 4])
    return found[1] + MASK if b":" in decoded and decoded.isascii() else found[0]


def _without_private_keys(text: str) -> str:
    """Mask private keys in PEM format, including those whose beginning or end is cut off."""
    edges = list(patterns.PEM_EDGE.finditer(text))
    pieces, done = [], 0
    for before, edge, after in zip([None, *edges], edges, [*edges[1:], None]):  # noqa: B905 - the first list is longer
        if edge.start() < done:
            continue  # this marker belongs to a key that is already masked
        if edge["edge"] == "END":
            start, end = _start_of_key(text, max(done, before.end() if before else 0), edge.start()), edge.end()
        elif after and after["edge"] == "END":
            start, end = edge.start(), after.end()
        else:
            body = patterns.PEM_BODY.match(text, edge.end(), after.start() if after else len(text))
            start, end = edge.start(), body.end() if body else edge.end()
            if end == edge.end():
                continue  # a message that mentions the marker, as those of OpenSSL do
        if start < edge.start() or edge["edge"] == "BEGIN":
            pieces += [text[done:start], MASK]
            done = end
    return "".join([*pieces, text[done:]])


def _start_of_key(text: str, earliest: int, end: int) -> int:
    """Return the start of the base64 lines before ``end``; at least ``earliest``."""
    breaks = list(patterns.LINE_BREAK.finditer(text, earliest, end))
    starts = [earliest, *(found.end() for found in breaks)]
    ends = [*(found.start() for found in breaks), end]
    first = end
    for line_start, line_end in zip(reversed(starts), reversed(ends), strict=True):
        line = text[line_start:line_end].strip(" \t\"',+\\\r")
        if line:
            if not patterns.BASE64.fullmatch(line):
                break
            first = line_start
    return first


def _masked(text: str, names: re.Pattern[str]) -> str:
    """Mask the value after each match of ``names``, in one pass."""
    pieces, done, at = [], 0, 0
    while found := names.search(text, at):
        start, end = _value(text, found)
        at = max(found.end(), end)
        if start < end:
            pieces += [text[done:start], MASK]
            done = end
    return "".join([*pieces, text[done:]])


def _masked_in(text: str, commands: re.Pattern[str], option: re.Pattern[str]) -> str:
    return commands.sub(lambda command: _masked(command[0], option), text)


def _value(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return start and end of the secret value after a name; the same position twice if it is not secret."""
    groups, start = found.groupdict(), found.end()
    quoted = patterns.QUOTE.fullmatch(groups.get("q") or "") or patterns.QUOTE.match(text, start)
    is_spoken = groups.get("colon") or found.re in patterns.SPOKEN
    if patterns.OPENS_DATA.match(text, start):
        return start, start
    if not quoted and is_spoken and (patterns.PROSE.match(text, start) or patterns.METAVARIABLE.match(text, start)):
        return start, start
    if groups.get("q") and quoted:
        end, _after = _closing(text, start, quoted)
    elif quoted:
        start, end = _quoted(text, quoted)
    elif listed := patterns.LIST_OF_STRINGS.match(text, start):
        end = listed.end()
    elif found.re is patterns.HEADER and not groups["scheme"]:
        end = _end(patterns.TO_QUOTE, text, start)
    elif groups.get("colon") and not groups["close"] and _begins_its_line(text, found.start()):
        end = _end(patterns.TO_END_OF_LINE, text, start)
    else:
        end = _end(patterns.BARE, text, start)
    value = text[start:end].rstrip()
    is_usage = value.isupper() and found[0].lower().startswith(value.lower())  # --password=PASSWORD
    if is_usage or _is_harmless(value, found[0].rstrip("\\\"' \t=:>")):
        return end, end
    return start, start + len(value)


def _begins_its_line(text: str, at: int) -> bool:
    """Return whether nothing but the beginning of a YAML key precedes position ``at`` in its line."""
    line = text.rfind("\n", max(0, at - 100), at) + 1
    return (line > 0 or at <= 100) and bool(patterns.BEFORE_A_KEY.fullmatch(text, line, at))


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _quoted(text: str, opened: re.Match[str]) -> tuple[int, int]:
    """Return start and end of a quoted value: what is between the quotes, or the whole of several joined parts."""
    start = opened.end()
    end, after = _closing(text, start, opened)
    part = opened
    while not part["slashes"] and patterns.GLUED.match(text, after):
        start = opened.start()
        again = patterns.QUOTE.match(text, after)
        if not again:
            return start, _end(patterns.BARE, text, after)
        part = again
        _end_of_part, after = _closing(text, part.end(), part)
        end = after
    return start, end


def _closing(text: str, start: int, opened: re.Match[str]) -> tuple[int, int]:
    """Return where a quoted value ends and where the text after its quote starts; the same if the quote never closes.

    A quote at nesting depth n (JSON in JSON) has 2**n - 1 backslashes before it. A quote with more backslashes is part
    of the value; one with fewer belongs to the surrounding string.
    """
    depth = len(opened["slashes"])
    for found in patterns.CLOSING[opened["mark"]].finditer(text, start):
        if found["mark"]:
            slashes = len(found["slashes"])
            if slashes < depth:
                return found.start(), found.start()
            if slashes % (2 * depth + 2) == depth:
                return found.end() - depth - 1, found.end()
        elif found[0] == "\n":
            return found.start(), found.start()
    return len(text), len(text)
