# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets whose name and value do not stand side by side: pairs, tables, elements of XML, a Secret of Kubernetes.

Must take linear time: what may stand between name and value is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import values
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.names import NAME_WORDS, names_a_secret
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import FLAGS, Span, Text
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.tokens import is_basic
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import Table, known

_Q = r"""\\{0,8}["']"""
# The same where a pattern begins: Python's re then looks for the first character only.
_OPENS = """["']"""
_NAME = r"(?P<name>[\w.:-]{2,80})"
_KEYS = (
    *("parameterkey", "parameter_key", "parameter[ ]key", "optionname", "option_name"),
    *("option", "variable", "field", "name", "key", "id"),
)
_VALUES = (
    *("parametervalue", "parameter_value", "parameter[ ]value", "stringvalue", "string_value"),
    *("defaultvalue", "default_value", "value", "old", "new"),
)
_KEY, _VALUE = (f"(?:{'|'.join(words)})" for words in (_KEYS, _VALUES))
# The same where a pattern begins. What precedes a word is looked at behind it, so that most positions cost nothing.
_FIRST_KEY, _FIRST_VALUE = (
    "(?:" + "|".join(rf"{word}(?<![\w-]{word})" for word in words) + ")" for words in (_KEYS, _VALUES)
)
_QUOTED_VALUE = ('value"', "value'", "value\\")
# (what the lines must contain one of, besides a name; how many lines around it; pattern for the lowered text). The
# value begins where the match ends, or is the group "value".
_PAIRS = Table(
    (words.split() if isinstance(words, str) else words, (lines, re.compile(pattern, re.ASCII | re.VERBOSE)))
    for words, lines, pattern in (
        # {"db_password": {"sensitive": true, "value": "…"}}
        (
            _QUOTED_VALUE,
            5,
            rf"""{_OPENS}{_NAME}{_Q}\s*(?::|=>)\s*\{{[^{{}}]{{0,300}}?(?<![\w]){_Q}value{_Q}\s*(?::|=>)\s*(?={_Q})""",
        ),
        # ("password", "…"), ["Authorization", "…"]
        ("(", 1, rf"""\(\s*[bu]?{_Q}(?P<name>[\w-]{{2,80}}){_Q}\s*,\s*(?=[bu]?{_Q})"""),
        # {"name": "DB_PASSWORD", "value": "…"}, - name: DB_PASSWORD ⏎ value: …, Name=DB_PASSWORD,Value=…
        (
            (*_QUOTED_VALUE, "value:", "value=", "value =", "value  =", 'old"', "old'", "old\\"),
            5,
            rf"""{_FIRST_KEY}(?:{_Q})?\s{{0,8}}[:=]\s{{0,8}}(?:{_Q})?{_NAME}(?:{_Q})?[\s,]{{1,40}}
                (?:{_Q}?(?:type|description|sensitive|secure|hidden|scope|in|overwrite|serializeas){_Q}?
                  \s?[:=]\s?{_Q}?[\w. -]{{0,60}}{_Q}?[\s,]{{1,20}}){{0,3}}
                (?:{_Q})?{_VALUE}(?:{_Q})?\s{{0,8}}[:=]\s{{0,8}}(?=\S)""",
        ),
        (
            ('new"', "new'", "new\\"),
            0,
            rf"""{_OPENS}{_KEY}{_Q}\s?:\s?{_Q}{_NAME}{_Q}[^{{}}\n]{{0,200}}?{_Q}new{_Q}\s?:\s?(?={_Q})""",
        ),
        (
            (*_QUOTED_VALUE, "value:", "value=", "value =", "value  ="),
            5,
            rf"""{_FIRST_VALUE}(?:{_Q})?\s{{0,8}}[:=]\s{{0,8}}
                (?:{_Q}(?P<value>[^"'\n\\]{{1,500}}){_Q}|(?P<bare>[^\s"',]{{1,500}}))[\s,]{{1,40}}
                (?:{_Q})?{_KEY}(?:{_Q})?\s{{0,8}}[:=]\s{{0,8}}(?:{_Q})?{_NAME}""",
        ),
        # <entry key="db.password">…</entry>, <setting name="DbPassword"> ⏎ <value>…</value>
        (
            "</",
            2,
            r"""<[\w:.-]{1,40}\s[^<>\n]{0,100}?(?:name|key|id)=\\?["']"""
            + _NAME
            + r"""\\?["'][^<>\n]{0,100}(?<!/)>\s*(?:<value>)?(?:<!\[cdata\[)?(?P<value>[^<\n]{1,500})""",
        ),
        ("<key>", 2, rf"""<key>{_NAME}</key>\s*<(?:string|data)>(?P<value>[^<]{{1,2000}})"""),
        ("&lt;", 0, rf"""&lt;{_NAME}&gt;(?P<value>[^&\n]{{1,500}})"""),
        # | db_password | … |
        (
            "| │",
            0,
            rf"""(?:^|(?<=\n)|(?<=[|│]))[ \t]*{_NAME}[ \t]*[|│][ \t]*(?P<value>[^\s|│]{{6,200}})[ \t]*(?=[|│\n]|\Z)""",
        ),
        # "password","…" and password;… as lines of a table
        ('","', 0, rf"""(?:^|(?<=\n))"{_NAME}","(?P<value>[^"\n]{{4,200}})"(?=\n|\Z)"""),
        (";", 0, rf"""(?:^|(?<=\n)){_NAME};(?P<value>[^\s;]{{6,200}})(?=\n|\Z)"""),
    )
)
_QUOTED_AUTH = known('auth"', "auth'", "auth\\")
_AUTH = re.compile(rf"""{_OPENS}auth{_Q}\s*:\s*{_Q}(?P<value>[A-Za-z0-9+/]{{8,}}={{0,2}})""", re.ASCII)
_PGPASS = re.compile(
    r"""[ \t]*(?:[\w.-]{1,128}|\*):(?:[0-9]{2,5}|\*):(?:[a-z_][\w.-]{0,64}|\*):(?:[a-z_][\w.@-]{0,64}|\*)
        :(?P<value>[^\s:]{4,256})[ \t]*""",
    FLAGS,
)
_SECRET_WORDS, _DATA_WORDS = known("secret"), known("data")
# A Secret of Kubernetes, as YAML and as JSON: all values of its data are secret.
_SECRET = re.compile(rf"""kind(?<![\w-]kind)(?:{_Q})?\s?:\s?(?:{_Q})?Secret(?![\w-])""", re.ASCII)
_DATA_OF_YAML = re.compile(r"(?:stringD|d)ata:[ \t]*\n")
_DATA_OF_JSON = re.compile(rf"""{_OPENS}(?:stringData|data){_Q}\s?:\s?\{{(?P<data>[^{{}}]{{0,100000}})""", re.ASCII)
_ENTRY = re.compile(r"(?P<indent>[ \t]*)(?:[\w.-]{1,253}):[ \t]+(?P<value>[^\s|>][^\n]*)?|(?P<more>[ \t]*)\S[^\n]*")
_ENTRY_OF_JSON = re.compile(rf"""{_OPENS}[\w.-]{{1,253}}{_Q}\s?:\s?(?={_Q})""", re.ASCII)


def structured_secrets(text: Text) -> Iterator[Span]:
    """Yield the secrets that a structure names."""
    for words, (lines, pattern) in _PAIRS.rows(text.words) if text.has(NAME_WORDS) else ():
        for window in text.windows(NAME_WORDS, lines, near=words):
            for found in pattern.finditer(text.lowered, *window):
                yield from _of_pair(text, found)
    for window in text.windows(_QUOTED_AUTH):
        for found in _AUTH.finditer(text.view, *window):
            if is_basic(found["value"]):
                yield found.span("value")
    for start, line in text.lines if text.text.count(":") >= 4 else ():
        if line.count(":") == 4 and (entry := _PGPASS.fullmatch(line)):
            yield start + entry.start("value"), start + entry.end("value")
    if text.has(_SECRET_WORDS) and text.has(_DATA_WORDS) and _SECRET.search(text.view):
        yield from _of_kubernetes(text)


def _of_pair(text: Text, found: re.Match[str]) -> Iterator[Span]:
    name = text.view[slice(*found.span("name"))]
    if not names_a_secret(name):
        return
    groups = found.groupdict()
    if groups.get("value") or groups.get("bare"):
        start, end = found.span("value" if groups.get("value") else "bare")
    else:
        start, end = values.word(text.text, found.end())
    if start < end and not values.is_harmless(text.text[start:end], name):
        yield start, end


def _of_kubernetes(text: Text) -> Iterator[Span]:
    for data in _DATA_OF_YAML.finditer(text.view):
        indent = text.view[text.view.rfind("\n", 0, data.start()) + 1 : data.start()]
        if indent.strip(" \t"):
            continue
        at = data.end()
        while (entry := _ENTRY.match(text.view, at)) and len(entry["indent"] or entry["more"] or "") > len(indent):
            at = entry.end() + 1
            span = entry.span("value") if entry["value"] else entry.span() if entry["more"] else (0, 0)
            length = len(text.view[slice(*span)].rstrip())
            value = text.text[span[0] : span[0] + length].strip("\"'")
            if value and not values.is_harmless(value, ""):
                yield span[0], span[0] + length
    for data in _DATA_OF_JSON.finditer(text.view):
        for entry in _ENTRY_OF_JSON.finditer(text.view, *data.span("data")):
            start, end = values.word(text.text, entry.end())
            if start < end and not values.is_harmless(text.text[start:end], ""):
                yield start, end
