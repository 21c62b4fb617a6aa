# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of secrets, and the values after them: in assignments, options of commands, XML elements and messages.

Must take linear time: a name is found by its last word, and what precedes that is looked at in a bounded window only.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import NamedTuple

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import values
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import FLAGS, MASK, Span, Text
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.prose import is_sentence
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.tokens import is_basic
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import known

# The words with which the names of secrets end, in the lowered text; _BEFORE has what must precede some of them.
_WORD = re.compile(
    r"(?:pass(?:w(?:or[dt]|d)|[ ]?phrase|code)?|pwd|pw|psk|token|secret|key|auth|sig|kennwort|senha|wachtwoord"
    r"|contrase[nñ]a|mot[ _-]?de[ _-]?passe|credential|creds|signature|pat|phash|community|psksecret)"
    r"(?P<tail>(?:(?<=password)|(?<=passwd)|(?<=credential)|(?<=token))s(?![a-z])|(?<=secret)(?:[ _-]?(?:ac"
    r"cess[ _-]?)?key(?:[_-]?base)?|[_-]?(?:id|value|string|data))"
    r"|(?:(?<=passwd)|(?<=password)|(?<=phrase))[_-]?(?:hash|digest|enc(?:rypted)?)|(?<=key)[_-]?data|(?<=t"
    r"oken)[_-]?(?:value|secret))?"
    r"(?:_?[0-9]{1,2}|(?<=key)[ ][0-9]{1,2})?(?![a-z0-9])"
)
NAME_WORDS = known(
    "pass",
    "pwd",
    "pw",
    "psk",
    "token",
    "secret",
    "key",
    "auth",
    "sig",
    "pat",
    "wort",
    "senha",
    "wachtwoord",
    "contrase",
    "cred",
    "phash",
    "community",
)
_LOOK_BEHIND = 40
# How many lines away from a name its value, or what tells that it has none, can be.
_AROUND = 2
# How a reason begins that belongs to an item of a loop (_ansible/reasons.py), and how long its label may be.
_ITEM = re.compile(r"(?:\A|(?<=\n))item [\w./-]*\Z", re.ASCII)
_LABEL = 128


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# What precedes the word "key" in the name of a secret: always, and where the value must look like one besides.
_KEYS = _words(
    "api access account app application auth authentication encrypt encryption decryption hmac license licence master"
    " private session shared sharedaccess shared_access shared-access signing storage subscription fernet jwt cookie"
    " cipher crypto aes des des3 3des rsa unseal recovery consumer activation ingest webhook stripe sendgrid openai"
    " mailgun vault tsig wep wpa ipsec vpn sdk psk"
)
_WEAK_KEYS = _words(
    "deploy service integration routing user client server db data database root admin write secure security bot"
)
# The same before "pass" and "pw"; the last ones must be whole words.
_PASSES = _words(
    "_ - ? & ssh store key require db database user new old admin root ftp smtp mail sudo become login ldap bind sql"
    " vnc wifi redis svc auth http proxy"
)
_PWS = _words("_ - ? & bind root admin user login mail")
_WHOLE_PASSES = _words("my sa api app pg db")
_UPPER_PASS = re.compile(r"(?<![A-Z])(?!ASK|BY|COM|TRES|SUR|TRANS|OVER|UNDER|EN)[A-Z][A-Z0-9]{0,20}\Z")
# What precedes a word that names something else: update_password, no_token, one_pass, checksum/secret.
_NOT_BEFORE = (*_words("update_ checksum/ checksum_ checksum. checksum- public public_ public-"), "public ")
_NOT_BEFORE_WHOLE = (
    *_words(
        "no no_ no- basic_ basic- one_ one- two_ two- first_ last_ single_ single- multi_ multi- is_ has_ with_ with-"
        " enable_ allow_ reset_ reset- change_ change- num_ max_ min_ n_"
    ),
    "no ",
)
_NOT_A_NAME = re.compile(r"(?:pam_\w{1,20}\(|secretsmanager:[\w-]{0,20}:[0-9]{0,12}:)\Z")
_NO_TOKENS = ("unexpected ", "next", "next_", "continuation", "continuation_", "page_", "page")
_LETTERS = re.compile(r"[^\W\d_]+")


# A reference or call in source code, as tracebacks show it.
_CODE = re.compile(
    r"""(?:await[ ]|new[ ])?[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)*
      (?: [(](?!value=) | \[["'] )
      | (?:self|this|settings|config|cfg|conf|var|local|data|module|os|app|request|env|user|args|options|each
          |random_\w{1,20})
        (?:\.[A-Za-z_][\w-]*)+(?=[\s,;)]|\Z)""",
    re.ASCII | re.VERBOSE,
)
_CALL = re.compile(r"(?:dict|str|getattr|(?:self|os|context|module|config)(?:\.\w+)+)[(\[]", re.ASCII)
# A quote that ends the text in which a name stood.
_CLOSES = re.compile(r"""\\{0,8}["'](?=[ ]?(?:%|\+|\]|\)|,|;|\n|\Z))""")
_IDENTIFIER = re.compile(r"(?<!\w)\w{1,60}\Z", re.ASCII)
# What can be the identifier again, as in f(password=password).
_PASSED_ON = re.compile(r"\w{1,60}(?=[,)])", re.ASCII)
_IMAGE = re.compile(r"[\w-][\w.-]*/[\w./-]*\Z", re.ASCII)
_LOOKUP = re.compile(r"\{\{(?:[^}\n](?!\}\}))*\b(?:lookup|query|q)\([^\n]*\Z")
_SEPARATOR = re.compile(
    r"""(?P<close>\\{0,8}["']?) \]? [ \t]*
    (?: => | (?<=[ \t])->(?=[ \t])(?![ \t]*[/~.]) | :?=(?!=) | (?P<colon>:(?!:|//)) | %3d
      | (?P<said>[ \t](?:is|was)[ \t]*:
        | (?:[ ](?:for|of|f\xfcr|fuer)[ ](?:user[ ])?[^\s:]{1,64}|[ ]for[ ]'[^'\n]{1,128}')?
          (?:[ ](?:\([^()\n]{1,40}\)|\[[^\]\n]{0,40}\]|provided|used|given))?:[ ])
      | ,?\s{0,24}\\{0,8}["']?value\\{0,8}["']?[ \t]*[:=] )
    [ \t]*""",
    FLAGS,
)
# What follows the separator if the value is masked: on the second pass, that is most of them.
_DONE = re.compile(
    rf"""{re.escape(MASK)}(?=\n|\Z) | (?P<quote>["']){re.escape(MASK)}(?P=quote)(?=[\s,}}]|\Z)""", re.VERBOSE
)
_OPTION = re.compile(r"(?:\A|[^\w-])(?:--?|/)(?:[a-z][\w.-]{0,39})?\Z", re.ASCII)
# 'db_password=with spaces' as one argument of a shell.
_QUOTED_ARGUMENT = re.compile(r"""(?<![\w-])--?[a-z][\w-]{0,30}[ =](?P<slashes>\\*)(?P<mark>["'])[\w.-]*\Z""", re.ASCII)
_SLASH = re.compile(r"/[\w.-]*\Z", re.ASCII)
_ARGUMENT = re.compile(r"""(?:[ \t]+|\\*["'],[ \t]*|\\*["'][ \t]+|:(?=\S))(?=[^\s-])""")
_ELEMENT = re.compile(r"<[\w:.-]{0,40}\Z", re.ASCII)
_CONTENT = re.compile(
    r"(?:\s+[\w:.-]{1,60}=[^<>\n]{0,200}|\s*)(?<!/)>\s*(?:<!\[CDATA\[)?(?P<value>[^<\n]+?)(?=\]\]>|<|\n|\Z)", re.ASCII
)
_MENTION = re.compile(r"""[ ]\\*["'](?=[\w.~+/=-]{12,}\\*["'])""", re.ASCII)
_BEFORE_A_KEY = re.compile(r"[ \t]*(?:[-+~>#]?[ \t]+)?(?:-[ \t]+)?(?:[\w.-]*|(?:[\w.-]+[ ]){1,2}[\w.-]*)", re.ASCII)
_EXACT = re.compile(r"(?:pass|pw|credentials?|(?:proxy-)?authorization|(?:set-)?cookie|auths?)\Z", re.IGNORECASE)


class _Name(NamedTuple):
    start: int
    end: int
    is_weak: bool
    word: str


@lru_cache(maxsize=1024)  # the same few names occur again and again
def names_a_secret(name: str) -> bool:
    """Return whether this name, as a whole, is that of a secret."""
    if _EXACT.match(name):
        return True
    name = name[:-1] if name.endswith("s") else name
    text = Text(name)
    found = [word for word in _WORD.finditer(text.lowered) if word.end() == len(name)]
    named = _name(text, found[-1]) if found else None
    return bool(named and not named.is_weak)


def _name(text: Text, found: re.Match[str]) -> _Name | None:
    """Return the name that ends with this word, if it is that of a secret."""
    start = found.start()
    letters = _LETTERS.match(found[0])
    word = letters[0] if letters and not found["tail"] else ""
    behind = text.lowered[max(0, start - _LOOK_BEHIND) : start]
    if behind.endswith(_NOT_BEFORE) or _ends_with_word(behind, _NOT_BEFORE_WHOLE):
        return None
    if behind.endswith(("(", ":")) and _NOT_A_NAME.search(behind):
        return None
    weakness = _weakness(text, word, start, behind)
    if weakness is None and not word:
        weakness = found["tail"] == "s" and not found[0].startswith("pass")
    return None if weakness is None else _Name(start, found.end(), weakness, word or found[0])


def _weakness(text: Text, word: str, start: int, behind: str) -> bool | None:
    """Return whether the value must look like a secret too, since the name has other meanings; None: it is no name."""
    last = behind[-1:]
    is_whole = not (last.isascii() and last.isalnum())
    if word in ("pass", "pw"):
        if behind.endswith(_PASSES if word == "pass" else _PWS) or _ends_with_word(behind, _WHOLE_PASSES):
            return False
        is_upper = (
            word == "pass"
            and text.view[start] == "P"
            and _UPPER_PASS.search(text.view[max(0, start - _LOOK_BEHIND) : start])
        )
        return False if is_upper else True if is_whole else None
    if word == "key":
        stem = behind[:-1] if last and last in " _-" else behind
        stem = stem.rstrip("0123456789")
        stem = stem[:-1] if stem is not behind and stem[-1:] and stem[-1:] in " _-" else stem
        return False if stem.endswith(_KEYS) else True if stem.endswith(_WEAK_KEYS) else None
    if word == "auth":
        return False if last == "_" else True if not last or last in "\"' \t\n{," else None
    if word == "pat":
        return True if last and last in "_-" else None
    if word == "sig":
        return False if last and last in "?&" else None
    if word == "signature":
        named = ("?", "&", "amz-", "goog-", "access_", "access-", "access")
        return False if behind.endswith(named) else None
    if word == "community":
        return False if behind.rstrip(" _-").endswith(("snmp", "snmp_ro", "snmp_rw", "snmp_v2c", "snmp_v2")) else None
    if word == "pwd":
        return None if behind.endswith("old") else False
    if word == "token":
        return None if behind.endswith(_NO_TOKENS) else False
    if word in ("credential", "creds"):
        return True
    return False if word else None


def _ends_with_word(behind: str, words: tuple[str, ...]) -> bool:
    for word in words if behind.endswith(words) else ():
        if behind.endswith(word):
            before = behind[: -len(word)][-1:]
            if not (before.isascii() and before.isalpha()):
                return True
    return False


def named_secrets(text: Text) -> Iterator[Span]:
    """Yield the values of all names of secrets in the text."""
    if not text.has(NAME_WORDS):
        return
    view, done = text.view, 0
    for window in text.news(_AROUND):
        for word in _WORD.finditer(text.lowered, *window):
            first, last = word.span()
            separator = _SEPARATOR.match(view, last)
            if first < done or (separator and _DONE.match(view, separator.end())):
                continue
            behind = view[max(0, first - _LOOK_BEHIND) : first]
            # what precedes the word is looked at only if a value can follow: most words are just words
            if not (separator or "-" in behind or "/" in behind or "<" in behind or _MENTION.match(view, last)):
                continue
            for start, end in _values(text, name, behind, separator) if (name := _name(text, word)) else ():
                yield start, end
                done = end


def _values(text: Text, name: _Name, behind: str, separator: re.Match[str] | None) -> Iterator[Span]:
    view = text.view
    content = "<" in behind and view[name.end : name.end + 1] in (">", " ", "\t", "\n") and _ELEMENT.search(behind)
    if content and (found := _CONTENT.match(view, name.end)):
        start, end = found.span("value")
        if not values.is_harmless(found["value"].strip(), name.word):
            yield start, start + len(found["value"].rstrip())
        return
    if separator:
        first = yield from _one(text, name, separator)
        while first and (changed := values.CHANGED_TO.match(view, first)):
            start, end = values.word(text.text, changed.end())
            if start == end or values.is_harmless(text.text[start:end], name.word):
                return
            yield start, end
            first = end
    elif (
        ("-" in behind or "/" in behind)
        and _OPTION.search(behind)
        and (not _SLASH.search(behind) or view[name.end : name.end + 1] == ":")
        and (found := _ARGUMENT.match(view, name.end))
    ):
        start, end = values.word(text.text, found.end())
        value = text.text[start:end]
        is_usage = value.isupper() and (view[name.start : name.end].lower().startswith(value.lower()) or "_" in value)
        is_prose = not values.QUOTE.match(view, found.end()) and is_sentence(view, name.start, name.end, found.end())
        if start < end and not is_prose and not is_usage and not values.is_harmless(value, name.word):
            yield start, end
    elif name.word in ("token", "password", "passwd") and (found := _MENTION.match(view, name.end)):
        start, end = values.word(text.text, found.end() - len(found[0].lstrip()))
        if values.is_likely(text.text, start):
            yield start, end


def _one(text: Text, name: _Name, found: re.Match[str]) -> Generator[Span, None, int]:
    """Yield the value after a separator, and return where it ends; 0 if it is not secret."""
    view, raw = text.view, text.text
    is_spoken = bool(found["colon"] or found["said"])
    start = values.untagged(raw, found.end())
    begins_line = _begins_its_line(view, name.start)
    if found["colon"] and (lower := values.below(view, name.start, start)):
        value = raw[lower[0] : lower[1]].strip("\"', ")
        if value.startswith("$ANSIBLE_VAULT") or values.is_harmless(value, name.word) or name.is_weak:
            return 0
        yield lower
        return 0
    if found["colon"] and _is_label(view, name.start):
        return 0
    if view[start : start + 1].isspace() or (view[start - 1] == " " and raw[start - 1] == "\\"):
        return 0  # an escaped line break ends the line
    if _CLOSES.match(raw, start) or values.OPENS_DATA.match(raw, start) or _is_reference(view, name, found, start):
        return 0
    quoted = values.QUOTE.match(raw, start)
    if not quoted and is_spoken and is_sentence(view, name.start, name.end, start):
        return 0
    if (
        found["said"]
        and not found["said"].strip().endswith(("is:", "was:", "is :", "was :"))
        and not quoted
        and not values.is_likely(raw, start)
    ):
        return 0
    if quoted:
        start, end = values.quoted(raw, quoted)
    elif argument := _quoted_argument(view, name.start):
        end = values.closing(raw, start, argument)[0]
    elif listed := values.LIST_OF_STRINGS.match(raw, start):
        end = listed.end()
    elif found["colon"] and not found["close"] and begins_line and not name.is_weak:
        end = values.end_of(values.TO_END_OF_LINE, raw, start)
    else:
        end = values.end_of(values.BARE, raw, start)
    value = raw[start:end].rstrip()
    if value.isupper() and view[name.start : found.end()].lower().startswith(value.lower()):  # --password=PASSWORD
        return 0
    if not value or values.is_harmless(value, name.word) or (name.is_weak and not _is_plausible(name, value, quoted)):
        return 0
    yield start, start + len(value)
    return start + len(value)


def _is_label(view: str, at: int) -> bool:
    """Return whether the name is the label of a loop's item, as the reasons of failed items begin with it."""
    return view.rfind("item ", max(0, at - _LABEL), at) >= 0 and bool(_ITEM.search(view, max(0, at - _LABEL), at))


def _quoted_argument(view: str, at: int) -> re.Match[str] | None:
    """Return the quote of an argument of which the name at this position is the beginning, with its option."""
    first = max(0, at - _LOOK_BEHIND)
    return _QUOTED_ARGUMENT.search(view, first, at) if view.find("-", first, at) >= 0 else None


def _is_reference(view: str, name: _Name, found: re.Match[str], start: int) -> bool:
    """Return whether this is a part of source code, of an image's name or of a template."""
    behind = view[max(0, name.start - 120) : name.start]
    if found["colon"]:
        return view[start - 1] == ":" and "/" in behind and "://" not in behind and bool(_IMAGE.search(behind))
    if _CODE.match(view, start) if found[0].startswith(" ") else _CALL.match(view, start):
        return True
    if passed_on := _PASSED_ON.match(view, start):
        identifier = _IDENTIFIER.search(view, max(0, name.start - _LOOK_BEHIND), name.end)
        if identifier and identifier[0] == passed_on[0]:
            return True
    return "{{" in behind and bool(_LOOKUP.search(behind))


def _is_plausible(name: _Name, value: str, quoted: re.Match[str] | None) -> bool:
    """Return whether the value of a name that has other meanings too looks like a secret."""
    if name.word in ("credential", "creds", "credentials"):
        return len(value) >= 8 and (values.is_likely(value, 0) or ":" in value)
    if name.word == "auth":
        return len(value) >= 8 and is_basic(value.split("\\")[0])
    if name.word in ("pass", "pw") and quoted and not value.replace(".", "").isdigit():
        return len(value) >= 4
    return len(value) >= (8 if name.word in ("pass", "pw") else 16) and values.is_likely(value, 0)


def _begins_its_line(view: str, at: int) -> bool:
    """Return whether nothing but the beginning of a YAML key precedes position ``at`` in its line."""
    line = view.rfind("\n", max(0, at - 100), at) + 1
    return (line > 0 or at <= 100) and bool(_BEFORE_A_KEY.fullmatch(view, line, at))
