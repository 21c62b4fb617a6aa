# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells which of several environments an inventory is: what distinguishes its path from those of the others.

Must not read files: an environment is a word of a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import PurePath

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import IN_PROJECT, ON_MACHINE, Source

# Directories that hold one file or directory for each environment.
_COLLECTIONS = frozenset(
    ("inventories", "inventory", "environments", "environment", "envs", "env", "hosts", "inv", "stages")
)
# Words that each environment's inventory has: the plugins' names are those of ansible.builtin and the clouds'.
_COMMON = _COLLECTIONS | frozenset(
    re.findall(
        r"\w+",
        "all ansible aws azure cloud compute config constructed default deploy dynamic ec2 etc gcp generic group "
        "groups host infra ini json main netbox openstack opt playbooks py rm servers sh site srv static toml vars "
        "vmware yaml yml",
    )
)


# Words by which environments are known, wherever they stand in the path.
_KNOWN = frozenset(
    re.findall(
        r"\w+",
        "prod production live stage staging stg preprod preproduction test testing qa uat dev devel development acc "
        "acceptance int integration sandbox demo dr canary",
    )
)


def environment_of(sources: Iterable[Source]) -> str:
    """Return the environment's name, such as ``production`` for ``inventories/production/hosts.ini``; else empty."""
    found = [_environment(source) for source in sources if source.place in (IN_PROJECT, ON_MACHINE)]
    return ", ".join(dict.fromkeys(filter(None, found)))


def _environment(source: Source) -> str:
    parts = [part for part in PurePath(source.text).parts if part != "/"]
    for position, (parent, part) in enumerate(pairwise(parts), start=1):
        if parent.lower() in _COLLECTIONS and _distinguishing(part):
            return _with_known(_distinguishing(part), parts[position:])
    # In a project, a directory of any name can stand for an environment. A path elsewhere begins with the machine's.
    rest = parts if source.place == IN_PROJECT else parts[-1:]
    return _with_known(next(filter(None, map(_distinguishing, reversed(rest))), ""), rest)


def _with_known(found: str, parts: list[str]) -> str:
    """Return what was found, with the part of the path that names an environment: ``eu/production``, not ``eu``."""
    names = [name for name in map(_distinguishing, parts) if name]
    known = next(filter(_is_known, reversed(names)), "")
    if not known or _is_known(found):
        return found
    return "/".join(dict.fromkeys(name for name in names if name in (found, known)))


def _is_known(name: str) -> bool:
    return not _KNOWN.isdisjoint(name.lower().split("-"))


def _distinguishing(part: str) -> str:
    """Return the words of a path's part that not every inventory has: ``staging`` of ``hosts-staging.yml``."""
    words = re.split(r"[._\s-]+", part)
    kept = [word for word in words if word and word.lower() not in _COMMON]
    return "-".join(kept) if not all(word.isdigit() for word in kept) else ""
