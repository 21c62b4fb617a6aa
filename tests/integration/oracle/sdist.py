# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the integration targets of the ansible-core under test: pip downloads its source distribution once.

Must not run anything of it. pip must be installed beside ansible-core.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path


def integration_directory(cache: Path) -> Path:
    """Return the unpacked directory ``test/integration`` of the installed version's source distribution.

    :param cache: a directory that is kept between runs; created if it does not exist.
    :raises subprocess.CalledProcessError: pip cannot download it; its error message is on stderr.
    """
    core = version("ansible-core")
    unpacked = cache / f"ansible_core-{core}"
    cache.mkdir(parents=True, exist_ok=True)
    # pytest-xdist's workers come here at the same time.
    with cache.joinpath("lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            _download(core, cache)
    return unpacked / "test" / "integration"


def _download(core: str, cache: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # Inside the cache, so that the last step is one rename: a download that was cut short is never taken for whole.
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        command = [*pip, "--no-binary=ansible-core", f"--dest={scratch}", f"ansible-core=={core}"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        Path(scratch, f"ansible_core-{core}").rename(cache / f"ansible_core-{core}")
