# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lookup ends in time even if the resolver hangs, and keeps nothing from ending.

Must import only the standard library and pytest: these tests also run on the oldest Python for modules.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils import _lookup as lookup
from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._deadline import ATTEMPT, _deadline_pool
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import DeliveryError

SECONDS = 0.3
# Seconds by which a busy machine may be late. Whatever does not end in time takes longer than this.
LATE = 1.5
REAL = socket.getaddrinfo


class Resolver:
    """A resolver that answers with 127.0.0.1 once it is released."""

    def __init__(self, monkeypatch):
        self.asked = []
        self.released = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host, port, family=0, kind=0, protocol=0, flags=0):
        if flags & socket.AI_NUMERICHOST:
            return REAL(host, port, family, kind, protocol, flags)
        self.asked.append(host)
        self.released.wait(30)
        return REAL("127.0.0.1", port, family, kind)


@pytest.fixture()
def resolver(monkeypatch):
    """A resolver that hangs until it is released, at the latest at the end of the test."""
    monkeypatch.setattr(lookup, "_PENDING", {})
    hanging = Resolver(monkeypatch)
    yield hanging
    hanging.released.set()


def ask(seconds=SECONDS, host="api.example"):
    """Look a name up and return its addresses, or the error, and how many seconds it took."""
    began = time.monotonic()
    try:
        answer = lookup.addresses_of(host, 443, socket.AF_INET, seconds)
    except OSError as error:
        answer = error
    return answer, time.monotonic() - began


def refuse_threads(monkeypatch):
    """Refuse to start a thread, as Python 3.12 does when it is about to exit."""

    def refuse(_thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_a_lookup_that_hangs_is_abandoned_when_the_time_is_up(resolver):
    answer, elapsed = ask()
    assert isinstance(answer, lookup.LookupTimeout)
    assert SECONDS <= elapsed < SECONDS + LATE


def test_the_next_attempt_waits_for_the_abandoned_lookup_instead_of_starting_another(resolver):
    ask()
    threading.Timer(SECONDS, resolver.released.set).start()
    answer, _elapsed = ask(10)
    assert (answer, resolver.asked) == (["127.0.0.1"], ["api.example"])
    ask(10)
    assert len(resolver.asked) == 2, "an answer is not kept"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.0.2.7"])
def test_an_address_is_not_looked_up_and_starts_nothing(resolver, monkeypatch, address):
    refuse_threads(monkeypatch)
    monkeypatch.setattr(subprocess, "run", None)
    assert lookup.addresses_of(address, 443, socket.AF_UNSPEC, SECONDS) == [address]
    assert resolver.asked == []


def test_an_unknown_name_and_an_invalid_one_raise_what_the_resolver_raises(resolver, monkeypatch):
    def unknown(*_words):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert isinstance(ask()[0], socket.gaierror)
    monkeypatch.setattr(socket, "getaddrinfo", REAL)
    with pytest.raises(UnicodeError):
        ask(host="a" * 70 + ".example")
    assert lookup._PENDING == {}


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_does_not_wait_for_the_thread_of_its_parent(monkeypatch):
    fork = multiprocessing.get_context("fork")
    hanging = Resolver(monkeypatch)
    ask()

    def run():
        hanging.released.set()
        os._exit(0 if ask(10)[0] == ["127.0.0.1"] else 1)

    child = fork.Process(target=run)
    child.start()
    child.join(30)
    hanging.released.set()
    assert child.exitcode == 0
    lookup._PENDING.clear()


def test_an_abandoned_lookup_does_not_keep_the_process_from_ending(tmp_path):
    program = tmp_path / "ends.py"
    program.write_text(
        "import socket, sys, time\n"
        "real = socket.getaddrinfo\n"
        "socket.getaddrinfo = lambda *words: real(*words) if words[5] else time.sleep(60)\n"
        f"sys.path.insert(0, {os.environ['SQIBS_TEST_COLLECTIONS']!r})\n"
        "from ansible_collections.callgoose.sqibs.plugins.module_utils._lookup import addresses_of\n"
        "addresses_of('api.example', 443, 0, 0.1)\n",
        encoding="utf-8",
    )
    began = time.monotonic()
    ended = subprocess.run([sys.executable, str(program)], check=False, capture_output=True, text=True, timeout=50)
    assert "LookupTimeout" in ended.stderr
    assert time.monotonic() - began < 30


# Where no thread can be started


def test_without_threads_a_child_process_looks_the_name_up(monkeypatch):
    refuse_threads(monkeypatch)
    answer, _elapsed = ask(30, host="localhost")
    assert answer[0] == "127.0.0.1"
    assert isinstance(ask(30, host="no-such-name.invalid")[0], socket.gaierror)


def test_the_child_process_does_not_import_from_the_working_directory(monkeypatch, tmp_path):
    (tmp_path / "socket.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    refuse_threads(monkeypatch)
    assert ask(30, host="localhost")[0][0] == "127.0.0.1"


def test_a_child_process_that_hangs_is_killed_when_the_time_is_up(monkeypatch):
    refuse_threads(monkeypatch)
    monkeypatch.setattr(lookup, "_PROGRAM", "import time; time.sleep(60)")
    answer, elapsed = ask()
    assert isinstance(answer, lookup.LookupTimeout)
    assert SECONDS <= elapsed < SECONDS + LATE


@pytest.mark.parametrize("python", ["/nonexistent/python", "", None])
def test_without_threads_and_processes_the_name_is_looked_up_all_the_same(resolver, monkeypatch, python):
    refuse_threads(monkeypatch)
    monkeypatch.setattr(sys, "executable", python)
    resolver.released.set()
    assert ask()[0] == ["127.0.0.1"]


# What the client makes of it


def test_an_attempt_with_a_resolver_that_hangs_ends_at_its_timeout_and_has_sent_nothing(resolver):
    client = Client(Connection("https://api.example/v1/process", "t0ken", timeout=SECONDS, retries=0))
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"the host name was not resolved within 0\.3 seconds") as failed:
        client.send(b"{}", "application/json")
    assert time.monotonic() - began < SECONDS + LATE
    assert not failed.value.uncertain


def test_a_deadline_also_ends_a_lookup(resolver):
    client = Client(Connection("https://api.example/v1/process", "t0ken", timeout=60, retries=3))
    began = time.monotonic()
    with pytest.raises(DeliveryError, match="after 1 attempt: the host name was not resolved"):
        client.send(b"{}", "application/json", deadline=began + SECONDS)
    assert time.monotonic() - began < SECONDS + LATE


def test_the_name_of_a_proxy_is_looked_up_within_the_timeout_too(resolver, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "")
    client = Client(Connection("https://api.example/v1/process", "t0ken", timeout=SECONDS, retries=0))
    began = time.monotonic()
    with pytest.raises(DeliveryError, match="not resolved") as failed:
        client.send(b"{}", "application/json")
    assert time.monotonic() - began < SECONDS + LATE
    assert (resolver.asked, failed.value.uncertain) == (["proxy.example"], False)


def test_a_name_without_addresses_is_looked_up_once_an_attempt(resolver, monkeypatch):
    asked = []

    def unknown(host, *words):
        if not words[-1]:
            asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client = Client(Connection("https://api.example/v1/process", "t0ken", timeout=SECONDS, retries=0))
    with pytest.raises(DeliveryError, match="the host name cannot be resolved"):
        client.send(b"{}", "application/json")
    assert asked == ["api.example"]


# Through a SOCKS proxy


class SocksConnection:
    """A connection of urllib3's through a SOCKS proxy, as far as the deadline knows it."""

    port = 443

    def __init__(self, version, rdns):
        self._dns_host = "api.example"
        self._socks_options = {
            "socks_version": version,
            "proxy_host": "proxy.example",
            "proxy_port": None,
            "rdns": rdns,
        }
        self.given = self._socks_options

    def _new_conn(self):
        self.used = (self._dns_host, self._socks_options["proxy_host"])
        return socket.socket()


class SocksPool:
    ConnectionCls = SocksConnection


@pytest.mark.parametrize(
    ("version", "rdns", "host", "asked"),
    [
        (2, True, "api.example", ["proxy.example"]),
        (2, False, "127.0.0.1", ["api.example", "proxy.example"]),
        (1, False, "127.0.0.1", ["api.example", "proxy.example"]),
    ],
)
def test_the_names_that_a_socks_connection_needs_are_looked_up_within_the_timeout(resolver, version, rdns, host, asked):
    connection = _deadline_pool(SocksPool).ConnectionCls(version, rdns)
    ATTEMPT.begin(SECONDS)
    with pytest.raises(Exception, match="not resolved in time"):
        connection._new_conn()
    resolver.released.set()
    ATTEMPT.begin(30)
    connection._new_conn().close()
    assert connection.used == (host, "127.0.0.1"), "nothing is left to look up"
    assert (connection._dns_host, connection._socks_options) == ("api.example", connection.given), "restored"
    assert list(dict.fromkeys(resolver.asked)) == asked
