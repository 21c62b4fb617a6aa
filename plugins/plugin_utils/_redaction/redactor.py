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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.commands import headers, secret_arguments
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.devices import device_secrets
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.keys import private_keys
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.names import named_secrets, names_a_secret
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import MASK, Span, Text
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.structures import structured_secrets
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.tokens import issued, secrets_by_form
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.user_patterns import UserPatterns
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.values import is_harmless

# In characters. Masking a shorter secret would damage ordinary words that contain it.
_SHORTEST_SECRET = 4
_MAX_DEPTH = 32
_MAX_PASSES = 8

_Finder = Callable[[Text], Iterator[Span]]
_FINDERS: tuple[_Finder, ...] = (
    private_keys,
    secrets_by_form,
    headers,
    secret_arguments,
    device_secrets,
    structured_secrets,
    named_secrets,
)
# What is found in names: only what no host, task, role or file can be called.
_FINDERS_IN_NAMES: tuple[_Finder, ...] = (issued,)


class Redactor:
    """Masks secrets in text and in plain data.

    Masking is idempotent. Its time is linear in the length of the text; for ``extra_patterns`` it is bounded.

    :param extra_patterns: Python's regular expressions; all that they match is masked.
    :param secrets: values known to be secret, such as the API token. Those with fewer than 4 characters are ignored.
    :raises ValueError: an extra pattern is not a regular expression or matches the empty string; the message names it.
    """

    def __init__(self, extra_patterns: Sequence[str] = (), secrets: Sequence[str] = ()) -> None:
        self._extra = UserPatterns(extra_patterns) if extra_patterns else None
        spellings = {s for secret in secrets if len(secret) >= _SHORTEST_SECRET for s in _spellings(secret)}
        longest_first = sorted(spellings, key=lambda s: (-len(s), s))
        # the mask is the first alternative, so that a secret such as "redacted" is not masked inside it
        self._known = re.compile("|".join(map(re.escape, [MASK, *longest_first]))) if spellings else None

    @property
    def trouble(self) -> str:
        """What the user must know about the patterns so far, as a sentence; empty if there is nothing."""
        return self._extra.trouble if self._extra else ""

    def text(self, text: str) -> str:
        """Return ``text`` with each secret replaced by ``[redacted]``. Text without secrets is returned unchanged.

        If a pattern of the user takes too long, the whole text is left out: the result says so.
        """
        return self._masked(text, _FINDERS)

    def name(self, text: str) -> str:
        """Return the name of a host, task, role, play or file with its secrets masked.

        A name can read like a secret (``rotate_password : Check the file``). So only the known secrets, matches of the
        user's patterns and tokens with an issuer's prefix are masked.
        """
        return self._masked(text, _FINDERS_IN_NAMES)

    def _masked(self, text: str, finders: Sequence[_Finder]) -> str:
        # A mask can expose another secret next to it, so repeat until a pass finds nothing.
        seen: Text | None = None
        for _pass in range(_MAX_PASSES):
            before = text
            if self._known:
                text = self._known.sub(MASK, text)
            if self._extra:
                text = self._extra.masked(text, is_name=finders is _FINDERS_IN_NAMES)
            seen = Text(text, seen)
            spans = [span for find in finders for span in find(seen)]
            text = seen.masked(spans) if spans else text
            if text == before:
                break
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


def _spellings(secret: str) -> Iterator[str]:
    """Yield a known secret unchanged, and as it is encoded in a URL, in JSON and in base64."""
    yield from (secret, quote(secret, safe="", errors="replace"), json.dumps(secret)[1:-1])
    yield base64.b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")


def _is_option(item: Any) -> bool:
    return isinstance(item, str) and item.startswith("-") and "=" not in item


def _is_secret(key: Any, value: Any) -> bool:
    """Return whether ``value`` must be masked because its key names a secret."""
    if value is None or isinstance(value, bool) or not isinstance(key, str) or not names_a_secret(key):
        return False
    return str(value) not in ("", "[]", "{}") and not is_harmless(str(value), key)
