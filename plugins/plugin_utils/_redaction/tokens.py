# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strings that are secrets by their form: tokens with their issuer's prefix, hashes of passwords, secret URLs.

Must not look at names: names.py does. No pattern takes more than linear time: none begins with an unbounded repetition,
and what follows one starts with a character that the repetition cannot match.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import cache

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import FLAGS, Span, Text, group_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.values import HARMLESS
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import Table, known

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Where a token begins: not inside a word, nor inside a longer name with hyphens and dots.
_B = r"(?<![A-Za-z0-9])"
_C = r"(?<![\w.-])"
_E = r"(?![\w-])"

# Tokens that no host, task, role or file is called like: (lower-case words of which the text must contain one;
# patterns). The prefixes are those of the issuers' documentation. The minimum lengths are below the real ones, to find
# truncated tokens too.
_ISSUED = Table(
    (words.split(), pattern)
    for words, pattern in (
        ("eyj", r"(?<![\w-])eyJ[\w-]{10,}(?:\.[\w-]+){1,4} | (?<![\w-])eyJrIjoi[\w+/=-]{40,}"),
        ("ghp_ gho_ ghu_ ghs_ ghr_", r"gh[opsur]_[A-Za-z0-9]{16,}"),
        ("github_pat_", r"github_pat_\w{20,}"),
        (
            "glag glcb gldt glff glft glim gloa glso glpa glpt glrt glwt glc_",
            r"gl(?:agent|cbt|dt|ffct|ft|imt|oas|soat|pat|ptt|rt|rtr|wt)-[\w.-]{16,} | glc_[A-Za-z0-9+/]{24,}={0,2}",
        ),
        ("gr1348941", r"GR1348941[\w-]{16,}"),
        ("xox", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}"),
        ("xapp-", r"xapp-[0-9]-[A-Za-z0-9-]{8,}"),
        ("hvs. hvb. hvr.", r"(?<![\w.])hv[sbr]\.[\w-]{16,}"),
        ("npm_ nfp_ ntn_", rf"{_B}(?:npm|nfp|ntn)_[A-Za-z0-9]{{20,}}"),
        ("pypi-", r"pypi-[\w-]{32,}"),
        ("akia asia abia acca", rf"{_B}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{12,}}(?![a-z])"),
        ("aiza", r"(?<![\w-])AIza[\w-]{30,}"),
        ("ya29. 1//0", r"(?<![\w-])ya29\.[\w-]{16,} | (?<![\w./-])1//0[\w-]{30,}"),
        ("gocspx-", r"GOCSPX-[\w-]{16,}"),
        ("sk_ rk_ whsec_", rf"{_B}(?:[sr]k_(?:live|test|prod)_|whsec_)[A-Za-z0-9]{{10,}}"),
        ("sg.", r"(?<![\w.])SG\.[\w-]{16,}\.[\w-]{16,}"),
        ("_v1_", r"do[opr]_v1_[a-f0-9]{20,}"),
        (
            "dckr_ rubygems_ shp glsa_ pul- clojars_",
            r"dckr_[po]at_[\w-]{16,} | (?:rubygems_|shp(?:at|ca|pa|ss)_|glsa_|pul-|CLOJARS_)\w{20,}",
        ),
        ("hf_ api_org_", r"(?<![A-Za-z0-9_])(?:hf|api_org)_[A-Za-z0-9]{30,}"),
        ("atatt3 atctt3 atbb bbdc-", rf"AT[AC]TT3[\w=-]{{20,}} | {_B}(?:ATBB[A-Za-z0-9]{{24,}}|BBDC-[\w+/@-]{{36,}})"),
        ("sha256~", r"sha256~[\w-]{20,}"),
        ("age-secret-key-1", r"(?i:AGE-SECRET-KEY-1[0-9A-Z]{20,})"),
        (":aa", r"(?<![\w.:-])[0-9]{8,12}:AA[\w-]{30,40}(?![\w-])"),
        ("dapi", rf"{_B}dapi[a-f0-9]{{28,}}(?:-[0-9])?"),
        (".atlasv1.", rf"{_C}[A-Za-z0-9]{{10,20}}\.atlasv1\.[\w-]{{20,}}"),
        ("dp.", r"(?<![\w.-])dp\.(?:ct|pt|st|sa|scim|audit)\.(?:[\w-]{1,40}\.)?[A-Za-z0-9]{30,}"),
        ("sntry", r"sntrys_eyJ[\w+/=-]{20,} | sntryu_[a-f0-9]{32,}"),
        ("nra nri nrj", rf"{_B}NR(?:AK|II|IQ|JS|AA|RA|SP)-[\w-]{{17,}}"),
        ("nral", rf"{_B}[0-9a-z]{{30,36}}(?:FFFF)?NRAL{_E}"),
        ("sqp_ squ_ sqa_ sq0", rf"{_B}(?:sq[pau]_[a-f0-9]{{30,}}|sq0[a-z]{{3}}-[\w-]{{20,}})"),
        ("pmak- pmat-", r"PMA[KT]-[A-Za-z0-9]{20,}(?:-[a-f0-9]{20,})?"),
        ("pscale_", r"pscale_(?:tkn|pw|oauth|app_secret)_[\w=.-]{28,}"),
        ("v1.0-", rf"{_B}v1\.0-[a-f0-9]{{24}}-[a-f0-9]{{60,}}"),
        ("fo1_ fm1 fm2", rf"{_B}(?:fo1_[\w-]{{36,}}|fm[12][ar]?_[A-Za-z0-9+/=]{{40,}})"),
        ("hrku-", r"HRKU-[\w-]{30,}"),
        (
            "gsk_ xai- pplx- r8_ rnd_ sbp_ pnu_ vcp_ lin_api_",
            rf"{_B}(?:gsk_|xai-|pplx-|r8_|rnd_|sbp_|pnu_|vcp_|lin_api_)[A-Za-z0-9]{{26,}}",
        ),
        ("figd_ duffel_ rdme_ tfp_", rf"{_B}(?:figd_|duffel_(?:live|test)_|rdme_|tfp_)[\w-]{{32,}}"),
        ("tskey-", r"tskey-[a-z]{3,10}-[\w-]{16,}"),
        ("swmtkn-1- swmkey-1-", r"SWMTKN-1-[a-z0-9]{20,}(?:-[a-z0-9]{1,40})? | SWMKEY-1-[\w+/=]{30,}"),
        ("k10", rf"{_B}K10[a-f0-9]{{40,}}(?:::[a-z]{{1,10}}:[\w.-]+|::[a-z0-9]{{6}}\.[a-z0-9]{{16}})?"),
        ("akcp cmvmdgtu", rf"{_B}(?:AKCp[0-9][A-Za-z0-9]{{40,}}|cmVmdGtu[A-Za-z0-9]{{40,}})"),
        ("dt0", rf"{_B}dt0[a-z][0-9]{{2}}\.[A-Z0-9]{{24}}\.[A-Z0-9]{{20,}}"),
        ("oy2", rf"{_B}oy2[a-z0-9]{{43}}(?![a-z0-9])"),
        ("ltai", rf"{_B}LTAI(?=[A-Za-z]{{0,16}}[0-9])[A-Za-z0-9]{{12,24}}(?![A-Za-z0-9])"),
        ("absk bedrock-api-key-", rf"{_B}ABSK[A-Za-z0-9+/]{{60,}}=* | bedrock-api-key-[A-Za-z0-9+/=]{{40,}}"),
        ("xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[a-f0-9]{40,}(?:-\w+)?"),
        ("access_token$", r"access_token\$[a-z]+\$[a-z0-9]{16}\$[a-f0-9]{32}"),
        ("cfpat- dnkey- ico- pat-", rf"{_B}(?:CFPAT-[\w-]{{40,}}|dnkey-[\w-]{{40,}}|ico-[A-Za-z0-9]{{32}}{_E})"),
        ("ops_eyj", r"ops_eyJ[\w-]{40,}={0,2}"),
        ("amzn.mws.", rf"amzn\.mws\.{_UUID}"),
        ("iqojb3jpz2lu", r"IQoJb3JpZ2lu[A-Za-z0-9+/=]{40,}"),
        ("flwseck", r"FLWSECK(?:_TEST)?-[a-zA-Z0-9]{12,}(?:-X)?"),
        ("eaa", rf"{_B}EAA(?:A[\w-]{{50,}}|[A-Z][A-Za-z0-9]{{60,}})"),
        ("ccipat_ cciprj_", r"CCIP(?:AT|RJ)_\w{20,}"),
        ("pat-na pat-eu pat-ap", rf"{_C}pat-(?:na|eu|ap)[0-9]-{_UUID}"),
        ("bkua_ bkct_", rf"{_B}bk(?:ua|ct)_[A-Za-z0-9]{{30,}}"),
        ("sgp_", rf"{_B}sgp_(?:[A-Za-z0-9]{{1,16}}_)?[a-f0-9]{{30,}}"),
        ("sb_secret_", rf"{_B}sb_secret_[\w-]{{20,}}"),
        ("secret_", r"(?<![A-Za-z0-9_])secret_[A-Za-z0-9]{40,}"),
        ("napi_ ddp_ phx_", rf"{_B}(?:napi|ddp|phx)_[A-Za-z0-9]{{30,}}"),
        ("avns_", rf"{_B}AVNS_[\w-]{{14,}}"),
        ("rzp_", rf"{_B}rzp_(?:live|test)_[A-Za-z0-9]{{14,}}"),
        ("hcaik_ hcbik_ hcxik_", rf"{_B}hc[abx]ik_[a-z0-9]{{40,}}"),
        ("-us", rf"{_C}[0-9a-f]{{32}}-us[0-9]{{1,2}}{_E}"),
        ("cio", rf"{_B}cio(?=[A-Za-z]{{0,31}}[0-9])(?=[a-z0-9]{{0,31}}[A-Z])[A-Za-z0-9]{{32}}(?![A-Za-z0-9])"),
    )
)

# The same for tokens that a name can be like.
_SHAPES = Table(
    (words.split(), pattern)
    for words, pattern in (
        ("sk-", r"(?<![\w-])sk-(?=[\w-]{0,80}?[A-Za-z0-9_]{20})(?=[A-Za-z_-]{0,64}[0-9])[\w-]{32,}(?!\.[a-z])"),
        ("s. b. r.", r"(?<![\w./-])[sbr]\.(?=[A-Za-z]{0,23}[0-9])[A-Za-z0-9]{24}(?![\w.-])"),
        ("q~", r"(?<![\w.~-])[\w.~-]{3}[0-9]Q~[\w.~-]{25,}"),
        ("key-", rf"{_C}key-[0-9a-f]{{32}}{_E}"),
        ("pat", r"(?<![\w-])pat(?=[a-z0-9]{0,13}[A-Z])[A-Za-z0-9]{14}\.[0-9a-f]{40,}"),
        ("pat- api-", r"(?<![\w-])(?:PAT|API)-(?=[A-Z]{0,25}[0-9])[A-Z0-9]{26,30}(?![\w-])"),
        ("sdk-", rf"(?<![\w-])sdk-{_UUID}"),
        ("pk_", r"(?<![\w-])pk_[0-9]{4,10}_[A-Z0-9]{32}(?!\w)"),
        (
            "$",
            r"\$(?:1|2[abxy]?|[5-9]|y|gy|7|apr1|argon2(?:id|i|d)|scrypt|pbkdf2-sha\d+)\$[\w./$=,+-]{8,}"
            r" | (?<!\w)\$[ch]\$[0-9]\$[A-Za-z0-9+/=$]{16,} | SCRAM-SHA-(?:1|256)\$(?P<rest>[0-9]+:"
            r"[A-Za-z0-9+/=]+\$[\w+/=:]+)",
        ),
        (
            "{s {crypt} {md5} {pbkdf2",
            r"\{(?:S?SHA(?:224|256|384|512)?|S?MD5|CRYPT|PBKDF2[\w-]{0,16})\}[\w./$+=,-]{12,}",
        ),
        ("md5", r"""(?<=["'])md5[0-9a-f]{32}(?=["'])"""),
        ("*", r"(?<![\w*])\*[0-9A-F]{40}(?!\w)"),
        ("aad3b435b51404eeaad3b435b51404ee", r"aad3b435b51404eeaad3b435b51404ee:[0-9a-f]{32}"),
        ("%^%#", r"%\^%\#[^\s]{8,256}?%\^%\#"),
        (
            "bearer",
            r"\b(?i:bearer)(?:[ \t]+|%20|\+)(?P<secret>(?!(?i:realm|scope|error|charset)\w*=)"
            r"(?:(?=[A-Za-z._~+/-]{0,64}[0-9])[\w.~+/-]{6,}|[\w.~+/-]{20,})=*)",
        ),
        ("@tcp( @unix(", r"(?<![\w.-])[\w.-]{1,64}:(?P<secret>[^\s:@\"']{1,128})(?=@(?:tcp|unix)\()"),
        ("temporary", r"temporary password is generated for \S{1,128}:[ ](?P<secret>\S+)"),
        (
            "sessionid= sessid= connect.sid=",
            r"(?:(?:JSESSION|PHPSESS|ASPSESS)ID[A-Z]{0,12}|connect\.sid)=(?P<secret>[\w.%-]{12,})",
        ),
        ("$ansible_vault;", r"\$ANSIBLE_VAULT;[\w.;-]{1,120}(?P<secret>(?:\s+[0-9a-f]{2,}(?![0-9A-Za-z]))+)"),
    )
)

_ON_SEVERAL_LINES = ("$ansible_vault;",)

# URLs that are secret, but not by a password or a parameter with a name.
_URLS = Table(
    (words.split(), pattern)
    for words, pattern in (
        ("hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/-]{8,})"),
        (".office.com/webhook", r"(?:\.webhook|outlook)\.office\.com/webhook(?:b2)?/(?P<secret>[\w/@-]{8,})"),
        ("/webhooks/", r"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/(?P<secret>[\w/-]{8,})"),
        ("hooks.zapier.com/", r"hooks\.zapier\.com/hooks/catch/(?P<secret>[\w/]{6,})"),
        (".org/", r"api\.telegram\.org/(?:file/)?bot(?P<secret>[0-9]{5,12}:[\w-]{16,})"),
        ("/bot/v2/hook/", r"/bot/v2/hook/(?P<secret>[\w-]{16,})"),
        ("/with/key/", r"maker\.ifttt\.com/[\w/]{1,100}/key/(?P<secret>[\w-]{16,})"),
        ("/integration/", r"pagerduty\.com/integration/(?P<secret>[0-9a-f]{20,})"),
        ("victorops.com/", r"alert\.victorops\.com/integrations/generic/[0-9]{1,10}/alert/(?P<secret>[\w-]{16,})"),
        ("hc-ping.com/", rf"hc-ping\.com/(?P<secret>{_UUID})"),
        (
            "/hooks/",
            r"://[^\s/]{1,128}/hooks/(?P<secret>(?:(?=[a-z]{0,25}[0-9])[a-z0-9]{26}|[A-Za-z0-9]{17}/[A-Za-z0-9]{30,}))",
        ),
        ("http", rf"[?&](?:key|auth|k|hash|hmac)=(?P<secret>(?=[A-Za-z_-]{{0,64}}[0-9])[\w-]{{24,}}=*|{_UUID})"),
        (
            "code=",
            r"[?&]code=(?P<secret>(?=[^\s&A-Z]{0,64}[A-Z]|[^\s&]{0,64}[_.-])(?=[^\s&0-9]{0,64}[0-9])[\w+/.~%-]{16,}={0,2})",
        ),
        ("signature=", r"(?:[?&,]|[ ])(?:x-(?:amz|goog)-)?signature=(?P<secret>[\w+/%=~-]{12,})"),
        ("%3a%2f%2f", r"%3a%2f%2f[\w.-]{1,64}%3a(?P<secret>(?:(?!%40)[\w.%~-]){1,128})%40"),
    )
)
# The user ends at the first colon, the password at the last @ before a slash. A slash counts as part of the password
# only if what precedes it is not a port (https://host:8080/a@b). A long user without a password counts as a token, as
# does one whose password is only a word that says so.
_URL = re.compile(
    r""":// (?: (?P<token>[a-z0-9_-]{20,}) (?=:(?:x-oauth-basic|x-token-auth)?@)
      | [^\s/?\#@:"'<>\\\[]*:
        (?P<password>[^\s/?\#"'<>\\]+ | (?![0-9]{1,5}[/?\#])[^\s@"'<>\\]{1,128}) (?=@)
      | (?=[a-z_-]{0,64}[0-9])(?P<user>[a-z0-9_-]{20,}) (?=@) )""",
    FLAGS,
)
_URL_WORDS = known("://", "%3a%2f%2f", "get /", "post /", "?", "signature=")
_BASIC_WORDS = known("basic")
_BASIC = re.compile(r"\bbasic[ \t]+(?P<secret>[A-Za-z0-9+/]{6,}={0,2})", re.ASCII | re.IGNORECASE)


@cache
def _compiled(pattern: str, flags: int) -> tuple[re.Pattern[str], str | int]:
    # Only when a text contains one of its words: to compile all of them takes longer than to redact most texts.
    compiled = re.compile(pattern.replace(" | ", "|"), flags)
    return compiled, group_of(compiled)


def _found(text: Text, table: Table[str], flags: int) -> Iterator[Span]:
    for words, pattern in table.rows(text.words):
        compiled, group = _compiled(pattern, flags)
        for window in [(0, len(text.view))] if words == _ON_SEVERAL_LINES else text.windows(words):
            for found in compiled.finditer(text.view, *window):
                if found[group] is not None:
                    yield found.span(group)


def issued(text: Text) -> Iterator[Span]:
    """Yield the secrets that nothing can be called like: tokens with an issuer's prefix, and passwords in URLs."""
    yield from _found(text, _ISSUED, re.ASCII)
    for window in text.news(0) if "://" in text.text else ():
        for found in _URL.finditer(text.view, *window):
            group = found.lastgroup or ""
            if group != "password" or not HARMLESS.fullmatch(found[group]):
                yield found.span(group)


def secrets_by_form(text: Text) -> Iterator[Span]:
    """Yield all secrets that are recognized by their form."""
    yield from issued(text)
    yield from _found(text, _SHAPES, re.ASCII)
    if text.has(_URL_WORDS):
        yield from _found(text, _URLS, re.ASCII | re.IGNORECASE)
    for window in text.windows(_BASIC_WORDS):
        for found in _BASIC.finditer(text.view, *window):
            if is_basic(found["secret"]):
                yield found.span("secret")


def is_basic(encoded: str) -> bool:
    """Return whether this is base64 of ``user:password``, even if cut off: what follows ``Basic`` can also be prose."""
    encoded = encoded.rstrip("=")
    try:
        decoded = base64.b64decode(encoded[: len(encoded) // 4 * 4])
    except ValueError:
        return False
    return b":" in decoded and decoded.isascii() and decoded.decode().isprintable()
