# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in the configuration of network devices, which stand behind words and white space.

Must take linear time, and must not take prose for configuration: each pattern needs words that prose does not combine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import values
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import Span, Text
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.prose import METAVARIABLE, is_sentence
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.values import LAST, LIKELY
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import Table

_S = r"[ \t]+"
# Where a line begins, or what a prompt or a quote makes the beginning of one.
_START = r"(?:\A|(?<=[\n#;\"']))"
_L = r"(?:\A|(?<=\n)|\A|\n|\#|;|[\"'])[ \t]*(?:set[ \t]+)?"
# How devices mark what follows: the type of its encryption.
_TYPE = (
    r"(?:(?:[0-9]{1,2}|cipher|simple|irreversible-cipher|enc|encrypted|clear(?:text)?|plain(?:-?text)?|ascii(?:-text)?"
    rf"|hex(?:adecimal)?|sha512|sha256|md5|text|local|remote){_S}){{1,2}}"
)
# The words of the one pattern that spans several lines.
_SERVERS = "aaa-server,tacacs server,radius server"
# (words of which the text must contain one; pattern before the value, for the lowered text; whether what follows can
# only be a secret).
_LINES: tuple[tuple[str, str, bool], ...] = (
    ("snmp-server community", rf"snmp-server{_S}community{_S}(?:[0-9]{_S})?", False),
    (
        "snmp-server host",
        rf"snmp-server{_S}host{_S}\S{{1,64}}{_S}(?:(?:traps|informs|vrf{_S}\S{{1,32}}|use-vrf{_S}\S{{1,32}}){_S})?"
        rf"(?:version{_S}(?:1|2c|3{_S}(?:auth|noauth|priv)){_S}|community{_S})?(?!version|traps|informs|vrf)",
        False,
    ),
    ("snmp community", rf"{_L}snmp{_S}community{_S}", False),
    ("snmp-agent", rf"snmp-agent{_S}community{_S}(?:read|write){_S}(?:{_TYPE})?", False),
    ("rocommunity,rwcommunity", rf"{_START}[ \t]*r[ow]community6?{_S}", False),
    ("community: ", r"(?:\A|\n|(?<=\n)|[ \t]){1,8}community:[ \t]+(?=[a-z0-9_-]{6,32}[ \t]*(?:\n|\Z))", False),
    ("com2sec", rf"\bcom2sec{_S}\S{{1,64}}{_S}\S{{1,64}}{_S}", False),
    (
        "snmp-server user,usm-user",
        rf"(?:snmp-server{_S}user|snmp-agent{_S}usm-user)[^\n]{{1,100}}?{_S}(?:auth|authentication-mode|privacy-mode)"
        rf"{_S}(?:md5|sha(?:-?[0-9]{{3}})?){_S}(?:{_TYPE})?",
        True,
    ),
    (
        "snmp-server user",
        rf"snmp-server{_S}user[^\n]{{1,200}}?{_S}priv{_S}(?:(?:3?des|aes(?:-?[0-9]{{3}})?){_S}(?:(?:128|192|"
        rf"256){_S})?)?",
        True,
    ),
    ("createuser", rf"createuser{_S}\S{{1,64}}{_S}(?:md5|sha(?:-?[0-9]{{3}})?){_S}", True),
    (
        "createuser",
        rf"createuser{_S}\S{{1,64}}{_S}\w{{3,7}}{_S}\S{{1,128}}{_S}(?:3?des|aes(?:-?[0-9]{{3}})?){_S}",
        True,
    ),
    ("isakmp key", rf"crypto{_S}isakmp{_S}key{_S}(?:[06]{_S})?", False),
    (
        "pre-shared-",
        rf"pre-shared-(?:key|secret){_S}(?:address{_S}\S{{1,64}}{_S}(?:\S{{1,64}}{_S})?)?(?:key{_S})?(?"
        rf":{_TYPE})?{LAST}",
        False,
    ),
    ("key 7,key 0", rf"key(?<![\w-]key){_S}[07]{_S}(?=[0-9a-f]{{4,}}|\S{{4,}}[ \t]*(?:\n|\Z|[\"']))", False),
    ("key-string", rf"key-string{_S}(?:{_TYPE})?(?={LAST})", False),
    ("server-key", rf"server-key(?<![\w-]server-key){_S}(?:{_TYPE})?{LAST}", False),
    ("shared-key", rf"(?:radius|hwtacacs)[^\n]{{0,40}}{_S}shared-key{_S}(?:{_TYPE})?", False),
    ("key authentication", rf"key{_S}authentication{_S}(?:{_TYPE})?", False),
    (
        _SERVERS,
        rf"(?:aaa-server|tacacs{_S}server|radius{_S}server)[^\n]{{1,80}}\n(?:[ \t][^\n]{{1,80}}\n){{0,6}}?"
        rf"[ \t]+key{_S}(?:{_TYPE})?",
        False,
    ),
    (
        "authentication-key",
        rf"authentication-key{_S}(?:[0-9]{{1,5}}{_S}(?:type{_S})?(?:md5|sha1|sha256|cmac-\S{{1,16}}){_S}(?:v"
        rf"alue{_S})?)?"
        rf"(?:{_TYPE})?(?=\\*[\"']|\S{{1,128}}(?:[ ]+[0-9])?[ \t]*(?:[\r\n\"';\\]|\Z))",
        False,
    ),
    ("vrrp,standby,glbp", rf"(?:vrrp|standby|glbp){_S}[0-9]{{1,4}}{_S}authentication{_S}(?!md5)(?:{_TYPE})?", False),
    (
        "md5 ",
        rf"(?: authentication[ -](?:mode{_S})?md5{_S}(?:[0-9]{{1,3}}{_S}(?:{_TYPE})?)?{LIKELY}"
        rf" | authentication-mode{_S}md5{_S}[0-9]{{1,3}}{_S}(?:{_TYPE})? )",
        False,
    ),
    ("authentication-password", rf"authentication-password{_S}(?=\\*\")", False),
    ("digest-key", rf"message-digest-key{_S}[0-9]{{1,3}}{_S}md5{_S}(?:[0-9]{_S})?", False),
    ("neighbor ,peer ", rf"(?:neighbor|peer){_S}\S{{1,64}}{_S}password{_S}(?:{_TYPE})?", False),
    ("area-password,domain-password", rf"(?:area|domain)-password{_S}(?:{_TYPE})?{LAST}", False),
    ("isis password", rf"isis(?<![\w-]isis){_S}password{_S}(?:{_TYPE})?", False),
    ("ppp ", rf"ppp{_S}(?:chap|pap{_S}sent-username{_S}\S{{1,64}}){_S}password{_S}(?:{_TYPE})?", False),
    ("dot11 ", rf"dot11{_S}passphrase{_S}(?:{_TYPE})?", False),
    ("community-string", rf"snmp-community-string{_S}", False),
    ("ip ftp,ip http", rf"ip{_S}(?:ftp|http{_S}client){_S}password{_S}(?:{_TYPE})?", False),
    ("key-chain password", rf"key-chain{_S}password{_S}", False),
    ("ldap-login-password", rf"ldap-login-password{_S}", False),
    (
        "password cipher,password simple,password irreversible,password enc",
        rf"password(?<![\w-]password){_S}(?:cipher|simple|irreversible-cipher|enc){_S}",
        False,
    ),
    ("super password", rf"super{_S}password{_S}(?:level{_S}[0-9]{{1,2}}{_S})?(?:{_TYPE})?", False),
    ("encrypted-password,text-password", rf"(?:encrypted|plain-?text)-password(?:-value)?{_S}", False),
    ("auth-password,priv-password", rf"(?:auth|priv)-password{_S}{LIKELY}", False),
    ("password-hash", rf"password-hash{_S}{LIKELY}", False),
    (
        "user ",
        rf"(?:\A|\n|(?<=\n)|[ \t]{{1,8}})(?:user|local-user){_S}(?!(?:and|or|name|has|is)\b)\S{{1,64}}{_S}pa"
        rf"ssword{_S}(?:{_TYPE})?{LAST}",
        False,
    ),
    ("ssh-key password", rf"ssh-key{_S}password{_S}(?=\\*\")", False),
    (
        "username ",
        rf"username(?<![\w-]username){_S}(?!(?:and|or)\b)\S{{1,64}}(?:{_S}(?:privilege|role){_S}\S{{1,64}}){{0,2}}{_S}"
        rf"(?:password|secret){_S}"
        rf"(?:(?:[0-9]{{1,2}}|sha512){_S}|{LAST}|(?=\S{{1,128}}{_S}(?:encrypted|privilege|role|nt-encrypted|"
        rf"pbkdf2)\b))",
        False,
    ),
    (
        "-server key,-server host",
        rf"(?:radius|tacacs)-server{_S}(?:host[^\n]{{1,100}}?[ \t])?key{_S}(?:[0-9]{_S})?",
        False,
    ),
    ("server-private", rf"server-private{_S}\S{{1,64}}[^\n]{{0,60}}?{_S}key{_S}(?:[0-9]{_S})?", False),
    (
        "enable password,enable secret",
        rf"(?: enable(?<![\w-]enable){_S}(?:password|secret)(?:{_S}level{_S}[0-9]{{1,2}})?(?:{_S}(?:[0-9]|sha512)"
        rf")?{_S}{LIKELY}"
        rf" | {_START}enable{_S}(?:password|secret){_S}{LAST} )",
        False,
    ),
    (
        ",".join(f"{word} {number}" for word in ("password", "secret") for number in "05789"),
        rf"(?:password(?<![\w-]password)|secret(?<![\w-]secret)){_S}[0-9]{_S}{LIKELY}",
        False,
    ),
    (" password , secret ", rf"{_START}[ \t]+(?:password|secret){_S}{LIKELY}{LAST}", False),
    ('secret ",secret \\"', rf"{_START}[ \t]*secret{_S}(?=\\*\"[^\"\n]{{4,128}}\\*\";)", False),
    (
        "radius,tacplus,server-profile",
        rf"{_START}[ \t]*(?:set{_S})?(?:shared{_S})?[^\n]{{0,80}}?(?:radius|tacplus|server-profile)"
        rf"[^\n]{{0,80}}?{_S}secret{_S}",
        False,
    ),
    (
        "set ",
        rf"{_START}[ \t]*set{_S}(?: (?:passwd|psksecret|passphrase|secret|password){_S}(?:enc{_S})?{LAST}"
        rf" | auth-pwd{_S}(?:enc{_S})? | (?:private-key|key|password){_S}(?=\\*\"[^\"\n]{{6,}})"
        rf" | [\w.-]{{0,60}}(?:password|passphrase|secret|api_?key|token){_S}{LIKELY} )",
        False,
    ),
    ("phash ", rf"{_START}[ \t]*set{_S}[^\n]{{0,80}}{_S}phash{_S}", False),
    ("passwd ", rf"{_START}[ \t]*passwd{_S}(?=\S{{4,64}}{_S}encrypted)", False),
    ("wpa-psk,wpa-passphrase", rf"wpa-(?:psk{_S}(?:ascii|hex){_S}(?:[0-9]{_S})?|passphrase{_S})", False),
    ("mgmt-user", rf"mgmt-user{_S}\S{{1,64}}{_S}\S{{1,64}}{_S}(?=[0-9a-f]{{20}})", False),
    ("hash $", rf"{_START}[ \t]*hash{_S}(?=\$[ch]\$)", False),
)


_TABLE = Table((words.split(","), (words, pattern, is_certain)) for words, pattern, is_certain in _LINES)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.VERBOSE)


def device_secrets(text: Text) -> Iterator[Span]:
    """Yield the secrets of configurations of network devices."""
    for words, (all_words, pattern, is_certain) in _TABLE.rows(text.words):
        for window in text.windows(words, 6 if all_words == _SERVERS else 0):
            for found in _compiled(pattern).finditer(text.lowered, *window):
                start = found.end()
                if values.is_masked(text.text, start):
                    continue
                quoted = values.QUOTE.match(text.text, start)
                if not quoted and not is_certain and is_sentence(text.view, found.start(), start, start):
                    continue
                if not quoted and (METAVARIABLE.match(text.text, start) or text.view[start : start + 1] in ("{", "")):
                    continue
                start, end = values.word(text.text, start)
                if start < end and not values.is_harmless(text.text[start:end], "secret"):
                    yield start, end
