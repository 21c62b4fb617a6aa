# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real ansible-rulebook with a rulebook of the installed artifact, and sends it events through its webhook.

Must not pass on the caller's environment, nor check what the rulebook did: the tests do.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

PROGRAM = Path(sys.executable).with_name("ansible-rulebook")
TOKEN = "the-webhooks-token"
# A slow machine starts Java, and then Ansible twice for each event.
PATIENCE = 120
LOCAL = "ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'"


def why_it_cannot_run() -> str:
    """Return why ansible-rulebook cannot run here, or an empty string."""
    if not PROGRAM.exists():
        return "ansible-rulebook is not installed: see tests/integration/eda/requirements.txt"
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        return "ansible-rulebook needs Java 17 or newer, and this machine has none"
    return ""


class Rulebook:
    """A running ansible-rulebook, as a context manager. Its project is ``directory``, its home ``directory/home``.

    :param name: the rulebook's full name.
    :param env: environment variables to add.
    :param variables: the rulebook's variables, beside the port.
    :raises AssertionError: it ended before it listened; the message is its output.
    """

    def __init__(self, directory: Path, name: str, env: Mapping[str, str], **variables: Any) -> None:
        self._log = directory / "rulebook.log"
        self._port = _free_port()
        home = directory / "home"
        home.mkdir(exist_ok=True)
        directory.joinpath("hosts.ini").write_text(f"web1 {LOCAL}\nweb2 {LOCAL}\n", encoding="utf-8")
        values = yaml.safe_dump({**variables, "webhook_port": self._port})
        directory.joinpath("vars.yml").write_text(values, encoding="utf-8")
        own = {
            "PATH": os.pathsep.join([str(PROGRAM.parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(home / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_NOCOLOR": "1",
            "WEBHOOK_TOKEN": TOKEN,
        }
        java = {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
        self._argv = [str(PROGRAM), "--rulebook", name, "--inventory", "hosts.ini", "--vars", "vars.yml"]
        self._argv += ["--env-vars", "WEBHOOK_TOKEN"]
        self._env = {**own, **java, **env}
        self._directory = directory

    def __enter__(self) -> Rulebook:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._argv,
                env=self._env,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.wait_for(self._listens)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end()

    @property
    def output(self) -> str:
        """Everything that it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def send(self, event: Mapping[str, Any], token: str = TOKEN) -> int:
        """Post an event as Alertmanager does and return the status."""
        url = f"http://127.0.0.1:{self._port}/alerts"
        return requests.post(url, json=event, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code

    def wait_for(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Return when the condition holds.

        :raises AssertionError: it did not in time, or ansible-rulebook has ended; the message is its output.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._process.poll() is None, (
                f"ansible-rulebook ended with {self._process.returncode}:\n{self.output}"
            )
            assert time.monotonic() < deadline, f"not in {seconds} seconds:\n{self.output}"
            time.sleep(0.2)

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0

    def _end(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
