# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the collection awx.awx: pip downloads the package ``ansible`` once, and only awx.awx is taken from it.

Must not run anything of it. pip must be installed beside ansible-core.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ansible_collections.callgoose.sqibs.tests.released_collection import unpacked

# It has awx.awx 24.6.1, as all releases up to 13, and is for Python 3.10 and newer. Release 14 has none.
PACKAGE = "ansible==10.7.0"
INSIDE = "ansible_collections/awx/awx/"


def collections_path(cache: Path) -> Path:
    """Return a collections path that contains awx.awx and nothing else.

    :param cache: a directory that is kept between runs; created if it does not exist.
    :raises subprocess.CalledProcessError: pip cannot download it; its error message is on stderr.
    """
    return unpacked(cache, PACKAGE, INSIDE)


def as_controller(path: Path, destination: Path) -> Path:
    """Return a collections path with ansible.controller, made of awx.awx as its own build does it.

    Both have one source. The build replaces the name, and the type that decides where the API is looked for.

    :param path: what :func:`collections_path` returned.
    """
    collection = destination / "ansible_collections" / "ansible" / "controller"
    shutil.copytree(path / INSIDE, collection)
    for file in collection.rglob("*"):
        if file.suffix in (".py", ".yml"):
            text = file.read_text(encoding="utf-8").replace("awx.awx", "ansible.controller")
            text = text.replace('_COLLECTION_TYPE = "awx"', '_COLLECTION_TYPE = "controller"')
            file.write_text(text, encoding="utf-8")
    # It says which collection this is.
    (collection / "MANIFEST.json").unlink()
    return destination
