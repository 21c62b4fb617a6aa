# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a run's identity is made of: the project around the playbook, inventory paths, limit files, AWX's words.

Must not decide what makes two runs the same (identity.py does), start a process, or raise because of what it reads.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.inventory.manager import split_host_pattern

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import awx_url, awx_variable
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.git import (
    Checkout,
    find_checkout,
    read_file,
    resolved,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    IN_PROJECT,
    INLINE,
    ON_MACHINE,
    IdentityFacts,
    JobTemplate,
    Source,
    key_var_values,
)

# What Ansible takes when nobody names an inventory, whether it exists or not (DEFAULT_HOST_LIST).
_DEFAULT_INVENTORY = "/etc/ansible/hosts"
# What lies here, outside of git, is the machine's own and no project's: it is called the same on every machine.
_SYSTEM_FOLDER = Path("/etc/ansible")
# A user's ansible.cfg (the system's is in _SYSTEM_FOLDER) marks no project either: it lies above all of them.
_USER_CONFIG = ".ansible.cfg"

_FULL_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}")
_IN_COLLECTION = re.compile(r".*/ansible_collections/(\w+)/(\w+)/playbooks/(.+?)(?:\.ya?ml)?")


@dataclass(frozen=True)
class Machine:
    """Where this process runs: the machine's name and the current folder, from which relative paths are meant."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Project:
    """The project around a playbook.

    :param root: its top folder, with links resolved; ``None`` where there is no project.
    :param folder: the name that the top folder gives it.
    :param remote: its git remote's URL, or empty.
    :param playbook: the path from the root, or a collection playbook's full name; without a root the absolute path.
    """

    root: Path | None
    folder: str
    remote: str
    playbook: str


def this_machine() -> Machine:
    """Return this machine's name and the current folder (``/`` if that was deleted meanwhile)."""
    try:
        folder = Path.cwd()
    except OSError:
        folder = Path("/")
    return Machine(socket.gethostname(), folder)


def read_facts(
    *,
    playbook: str,
    sources: Sequence[str],
    subset: str | None,
    tags: Iterable[str],
    skip_tags: Iterable[str],
    extra_vars: Mapping[str, Any],
    environ: Mapping[str, str],
    config_file: str | None,
    machine: Machine,
    project: str = "",
    key_vars: Iterable[str] = (),
) -> IdentityFacts:
    """Return the facts for :func:`identity.identify`.

    :param playbook: its path, or its full name in a collection.
    :param sources: ``context.CLIARGS["inventory"]``.
    :param subset: ``context.CLIARGS["subset"]``. ``tags`` and ``skip_tags`` are its fields of these names.
    :param config_file: the ansible.cfg in use, ``ansible.constants.CONFIG_FILE``.
    :param project: the option of this name. ``key_vars`` likewise: names of extra vars.
    """
    found = read_project(playbook, config_file, machine.folder)
    return IdentityFacts(
        playbook=found.playbook,
        project=project,
        remote=found.remote,
        folder=found.folder,
        sources=read_sources(sources, found.root, machine.folder),
        host_name=machine.name,
        key_vars=key_var_values(key_vars, extra_vars),
        job_template=read_job_template(environ, extra_vars),
        relaunched=awx_variable(extra_vars, "job_launch_type") == "relaunch",
        limit=read_limit(subset, machine.folder),
        tags=tuple(tags),
        skip_tags=tuple(skip_tags),
    )


def read_project(playbook: str, config_file: str | None, folder: Path) -> Project:
    """Return the project that a playbook belongs to.

    A playbook in a file belongs to the git checkout around it, else to the folder of the ansible.cfg above it, else to
    its own folder. One of an installed collection, wherever that lies and however it was called, belongs to whoever
    calls it: the checkout around the ansible.cfg, else around the current folder, else the ansible.cfg's folder.

    :param folder: the current folder.
    """
    config = _config_folder(config_file, folder)
    full_name = _full_name(playbook, folder)
    if full_name:
        checkout = (find_checkout(config) if config else None) or find_checkout(folder)
        return _project(checkout or config, full_name)
    named, real = _spellings(folder / playbook)
    for path in (named, real):
        checkout = find_checkout(path.parent)
        if checkout:
            return _project(checkout, str(path.relative_to(checkout.root)))
    root = config if config and named.is_relative_to(config) else named.parent
    if root == _SYSTEM_FOLDER:
        return _project(None, str(named))
    return _project(root, str(named.relative_to(root)))


def read_sources(sources: Sequence[str], root: Path | None, folder: Path) -> tuple[Source, ...]:
    """Return each inventory source by its path in the project at ``root``, by its absolute path, or as a host list.

    Ansible's own default counts only where it exists: else the run has no inventory but the implicit localhost, and
    is the same run on every machine.
    """
    return tuple(
        _source(source, root, folder)
        for source in sources
        if source != _DEFAULT_INVENTORY or _exists(Path(_DEFAULT_INVENTORY))
    )


def read_limit(subset: str | None, folder: Path) -> tuple[str, ...]:
    """Return the host patterns of ``--limit``, split as Ansible splits them, each ``@file`` replaced by its lines.

    The rules are those of ``InventoryManager.subset``; a line of a file is one pattern. Ansible refuses a limit file
    that cannot be read; here its name stays, for a run of unknown limit must not pass for an unlimited one.
    """
    patterns: list[str] = []
    for pattern in split_host_pattern(subset or ""):
        text = read_file(folder / pattern[1:]) if pattern.startswith("@") else None
        patterns += [pattern] if text is None else text.split("\n")
    return tuple(patterns)


def read_job_template(environ: Mapping[str, str], extra_vars: Mapping[str, Any]) -> JobTemplate | None:
    """Return the AWX job template that was launched, or ``None`` outside AWX."""
    template = awx_variable(extra_vars, "job_template_id")
    return JobTemplate(awx_url(environ), template, awx_variable(extra_vars, "inventory_id")) if template else None


def _project(root: Checkout | Path | None, playbook: str) -> Project:
    if isinstance(root, Checkout):
        return Project(root.root, root.name, root.remote, playbook)
    return Project(root, root.name if root else "", "", playbook)


def _source(source: str, root: Path | None, folder: Path) -> Source:
    # As ansible.builtin.host_list tells them apart.
    if "," in source and not _exists(folder / source):
        return Source(INLINE, source)
    named, real = _spellings(folder / source)
    for path in (named, real):
        if root and path.is_relative_to(root):
            return Source(IN_PROJECT, str(path.relative_to(root)))
    return Source(ON_MACHINE, str(named))


def _spellings(path: Path) -> tuple[Path, Path]:
    """Return an absolute path with its folder's links resolved, and the same with its own link resolved too.

    The first keeps the name that people and repositories use (Kubernetes links each mounted file to a folder named by
    the time); the second finds the project of a file that is linked from elsewhere.
    """
    real = resolved(path)
    return (real if path.name in ("", "..") else resolved(path.parent) / path.name), real


def _full_name(playbook: str, folder: Path) -> str:
    """Return a collection playbook's full name, whether it was called by name or by path, else nothing."""
    if _FULL_NAME.fullmatch(playbook) and not _exists(folder / playbook):
        return re.sub(r"\.ya?ml$", "", playbook)
    inside = _IN_COLLECTION.fullmatch(str(folder / playbook))
    return ".".join((inside[1], inside[2], *inside[3].split("/"))) if inside else ""


def _config_folder(config_file: str | None, folder: Path) -> Path | None:
    """Return the folder of an ansible.cfg that is a project's own."""
    if not config_file or Path(config_file).name == _USER_CONFIG:
        return None
    config = resolved((folder / config_file).parent)
    return None if config == _SYSTEM_FOLDER else config


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A host list that is longer than a file's name may be, or a folder that is not ours to look into.
        return False
