# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells programs of this machine and the sandbox's own page from web sites that a browser on this machine has open.

Must not be asked about requests to the emulated API: those need a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

# A web site whose name leads to this machine has that name in Host (DNS rebinding).
LOOPBACK = ("127.0.0.1", "localhost", "::1")
REFUSAL = (
    "Only programs on this machine and the sandbox's own page may do this. "
    "Use 127.0.0.1 or localhost in the URL, and no Origin of another site."
)


def is_own(headers: Mapping[str, str]) -> bool:
    """Return whether a request may read and change the sandbox.

    A browser adds Origin to what one site sends to another, and to all that changes something. Other programs, such as
    curl, send none.
    """
    host = headers.get("Host", "")
    try:
        is_loopback = urlsplit(f"//{host}").hostname in LOOPBACK
        return is_loopback and ("Origin" not in headers or urlsplit(headers["Origin"]).netloc == host)
    except ValueError:  # such as an opening bracket without a closing one
        return False
