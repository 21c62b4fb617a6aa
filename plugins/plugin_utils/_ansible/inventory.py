# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which hosts there are, for who wants to know that a host is gone.

Must not take a host for gone because the source that names it could not be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.inventory.manager import IGNORED
from ansible.utils.path import unfrackpath

# Ansible passes over its default in silence where it does not exist (DEFAULT_HOST_LIST).
_DEFAULT = "/etc/ansible/hosts"


def known_hosts(manager: Any) -> frozenset[str]:
    """Return all hosts of an `InventoryManager` as it is now, or none where one of its sources was not read.

    Ansible goes on without such a source, after a warning: a cloud's API that fails for a moment takes its hosts out of
    the inventory, and they are not gone for that.
    """
    try:
        read = set(manager._inventory.processed_sources)
        if not all(source in read for source in _sources(manager)):
            return frozenset()
        return frozenset(host.name for host in manager.get_hosts(ignore_limits=True, ignore_restrictions=True))
    except Exception:
        # Plugins and folders of anybody's are behind it, and no page may be lost for it.
        return frozenset()


def _sources(manager: Any) -> Iterator[str]:
    """Yield each source that is to be read, as `InventoryManager.parse_sources` does."""
    for source in manager._sources:
        if source and (source != _DEFAULT or Path(source).exists()):
            yield from [source] if "," in source else _files(unfrackpath(source, follow=False))


def _files(source: str) -> Iterator[str]:
    if not Path(source).is_dir():
        yield source
        return
    for path in Path(source).iterdir():
        if not IGNORED.search(os.fsencode(path.name)):
            yield from _files(str(path))
