# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A temporary certificate authority, with one certificate for the server and one for a client.

Must not outlive the sandbox: the caller provides a directory and removes it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme

CLIENT_NAME = "sandbox-client"
# The server's certificates to choose from: a good one, one whose time is over, and that of another host.
VALID, EXPIRED, OTHER_HOST = CERTIFICATES = ("valid", "expired", "other_host")


@dataclass(frozen=True)
class Files:
    """Paths of the files that clients need, all PEM: the authority's certificate, a client certificate and its key."""

    ca_path: str
    client_cert: str
    client_key: str


def make(directory: Path, certificate: str = VALID) -> tuple[ssl.SSLContext, Files]:
    """Return the server's TLS context, and the files that it has written to ``directory``.

    The server asks for a client certificate but does not require one. The request log shows which one was used.

    :param certificate: the server's, one of :data:`CERTIFICATES`.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = ("other.example",) if certificate == OTHER_HOST else ("127.0.0.1", "localhost")
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    authority.issue_cert(*names, not_after=yesterday if certificate == EXPIRED else None).configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    client = authority.issue_cert("client.example", common_name=CLIENT_NAME)
    files = Files(str(directory / "ca.pem"), str(directory / "client.pem"), str(directory / "client.key"))
    authority.cert_pem.write_to_path(files.ca_path)
    Path(files.client_cert).write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    client.private_key_pem.write_to_path(files.client_key)
    return context, files
