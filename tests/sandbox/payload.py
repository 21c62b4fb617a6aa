# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request's body as the API's filters see it: its text, and the keys of its JSON object.

Must not know about filters, HTTP or the sandbox's state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

# The API page: "we only support string/text type Content-type(application/json, text/plain, text/html, etc...)".
TEXT_TYPES = {
    "application/json",
    "application/javascript",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/yaml",
}


@dataclass(frozen=True)
class Payload:
    """The whole text, and the keys that a filter can use (none, unless the text is a JSON object)."""

    text: str
    keys: Mapping[str, object]

    def text_of(self, key: str | None) -> str | None:
        """Return a key's value as a string (compact JSON if it is another type).

        None if there is no such key, or if its value is nested more deeply than Python can write.
        """
        value = None if key is None else self.keys.get(key)
        if value is None or isinstance(value, str):
            return value
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        except RecursionError:
            return None

    def has_tag(self, tags: tuple[str, ...]) -> bool:
        """Return whether the payload's ``tags`` (a list or one string) contain any of these."""
        own = self.keys.get("tags")
        return bool(set(tags) & {tag for tag in (own if isinstance(own, list) else [own]) if isinstance(tag, str)})


def read(content_type: str, body: bytes) -> Payload:
    """Read a body as the API page describes: a body without a text content type counts as an empty payload.

    Any text that parses as JSON is taken as JSON, whichever text content type it has.

    :param content_type: the header's value, with or without parameters; an empty string if the header is missing.
    :param body: the body as received.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if not (media_type.startswith("text/") or media_type in TEXT_TYPES or media_type.endswith(("+json", "+xml"))):
        return Payload("", {})
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Payload(text, {})
    return Payload(text, value if isinstance(value, dict) else {})
