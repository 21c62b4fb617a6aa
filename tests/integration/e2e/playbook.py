# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook as a child process, in a temporary home directory, with the installed artifact.

Must not pass on the caller's environment: no user configuration, proxies, CI variables or API tokens.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOCAL_HOSTS = """
[all:vars]
ansible_connection=local
ansible_python_interpreter={{ ansible_playbook_python }}
"""


@dataclass(frozen=True)
class Result:
    """The result of one ansible-playbook call: exit code, stdout, stderr, and the elapsed time in seconds."""

    rc: int
    stdout: str
    stderr: str
    elapsed: float


@dataclass(frozen=True)
class Call:
    """One ansible-playbook call, ready to run. Tests that send signals use ``start`` to get the process."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path

    def start(self) -> subprocess.Popen[str]:
        """Start it as the leader of its own process group, with stdout and stderr as pipes, and return the process."""
        return subprocess.Popen(
            self.argv,
            env=self.env,
            cwd=self.cwd,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, timeout: float = 120) -> Result:
        """Run it to its end.

        :param timeout: seconds after which it is ended, together with all processes that it started.
        :raises subprocess.TimeoutExpired: it did not end in time.
        """
        began = time.monotonic()
        process = self.start()
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            end(process)
            raise
        return Result(process.returncode, stdout, stderr, time.monotonic() - began)


def end(process: subprocess.Popen[str]) -> None:
    """End a call and its workers.

    Since ansible-core 2.19, each worker leads its own session, known only to ansible-playbook. Its SIGTERM handler
    passes the signal on (ansible/executor/task_queue_manager.py), so send SIGTERM first and SIGKILL second.
    """
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def prepare(
    tmp_path: Path,
    playbook: str | Path,
    *args: str,
    inventory: Sequence[str] | Path | None = ("localhost",),
    env: Mapping[str, str] | None = None,
    cfg: str = "[defaults]\n",
) -> Call:
    """Create a project in ``tmp_path`` and return the call that runs it there.

    Calls with the same ``tmp_path`` share one home directory (``tmp_path/home``), and so a ledger.

    :param playbook: YAML, which is written to ``playbook.yml``; or, if it has no line break, a path or the name of a
        collection's playbook.
    :param args: further command-line arguments.
    :param inventory: names of local hosts; or a path, used as it is; or None, for calls with their own ``-i`` or none.
    :param env: environment variables to add; they override those set here.
    :param cfg: the contents of the project's ansible.cfg.
    """
    project = tmp_path / "project"
    home = tmp_path / "home"
    for folder in (project, home):
        folder.mkdir(exist_ok=True)
    configuration = project / "ansible.cfg"
    configuration.write_text(cfg, encoding="utf-8")
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), *_inventory_arguments(project, inventory)]
    argv += [_playbook_argument(project, playbook), *args]
    own = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",  # Ansible refuses to start in a locale that is not UTF-8
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_LOCAL_TEMP": str(home / ".ansible" / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(home / ".ansible" / "remote"),
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "ANSIBLE_NOCOLOR": "1",
    }
    return Call(argv, {**own, **(env or {})}, project)


def run_playbook(
    tmp_path: Path,
    playbook: str | Path,
    *args: str,
    inventory: Sequence[str] | Path | None = ("localhost",),
    env: Mapping[str, str] | None = None,
    cfg: str = "[defaults]\n",
    timeout: float = 120,
) -> Result:
    """Prepare one call as :func:`prepare` does and run it to its end, at most ``timeout`` seconds."""
    return prepare(tmp_path, playbook, *args, inventory=inventory, env=env, cfg=cfg).run(timeout)


def _inventory_arguments(project: Path, inventory: Sequence[str] | Path | None) -> list[str]:
    if inventory is None:
        return []
    if isinstance(inventory, Path):
        return ["-i", str(inventory)]
    path = project / "inventory.ini"
    path.write_text("\n".join(inventory) + "\n" + LOCAL_HOSTS, encoding="utf-8")
    return ["-i", path.name]


def _playbook_argument(project: Path, playbook: str | Path) -> str:
    if isinstance(playbook, Path) or "\n" not in playbook:
        return str(playbook)
    path = project / "playbook.yml"
    path.write_text(playbook, encoding="utf-8")
    return path.name
