# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a sentence about a secret from the secret: what follows ``passwd:`` in a message of the program passwd.

Must look at a bounded part of the text only.
"""

from __future__ import annotations

import re

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import FLAGS
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.values import is_likely

# Words that follow "password:" or "--token" in messages ("auth token: invalid username/password").
_PROSE_WORDS = {
    *("is", "are", "was", "were", "has", "had", "have", "must", "may", "can", "cannot", "could", "should"),
    *("will", "would", "did", "does", "do", "not", "no", "invalid", "incorrect", "wrong", "bad", "missing"),
    *("required", "requires", "empty", "expired", "expires", "denied", "forbidden", "unauthorized"),
    *("unauthenticated", "unknown", "unexpected", "unable", "undefined", "unsupported", "failed", "failure"),
    *("failing", "error", "errors", "ok", "success", "successful", "successfully", "set", "unset", "changed"),
    *("updated", "reset", "rejected", "refused", "revoked", "permission", "access", "too", "found", "exists"),
    *("exist", "rpc", "x509", "eof", "and", "or", "to", "for", "with", "if", "in", "on", "of", "from"),
    *("files", "compat", "sss", "option", "options", "flag", "parameter", "argument", "systemd", "ldap"),
    *("winbind", "nis", "authentication", "given", "created", "deleted", "configured", "unchanged", "synced"),
    *("rotated", "skipping", "skipped", "expiring", "generated", "enabled", "disabled", "optional"),
    *("timeout", "connection", "timed", "usage", "warning", "fatal", "debug", "info", "context", "dial"),
    *("net", "lookup", "tls", "remote", "i/o", "unbound", "mismatch", "please", "this", "try", "header"),
}
_WORD = re.compile(r"(?:i/o|[a-z0-9]+)(?![\w@!$%&*+=-])", re.ASCII | re.IGNORECASE)
# The same with more than one word.
_PROSE = re.compile(
    r"""(?: (?:secret|token|key|password|user|configmap|volume|variable|field)[ ]["']
      | (?:password|passwd|token|secret|user|all|authentication|the|request|response|value|could
        |an?)[ \t]+[a-z]+[ \t]+[a-z]
      | [a-z]+:[ \t] | (?:[a-z]+[ ]){1,2}not[ ] )""",
    FLAGS,
)
METAVARIABLE = re.compile(r"(?:[A-Z]+_)?(?:PASSWORD|PASS|PASSPHRASE|TOKEN|SECRET|KEY|VALUE|STRING)(?![\w-])")
# Words by which English is recognized, within the first eight words.
_SENTENCE = re.compile(
    r"""(?:[a-z][a-z'-]*,?[ ] | ['"][\w./@-]{1,64}['"][ ] | [/~][\w./-]{1,100}:?[ ]){0,7}
      (?:is|are|was|were|be|been|has|have|had|not|does|doesn't|do|did|cannot|can't|could|couldn't|must|should|will|to|the
        |of|for|in|on|at|by|from|with|without|because|failed|failure|error|invalid|denied|refused|found|exists?|unable
        |unknown|no|updated|updating|changed|expired|expiry|successfully|file|entry|line|usage|option|such)(?![\w-])""",
    FLAGS,
)
_WORDS = re.compile(
    r"[A-Z][a-z'-]*(?:[ ][a-z][a-z'-]*)+ | [A-Za-z][a-z'-]+[ ](?:[A-Za-z][a-z'-]+(?:\W|\Z)|['\"(/])"
    r"| [A-Z]{2,8}[ ][A-Z]?[a-z]+ | [A-Z][a-z]+(?:[A-Z][a-z]+)+(?=[\s\"'.,]|\Z)",
    re.VERBOSE,
)
# Programs whose names end like that of a secret, where they speak: at the start of a line, or behind a log's prefix.
_PROGRAM = re.compile(
    r"(?:\A|[\n\]>/ :])(?:[a-z]{0,8}passwd|[a-z][\w.]{0,40}-(?:[\w.]{1,40}-){0,4}(?:secret|token|password|p"
    r"asswd|key|auth))\Z",
    re.ASCII | re.IGNORECASE,
)
_CERTAIN_PROGRAM = re.compile(r"(?:\A|[\n\]>/ :])(?:ch|ht|g|smb|k|ldap|yp|mk|vnc|slap|grub-mk)passwd\Z")
# What a message about trouble with a secret, or about work on it, contains: faster one by one than as a pattern.
_TROUBLE = (
    *("fail", "error", "unable", "cannot", "can't", "could not", "couldnot", "couldn't", "could n't", "refus"),
    *("denied", "while", "invalid", "problem", "reject", "warn", "not ", "check", "verif", "creat", "renew", "refresh"),
    *("obtain", "request", "fetch", "get", "rotat", "validat"),
)
_NO = re.compile(r"\bno ")
_ROLE_AND_TASK = re.compile(r"[A-Z][a-z'-]*(?:[ ]\S|\W*\Z|[]\n])|[A-Za-z][a-z'-]+[ ][A-Za-z'({\"]")
_TASK = re.compile(
    r"(?:TASK|HANDLER|task|handler)s? (?:path: [^\n]{0,200}|\[[^\]\n]{0,200}|name: [^\n]{0,200}|'[^\n]{0,200})\Z"
)
# In characters: how far back and ahead a sentence is looked for.
_BEHIND, _AHEAD = 120, 160


def is_sentence(view: str, name: int, end: int, value: int) -> bool:
    """Return whether the text at ``value`` is prose, not the value of the name from ``name`` to ``end``.

    Only for a bare value, behind a colon or white space.
    """
    word = _WORD.match(view, value)
    if word and (word[0].lower() in _PROSE_WORDS or _PROSE.match(view, value)):
        return True
    if METAVARIABLE.match(view, value):
        return True
    line = max(view.rfind("\n", 0, name) + 1, name - _BEHIND) if name else 0
    ahead = view[value : value + _AHEAD].split("\n", 1)[0]
    separator = view[end:value]
    before = view[line:end]
    if separator.strip() == ":" and separator.startswith(" :") and _is_task(before, ahead, view[line:name]):
        return True
    if separator[:1] == ":" and _PROGRAM.search(before) and (_SENTENCE.match(ahead) or _WORDS.match(ahead)):
        return True
    if separator == ": " and _CERTAIN_PROGRAM.search(before) and " " in ahead.strip() and not is_likely(view, value):
        return True
    spoken = view[max(line, name - 60) : name]
    if not spoken.endswith((" ", "-")) or not _WORDS.match(ahead):
        return False
    if spoken.strip(" -") and _SENTENCE.match(ahead):
        return True
    spoken = spoken.lower()
    return spoken.endswith(" ") and (any(word in spoken for word in _TROUBLE) or bool(_NO.search(spoken)))


def _is_task(before: str, ahead: str, prefix: str) -> bool:
    """Return whether this is Ansible's ``role : task``."""
    return bool(_TASK.search(prefix) or (_ROLE_AND_TASK.match(ahead) and not before.endswith(" ")))
