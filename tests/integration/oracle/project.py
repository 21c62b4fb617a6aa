# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out one of ansible-core's integration targets as ansible-test does, and says how to run it there.

Must not need anything that ansible-test provides: no container, no second machine, no SSH server.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from ansible_collections.callgoose.sqibs.tests.integration.oracle import guarded

SHIM = Path(__file__).resolve().with_name("shim.py")
INVENTORY = """\
[testgroup]
testhost ansible_connection=local ansible_pipelining=yes ansible_python_interpreter="{{ ansible_playbook_python }}"
"""
# As ansible-test calls a target that is a role.
ROLE = """\
- hosts: testhost
  gather_facts: {facts}
  vars:
    output_dir: {output}
"""
PLAIN_ROLE = "  roles:\n    - {name}\n"
GUARDED_ROLE = """\
  tasks:
    - ansible.builtin.include_role:
        name: callgoose.sqibs.incident_guard
      vars:
        incident_guard_roles: {name}
"""
NEEDED = re.compile(r"^needs/target/(\S+)", re.MULTILINE)
# bash reads this before a script: no check of a script on the output of one invocation ends it before the others.
UNSTOPPABLE = """\
set() { case "$1" in --) builtin set "$@" ;; esac; }
exit() { :; }
"""
COMMAND = """\
#!/bin/sh
exec {python} {shim} {name} "$@"
"""
# An SSH server that every machine has: 127.0.0.* is this machine, every other host refuses the connection.
SSH = """\
#!/bin/sh
while :; do
  case "$1" in
    -[oplciFemSLRDbEJWwBQI]) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
case "$1" in
  127.0.0.*) export SSH_CONNECTION="127.0.0.1 50000 $1 22"; shift; exec /bin/sh -c "$*" ;;
esac
echo "ssh: connect to host $1 port 22: Connection refused" >&2
exit 255
"""


@dataclass(frozen=True)
class Project:
    """A fresh copy of one target, below a directory of its own.

    :param root: the directory; whatever is in it goes.
    :param integration: ansible-core's ``test/integration``.
    :param name: the target's name.
    :param guard: whether its tasks run under a guard.
    """

    root: Path
    integration: Path
    name: str
    guard: bool

    @property
    def target(self) -> Path:
        """The target's own directory."""
        return self.root / "integration" / "targets" / self.name

    @property
    def cwd(self) -> Path:
        """The directory in which the target runs."""
        return self.root / "integration" if self._is_role else self.target

    def lay_out(self) -> set[Path]:
        """Create it and return the playbooks of which everything is guarded."""
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in ("bin", "home", "output"):
            self.root.joinpath(folder).mkdir(parents=True)
        self._copy(self.name)
        self.root.joinpath("integration", "inventory").write_text(INVENTORY, encoding="utf-8")
        self.root.joinpath("bash_env").write_text(UNSTOPPABLE, encoding="utf-8")
        for command in ("ansible-playbook", "ansible"):
            self._write_command(command, COMMAND.format(python=sys.executable, shim=SHIM, name=command))
        self._write_command("ssh", SSH)
        if self._is_role:
            return self._write_role_playbook()
        return guarded.put_under_guard(self.target) if self.guard else set()

    @property
    def call(self) -> list[str]:
        """The command that runs it."""
        return ["ansible-playbook", "test.yml", "-i", "inventory"] if self._is_role else ["./runme.sh"]

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables: those of ansible-test's ``ansible_environment`` that matter, and a home."""
        home = self.root / "home"
        path = [str(self.root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        where = ("ANSIBLE_ROLES_PATH", self.target.parent) if self._is_role else ("ANSIBLE_PLAYBOOK_DIR", self.target)
        return {
            where[0]: str(where[1]),
            "PATH": os.pathsep.join(path),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "BASH_ENV": str(self.root / "bash_env"),
            "OUTPUT_DIR": str(self.root / "output"),
            "INVENTORY_PATH": str(self.root / "integration" / "inventory"),
            "ANSIBLE_TEST_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_TEST_PYTHON_VERSION": f"{sys.version_info[0]}.{sys.version_info[1]}",
            "ANSIBLE_HOME": str(home / ".ansible"),
            "ANSIBLE_REMOTE_TEMP": str(home / ".ansible" / "remote"),
            # Of two modules, one looks in HOME for an asynchronous job, and the other in the user's real home.
            "ANSIBLE_ASYNC_DIR": str(home / ".ansible" / "async"),
            "ANSIBLE_CONFIG": os.environ["ANSIBLE_CONFIG"],
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_INVENTORY": os.devnull,
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_FORCE_HANDLERS": "true",
            "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
            "ANSIBLE_HOST_KEY_CHECKING": "false",
            "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_NOCOLOR": "1",
        }

    @property
    def _is_role(self) -> bool:
        return not self.target.joinpath("runme.sh").exists()

    def _copy(self, name: str) -> None:
        """Copy a target and those that its ``aliases`` and ``meta/main.yml`` name."""
        target = self.root / "integration" / "targets" / name
        if target.exists():
            return
        shutil.copytree(self.integration / "targets" / name, target, symlinks=True)
        meta = target / "meta" / "main.yml"
        known = yaml.safe_load(meta.read_text(encoding="utf-8")) if meta.exists() else None
        for dependency in (known or {}).get("dependencies", ()):
            self._copy(dependency if isinstance(dependency, str) else dependency["role"])
        aliases = target / "aliases"
        for needed in NEEDED.findall(aliases.read_text(encoding="utf-8") if aliases.exists() else ""):
            self._copy(needed)

    def _write_command(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def _write_role_playbook(self) -> set[Path]:
        aliases = self.target.joinpath("aliases").read_text(encoding="utf-8")
        play = ROLE.format(facts="gather_facts/no" not in aliases, output=self.root / "output")
        path = self.root / "integration" / "test.yml"
        content = GUARDED_ROLE if self.guard else PLAIN_ROLE
        path.write_text(play + content.format(name=self.name), encoding="utf-8")
        return {path} if self.guard else set()
