# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook in a copy of a demo project: to its end, on hold while somebody looks, or until it is killed.

Must not print anything, and must not leave a process running.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..artifact import private_environment
from ..sandbox import Sandbox

DEMO = Path(__file__).resolve().parent
# While this file is missing, photos.yml waits for it.
GATE = "uploaded"


@dataclass(frozen=True)
class Done:
    """How a run ended: its exit code (negative: the signal that killed it), and what it printed."""

    exit_code: int
    stdout: str
    stderr: str


class Project:
    """A copy of one of the demo's projects, with a home directory of its own, and the sandbox as its API.

    :param name: of the project's directory, next to this file.
    :param scratch: the directory for the copy. The collection is in ``scratch/collections``.
    :ivar folder: the copy.
    :ivar env: the environment variables of its runs.
    """

    def __init__(self, name: str, scratch: Path, sandbox: Sandbox) -> None:
        self.folder = scratch / name
        self.folder.mkdir()
        self.env = {
            **private_environment(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": str(scratch / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "CALLGOOSE_BASE_URL": sandbox.base_url,
            "CALLGOOSE_API_TOKEN": sandbox.token,
            "PYTHONUNBUFFERED": "1",
        }
        shutil.copytree(DEMO / name, self.folder, dirs_exist_ok=True)
        self._gate = self.folder / GATE
        self._gate.touch()

    def read(self, name: str) -> str:
        """Return one of the project's files without its license header."""
        return (self.folder / name).read_text(encoding="utf-8").partition("\n\n")[2]

    def run(self, words: str, stderr: int = subprocess.PIPE) -> Done:
        """Run ansible-playbook to its end.

        :param stderr: ``subprocess.STDOUT`` mixes standard error into standard output, as a terminal does.
        """
        with self._started(words, stderr) as process:
            return _done(process)

    def run_on_hold(self, words: str, look: Callable[[subprocess.Popen[str]], None]) -> Done:
        """Run ansible-playbook, and keep it from ending until ``look`` returns.

        :param look: gets the process of ansible-playbook.
        """
        with self._held(), self._started(words) as process:
            look(process)
            self._gate.touch()
            return _done(process)

    def kill(self, words: str, after: str) -> Done:
        """Start ansible-playbook, and kill it with SIGKILL once it has printed a line that begins with ``after``."""
        with self._held(), self._started(words) as process:
            assert process.stdout
            printed = ""
            for line in process.stdout:
                printed += line
                if line.startswith(after):
                    break
            process.kill()
            self._gate.touch()
            rest = _done(process)
            return Done(rest.exit_code, printed + rest.stdout, rest.stderr)

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._gate.unlink()
        try:
            yield
        finally:
            self._gate.touch()

    @contextmanager
    def _started(self, words: str, stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
        """Start ansible-playbook, and end only when all its workers have ended, whatever happens to itself.

        Each worker leads a session of its own since ansible-core 2.19, so that its parent alone can find it. But each
        inherits the pipe's end, which nobody writes to: the other end reads its end when the last of them is gone.
        """
        alive, inherited = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ansible", "playbook", *words.split()],
                cwd=self.folder,
                env=self.env,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pass_fds=[inherited],
            )
        finally:
            os.close(inherited)
        with process, os.fdopen(alive, "rb") as alive_end:
            try:
                yield process
            except BaseException:
                process.terminate()
                raise
            finally:
                self._gate.touch()
                process.wait()
                alive_end.read()


def _done(process: subprocess.Popen[str]) -> Done:
    stdout, stderr = process.communicate()
    return Done(process.returncode, stdout, stderr or "")
