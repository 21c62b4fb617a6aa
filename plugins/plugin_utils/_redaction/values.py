# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a secret value ends, and which values are none.

Must take linear time. What names a value is for names.py and others to say: they pass the position behind it.
"""

from __future__ import annotations

import re

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import FLAGS, MASK, Span

_MASK = re.escape(MASK)

# A value of which prose could take the place must look like a secret: letters and digits, but no version, size, path,
# call or algorithm.
LIKELY = r"""(?= \\{0,8}["']? (?=[^\s0-9]{0,64}[0-9]) (?=[^\sa-z]{0,64}[a-z])
    (?! v?[0-9]{1,4}(?![\w@!$%&*+=]) | [0-9]{1,3}[a-z]{1,5}(?![\w@!$%&*+=-]) | 0x | [a-z_]{0,40}[=:/] | \w{0,40}\(
      | [~.<>|&*-] | (?:aes|amd|argon|base|md|pbkdf|sha|scram-sha|utf)-?[0-9]) )"""
# Or end its line.
LAST = r"""(?=\\{0,8}["'] | \S{1,128}[ \t]*(?:[\r\n"'\\]|\Z))"""
_LIKELY = re.compile(LIKELY, FLAGS)

# Where a bare value ends: at white space, at the quote or bracket around it, and where the next name=value starts.
BARE = re.compile(
    rf"""(?: [^\s"'`&,;<>()\[\]{{}}\\]+
      | {_MASK}
      | [(\[{{<] | [)\]}}>](?![\s"'`,;)\]}}>\\]|\Z)
      | [&,;](?![\s"'\\]|\Z|[\w.%-]{{1,64}}["']?[ ]?[=:])
      | ["'`](?=\w)
      | \\(?!["']|\Z|[nrt](?:[\s"'\\]|\Z|[\w.-]{{1,64}}[ ]?[=:]))
    )+""",
    re.ASCII | re.VERBOSE,
)
TO_END_OF_LINE = re.compile(r"[^\n]+")
TO_QUOTE = re.compile(r"""(?:[^"'\n\\]|\\(?!["']))+""")
# Before the quote: the letter of a string's type, and what wraps a string in Rust, Swift and SQL.
QUOTE = re.compile(r"""(?:[bBuUrN@]|Some\()?(?P<slashes>\\*)(?P<mark>["'])""")
# What can end a quoted value: the next quote with the backslashes before it, or the end of the line.
_CLOSING = {mark: re.compile(rf"(?P<slashes>\\*)(?P<mark>{mark})|\\+|\n") for mark in "\"'"}
# A shell joins 'it'"'"'s' and "a"b into one word; YAML and SQL write 'it''s'.
_GLUED = re.compile(r"""["'](?=["'\w])|\w""", re.ASCII)
LIST_OF_STRINGS = re.compile(r"""\[\s*[bu]?\\*["'][^\]\n]*\]?""")
OPENS_DATA = re.compile(r"""\{\s*(?:\\*["']|\}|\Z|\n)""")
# YAML's tags and anchors, and comments of a key whose value is on the next line.
_TAG = re.compile(r"(?:![\w!]{0,20}|&[\w-]{1,40})[ \t]+(?=[^\s|])(?!\$ANSIBLE)")
_BLOCK = re.compile(r"[ \t]*(?:(?:!\w+[ \t]+)?[|>][-+0-9]{0,2})?[ \t]*(?:[#][^\n]{0,200})?\n")
_NEXT_LINE = re.compile(
    r"""[ \t]*(?:-[ \t]+)?(?:\\{0,8}"[^"\n]*"?|'[^'\n]*'?|[^\s:'"]\S*)[ \t]*(?=,?[ \t]*(?:\n|\Z))"""
)
_INDENT = re.compile(r"[ \t]*(?:-[ \t]+)*")
# The old value and the new one, in plans and diffs.
CHANGED_TO = re.compile(r"""\\*["']?[ \t]*(?:->|=>|→)[ \t]*(?=\S)""")

# Values that are not secret: masks, references to a secret that is stored elsewhere, and small numbers in messages.
HARMLESS = re.compile(
    rf"""(?: {_MASK} | [*]+ | x{{3,}} | <[\w\ -]{{1,60}}> | <set\ to\ [^\n]{{1,200}} | !vault(?:\s*\|)?
      | [|>][-+]?[0-9]?
      | <(?:sensitive|redacted|masked|hidden|secret|computed|unset|none|empty|nil)>?
      | \$(?:env:)?\w+ | \$\{{[\w.:-]+\}}? | \$\([^\n]* | %\w+%
      | \(?convertto-securestring
      | \{{\{{-?\ *[a-z_.$][^{{}}\n]{{0,300}}\}}\}} | [^\w\s]{{1,3}} | \d{{1,3}}(?:\ bytes)?
      | none | null | nil | undefined | omit | true | false | yes | no | not\ set | string | str | optional | required
      | \(?(?:sensitive|known|none|null|hidden|empty|unset|masked|redacted)\b[^\n]{{0,40}}
      | (?:var|local|module|data|each|self|params|config|os|process|args|kwargs|request|secrets
        |env)\.[\w.\[\]"']{{1,100}}\(?
      | %[-.\w]{{0,5}}[sdrv]["')]{{0,3}} | \$?\{{\{{[^\n]* | bool(?:ean)? | int | float | dict | list
      | value_specified_in_no_log_parameter )""",
    FLAGS,
)
# A value that is masked already, for certain: nothing that belongs to it can follow.
_MASKED = re.compile(rf"""(?P<quote>\\{{0,8}}["']|){_MASK}(?P=quote)(?=\s|\Z)""")
_PATH = re.compile(r"[~.]?/[\w.@/ -]+|[A-Za-z]:\\.*", re.ASCII)


def is_likely(text: str, start: int) -> bool:
    """Return whether what begins here looks like a secret rather than like prose, a version or a size."""
    return bool(_LIKELY.match(text, start))


def is_masked(text: str, start: int) -> bool:
    """Return whether what begins here is a masked value: the second time, that is most of them."""
    return bool(_MASKED.match(text, start))


def is_harmless(value: str, name: str) -> bool:
    """Return whether a value is no secret, though its name (or what ends with it) says so."""
    is_path = name.lower().endswith(("pwd", "key", "file", "path")) and _PATH.fullmatch(value)
    return bool(is_path or HARMLESS.fullmatch(value))


def untagged(text: str, start: int) -> int:
    """Return where a value begins behind YAML's tags and anchors."""
    found = _TAG.match(text, start)
    return found.end() if found else start


def below(view: str, name: int, start: int) -> Span | None:
    """Return where a value is that begins in the line after its name (a block scalar, or one long word), if it does.

    :param name: where the name begins. The value's lines are indented more than the name's.
    """
    opened = _BLOCK.match(view, start)
    if not opened:
        return None
    is_block = opened[0].lstrip()[:1] in ("|", ">", "!")
    line = view.rfind("\n", max(0, name - 300), name) + 1
    own = _width(view, line)
    first = end = opened.end()
    if not is_block:
        found = _NEXT_LINE.match(view, first)
        if not found or (_width(view, first) <= own and not view[line:name].lstrip().startswith(('"', "'"))):
            return None
        begin = _INDENT.match(view, first)
        return (begin.end() if begin else first), first + len(found[0].rstrip())
    while end < len(view):
        stop = view.find("\n", end)
        stop = stop if stop >= 0 else len(view)
        if view[end:stop].strip() and _width(view, end) <= own:
            break
        end = stop + 1
    value = view[first : min(end, len(view))]
    return (first + len(value) - len(value.lstrip()), first + len(value.rstrip())) if value.strip() else None


def _width(view: str, line: int) -> int:
    found = _INDENT.match(view, line)
    return found.end() - line if found else 0


def end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return where a match that begins here ends; ``start`` if there is none."""
    found = pattern.match(text, start)
    return found.end() if found else start


def word(text: str, start: int) -> Span:
    """Return start and end of a bare word or a quoted value, without its quotes."""
    quoted_here = QUOTE.match(text, start)
    return quoted(text, quoted_here) if quoted_here else (start, end_of(BARE, text, start))


def quoted(text: str, opened: re.Match[str]) -> Span:
    """Return start and end of a quoted value: what is between the quotes, or the whole of several joined parts."""
    start = opened.end()
    end, after = closing(text, start, opened)
    part = opened
    while not part["slashes"] and _GLUED.match(text, after):
        start = opened.start()
        again = QUOTE.match(text, after)
        if not again:
            return start, end_of(BARE, text, after)
        part = again
        _end_of_part, after = closing(text, part.end(), part)
        end = after
    return start, end


def closing(text: str, start: int, opened: re.Match[str]) -> Span:
    """Return where a quoted value ends and where the text after its quote starts; the same if the quote never closes.

    A quote at nesting depth n (JSON in JSON) has 2**n - 1 backslashes before it. A quote with more backslashes is part
    of the value; one with fewer belongs to the surrounding string.
    """
    depth = len(opened["slashes"])
    for found in _CLOSING[opened["mark"]].finditer(text, start):
        if found["mark"]:
            slashes = len(found["slashes"])
            if slashes < depth:
                return found.start(), found.start()
            if slashes % (2 * depth + 2) == depth:
                return found.end() - depth - 1, found.end()
        elif found[0] == "\n":
            return found.start(), found.start()
    return len(text), len(text)
