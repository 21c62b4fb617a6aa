# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The connection to the API: checks the connection options and turns them into the value object of the client.

Must not send anything, and must not repeat a value in an error: it may be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError

DEFAULT_BASE_URL = "https://sqibs.callgoose.com/sqibs-api"
ENDPOINT = "/v1/process"
BEARER = "bearer"
URL_PARAMETER = "url_parameter"
# Line breaks (also Unicode's) and other control characters. They split headers and garble logs.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# In seconds. Sockets cannot wait for longer than 24 days; one day is more than enough.
LONGEST_TIMEOUT = 86400
VISIBLE_ASCII = re.compile("[\x21-\x7e]+")


@dataclass(frozen=True)
class Connection:
    """Checked connection options.

    :ivar endpoint: the URL to POST to, without a query.
    :ivar timeout: limit for one attempt, in seconds.
    :ivar retries: number of attempts after the first.
    """

    endpoint: str
    token: str
    auth_method: str = BEARER
    source: str = ""
    validate_certs: bool = True
    ca_path: Optional[str] = None
    client_cert: Optional[str] = None
    client_key: Optional[str] = None
    timeout: float = 10.0
    retries: int = 3

    def __repr__(self) -> str:
        """Leave the token out: representations end up in tracebacks and logs."""
        return f"Connection({self.endpoint!r})"


def connection_from(params: Mapping[str, Any]) -> Connection:
    """Check the connection options and return them as one value.

    Does not look at files, since they are on the host that sends: :func:`check_files` does.

    :param params: the options by name, with the types that the argument specification gives.
    :raises OptionError: a value is invalid; the message names the option and the remedy.
    """
    return Connection(
        endpoint=_endpoint(params["base_url"].strip(), params["allow_http"]),
        # A token that comes from a file often ends with the file's line break.
        token=_token((params["api_token"] or "").strip()),
        auth_method=params["auth_method"],
        source=_source(params["source"]),
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"] or None,
        client_cert=params["client_cert"] or None,
        client_key=_client_key(params["client_key"] or None, params["client_cert"] or None),
        timeout=_timeout(params["timeout"]),
        retries=_retries(params["retries"]),
    )


def check_files(connection: Connection) -> None:
    """Check that the certificate files are readable on this machine, and that no key needs a passphrase.

    :raises OptionError: a file does not exist, is not readable, or contains an encrypted key.
    """
    for option in ("ca_path", "client_cert", "client_key"):
        path = getattr(connection, option)
        if path and not os.access(path, os.R_OK):
            problem = "the path cannot be read" if os.access(path, os.F_OK) else "the path does not exist"
            raise OptionError(
                option, f"{problem} on the host that sends ({path})", "Set it to a PEM file that this host can read."
            )
    _check_passphrase("client_key" if connection.client_key else "client_cert", connection)


def _check_passphrase(option: str, connection: Connection) -> None:
    """Refuse an encrypted key: OpenSSL would ask for its passphrase on the terminal and wait."""
    path = getattr(connection, option)
    if path and Path(path).is_file() and b"ENCRYPTED" in Path(path).read_bytes():
        remedy = "Use a key without a passphrase that only its owner can read."
        raise OptionError(option, f"its key has a passphrase ({path})", remedy)


def _endpoint(base_url: str, allow_http: bool) -> str:
    remedy = f"Copy the base URL from Dashboard → API Token, for example {DEFAULT_BASE_URL}."
    if not VISIBLE_ASCII.fullmatch(base_url):
        raise OptionError("base_url", "it is empty or contains spaces, line breaks or non-ASCII characters", remedy)
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise OptionError("base_url", "it is not a valid URL", remedy) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise OptionError("base_url", "it needs a scheme (https://) and a host", remedy)
    if "@" in parts.netloc:
        raise OptionError("base_url", "it contains credentials", "Remove them, and set the token as api_token.")
    if parts.query or parts.fragment or "?" in base_url or "#" in base_url:
        remedy = "Remove it: the URL ends with its path, and the token belongs in api_token."
        raise OptionError("base_url", "it has a query or fragment", remedy)
    if "\\" in base_url:
        raise OptionError("base_url", "it contains a backslash", remedy)
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise OptionError(
            "base_url",
            "plain http would send the token unencrypted",
            "Use https, or set allow_http: true if you trust the network.",
        )
    path = parts.path.rstrip("/")
    if not path.endswith(ENDPOINT):
        path += ENDPOINT
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_loopback(host: str) -> bool:
    """Return whether a URL's host is this machine itself, by its name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(token: str) -> str:
    if not token:
        raise OptionError(
            "api_token",
            "it is missing",
            "Set api_token, or the environment variable CALLGOOSE_API_TOKEN, to an Incident token.",
        )
    if not VISIBLE_ASCII.fullmatch(token):
        raise OptionError(
            "api_token",
            "it contains a line break, a space or another character that no token has",
            "Copy the token again. If it comes from a file, nothing else may be in that file.",
        )
    return token


def _source(source: str) -> str:
    remedy = "Use one line of plain text."
    if CONTROL.search(source):
        raise OptionError("source", "it contains a line break or a control character", remedy)
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        raise OptionError("source", "it contains bytes that are not valid UTF-8", remedy) from None
    return source


def _client_key(key: Optional[str], certificate: Optional[str]) -> Optional[str]:
    if key and not certificate:
        raise OptionError("client_key", "it is set without client_cert", "Set client_cert too.")
    return key


def _timeout(timeout: float) -> float:
    remedy = "Set it in seconds, for example 10."
    if not math.isfinite(timeout) or timeout <= 0:
        raise OptionError("timeout", "it is not a positive number of seconds", remedy)
    if timeout > LONGEST_TIMEOUT:
        raise OptionError("timeout", "it is longer than a day", remedy)
    return timeout


def _retries(retries: int) -> int:
    if retries < 0:
        raise OptionError("retries", "it is negative", "Use 0 for a single attempt.")
    return retries
