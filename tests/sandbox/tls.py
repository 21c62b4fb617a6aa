# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A throw-away certificate authority: one certificate for the server, one for a client.

Must not outlive the sandbox: the caller gives a folder and removes it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

CLIENT_NAME = "sandbox-client"


@dataclass(frozen=True)
class Files:
    """What clients need: the authority's certificate, and a client certificate with its key. All PEM."""

    ca_path: str
    client_cert: str
    client_key: str


def make(folder: Path) -> tuple[ssl.SSLContext, Files]:
    """Return the server's context, and the files written to ``folder``.

    The server asks for a client certificate and takes none as well: the request log says who showed one.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    client = authority.issue_cert("client.example", common_name=CLIENT_NAME)
    files = Files(str(folder / "ca.pem"), str(folder / "client.pem"), str(folder / "client.key"))
    authority.cert_pem.write_to_path(files.ca_path)
    Path(files.client_cert).write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    client.private_key_pem.write_to_path(files.client_key)
    return context, files
