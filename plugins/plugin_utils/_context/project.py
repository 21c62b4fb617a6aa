# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the facts of a run's identity: the project around the playbook, inventory paths, limit files, AWX's variables.

Must not decide which runs are the same (`_incident/identity` does), start a process, or raise because of what it reads.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    TEMPORARY,
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

# A playbook on standard input, or of a process substitution such as <(generate).
_STREAM = re.compile(r"/dev/(?:stdin|fd/\d+)|/proc/(?:self|\d+)/fd/\d+")
# Inventories that a tool writes for one run: Jenkins' plugin into the workspace, Rundeck's and Packer's.
_TEMPORARY_NAME = re.compile(r"inventory\d{5,}\.(?:ini|py)|ansible-inventory\d{5,}.*|packer-provisioner-ansible\d{5,}")
_LOCAL_NAMES = frozenset(("localhost", "localhost.localdomain", "127.0.0.1", "::1"))

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
    :param revision: the commit that is checked out; empty if there is none.
    """

    root: Path | None
    directory_name: str
    remote: str
    playbook: str
    revision: str = ""


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
    inventory_name: str = "",
    hosts: Collection[str] = (),
    plays: Iterable[str] = (),
    is_ci: bool = False,
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
    :param inventory_name: the option ``inventory_name``.
    :param hosts: names of the hosts that the inventory's sources name.
    :param plays: names of the plays, for a playbook that has no file.
    :param is_ci: whether a CI system runs it, whose machines are anonymous.
    """
    found = read_project(playbook, config_file, machine.directory, plays)
    read = read_sources(sources, found.root, machine.directory)
    is_temporary = any(source.place == TEMPORARY for source in read)
    return IdentityFacts(
        playbook=found.playbook,
        project=project,
        remote=found.remote,
        folder=found.directory_name,
        sources=read,
        inventory_name=inventory_name.strip(),
        inventory_content=tuple(hosts) if is_temporary else (),
        host_name=machine.name,
        is_local=not is_ci and all(host in _LOCAL_NAMES for host in hosts),
        key_vars=key_var_values(key_vars, extra_vars),
        job_template=read_job_template(environ, extra_vars),
        limit=read_limit(subset, machine.directory),
        tags=tuple(tags),
        skip_tags=tuple(skip_tags),
    )


def read_project(playbook: str, config_file: str | None, directory: Path, plays: Iterable[str] = ()) -> Project:
    """Return the project that a playbook belongs to.

    A playbook file belongs to the git checkout around it, else to the directory of the ansible.cfg above it, else to
    its own directory. A playbook of an installed collection belongs to the project that uses it, whether it is called
    by name or by path: the checkout around the ansible.cfg, else around the current directory, else the directory of
    the ansible.cfg. A playbook on standard input belongs to the project of the current directory.

    :param playbook: its path, or its full name in a collection.
    :param config_file: the ansible.cfg in use, or None.
    :param directory: the current directory.
    :param plays: names of the plays: they identify a playbook on standard input, which has no name of its own.
    """
    config = _config_directory(config_file, directory)
    name = full_name(playbook, directory)
    if name:
        checkout = (find_checkout(config) if config else None) or find_checkout(directory)
        return _project(checkout or config, name)
    if _STREAM.fullmatch(playbook):
        checkout = find_checkout(directory)
        return _project(checkout or directory, f"stdin: {', '.join(plays)}")
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

    Ansible's default inventory counts only if it exists. If not, the run has no inventory but the implicit localhost.
    A file that a tool has written for this run alone is ``TEMPORARY``.
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


def temporary_directories() -> set[Path]:
    """Return the system's directories for temporary files, with symbolic links resolved."""
    return {resolved(Path(name)) for name in ("/tmp", "/var/tmp", "/dev/shm", os.environ.get("TMPDIR") or "/tmp")}


def full_name(playbook: str, directory: Path) -> str:
    """Return the full name of a collection playbook called by name or by path; empty for any other playbook."""
    if _FULL_NAME.fullmatch(playbook) and not _exists(directory / playbook):
        return re.sub(r"\.ya?ml$", "", playbook)
    inside = _IN_COLLECTION.fullmatch(str(directory / playbook))
    return ".".join((inside[1], inside[2], *inside[3].split("/"))) if inside else ""


def _project(root: Checkout | Path | None, playbook: str) -> Project:
    if isinstance(root, Checkout):
        return Project(root.root, root.name, root.remote, playbook, root.revision)
    return Project(root, root.name if root else "", "", playbook)


def _source(source: str, root: Path | None, directory: Path) -> Source:
    # By the rule of the inventory plugin ansible.builtin.host_list.
    if "," in source and not _exists(directory / source):
        return Source(INLINE, source)
    named, real = _spellings(directory / source)
    if _TEMPORARY_NAME.fullmatch(named.name):
        return Source(TEMPORARY, str(named))
    for path in (named, real):
        if root and path.is_relative_to(root):
            return Source(IN_PROJECT, str(path.relative_to(root)))
    return Source(TEMPORARY if _is_temporary(named) else ON_MACHINE, str(named))


def _is_temporary(path: Path) -> bool:
    """Return whether a path outside the project is new in each run: in a temporary directory, or of ansible-runner.

    ansible-runner's private data directory is usually made for one run. It contains the directories ``inventory``,
    ``project`` and ``artifacts``.
    """
    if any(path.is_relative_to(name) for name in temporary_directories()):
        return True
    if any(part == "tmp" or part.endswith("@tmp") for part in path.parts[2:-1]):
        return True
    private = [parent.parent for parent in (path, *path.parents) if parent.name == "inventory"]
    return any(_exists(parent / "project") and _exists(parent / "artifacts") for parent in private)


def _spellings(path: Path) -> tuple[Path, Path]:
    """Return the absolute path with the links in its directory resolved, and then with its own link resolved too.

    The first keeps the name that people and repositories use (Kubernetes links each mounted file to a directory named
    after the time). The second finds the project of a file to which a link from elsewhere points.
    """
    real = resolved(path)
    return (real if path.name in ("", "..") else resolved(path.parent) / path.name), real


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
