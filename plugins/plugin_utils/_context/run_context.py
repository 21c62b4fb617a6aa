# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the name and the identity of a run from the running ansible-playbook process.

Must not decide anything (`_incident` and `_notification` do), and works only after Ansible has parsed the command line.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible import context

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import (
    Origin,
    awx_variable,
    is_awx_nameless,
    read_origin,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import (
    read_facts,
    read_project,
    this_machine,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    Identity,
    IdentityFacts,
    identify,
)


@dataclass(frozen=True)
class Invocation:
    """How a run was started, for people. Unknown fields are empty.

    :param environment: which of several environments the inventory is.
    :param inventory: the inventory's name or path.
    :param limit: the value of ``--limit``.
    :param controller: the name of the controller; empty in AWX and CI systems, whose links say more.
    :param directory: the directory of the call; empty likewise.
    :param command: the words of the command line, without ``--limit`` and values of extra vars; empty likewise.
    :param compare_url: the link that compares two revisions, with ``{good}`` and ``{failed}`` in it.
    """

    environment: str = ""
    inventory: str = ""
    limit: str = ""
    controller: str = ""
    directory: str = ""
    command: tuple[str, ...] = ()
    compare_url: str = ""


@dataclass(frozen=True)
class Subject:
    """The subject of a page.

    :param name: the name of the job template or guard, else the playbook's path in the project.
    :param origin: where the run came from.
    :param root: the project's directory, to which shown paths are relative; empty if there is none.
    :param invocation: how the run was started; read only if there is something to send.
    """

    name: str
    origin: Origin
    root: str = ""
    invocation: Invocation = Invocation()


@dataclass(frozen=True)
class RunContext:
    """One run, or one guard in it.

    :param playbook: its path in the project, or its full name in a collection.
    :param identity: which incidents the run can trigger or resolve.
    :param subject: what a page about it says.
    :param facts: what its identity was computed from.
    :param directory: the current directory of the call.
    :param extra_vars: the extra vars of the call.
    :param is_relaunched: whether AWX started the job by *relaunch*, which may set a limit that nobody gave.
    :param is_awx_nameless: whether the AWX of this job does not know its own address.
    :param slice_of: the workflow job as which AWX runs all slices of a job; empty if this is none of them.
    :param is_check: whether the whole run is in check mode.
    :param is_partial: whether ``--start-at-task`` or ``--step`` limits the run to some of its tasks.
    """

    playbook: str
    identity: Identity
    subject: Subject
    facts: IdentityFacts
    directory: str
    extra_vars: Mapping[str, Any]
    is_partial: bool
    is_check: bool = False
    is_awx_nameless: bool = False
    slice_of: str = ""
    is_relaunched: bool = False


def read_run_context(
    playbook: str,
    plays: Iterable[Any],
    extra_vars: Mapping[str, Any],
    hosts: Collection[str],
    project: str,
    key_vars: Iterable[str],
    inventory_name: str,
    job_url: str,
) -> RunContext:
    """Return the context of a playbook that this process runs.

    :param playbook: its path, or its full name in a collection.
    :param plays: its `Play` objects.
    :param extra_vars: the extra vars of the ansible-playbook call.
    :param hosts: names of the hosts that the inventory's sources name.
    :param project: the option ``project``.
    :param key_vars: the option ``key_vars``: names of extra vars.
    :param inventory_name: the option ``inventory_name``.
    :param job_url: the option ``job_url``.
    """
    arguments = context.CLIARGS
    machine = this_machine()
    origin = read_origin(os.environ, extra_vars, job_url)
    names = [play_name(play) for play in plays]
    facts = read_facts(
        playbook=playbook,
        sources=arguments.get("inventory") or (),
        subset=arguments.get("subset"),
        tags=arguments.get("tags") or (),
        skip_tags=arguments.get("skip_tags") or (),
        extra_vars=extra_vars,
        environ=os.environ,
        config_file=C.CONFIG_FILE,
        machine=machine,
        project=project,
        key_vars=key_vars,
        inventory_name=inventory_name,
        hosts=hosts,
        plays=names,
        is_ci=bool(origin.system),
    )
    return RunContext(
        playbook=facts.playbook,
        identity=identify(facts),
        subject=_subject(facts, playbook, names, origin, machine.directory),
        facts=facts,
        directory=str(machine.directory),
        extra_vars=extra_vars,
        is_relaunched=awx_variable(extra_vars, "job_launch_type") == "relaunch",
        is_awx_nameless=is_awx_nameless(os.environ),
        slice_of=_sliced_job(extra_vars),
        is_check=bool(arguments.get("check")),
        is_partial=bool(arguments.get("start_at_task") or arguments.get("step")),
    )


def _sliced_job(extra_vars: Mapping[str, Any]) -> str:
    """Return the job of which this one is a slice: AWX runs slices as a workflow with the job template's name."""
    name = awx_variable(extra_vars, "job_template_name")
    is_slice = bool(name) and awx_variable(extra_vars, "workflow_job_name") == name
    return (awx_variable(extra_vars, "workflow_job_id") or name) if is_slice else ""


def play_name(play: Any) -> str:
    """Return a play's name, and the pattern of its hosts as it is written."""
    written = play.get_ds().get("hosts")
    hosts = ",".join(map(str, written)) if isinstance(written, list) else str(written)
    name = str(play.get_ds().get("name") or "")
    return f"{name} on {hosts}" if name else hosts


def play_file(play: Any) -> str:
    """Return the path of the file that a play is written in; empty if it has none."""
    return str(play.get_path() or "").rpartition(":")[0]


def _subject(facts: IdentityFacts, playbook: str, plays: Iterable[str], origin: Origin, directory: Path) -> Subject:
    project = read_project(playbook, C.CONFIG_FILE, directory, plays)
    if not origin.revision:
        origin = replace(origin, revision=project.revision)
    # AWX users know the job template by its name. The name of a CI job or pipeline says less than the playbook.
    is_template = facts.job_template is not None and origin.job_name
    return Subject(name=origin.job_name if is_template else facts.playbook, origin=origin, root=str(project.root or ""))
