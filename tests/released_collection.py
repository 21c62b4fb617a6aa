# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes one collection out of the package ``ansible``, which pip downloads once: no package contains it alone.

Must not run anything of it. pip must be installed beside ansible-core.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


def unpacked(cache: Path, package: str, inside: str) -> Path:
    """Return a collections path that contains this collection and nothing else.

    :param cache: a directory for this collection that is kept between runs; created if it does not exist.
    :param package: the requirement, such as ``ansible==10.7.0``.
    :param inside: the directory in the package, such as ``ansible_collections/awx/awx/``.
    :raises subprocess.CalledProcessError: pip cannot download it; its error message is on stderr.
    """
    destination = cache / package
    cache.mkdir(parents=True, exist_ok=True)
    # pytest-xdist's workers come here at the same time.
    with cache.joinpath("lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not destination.exists():
            _download(cache, package, inside, destination)
    return destination


def _download(cache: Path, package: str, inside: str, destination: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # Inside the cache, so that the last step is one rename: a download that was cut short is never taken for whole.
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        command = [*pip, "--only-binary=ansible", f"--dest={scratch}", package]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        (wheel,) = Path(scratch).glob("*.whl")
        content = Path(scratch, "content")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(content, [name for name in archive.namelist() if name.startswith(inside)])
        content.rename(destination)
