# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start and the end of the sandbox, in a test and as a command.

Must not leave a process behind, even if a test fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

MODULE = "ansible_collections.callgoose.sqibs.tests.sandbox"


def open_descriptors() -> int:
    """Return how many files and sockets this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def refuses(url: str) -> bool:
    """Return whether the URL's port refuses connections."""
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError:
        return True
    return False


def test_the_sandbox_starts_quickly():
    began = time.monotonic()
    with Sandbox():
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("tls", [False, True])
def test_closing_leaves_no_thread_socket_or_file(make_client, trigger, tls):
    client = make_client(tls=tls)
    sandbox = client.sandbox
    client.post(trigger)
    before = open_descriptors()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        sandbox.close()
    assert [thread.name for thread in threading.enumerate() if thread.name == "sandbox"] == []
    assert refuses(sandbox.control_url)
    # the listener, the connection, the selector of the event loop and both ends of its self-pipe
    assert before - open_descriptors() == 5
    if tls:
        assert not Path(sandbox.ca_path).exists()


def test_closing_drops_a_connection_without_a_handshake(make_client):
    sandbox = make_client(tls=True).sandbox
    host, port = sandbox.base_url.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as connection:
        while not sandbox.connections:
            time.sleep(0.001)
        before = open_descriptors()
        sandbox.close()
        assert before - open_descriptors() == 5
        connection.settimeout(5)
        assert connection.recv(1) == b""


def test_closing_twice_is_allowed():
    sandbox = Sandbox()
    sandbox.start()
    sandbox.close()
    sandbox.close()
    assert refuses(sandbox.control_url)


def test_a_sandbox_can_be_stopped_and_restarted_with_its_state(client, sandbox, trigger, resolve):
    client.post(trigger)
    url = sandbox.base_url
    sandbox.close()
    assert refuses(url)
    sandbox.start()
    assert sandbox.base_url == url
    assert client.post(resolve).status_code == 200
    sandbox.queue_fault("hang")
    with pytest.raises(requests.ReadTimeout):
        client.post(trigger, timeout=0.1)


def test_it_listens_on_loopback_only(sandbox):
    port = int(sandbox.base_url.split(":")[2].split("/")[0])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        # 127.0.0.2 is also this machine: a server that listens on all addresses would answer there
        other.settimeout(5)
        assert other.connect_ex(("127.0.0.2", port)) != 0


@contextlib.contextmanager
def command(*words: str, cwd: Path, env: dict[str, str], module: str = MODULE) -> Iterator[subprocess.Popen[str]]:
    """Run the sandbox's command for the duration of a with block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=cwd,
        env={**os.environ, **env},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, process: subprocess.Popen[str]) -> dict:
    """Wait for the ready file and return its content."""
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the sandbox did not get ready"
        time.sleep(0.01)
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal_ends_it(tmp_path, collections_path, trigger, end):
    ready = tmp_path / "ready.json"
    words = ["--port", "0", "--reading", "mapped", "--window", "60", "--ready-file", str(ready)]
    with command(*words, cwd=tmp_path, env={"PYTHONPATH": str(collections_path)}) as process:
        facts = wait_for(ready, process)
        assert (facts["pid"], facts["ca_path"]) == (process.pid, None)
        headers = {"Authorization": "Bearer sandbox-incident-token"}
        url = f"{facts['base_url']}/v1/process"
        assert requests.post(url, json=trigger, headers=headers, timeout=10).status_code == 201
        settings = requests.get(facts["base_url"].replace("/sqibs-api", "/sandbox/settings"), timeout=10).json()
        assert (settings["reading"], settings["window"]) == ("mapped", 60)
        process.send_signal(end)
        stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stderr) == (0, "")
    assert not ready.exists()
    for word in (facts["base_url"], "sandbox-incident-token", "sandbox-request-token", "/sandbox/incidents"):
        assert word in stdout


def test_the_command_serves_tls(tmp_path, collections_path):
    ready = tmp_path / "ready.json"
    words = ["--port", "0", "--tls", "--ready-file", str(ready)]
    with command(*words, cwd=tmp_path, env={"PYTHONPATH": str(collections_path)}) as process:
        facts = wait_for(ready, process)
        url = facts["base_url"].replace("/sqibs-api", "/sandbox/state")
        assert requests.get(url, verify=facts["ca_path"], timeout=10).json()["handshakes"] == 1
        process.terminate()
        stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stderr) == (0, "")
    assert facts["ca_path"] in stdout
    assert not Path(facts["ca_path"]).exists()


def test_the_command_runs_from_the_collections_own_directory(tmp_path, collections_path):
    ready = tmp_path / "ready.json"
    root = collections_path / "ansible_collections" / "callgoose" / "sqibs"
    with command("--port", "0", "--ready-file", str(ready), cwd=root, env={}, module="tests.sandbox") as process:
        assert wait_for(ready, process)["pid"] == process.pid


def test_a_port_in_use_gives_one_clear_message(tmp_path, collections_path, sandbox):
    port = sandbox.base_url.split(":")[2].split("/")[0]
    with command("--port", port, cwd=tmp_path, env={"PYTHONPATH": str(collections_path)}) as process:
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (1, "")
    assert stderr.startswith(f"The sandbox cannot start on 127.0.0.1:{port}: ")
    assert "in use" in stderr
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["--port=70000", "--port=0 --window=-1", "--port=0 --ready-file=missing/ready.json"])
def test_wrong_options_give_one_clear_message(tmp_path, collections_path, words):
    with command(*words.split(), cwd=tmp_path, env={"PYTHONPATH": str(collections_path)}) as process:
        _stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stderr.count("\n") == 1
