# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patterns by which the redactor recognises secrets, and text that only looks like a secret.

Must contain nothing but patterns, and none that takes more than linear time: no pattern begins with an unbounded
repetition, and what follows one starts with a character that the repetition cannot match.
"""

from __future__ import annotations

import re

MASK = "[redacted]"
_MASK = re.escape(MASK)
_FLAGS = re.ASCII | re.IGNORECASE | re.VERBOSE

# How the names of secrets end. The pattern never matches what precedes (DB_PASSWORD, userToken): a leading "any number
# of word characters" would take quadratic time on a long word.
_NAME = r"""(?:
    (?<!update_)(?<!no) pass(?:word|wd|phrase|code)(?:[_-]?(?:hash|digest))?
  | (?:(?<=[_-])|(?<=ssh)|(?<=store)|(?<=key)|(?<=require)) pass
  | (?<=["']) (?:pass|pw) (?=\\{0,8}["']\]?[ \t]*[:=]>?[ \t]*[bu]?\\{0,8}["'])
  | (?<!old) pwd | (?:(?<=[_-])|(?<=bind)|(?<=root)) pw | (?<![a-z0-9]) psk
  | (?<!unexpected\ ) token
  | secret(?:[ _-]?(?:access[_-]?)?key(?:[_-]?base)?|[_-]?(?:id|value|string))?
  | (?:api[ _-]?|access[_-]?|account[_-]?|app[_-]?|auth[_-]?|encrypt(?:ion)?[_-]?|hmac[_-]?|licen[cs]e[_-]?|master[_-]?
      |private[_-]?|session[_-]?|shared[_-]?access[_-]?|signing[_-]?|storage[_-]?|subscription[_-]?) key
  | (?:(?<![a-z0-9])_|(?<=rediscli_)) auth
  | shared[_-]?access[_-]?signature | (?<=[?&]) sig | amz-signature
)(?:_?[0-9]{1,2})?"""
NAME_HINTS = ("pass", "pwd", "pw", "token", "secret", "key", "auth", "sig", "psk")

ASSIGNED = re.compile(
    _NAME
    + r"""(?P<close>\\{0,8}["']?) \]? [ \t]*
    (?: => | (?<=[ \t])->(?=[ \t])(?![ \t]*[/~.]) | :?=(?!=) | (?P<colon>:(?!:|//)) | %3d
      | [ \t](?:is|was)[ \t]*: | ,?(?:\s|\\[nrt]){0,24}\\{0,8}["']?value\\{0,8}["']?[ \t]*[:=] )
    [ \t]*""",
    _FLAGS,
)
OPTION = re.compile(
    r"""(?<![\w-]) --? (?:[a-z][\w.-]{0,40}?)?? """ + _NAME + r"""(?: [ \t]+ | \\*["'],[ \t]* )(?=[^\s-])""", _FLAGS
)
XML = re.compile(r"(<[\w:.-]{0,40}?" + _NAME + r"(?:[ \t][^<>\n]{0,200})?>)[^<\n]+(?=</)", _FLAGS)
HEADER = re.compile(
    r"""(?<![a-z0-9]) (?:authorization|(?<!-)cookie|set-cookie) (?: \\*["']? [ \t]* (?:=>|[:=](?!=)) | \\*["'], )
    (?![ \t]*\\*["']?digest[ \t]+\w+=) [ \t]*
    (?P<q>\\*["'])? (?P<scheme>(?:bearer|basic|token|negotiate|apikey|key)[ \t]+)?""",
    _FLAGS,
)
KEY_OF_A_SECRET = re.compile(
    r"(?:" + _NAME + r"s?|\A(?:pass|pw|credentials?|(?:proxy-)?authorization|(?:set-)?cookie))\Z", _FLAGS
)

# Words that precede a secret with only white space in between, in SQL, PowerShell and the configuration of devices and
# services: (lower-case words of which the text must contain one; pattern). If prose could continue in the same way, the
# secret must look like one (_LIKELY: letters and digits, but no version, size, path, call or algorithm) or end its line
# (_LAST).
_LIKELY = r"""(?= \\{0,8}["']? (?=[^\s0-9]{0,64}[0-9]) (?=[^\sa-z]{0,64}[a-z])
    (?! v?[0-9]{1,4}(?![\w@!$%&*+=]) | [0-9]{1,3}[a-z]{1,5}(?![\w@!$%&*+=-]) | 0x | [a-z_]{0,40}[=:/] | \w{0,40}\(
      | [~.<>|&*-] | (?:aes|amd|argon|base|md|pbkdf|sha|scram-sha|utf)-?[0-9]) )"""
_LAST = r"""(?=\\{0,8}["'] | \S{1,128}[ \t]*(?:[\r\n"'\\]|\Z))"""
_IDENTIFIED = r"""(?: (?: (?-i:IDENTIFIED)
      | (?: (?:create|alter)\s+(?:user|role)\s+(?:if\s+(?:not\s+)?exists\s+)?\S{1,128} | \bto\s+[^\s@]{1,64}@\S{1,64} )
        \s+ identified ) \s+ (?:with\s+\S{1,64}\s+)? by \s+
      (?!\s|(?:password|values|random|clause)\b)
  | \bidentified\s+(?:with\s+\S{1,64}\s+)?(?:by|as)\s+(?=\\{0,8}')
  | \bidentified\s+(?:with\s+\S{1,64}\s+)?by\s+(?:password|values)\s+(?=\\{0,8}["']) )"""
STATED = tuple(
    (hints.split(), re.compile(pattern, _FLAGS))
    for hints, pattern in (
        ("identified", _IDENTIFIED),
        (
            "securestring",
            r"""convertto-securestring (?:[ \t]+-(?:string|asplaintext|force)(?![\w-])){0,3} (?:[ \t]+ | :(?=\S))
                (?=[^\s(-])(?!cmdlet|command)""",
        ),
        ("digest", r"(?<![\w-]) digest[ \t]+\w{1,16}= [^\n]{0,600}? [\s,]response="),
        ("bindpw rootpw", r"(?<![\w-]) (?:bind|root)pw [ \t]+ (?=[^\s-])" + _LAST),
        (
            "username",
            r"""(?<![\w-]) username [ \t]+ (?!(?:and|or)\b)\S{1,64} (?:[ \t]+(?:privilege|role)[ \t]+\S{1,64}){0,2}
                [ \t]+ (?:password|secret) [ \t]+ (?:(?:[0-9]{1,2}|sha512)[ \t]+ | """
            + _LAST
            + ")",
        ),
        (
            "-server",
            r"""(?: snmp-server[ \t]+community[ \t]+
              | (?:radius|tacacs)-server[ \t]+(?:host[^\n]{1,100}?[ \t])?key[ \t]+(?:[0-9][ \t]+)? )(?=\S)""",
        ),
        (
            "password passphrase secret",
            r"""(?: (?<![\w-])enable[ \t]+(?:password|secret)(?:[ \t]+level[ \t]+[0-9]{1,2})?(?:[ \t]+[0-9])?
              | (?<![\w-])(?:password|secret)[ \t]+[0-9]
              | (?<=[a-z0-9][_-])(?:password|passphrase) | pass(?:word|phrase)[ \t]+is ) [ \t]+"""
            + _LIKELY,
        ),
    )
)
SPOKEN = frozenset({HEADER, OPTION, *(pattern for _hints, pattern in STATED)})

# Options that take a password in some commands only (elsewhere, -p is a port or means "make parents"):
# (words of which the text must contain one; the command; the option, with what else precedes the password).
_ARGUMENT = r"""(?<![^\s"',])"""
_AFTER = r"""["']?[ \t]*(?:,[ \t]*)?"""
COMMANDS = tuple(
    (
        hints.split(),
        re.compile(rf"(?<![\w.-])(?:{names})(?![\w./:=-])(?:[^\n;|&]|[;|&](?![;|&\s]))*", re.ASCII),
        re.compile(_ARGUMENT + option, re.ASCII),
    )
    for hints, names, option in (
        ("mysql mariadb", r"(?:mysql|mariadb)(?:[a-z]+|-[a-z]+)?(?:\.exe)?", r"""-p(?!\d+:\d)(?=["']?[^\s"',])"""),
        ("redis- valkey-", r"(?:redis|valkey)-(?:cli|benchmark)", r"-a" + _AFTER),
        ("mongo", r"mongo[a-z]*", r"-p" + _AFTER),
        ("login", r"(?:docker|podman|buildah|skopeo|helm registry|az|oc)[ \t]+login", r"-p" + _AFTER),
        (
            "curl",
            r"curl(?:\.exe)?",
            r"(?:-[a-zA-Z]{0,8}[uU]|--(?:proxy-)?user=?)" + _AFTER + r"""(?P<q>\\*["'])?[^\s:"'\\]{1,128}:(?!//)""",
        ),
        ("ldap", r"ldap[a-z]+", r"-w" + _AFTER),
        ("ipmitool sqlcmd bcp", r"ipmitool|sqlcmd|bcp", r"-P" + _AFTER),
        ("useradd usermod", r"useradd|usermod", r"-p" + _AFTER),
        ("client", r"smbclient|rpcclient", r"-U" + _AFTER + r"""(?P<q>\\*["'])?[^\s%"'\\]{1,128}%"""),
        ("openssl", r"openssl", r"pass:"),
    )
)
SSHPASS = re.compile(r"""(?<![\w.-])sshpass(?:["',\s]{1,4}-[ehvV])*["',\s]{1,4}-p""" + _AFTER, re.ASCII)

# Strings that are secrets by their form: (lower-case words of which the text must contain one; pattern). Group 1 stays.
# The prefixes are those of the issuers, as listed by secret scanners (gitleaks, detect-secrets). The minimum lengths
# are below the real ones, to find truncated tokens too.
_VAULT = r"(\$ANSIBLE_VAULT;[\w.;-]{1,120})(?:(?:\s|\\+[nrt])+[0-9a-f]{2,}(?![0-9A-Za-z]))+"
_WEBHOOK = r"((?:hooks\.slack\.com/(?:services|workflows)|\.webhook\.office\.com/webhookb2|discord(?:app)?\.com/api/webhooks)/)"
_BEARER = (
    r"(\b(?i:bearer)[ \t]+)(?!(?:realm|scope|error|charset)\w*=)"
    r"(?:(?=[A-Za-z._~+/-]{0,64}[0-9])[\w.~+/-]{6,}|[\w.~+/-]{20,})=*"
)
_CHPASSWD = (
    r"(\becho[ \t]{1,8}(?:-\w[ \t]{1,8})?[\"']?[^\s:|\"']{1,64}:)"
    r"[^\s|\"']{1,256}(?=[\"']?\s{0,8}\|\s{0,8}(?:sudo\s{1,8})?chpasswd)"
)
SHAPES = tuple(
    (hints.split(), re.compile(pattern, flags | re.ASCII))
    for hints, pattern, flags in (
        ("$ansible_vault;", _VAULT, 0),
        ("eyj", r"(?<![\w-])()eyJ[\w-]{10,}(?:\.[\w-]+){1,4}", 0),
        ("ghp_ gho_ ghu_ ghs_ ghr_", r"()gh[opsur]_[A-Za-z0-9]{16,}", 0),
        ("github_pat_", r"()github_pat_\w{20,}", 0),
        ("gl", r"()gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|soat)-[\w.-]{16,}", 0),
        ("xox", r"()xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}", 0),
        ("xapp-", r"()xapp-[0-9]-[A-Za-z0-9-]{8,}", 0),
        ("hooks.slack.com/ webhook.office.com/ /api/webhooks/", _WEBHOOK + r"[\w/@-]{8,}", 0),
        ("hvs. hvb. hvr.", r"(?<![\w.])()hv[sbr]\.[\w-]{16,}", 0),
        ("s. b. r.", r"(?<![\w./-])()[sbr]\.(?=[A-Za-z]{0,23}[0-9])[A-Za-z0-9]{24}(?![\w.-])", 0),
        ("npm_", r"(?<![A-Za-z0-9])()npm_[A-Za-z0-9]{20,}", 0),
        ("pypi-", r"()pypi-[\w-]{32,}", 0),
        ("akia asia abia acca", r"(?<![A-Za-z0-9])()(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}(?![a-z])", 0),
        ("aiza", r"(?<![\w-])()AIza[\w-]{30,}", 0),
        ("ya29.", r"(?<![\w-])()ya29\.[\w-]{16,}", 0),
        ("gocspx-", r"()GOCSPX-[\w-]{16,}", 0),
        ("sk_ rk_ whsec_", r"(?<![A-Za-z0-9])()(?:[sr]k_(?:live|test|prod)_|whsec_)[A-Za-z0-9]{10,}", 0),
        ("sk-", r"(?<![\w-])()sk-(?=[A-Za-z_-]{0,64}[0-9])[\w-]{32,}", 0),
        ("sg.", r"(?<![\w.])()SG\.[\w-]{16,}\.[\w-]{16,}", 0),
        ("_v1_", r"()do[opr]_v1_[a-f0-9]{20,}", 0),
        ("dckr_pat_ rubygems_ shp glsa_ pul-", r"()(?:dckr_pat_|rubygems_|shp(?:at|ca|pa|ss)_|glsa_|pul-)\w{20,}", 0),
        ("hf_", r"(?<![A-Za-z0-9_])()hf_[A-Za-z0-9]{30,}", 0),
        ("atatt3", r"()ATATT3[\w=-]{20,}", 0),
        ("sha256~", r"()sha256~[\w-]{20,}", 0),
        ("age-secret-key-1", r"()AGE-SECRET-KEY-1[0-9A-Z]{20,}", re.IGNORECASE),
        ("q~", r"(?<![\w.~-])()[\w.~-]{3}[0-9]Q~[\w.~-]{25,}", 0),
        ("$", r"()\$(?:1|2[abxy]?|[5-9]|y|gy|apr1|argon2(?:id|i|d)|scrypt|pbkdf2-sha\d+)\$[\w./$=,+-]{8,}", 0),
        ("bearer", _BEARER, 0),
        ("@tcp( @unix(", r"(?<![\w.-])([\w.-]{1,64}:)[^\s:@\"']{1,128}(?=@(?:tcp|unix)\()", 0),
        ("password", r"(\bpassword(?:[ \t]+|\()')[^'\n]+", re.I),
        ("temporary", r"(temporary password is generated for \S{1,128}: )\S+", 0),
        ("requirepass masterauth", r"(\b(?:requirepass|masterauth)[ \t]+)(?!\[redacted\])[^\s:=]\S*", 0),
        ("chpasswd", _CHPASSWD, 0),
        ("private-lines", r"(Private-Lines: [0-9]{1,4})(?:\r?\n[A-Za-z0-9+/=]{1,76}(?=\s|\Z))+", 0),
    )
)
BASIC = re.compile(r"(\bbasic[ \t]+)([A-Za-z0-9+/]{6,}={0,2})", re.ASCII | re.IGNORECASE)
# The user ends at the first colon, the password at the last @ before a slash. A slash counts as part of the password
# only if what precedes it is not a port (https://host:8080/a@b). A long user without a password counts as a token.
URL = re.compile(
    r"""(?<=://) (?P<user>[^\s/?\#@:"'<>\\\[]*:)
        (?P<password>[^\s/?\#"'<>\\]+ | (?![0-9]{1,5}[/?\#])[^\s@"'<>\\]{1,128}) (?=@)
      | (?<=://) (?=[a-z_-]{0,64}[0-9])(?P<token>[a-z0-9_-]{20,}) (?=@)""",
    _FLAGS,
)

# Private keys. The body of a truncated key extends as far as its lines look like base64.
PEM_EDGE = re.compile(r"-----(?P<edge>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
PEM_BODY = re.compile(
    r"""(?: (?:\s|\\{1,4}[nrt]|["',+])+
            (?:(?:Proc-Type|DEK-Info|Version|Comment|Hash):[^\n\\"']*|[A-Za-z0-9+/=]{16,}) )*
        (?: (?:\s|\\{1,4}[nrt])+ [A-Za-z0-9+/=]{1,15}(?=[ \t]*(?:[\r\n"'\\]|\Z)) )?""",
    re.ASCII | re.VERBOSE,
)
LINE_BREAK = re.compile(r"\r?\n|\\{1,4}(?:r\\{1,4})?n")
BASE64 = re.compile(r"[A-Za-z0-9+/=]+")

# Where a value ends: at white space, at the quote or bracket around it, and where the next name=value starts.
BARE = re.compile(
    rf"""(?: {_MASK}
      | [^\s"'`&,;<>()\[\]{{}}\\]
      | [(\[{{<] | [)\]}}>](?![\s"'`,;)\]}}>\\]|\Z)
      | [&,;](?![\s"'\\]|\Z|[\w.%-]{{1,64}}["']?[ ]?[=:])
      | ["'`](?=\w)
      | \\(?!["']|\Z|[nrt](?:[\s"'\\]|\Z|[\w.-]{{1,64}}[ ]?[=:]))
    )+""",
    re.ASCII | re.VERBOSE,
)
TO_END_OF_LINE = re.compile(r"[^\n]+")
TO_QUOTE = re.compile(r"""(?:[^"'\n\\]|\\(?!["']))+""")
QUOTE = re.compile(r"""b?(?P<slashes>\\*)(?P<mark>["'])""")
# What can end a quoted value: the next quote with the backslashes before it, or the end of the line.
CLOSING = {mark: re.compile(rf"(?P<slashes>\\*)(?P<mark>{mark})|\\+|\n") for mark in "\"'"}
# A shell joins 'it'"'"'s' and "a"b into one word; YAML and SQL write 'it''s'.
GLUED = re.compile(r"""["'](?=["'\w])|\w""", re.ASCII)
LIST_OF_STRINGS = re.compile(r"""\[\s*\\*["'][^\]\n]*\]?""")
OPENS_DATA = re.compile(r"""\{\s*(?:\\*["']|\}|\Z)""")

# Values that are not secret: masks, references to a secret that is stored elsewhere, and small numbers in messages.
HARMLESS = re.compile(
    rf"""(?: {_MASK} | [*]+ | x{{3,}} | <[\w\ -]{{1,60}}> | \$(?:env:)?\w+ | \$\{{\w+\}}? | \$\([^\n]* | %\w+%
      | \(?convertto-securestring
      | \{{\{{-?\ *[a-z_][^{{}}\n]{{0,300}}\}}\}} | [^\w\s]{{1,3}} | \d{{1,3}}(?:\ bytes)?
      | none | null | nil | undefined | omit | true | false | yes | no | not\ set | string
      | value_specified_in_no_log_parameter )""",
    _FLAGS,
)
# Words that follow "password:" or "--token" in messages ("auth token: invalid username/password").
PROSE = re.compile(
    r"""(?: (?:is|are|was|were|has|had|have|must|may|can|can't|cannot|could|should|will|would|did|does|do|not|no|invalid
      |incorrect|wrong|bad|missing|required|requires|empty|expired|expires|denied|forbidden|unauthorized|unauthenticated
      |unknown|unexpected|unable|undefined|unsupported|failed|failure|failing|errors?|ok|success|successful|successfully
      |set|unset|changed|updated|reset|rejected|refused|revoked|permission|access|too|found|exists|exist|rpc|x509|eof
      |and|or|to|for|with|if|files|compat|sss|options?|flag|parameter|argument
      |authentication|given)(?![\w@!$%&*+=-])
      | (?:password|passwd|token|secret|user|all|authentication|the|request|response|value)[ \t]+[a-z]+[ \t]+[a-z]
      | [a-z]+:[ \t] )""",
    _FLAGS,
)
METAVARIABLE = re.compile(r"(?:[A-Z]+_)?(?:PASSWORD|PASS|PASSPHRASE|TOKEN|SECRET|KEY|VALUE|STRING)(?![\w-])")
PATH = re.compile(r"[~.]?/[\w.@/ -]+|[A-Za-z]:\\.*", re.ASCII)
BEFORE_A_KEY = re.compile(r"[ \t]*(?:-[ \t]+)?[\w.-]*", re.ASCII)
