# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a ``postgresql://`` URL: what people may see of it, and the passwords in it, which nobody may see.

Must not need psycopg. Its parameters are libpq's business:
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

SCHEMES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00|\0")
# A shorter one would be found within words that have nothing to do with it.
_LEAST = 4


@dataclass(frozen=True)
class ServerUrl:
    """A checked URL of a database.

    :param conninfo: the whole URL for libpq, with the password.
    :param place: the URL for people, without user, password and parameters.
    :param secrets: the passwords in the URL, as written and as meant.
    """

    conninfo: str = field(repr=False)
    place: str
    secrets: tuple[str, ...] = field(repr=False)

    def redacted(self, text: str) -> str:
        """Return a message without the URL and its passwords."""
        text = text.replace(self.conninfo, self.place)
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def server_url(url: str) -> ServerUrl:
    """Check the URL and return what it says.

    :param url: starts with one of :data:`SCHEMES`.
    :raises ValueError: libpq would read it otherwise than it is meant; the message has nothing of the URL.
    """
    # libpq takes the first @ for the end of the password, or the first / for that of the host, and would show the rest
    # of the password as a host's or database's name.
    rest = url.partition("://")[2]
    user, at, after = rest.rpartition("@")
    if re.search("[@/?#]", user):
        raise ValueError("its user name or password has one of the characters @ / ? #. Write them as %40 %2F %3F %23")
    if _BAD_PERCENT.search(url):
        raise ValueError("it has a % without two hexadecimal digits behind it. Write % as %25")
    server, _mark, query = (after if at else rest).partition("?")
    parameters = {unquote(name): value for name, _sign, value in (one.partition("=") for one in query.split("&"))}
    written = [user.partition(":")[2], *(parameters.get(name, "") for name in _SECRETS)]
    secrets = {form for one in written for form in (one, unquote(one)) if len(form) >= _LEAST}
    return ServerUrl(url, _place(server, parameters), tuple(sorted(secrets, key=len, reverse=True)))


def _place(server: str, parameters: dict[str, str]) -> str:
    hosts, _slash, database = server.partition("/")
    hosts = hosts or unquote(parameters.get("host") or parameters.get("hostaddr", ""))
    database = database or unquote(parameters.get("dbname", ""))
    if not hosts and "service" in parameters:
        return f"postgresql:// (service {unquote(parameters['service'])})"
    return f"postgresql://{hosts}/{database}".rstrip("/") if hosts or database else "postgresql://localhost"
