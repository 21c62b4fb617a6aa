# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test on the installed artifact: ``python tests/run_ansible_test.py [--home DIR] sanity ...``.

Must not write into the user's home: ansible-test gets its own, for its caches and virtual environments.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from artifact import add_tests, install, private_environment

# ansible-test downloads get-pip.py from a host of its own for each virtual environment it makes, unless it finds it
# in its cache. Python's own ensurepip and a package index are all that is needed to do the same. (ensurepip turns pip's
# configuration off for the process.)
GET_PIP = """\
import ensurepip, os, runpy, sys
ensurepip.bootstrap()
del os.environ["PIP_CONFIG_FILE"]
sys.argv[1:] = ["install"] + [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def main() -> int:
    """Return ansible-test's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a directory in which ansible-test keeps its caches between runs")
    options, words = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="sqibs-ansible-test-") as scratch:
        home = (options.home or Path(scratch, "home")).resolve()
        home.mkdir(parents=True, exist_ok=True)
        cache_pip_bootstrap(home, python_requirements())
        keep_pip_settings(home)
        collection = install(Path(scratch, "collections"))
        add_tests(collection)
        command = [sys.executable, str(Path(sys.executable).with_name("ansible-test")), *words]
        env = private_environment(home)
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
        return subprocess.run(command, cwd=collection, env=env, stdin=subprocess.DEVNULL, check=False).returncode


def python_requirements() -> Path:
    """Return the file of the running Python's ansible-test that names the pip versions that it requests."""
    package = importlib.util.find_spec("ansible_test")
    if package is None or not package.submodule_search_locations:
        raise SystemExit(f"{sys.executable} has no ansible-test: install ansible-core into it")
    return Path(package.submodule_search_locations[0], "_internal", "python_requirements.py")


def cache_pip_bootstrap(home: Path, requirements: Path) -> None:
    """Put a bootstrap script where ansible-test looks for one, for each pip version that it asks for.

    The place of the cache stands in ansible_test/_util/target/setup/requirements.py.

    :param home: the home directory that ansible-test will be given.
    :param requirements: ansible_test/_internal/python_requirements.py: its ``get_venv_packages`` has the versions.
    """
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"\bpip='([\d.]+)'", requirements.read_text(encoding="utf-8")):
        cache.joinpath(f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")


def keep_pip_settings(home: Path) -> None:
    """Write the environment's pip settings into the home's pip.conf.

    ansible-test runs pip without the environment variables PIP_* (``common_environment`` in
    ansible_test/_internal/util.py), so pip would ignore an index or certificate that they set.
    """
    settings = {
        name[4:].lower().replace("_", "-"): value for name, value in os.environ.items() if name.startswith("PIP_")
    }
    settings.pop("config-file", None)
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "\n".join(["[global]", *(f"{name} = {value}" for name, value in settings.items()), ""]), encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
