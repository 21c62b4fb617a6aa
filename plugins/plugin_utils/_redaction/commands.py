# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets among the arguments of commands, in HTTP headers, and in SQL and PowerShell: what precedes them is no name.

Must take linear time: a command ends with its line, and each position is looked at once for each of its options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import values
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import FLAGS, Span, Text
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.prose import METAVARIABLE, is_sentence
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.values import LAST, LIKELY
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.words import Table, known

# Options that take a password in some commands only (elsewhere, -p is a port or means "make parents"):
# (words of which the text must contain one; the command; the option, with what else precedes the password).
_ARGUMENT = r"""(?<![^\s"',=(])"""
_AFTER = r"""\\*["']?[ \t]*(?:,[ \t]*)?"""
_QUOTE = r"""(?P<q>\\*["'])?"""
_COMMANDS = (
    ("mysql,mariadb", r"(?:mysql|mariadb)(?:[a-z]+|-[a-z]+)?(?:\.exe)?", r"""-p(?!\d+:\d)(?=\\*["']?[^\s"',\\])"""),
    ("mysqladmin,mariadb-admin", r"(?:mysql|mariadb-)admin", r"""password[ \t]+"""),
    ("redis-,valkey-", r"(?:redis|valkey)-(?:cli|benchmark)", rf"(?:-a{_AFTER}|AUTH[ ]|--pass{_AFTER})"),
    ("mongo", r"mongo[a-z]*", r"-p" + _AFTER),
    (
        "login,twine,ncftp,winrm,psexec,racadm",
        r"(?:docker|podman|buildah|skopeo|helm registry|az|oc)[ \t]+login|twine[ ]upload|ncftp\w*|evil-winr"
        r"m|psexec|racadm"
        r"|rabbitmqadmin",
        r"-p" + _AFTER,
    ),
    ("rabbitmqadmin,cqlsh", r"rabbitmqadmin|cqlsh", r"-p" + _AFTER),
    ("rabbitmq", r"rabbitmqctl", r"(?:add_user|change_password|authenticate_user)[ ]+\S{1,64}[ ]+"),
    ("htpasswd", r"htpasswd", r"-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}[ ]+\S{1,200}[ ]+\S{1,100}[ ]+"),
    (
        "curl",
        r"curl(?:\.exe)?",
        r"(?:-[a-zA-Z]{0,8}[uU]|--(?:proxy-)?user=?)" + _AFTER + _QUOTE + r"""[^\s:"'\\]{1,128}:(?!//)""",
    ),
    ("http -a,https -a", r"https?", r"-a[ ]" + _QUOTE + r"""[^\s:"'\\]{1,128}:(?!//)"""),
    ("lftp", r"lftp", r"-u[ ]" + _QUOTE + r"""[^\s,"'\\]{1,128},"""),
    ("ldap", r"ldap[a-z]+", rf"(?:-w|-s(?=[ ]+(?!sub\b|base\b|one\b|children\b))){_AFTER}"),
    ("ipmitool,sqlcmd,bcp,isql,zip", r"ipmitool|sqlcmd|bcp|isql|zip|unzip", r"-P" + _AFTER),
    ("7z", r"7z[ar]?", r"-p(?=\S)"),
    ("ssh-keygen", r"ssh-keygen", r"-[NP]" + _AFTER + r"(?!-)"),
    ("openssl", r"openssl[ ]enc", r"-k" + _AFTER),
    ("useradd,usermod", r"useradd|usermod", r"-p" + _AFTER),
    ("smbclient,rpcclient", r"smbclient|rpcclient", r"-U" + _AFTER + _QUOTE + r"""[^\s%"']{1,128}%"""),
    ("openssl", r"openssl", _QUOTE + r"pass:"),
    ("sqlplus,expdp,impdp,rman,sqlldr", r"sqlplus|expdp|impdp|rman|sqlldr", r"[A-Za-z]\w{0,40}/(?!nolog\b)(?=[^\s/])"),
    ("impacket-", r"impacket-\w+", r"[\w.]{1,40}/[\w.]{1,40}:"),
    ("schtasks", r"schtasks(?:\.exe)?", r"/rp[ ]+"),
    (
        "net use,net user,net.exe",
        r"net(?:\.exe)?",
        r"use[ ]+\S{1,8}[ ]+\S{1,200}[ ]+(?!/)|user[ ]+(?!/)\S{1,64}[ ]+(?!/)",
    ),
    ("freerdp,rdesktop", r"[xw]freerdp3?", r"/p:"),
    ("snmp", r"snmp(?:get|getnext|walk|bulkwalk|bulkget|set|status|table|trap|translate)", rf"-[cAX]{_AFTER}"),
    ("wpa_passphrase", r"wpa_passphrase", r"(?:(?<=wpa_passphrase[ ])|(?<=wpa_passphrase[ ][\"']))\S{1,32}[ ]+"),
    ("nmcli", r"nmcli", r"(?:[\w.-]{0,40}\.)?(?:password|psk)[ ]+"),
    ("iscsiadm", r"iscsiadm", r"-n[ ]\S{0,60}password[ ]-v[ ]"),
    ("curl", r"curl", r"(?:-b|--cookie)[ =]" + _QUOTE + r"(?=[\w.-]{1,64}=)"),
    ("vault", r"vault", r"login[ ]+(?=[A-Za-z][\w.-]{15,})|operator[ ]unseal[ ]+(?=[A-Za-z0-9+/]{20})"),
    ("vault", r"vault[ ]kv[ ](?:put|patch)", r"[a-z][\w.-]{0,40}=(?!@)"),
    (
        "configure",
        r"aws[ ](?:--\w+[ ]\S{1,64}[ ]){0,3}configure[ ]set",
        r"[\w.-]{0,60}(?:secret_access_key|session_token)[ ]+",
    ),
    ("rclone", r"rclone", r"(?:secret_access_key|pass|password|token|secret)[ ]+"),
    ("npm,yarn,pnpm", r"(?:npm|yarn|pnpm)[ ]config[ ]set", r"\S{0,100}:_(?:authToken|auth|password)[ ]+"),
    ("from-literal", r"kubectl[ ](?:[^\n]{0,60}[ ])?create[ ]secret", r"--from-literal[ =][\w.-]{1,100}="),
)
# What is a secret where it stands behind these words, in the whole of a text.
_SSHPASS = r"""(?<![\w.-])sshpass(?:["',\s]{1,4}-[ehvV])*["',\s]{1,4}-p""" + _AFTER
_HEADER_WORDS = known("authorization", "cookie", "x-")
_HEADER = re.compile(
    r"""(?<![a-z0-9]) (?:(?:proxy-)?authorization|(?<!-)cookie|set-cookie
        |x-[a-z]{2,12}(?:-[a-z]{2,12})?-(?:auth|key)) (?: \\*["']? [ \t]* (?:=>|[:=](?!=)) | \\*["'], )
    (?![ \t]*\\*["']?digest[ \t]+\w+=) (?:[ \t]|\n[ ])* \[{0,2}
    (?:[b@]?(?P<q>\\*["']))? (?P<scheme>(?:bearer|basic|token|negotiate|apikey|key)[ \t\n]+)?""",
    FLAGS,
)
# The first part of SQL's IDENTIFIED BY, which prose could continue too.
_IDENTIFIED = r"""(?: (?: (?-i:IDENTIFIED)
      | (?: (?:create|alter)\s+(?:user|role)\s+(?:if\s+(?:not\s+)?exists\s+)?\S{1,128} | \bto\s+[^\s@]{1,64}@\S{1,64} )
        \s+ identified ) \s+ (?:with\s+\S{1,64}\s+)? by \s+
      (?!\s|(?:password|values|random|clause)\b)
  | \bidentified\s+(?:with\s+\S{1,64}\s+)?(?:by|as)\s+(?=\\{0,8}')
  | \bidentified\s+(?:with\s+\S{1,64}\s+)?by\s+(?:password|values)\s+(?=\\{0,8}["']) )(?P<sql>)"""
# Words that precede a secret with only white space in between: (words of which the text must contain one; pattern).
_STATED = (
    ("identified", _IDENTIFIED),
    (
        "password ',password \",password(,password \\,password n",
        r"""\b(?:encrypted[ ])?password(?:[ \t]+|\()(?P<sql>)(?=(?:\\{0,8}|N|')'[^'\s]|\\{0,8}"(?=[^"\n]{1,12"""
        r"""8}"[ ;]|[^"\n]{1,128}"\Z))(?!'+[ ])""",
    ),
    (
        "securestring",
        r"""convertto-securestring (?:[ \t]+-(?:string|asplaintext|force)(?![\w-])){0,3} (?:[ \t]+ | :(?=\S))
            (?=[^\s(-])(?!cmdlet|command)""",
    ),
    ("digest", r"(?<![\w-]) digest[ \t]+\w{1,16}= [^\n]{0,600}? [\s,]response="),
    ("bindpw,rootpw", r"(?<![\w-]) (?:bind|root)pw [ \t]+ (?=[^\s-])" + LAST),
    ("requirepass,masterauth", r"\b(?:requirepass|masterauth)[ \t]+(?=[^\s:=])"),
    (
        "chpasswd",
        r"""\b(?:echo|printf)[ \t]{1,8}(?:-\w[ \t]{1,8})?\\*["']?[^\s:|"'\\]{1,64}:(?=[^\s|]{1,256}\s{0,8}\|"""
        r"""\s{0,8}(?:sudo\s{1,8})?chpasswd)""",
    ),
    (
        "stdin,sudo",
        r"""\b(?:echo|printf)[ \t]{1,8}(?:-\w[ \t]{1,8})?(?=[^\s|]{1,256}\s{0,8}\|\s{0,8}(?:passwd[ ]|(?:dock"""
        r"""er|podman|helm[ ]registry)[ ]login[ ]|sudo[ ]+-S\b))""",
    ),
    ("<<<", r"""\b(?:kinit|realm[ ]join|passwd|su|sudo|cryptsetup|docker[ ]login)\b[^\n]{0,100}?<<<[ ]*(?=\S)"""),
    ("sshpass", _SSHPASS),
    (
        "machine,default",
        r"""\b(?:machine\s+\S{1,128}|default)\s+(?:login\s+\S{1,128}\s+)password\s+(?!x-oauth-basic)""",
    ),
    ("machine", r"""\bmachine\s+\S{1,128}\s+login\s+(?=[\w-]{20,64}\s+password\s+x-oauth-basic)"""),
    ("basicauth,auth=(", r"""(?:basicauth|[ ,(]auth=)\(\s*\\*["'][^"'\n\\]{1,100}\\*["']\s*,\s*(?=[bu]?\\*["'])"""),
    ("setpass,settoken,setsecret", r"""\bset(?:password|passwd|token|secret|apikey)\((?=\\*["'])"""),
    ("jdbc:oracle", r"jdbc:oracle:thin:\w{1,64}/(?=[^\s@]{1,128}@)"),
    (
        "set to ,reset to ,changed to ",
        r"""(?:password|token|secret)[ ](?:was[ ]|is[ ]|has[ ]been[ ])?(?:re)?(?:set|changed)[ ]to[ ]""" + LIKELY,
    ),
    ("auth-pass ,auth_pass ", r"""\bauth[_-]pass[ ]+[\w.-]{1,64}[ ]+(?=[^\s:=])"""),
    ("user ", r"""\buser[ ]\S{1,64}[ ](?:on|off)[ ](?:[^\n>]{0,60}[ ])?>(?=\S)"""),
    ("changed", r"""\b(?:password|token|secret|key)[ ]changed[ ]from[ ](?=\\*['"])"""),
    ("changed from", r"""\bchanged[ ]from[ ]\\*['"]\[redacted\]\\*['"][ ]to[ ](?=\\*['"])"""),
    ("auth ", r"(?:\A|(?<=\n))[ \t]*(?-i:AUTH)[ ](?:\w{1,64}[ ])?" + LIKELY),
    ("kubeadm", r"\bkubeadm[ ]join[ ][^\n]{0,200}?--token[ =](?=[a-z0-9]{6}\.[a-z0-9]{16})"),
    (
        "env ,setenv ,setx ,set -x,fastcgi_param",
        r"(?:\A|(?<=\n)|;[ ])[ \t]*(?:env|setenv|setx|set[ ]-x|fastcgi_param)[ ]+(?-i:[A-Z0-9_]{0,40}(?:PAS"
        r"SWORD|PASS|TOKEN|SECRET|API_KEY|PWD))[ ]+(?=[^\s=])",
    ),
    (
        "password ,passphrase ,password\t,passphrase\t",
        r"""(?: (?<=[a-z0-9][_-])(?:password|passphrase) | pass(?:word|phrase)[ \t]+is ) [ \t]+""" + LIKELY,
    ),
)
_HARMLESS_NAME = "secret"
_ON_SEVERAL_LINES = (
    "identified",
    "machine,default",
    "machine",
    "chpasswd",
    "stdin,sudo",
    "securestring",
    "basicauth,auth=(",
)


_COMMAND_TABLE = Table((words.split(","), (names, option)) for words, names, option in _COMMANDS)
_STATED_TABLE = Table(
    (words.split(","), (pattern, 2 if words in _ON_SEVERAL_LINES else 0)) for words, pattern in _STATED
)


@cache
def _command(names: str, option: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return (
        re.compile(rf"(?<![\w.-])(?:{names})(?![\w./:=-])[^\n;|&]*(?:[;|&](?![;|&\s])[^\n;|&]*)*", re.ASCII),
        re.compile(rf"{_ARGUMENT}(?:{option})", re.ASCII),
    )


@cache
def _stated(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, FLAGS)


def secret_arguments(text: Text) -> Iterator[Span]:
    """Yield the secrets that stand behind an option of a command or behind certain words."""
    for words, (names, option) in _COMMAND_TABLE.rows(text.words):
        command, argument = _command(names, option)
        for window in text.windows(words):
            for called in command.finditer(text.view, *window):
                for found in argument.finditer(text.view, *called.span()):
                    yield from _argument(text, found)
    for words, (pattern, lines) in _STATED_TABLE.rows(text.words):
        for window in text.windows(words, lines):
            for found in _stated(pattern).finditer(text.view, *window):
                yield from _stated_value(text, found)


def _argument(text: Text, found: re.Match[str]) -> Iterator[Span]:
    start = found.end()
    if values.is_masked(text.text, start):
        return
    opened = values.QUOTE.fullmatch(found.groupdict().get("q") or "")
    if opened:
        end, _after = values.closing(text.text, start, opened)
    else:
        start, end = values.word(text.text, start)
    if start < end and not values.is_harmless(text.text[start:end], _HARMLESS_NAME):
        yield start, end


def _stated_value(text: Text, found: re.Match[str]) -> Iterator[Span]:
    start = found.end()
    if values.is_masked(text.text, start):
        return
    quoted = values.QUOTE.match(text.text, start)
    if not quoted and (is_sentence(text.view, found.start(), start, start) or METAVARIABLE.match(text.text, start)):
        return
    start, end = _sql(text.text, start) if "sql" in found.groupdict() else values.word(text.text, start)
    if start < end and not values.is_harmless(text.text[start:end], _HARMLESS_NAME):
        yield start, end


def _sql(text: str, start: int) -> Span:
    """Return where a string of SQL is that can stand in another string: ''hunter2''."""
    doubled = re.compile(r"''(?=[^'\s])").match(text, start)
    if doubled:
        end = text.find("''", doubled.end())
        line = text.find("\n", doubled.end())
        return doubled.end(), min(at for at in (end, line, len(text)) if at >= 0)
    return values.word(text, start)


def headers(text: Text) -> Iterator[Span]:
    """Yield the values of HTTP headers that authenticate."""
    for window in text.windows(_HEADER_WORDS, 1):
        yield from _headers_in(text, *window)


def _headers_in(text: Text, at: int, end_of_window: int) -> Iterator[Span]:
    while found := _HEADER.search(text.view, at, end_of_window):
        at = found.end()
        start = found.end()
        opened = values.QUOTE.fullmatch(found["q"] or "")
        if not opened and is_sentence(text.view, found.start(), start, start) and not found["scheme"]:
            continue
        if opened:
            end, _after = values.closing(text.text, start, opened)
        elif not found["scheme"] and text.view[start - 1 : start] != "[":
            end = values.end_of(values.TO_QUOTE, text.text, start)
        else:
            end = values.end_of(values.BARE, text.text, start)
        value = text.text[start:end].rstrip()
        if value and not values.is_harmless(value, _HARMLESS_NAME):
            yield start, start + len(value)
            at = max(at, end)
