# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns any value of a task result into a readable string: lists, dictionaries, and the items of loops too.

Must not know what a value means, nor decide which values a page shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_LABEL_LIMIT = 120  # characters
_PAIRS = 4
# Keys that tell one item of a loop from the others, and keys whose values are long or may be secret.
_NAMING = ("name", "key", "id", "title", "user", "host", "path", "dest", "src", "url")
_HIDDEN = re.compile(r"pass|secret|token|cred|auth|priv|value|content|data|cert|.key|key.", re.IGNORECASE)


def text_of(value: Any) -> str:
    """Return any value of a result as a plain string that can be encoded as UTF-8."""
    if value is None:
        return ""
    text = str.__str__(value) if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def words_of(value: Any) -> str:
    """Return a value as text to read: a list line by line, a dictionary as JSON."""
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(words_of, value)))
    return compact_json(value) if isinstance(value, Mapping) else text_of(value)


def compact_json(value: Any) -> str:
    """Return a value as JSON on one line. JSON keeps quotes around values, so that redaction sees where they end."""
    try:
        # The default encoder knows no subclass of ours or Ansible's that is not a plain type: text_of does.
        return text_of(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=text_of))
    except (TypeError, ValueError, RecursionError):
        return text_of(value)


def one_line(text: str, most: int) -> str:
    """Return the text on one line of at most ``most`` characters, with an ellipsis if it was cut.

    A word that was cut is left out: no pattern recognizes half a secret.
    """
    line = " ".join(text[: 4 * most].split())
    if len(line) <= most and len(text) <= 4 * most:
        return line
    return line[: most - 1].rpartition(" ")[0] + "…"


def label_of(value: Any) -> str:
    """Return a short name for an item of a loop.

    Of a dictionary without a label, only what names the item is shown, and short values beside it that are no strings.
    Of a list, only the first value is shown: the others may be passwords, as in ``dictsort`` of users.
    """
    if isinstance(value, list | tuple):
        return label_of(value[0]) + (", …" if value[1:] else "") if value else ""
    label = _pairs(value) if isinstance(value, Mapping) else text_of(value)
    # No pattern recognizes a private key of which a label shows only the beginning.
    shown, is_key, _key = label.partition("-----BEGIN")
    return one_line(f"{shown}…" if is_key else label, _LABEL_LIMIT)


def _pairs(item: Mapping[Any, Any]) -> str:
    plain = {text_of(name): value for name, value in item.items() if isinstance(value, str | int | float)}
    shown = {name: value for name, value in plain.items() if not _HIDDEN.search(name)}
    if any(name in shown for name in _NAMING):
        shown = {name: value for name, value in shown.items() if name in _NAMING or not isinstance(value, str)}
    return " ".join(f"{name}={_quoted(text_of(value))}" for name, value in list(shown.items())[:_PAIRS])


def _quoted(text: str) -> str:
    return text if text and not any(char.isspace() for char in text) else compact_json(text)
