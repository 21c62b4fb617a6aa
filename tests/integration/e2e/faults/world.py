# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The place where the runs of the fault matrix happen: one machine, and an emulated API for each fault.

Must not contain expectations: the tests do.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox, Token

SHIMS = Path(__file__).resolve().parent / "shims"
TOKEN = "cg-4711-Very+Secret/Token="
ENCODED = "cg-4711-Very%2BSecret%2FToken%3D"


@dataclass
class World:
    """One machine: its home directory, its resolver, and the certificate authorities that it trusts.

    :ivar env: environment variables for all runs.
    """

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        # Not below the folder: since ansible-core 2.21 a socket lies there, whose path must be short.
        self._temporary = tempfile.TemporaryDirectory(prefix="sqibs-")
        self._ca_file = self.folder / "trusted.pem"
        self.trust()
        self.name("unused.example", "here")
        self.env |= {
            "TMPDIR": self._temporary.name,
            "PYTHONPATH": str(SHIMS),
            "FAULT_NAMES": str(self.folder / "names"),
            "CALLGOOSE_API_TOKEN": TOKEN,
            "CALLGOOSE_ALLOW_HTTP": "true",
            "CALLGOOSE_CA_PATH": str(self._ca_file),
            "CALLGOOSE_TIMEOUT": "1",
            "CALLGOOSE_RETRIES": "0",
            "CALLGOOSE_MAX_DELAY": "5",
        }

    def name(self, host: str, state: str) -> None:
        """Set what the resolver says of a host: ``here``, ``unknown``, or nothing, because it ``hangs``."""
        self._names[host] = state
        lines = [f"{name} {state}\n" for name, state in self._names.items()]
        (self.folder / "names").write_text("".join(lines), encoding="utf-8")

    def trust(self, *sandboxes: Sandbox) -> None:
        """Trust the authorities of these sandboxes, and one that has signed nothing."""
        paths = [Path(sandbox.ca_path) for sandbox in sandboxes if sandbox.ca_path]
        parts = [trustme.CA().cert_pem.bytes(), *(path.read_bytes() for path in paths)]
        self._ca_file.write_bytes(b"".join(parts))

    def secrets_in(self, result: Result) -> list[str]:
        """Return where the token shows, plain or encoded: lines of the run's output, and files that it left."""
        printed = f"{result.stdout}\n{result.stderr}".splitlines()
        found = [line for line in printed if TOKEN in line or ENCODED in line]
        for path in (*self.folder.rglob("*"), *Path(self._temporary.name).rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            if TOKEN.encode() in data or ENCODED.encode() in data:
                found.append(str(path))
        return found


@dataclass
class Api:
    """One emulated API, the name under which it is found, and whether its authority is trusted."""

    sandbox: Sandbox
    host: str = "127.0.0.1"
    trusted: bool = True

    @property
    def base_url(self) -> str:
        return self.sandbox.base_url.replace("127.0.0.1", self.host)

    @property
    def incidents(self) -> list[str]:
        """The states of all incidents, oldest first."""
        return [incident["state"] for incident in self.sandbox.incidents]


@contextlib.contextmanager
def served(reading: str, tls: bool = False, host: str = "127.0.0.1") -> Iterator[Api]:
    """Yield an API that accepts the token."""
    with Sandbox(tls=tls, reading=reading, tokens=(Token(TOKEN),)) as sandbox:
        yield Api(sandbox, host)


@contextlib.contextmanager
def silent(port: int) -> Iterator[None]:
    """Occupy a port so that it neither accepts nor refuses connections: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=0))
        for _place in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield
