# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the hosts of the inventory, so that incidents of removed hosts can be resolved.

Must not report a host as removed because the inventory source that names it could not be read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.inventory.manager import IGNORED
from ansible.template import Templar
from ansible.utils.path import unfrackpath

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import NO_HOSTS, Inventory

# Ansible silently skips its default inventory (DEFAULT_HOST_LIST) if that does not exist.
_DEFAULT = "/etc/ansible/hosts"


def read_inventory(manager: Any) -> Inventory:
    """Return the current hosts of an `InventoryManager`, as none if it could not read one of its sources.

    Ansible only warns about such a source. If a cloud's API fails for a moment, the inventory lacks hosts that still
    exist.
    """
    try:
        added = frozenset(manager.hosts).difference(source_hosts(manager))
        read = set(manager._inventory.processed_sources)
        if not all(source in read for source in _sources(manager)):
            return Inventory(NO_HOSTS, added)
        hosts = manager.get_hosts(ignore_limits=True, ignore_restrictions=True)
        return Inventory(frozenset(host.name for host in hosts), added)
    except Exception:
        # Third-party inventory plugins may fail in any way. That must not prevent a page.
        return Inventory()


def groups_of(hosts: Iterable[str], variable: str, manager: Any, variables: Any) -> dict[str, str]:
    """Return, by host, the value of a host variable as a string; empty for a host that does not have it.

    :param manager: the `InventoryManager`.
    :param variables: the `VariableManager`.
    """
    return {name: _value_of(manager.get_host(name), variable, variables) for name in hosts}


def _value_of(host: Any, variable: str, variables: Any) -> str:
    try:
        found = variables.get_vars(host=host, include_hostvars=False)
        value = Templar(loader=variables._loader, variables=found).template(found.get(variable))
    except Exception:
        # A variable that cannot be resolved now must not prevent a page.
        return ""
    return "" if value is None else str(value).strip()


def source_hosts(manager: Any) -> list[str]:
    """Return the names of the hosts that a source of the inventory names, without those that the run has added.

    Ansible sets ``inventory_file`` to None for a host of ``add_host`` (`InventoryData.add_host`).
    """
    return [name for name, host in manager.hosts.items() if host.vars.get("inventory_file") is not None]


def is_template(play: Any) -> bool:
    """Return whether the hosts of a `Play` are written as a template: with other variables it matches other hosts."""
    written = str(play.get_ds().get("hosts"))
    return "{{" in written or "{%" in written


@contextlib.contextmanager
def without_pattern_warnings() -> Iterator[None]:
    """Keep Ansible from warning that a pattern matches no host: Ansible itself never looks it up."""
    mismatch, C.HOST_PATTERN_MISMATCH = C.HOST_PATTERN_MISMATCH, "ignore"
    try:
        yield
    finally:
        C.HOST_PATTERN_MISMATCH = mismatch


def _sources(manager: Any) -> Iterator[str]:
    """Yield each source that Ansible should have read, by the rules of `InventoryManager.parse_sources`."""
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
