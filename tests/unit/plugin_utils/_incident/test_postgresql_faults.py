# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what the store in PostgreSQL says when its server cannot be used: what happened, what to do, and no password.

Must maltreat only a server of its own.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import Store, StoreBusy, StoreError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store

ANYBODY = "host all all 127.0.0.1/32 scram-sha-256"
UNREACHABLE = "Check that the server runs, and that this controller can reach it"


@contextlib.contextmanager
def started(tls: bool = False) -> Iterator[Any]:
    """Run a server of this module's own."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    from ansible_collections.callgoose.sqibs.tests.postgresql_server import NoServer, Server

    with tempfile.TemporaryDirectory(prefix="sqibs-pg-", dir="/tmp") as directory:
        try:
            server = Server(Path(directory), tls)
        except NoServer as reason:
            pytest.skip(str(reason))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server that tests may stop, restart and reconfigure; each leaves it running and open to everybody."""
    with started() as server:
        yield server


def counted(ledger: Ledger) -> tuple[Ledger, int]:
    return replace(ledger, sequence=ledger.sequence + 1), ledger.sequence + 1


def problem_of(store: Store, password: str = "", use: str = "update") -> str:
    """Return what the store says about why it cannot be used; neither that nor a traceback shows the password."""
    with pytest.raises(StoreError) as refused:
        if use == "read":
            store.read("base")
        else:
            store.update("base", counted)
    assert isinstance(refused.value, StoreBusy), "an incident may be open in it"
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    for form in (password, quote(password, safe=""), repr(password)[1:-1]):
        assert not password or form not in shown
    store.close()
    return str(refused.value)


# --- who may not come in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password", ["hunter2", "p@ss/w:rd?#%&=+", "ä ü €", 'it\'s \\ "quoted"', "127.0.0.1/callgoose"]
)
def test_a_wrong_password_is_reported_and_a_right_one_works_whatever_it_has(server: Any, password: str) -> None:
    wrong = open_store(server.url(user="odd", password=f"{password}!"))
    problem = problem_of(wrong, f"{password}!")
    assert 'password authentication failed for user "odd"' in problem
    assert f"The store postgresql://127.0.0.1:{server.port}/callgoose cannot be used" in problem
    assert "Check the user and the password in state_url" in problem
    escaped = password.replace("'", "''")
    server.sql(f"CREATE ROLE odd LOGIN SUPERUSER PASSWORD '{escaped}'")
    try:
        right = open_store(server.url(user="odd", password=password))
        assert right.read("nothing").sequence == 0
        right.close()
    finally:
        server.sql("DROP ROLE odd")


def test_a_missing_password_is_reported(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    problem = problem_of(open_store(f"postgresql://ansible@127.0.0.1:{server.port}/callgoose"))
    assert "no password supplied. Check the user and the password" in problem


def test_an_unknown_database_is_reported(server: Any) -> None:
    problem = problem_of(open_store(server.url(database="nowhere", password="tr0ub4dor/ä&3%")), "tr0ub4dor/ä&3%")
    assert 'database "nowhere" does not exist. Create the database, or correct its name in state_url.' in problem


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@host:port/db",
        "postgresql://user:hunter2@host:99999999/db",
        "postgresql://user:hunter2@[::1/db",
        "postgresql://user:hunter2@[::1]x/db",
        "postgresql://user:hunter2@127.0.0.1/db?sslmod=require",
        "postgresql://user:hunter2@127.0.0.1/db?sslmode=perhaps",
        "postgresql://127.0.0.1/db?sslmode=require&password",
        "postgresql://127.0.0.1/db?password=hunter2=more",
        "postgresql://user:hunter2@127.0.0.1,127.0.0.2:1,127.0.0.3:2/db?port=1,2",
    ],
)
def test_a_url_that_libpq_does_not_accept_is_reported_without_its_password(url: str) -> None:
    problem = problem_of(open_store(url), "hunter2")
    assert "cannot be used: " in problem
    assert problem.endswith(" Correct state_url.")


def test_a_server_that_refuses_this_controller_is_reported(server: Any) -> None:
    server.admit()
    try:
        problem = problem_of(open_store(server.url()))
    finally:
        server.admit(ANYBODY)
    assert "no pg_hba.conf entry" in problem and "let its pg_hba.conf allow it" in problem


# --- TLS -----------------------------------------------------------------------------------------------------------


def test_a_server_without_tls_is_refused_where_it_is_required(server: Any) -> None:
    problem = problem_of(open_store(server.url(sslmode="require")))
    assert "server does not support SSL, but SSL was required. Check sslmode" in problem


@pytest.fixture(scope="module")
def tls_server() -> Iterator[tuple[Any, Path]]:
    """A server with TLS, and the path of its authority's certificate."""
    with started(tls=True) as server:
        authority = server.certify()
        server.stop(signal.SIGINT)
        server.start(ssl="on")
        server.admit(ANYBODY)
        yield server, authority


# `matrix`, because no package index has a server with TLS: CI installs the system's.
@pytest.mark.matrix
def test_a_server_is_known_by_its_certificate(tls_server: tuple[Any, Path], tmp_path: Path) -> None:
    server, authority = tls_server
    store = open_store(server.url(sslmode="verify-full", sslrootcert=str(authority)))
    number = store.update("base", counted)
    assert store.update("base", counted) == number + 1
    store.close()
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    problem = problem_of(open_store(server.url(sslmode="verify-full", sslrootcert=str(other))))
    assert "certificate verify failed. Check sslmode and sslrootcert" in problem
    problem = problem_of(open_store(server.url(sslmode="verify-full", sslrootcert="/no/such/file")))
    assert "/no/such/file" in problem and "Check sslmode and sslrootcert" in problem


@pytest.mark.matrix
def test_a_server_that_demands_tls_is_reported_and_used(tls_server: tuple[Any, Path]) -> None:
    server, _authority = tls_server
    server.admit(f"hostssl{ANYBODY.removeprefix('host')}")
    problem = problem_of(open_store(server.url(sslmode="disable")))
    assert "no pg_hba.conf entry" in problem and "add sslmode=require to state_url" in problem
    store = open_store(server.url(sslmode="require"))
    assert store.update("base", counted)
    store.close()


# --- servers that are gone, or silent ------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_reported(server: Any) -> None:
    url = server.url().replace(f":{server.port}/", ":1/")
    assert UNREACHABLE in problem_of(open_store(url), use="read")
    problem = problem_of(open_store("postgresql://user:hunter2@no-such-host.invalid/callgoose"), "hunter2")
    assert '"no-such-host.invalid"' in problem and UNREACHABLE in problem


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield silent.getsockname()[1]


def test_connecting_takes_no_longer_than_the_patience(server: Any, silent_port: int) -> None:
    url = server.url().replace(f":{server.port}/", f":{silent_port}/")
    for patience in (0.1, 1.5):
        began = time.monotonic()
        assert f"does not answer in time. {UNREACHABLE}" in problem_of(open_store(url, patience))
        assert time.monotonic() - began < max(patience, 1.0) + 0.7


def test_a_silent_server_leaves_time_for_the_next_one(server: Any, silent_port: int) -> None:
    url = server.url().replace(f":{server.port}/", f":{silent_port},127.0.0.1:{server.port}/")
    store = open_store(url, patience=3.0)
    began = time.monotonic()
    assert store.update("base", counted)
    assert time.monotonic() - began < 3.5
    store.close()


def test_a_server_that_stops_to_answer_holds_nobody_up_for_long(server: Any) -> None:
    store = open_store(server.url(application_name="stopped"), patience=0.5)
    number = store.update("base", counted)
    ((pid,),) = server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'stopped'")
    server.send_signal(signal.SIGSTOP, pid)
    try:
        began = time.monotonic()
        assert "does not answer in time" in problem_of(store)
        assert time.monotonic() - began < 4.0
    finally:
        server.send_signal(signal.SIGCONT, pid)
    assert store.update("base", counted) == number + 1
    store.close()


@pytest.fixture
def slow_port(server: Any) -> Iterator[Callable[[float], int]]:
    """Returns a port that leads to the server; each of its answers takes so many seconds."""
    opened: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket, seconds: float) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(seconds)
                target.sendall(data)

    def listen(seconds: float) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        opened.append(listening)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _address = listening.accept()
                    onward = socket.create_connection(("127.0.0.1", server.port))
                    opened.extend((client, onward))
                    Thread(target=pump, args=(client, onward, 0.0), daemon=True).start()
                    Thread(target=pump, args=(onward, client, seconds), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        return listening.getsockname()[1]

    yield listen
    for one in opened:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def test_a_server_that_is_slow_all_the_time_holds_nobody_up_for_long(
    server: Any, slow_port: Callable[[float], int]
) -> None:
    url = server.url().replace(f":{server.port}/", f":{slow_port(0.1)}/")
    store = open_store(url, patience=2.0)
    assert store.update("base", counted), "a distant one can be used"
    store.close()
    store = open_store(server.url().replace(f":{server.port}/", f":{slow_port(0.7)}/"), patience=0.1)
    began = time.monotonic()
    assert "does not answer in time" in problem_of(store)
    assert time.monotonic() - began < 4.0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_stops_in_the_middle_of_an_update_changes_nothing(server: Any, how: signal.Signals) -> None:
    store = open_store(server.url())
    number = store.update("base", counted)

    def change(ledger: Ledger) -> tuple[Ledger, int]:
        server.stop(how)
        return counted(ledger)

    try:
        with pytest.raises(StoreBusy, match="cannot be used"):
            store.update("base", change)
        assert UNREACHABLE in problem_of(store), "at the end of the run too"
    finally:
        server.stop()
        server.start()
    assert store.update("base", counted) == number + 1
    store.close()


def test_a_server_that_was_restarted_between_two_uses_is_no_problem(server: Any) -> None:
    store = open_store(server.url())
    number = store.update("base", counted)
    server.stop(signal.SIGINT)
    server.start()
    assert store.update("base", counted) == number + 1
    store.close()


def test_a_replica_can_be_read_and_says_that_it_cannot_be_written(server: Any) -> None:
    store = open_store(server.url())
    number = store.update("base", counted)
    store.close()
    server.stop(signal.SIGINT)
    (server.data / "standby.signal").touch()
    server.start()
    try:
        assert store.read("base").sequence == number
        with pytest.raises(
            StoreError, match=r"read-only\. state_url must name a server that can be written"
        ) as refused:
            store.update("base", counted)
        assert not isinstance(refused.value, StoreBusy), "it can be read"
        store.close()
        problem = problem_of(open_store(server.url(target_session_attrs="read-write")))
        assert "state_url must name a server that can be written" in problem
    finally:
        server.stop(signal.SIGINT)
        (server.data / "standby.signal").unlink()
        server.start()
    assert store.update("base", counted) == number + 1
    store.close()
