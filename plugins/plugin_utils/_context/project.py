# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the facts of a run's identity: the project around the playbook, inventory paths, limit files, AWX's variables.

Must not decide which runs are the same (`_incident/identity` does), start a process, or raise because of what it reads.
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

# Ansible's inventory if none is named, whether the file exists or not (DEFAULT_HOST_LIST).
_DEFAULT_INVENTORY = "/etc/ansible/hosts"
# Unless it is a git checkout, this directory is not a project: it has the same path on every machine.
_SYSTEM_DIRECTORY = Path("/etc/ansible")
# A user's ansible.cfg does not mark a project either: the home directory contains all of the user's projects.
_USER_CONFIG = ".ansible.cfg"

_FULL_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}")
_IN_COLLECTION = re.compile(r".*/ansible_collections/(\w+)/(\w+)/playbooks/(.+?)(?:\.ya?ml)?")


@dataclass(frozen=True)
class Machine:
    """Where this process runs.

    :param name: the machine's host name.
    :param directory: the current directory, to which paths are relative.
    """

    name: str
    directory: Path


@dataclass(frozen=True)
class Project:
    """The project around a playbook.

    :param root: its top directory, with symbolic links resolved; ``None`` if there is no project.
    :param directory_name: the name of that directory.
    :param remote: the URL of its git remote, or empty.
    :param playbook: the playbook's path below the root, or its full name in a collection; without a root, its absolute
        path.
    """

    root: Path | None
    directory_name: str
    remote: str
    playbook: str


def this_machine() -> Machine:
    """Return this machine's name and the current directory (``/`` if that has been deleted)."""
    try:
        directory = Path.cwd()
    except OSError:
        directory = Path("/")
    return Machine(socket.gethostname(), directory)


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
    :param subset: ``context.CLIARGS["subset"]``.
    :param tags: ``context.CLIARGS["tags"]``.
    :param skip_tags: ``context.CLIARGS["skip_tags"]``.
    :param extra_vars: the extra vars of the ansible-playbook call.
    :param environ: the environment variables.
    :param config_file: the ansible.cfg in use, ``ansible.constants.CONFIG_FILE``.
    :param project: the option ``project``.
    :param key_vars: the option ``key_vars``: names of extra vars.
    """
    found = read_project(playbook, config_file, machine.directory)
    return IdentityFacts(
        playbook=found.playbook,
        project=project,
        remote=found.remote,
        folder=found.directory_name,
        sources=read_sources(sources, found.root, machine.directory),
        host_name=machine.name,
        key_vars=key_var_values(key_vars, extra_vars),
        job_template=read_job_template(environ, extra_vars),
        relaunched=awx_variable(extra_vars, "job_launch_type") == "relaunch",
        limit=read_limit(subset, machine.directory),
        tags=tuple(tags),
        skip_tags=tuple(skip_tags),
    )


def read_project(playbook: str, config_file: str | None, directory: Path) -> Project:
    """Return the project that a playbook belongs to.

    A playbook file belongs to the git checkout around it, else to the directory of the ansible.cfg above it, else to
    its own directory. A playbook of an installed collection belongs to the project that uses it, whether it is called
    by name or by path: the checkout around the ansible.cfg, else around the current directory, else the directory of
    the ansible.cfg.

    :param playbook: its path, or its full name in a collection.
    :param config_file: the ansible.cfg in use, or None.
    :param directory: the current directory.
    """
    config = _config_directory(config_file, directory)
    full_name = _full_name(playbook, directory)
    if full_name:
        checkout = (find_checkout(config) if config else None) or find_checkout(directory)
        return _project(checkout or config, full_name)
    named, real = _spellings(directory / playbook)
    for path in (named, real):
        checkout = find_checkout(path.parent)
        if checkout:
            return _project(checkout, str(path.relative_to(checkout.root)))
    root = config if config and named.is_relative_to(config) else named.parent
    if root == _SYSTEM_DIRECTORY:
        return _project(None, str(named))
    return _project(root, str(named.relative_to(root)))


def read_sources(sources: Sequence[str], root: Path | None, directory: Path) -> tuple[Source, ...]:
    """Return each inventory source: by its path in the project at ``root``, by its absolute path, or as a host list.

    Ansible's default inventory counts only if it exists. If not, the run uses the implicit localhost, and is the same
    run on every machine.
    """
    return tuple(
        _source(source, root, directory)
        for source in sources
        if source != _DEFAULT_INVENTORY or _exists(Path(_DEFAULT_INVENTORY))
    )


def read_limit(subset: str | None, directory: Path) -> tuple[str, ...]:
    """Return the host patterns of ``--limit``, split as Ansible splits them, with each ``@file`` replaced by its lines.

    The rules are those of ``InventoryManager.subset``: each line of a file is one pattern. Ansible refuses an
    unreadable limit file. Here its name is kept, since a run with an unknown limit must not count as unlimited.
    """
    patterns: list[str] = []
    for pattern in split_host_pattern(subset or ""):
        text = read_file(directory / pattern[1:]) if pattern.startswith("@") else None
        patterns += [pattern] if text is None else text.split("\n")
    return tuple(patterns)


def read_job_template(environ: Mapping[str, str], extra_vars: Mapping[str, Any]) -> JobTemplate | None:
    """Return the launched AWX job template, or ``None`` outside AWX."""
    template = awx_variable(extra_vars, "job_template_id")
    return JobTemplate(awx_url(environ), template, awx_variable(extra_vars, "inventory_id")) if template else None


def _project(root: Checkout | Path | None, playbook: str) -> Project:
    if isinstance(root, Checkout):
        return Project(root.root, root.name, root.remote, playbook)
    return Project(root, root.name if root else "", "", playbook)


def _source(source: str, root: Path | None, directory: Path) -> Source:
    # By the rule of the inventory plugin ansible.builtin.host_list.
    if "," in source and not _exists(directory / source):
        return Source(INLINE, source)
    named, real = _spellings(directory / source)
    for path in (named, real):
        if root and path.is_relative_to(root):
            return Source(IN_PROJECT, str(path.relative_to(root)))
    return Source(ON_MACHINE, str(named))


def _spellings(path: Path) -> tuple[Path, Path]:
    """Return the absolute path with the links in its directory resolved, and then with its own link resolved too.

    The first keeps the name that people and repositories use (Kubernetes links each mounted file to a directory named
    after the time). The second finds the project of a file to which a link from elsewhere points.
    """
    real = resolved(path)
    return (real if path.name in ("", "..") else resolved(path.parent) / path.name), real


def _full_name(playbook: str, directory: Path) -> str:
    """Return the full name of a collection playbook called by name or by path; empty for any other playbook."""
    if _FULL_NAME.fullmatch(playbook) and not _exists(directory / playbook):
        return re.sub(r"\.ya?ml$", "", playbook)
    inside = _IN_COLLECTION.fullmatch(str(directory / playbook))
    return ".".join((inside[1], inside[2], *inside[3].split("/"))) if inside else ""


def _config_directory(config_file: str | None, directory: Path) -> Path | None:
    """Return the directory of the ansible.cfg, or None if that is the user's or the system's and marks no project."""
    if not config_file or Path(config_file).name == _USER_CONFIG:
        return None
    config = resolved((directory / config_file).parent)
    return None if config == _SYSTEM_DIRECTORY else config


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A host list that is too long for a file name, or a directory that is not readable.
        return False
