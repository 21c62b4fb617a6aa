# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection and installs it into a directory, so that tests use what users get, not the source tree.

``python tests/artifact.py [--with-tests] DIRECTORY``

Must not use the user's Ansible home, configuration or collections, or the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def install(destination: Path) -> Path:
    """Build the collection with the ansible-core of the running Python and install it.

    :param destination: the directory that becomes a collections path; created if it does not exist.
    :returns: the directory of the installed collection, ``destination/ansible_collections/callgoose/sqibs``.
    :raises subprocess.CalledProcessError: ansible-galaxy failed; its error message is on stderr.
    """
    with tempfile.TemporaryDirectory(prefix="sqibs-build-") as scratch:
        env = {**private_environment(Path(scratch)), "ANSIBLE_COLLECTIONS_PATH": str(destination)}
        galaxy = [sys.executable, "-m", "ansible", "galaxy", "collection"]
        built = Path(scratch, "built")
        quiet = {"env": env, "cwd": scratch, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run([*galaxy, "build", str(ROOT), "--output-path", str(built)], check=True, **quiet)
        (tarball,) = built.glob("*.tar.gz")
        # no --force: an artifact installed over an older one would keep files that no longer exist
        subprocess.run([*galaxy, "install", "--offline", "-p", str(destination), str(tarball)], check=True, **quiet)
    return destination / "ansible_collections" / "callgoose" / "sqibs"


def add_tests(collection: Path) -> None:
    """Copy the source tree's tests into an installed collection, so that they can be imported by its name.

    Of the tests, the artifact itself contains only the sandbox. Its FILES.json lists what it contains.

    :param collection: the directory that :func:`install` returned.
    """
    leave = shutil.ignore_patterns("output", "__pycache__")
    shutil.copytree(ROOT / "tests", collection / "tests", ignore=leave, dirs_exist_ok=True)


def private_environment(home: Path) -> dict[str, str]:
    """Return environment variables for a child process whose home and Ansible configuration are in ``home``.

    :param home: an existing directory. The function writes an empty ansible.cfg into it.
    """
    configuration = home / "ansible.cfg"
    configuration.write_text("[defaults]\n", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "CALLGOOSE_"))}
    own = {"HOME": str(home), "ANSIBLE_HOME": str(home / ".ansible"), "ANSIBLE_CONFIG": str(configuration)}
    # Ansible starts only in a UTF-8 locale, and CI systems often set no locale.
    return {**kept, **own, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}


if __name__ == "__main__":
    *flags, target = sys.argv[1:]
    installed = install(Path(target).resolve())
    if "--with-tests" in flags:
        add_tests(installed)
    print(installed)
