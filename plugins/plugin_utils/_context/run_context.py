# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the name and the identity of a run from the running ansible-playbook process.

Must not decide anything (`_incident` and `_notification` do), and works only after Ansible has parsed the command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible import constants as C
from ansible import context

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin, read_origin
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
class Subject:
    """The subject of a page.

    :param name: the name of the job template or guard, else the playbook's path in the project.
    :param origin: where the run came from.
    :param root: the project's directory, to which shown paths are relative; empty if there is none.
    """

    name: str
    origin: Origin
    root: str = ""


@dataclass(frozen=True)
class RunContext:
    """One run, or one guard in it.

    :param playbook: its path in the project, or its full name in a collection.
    :param identity: which incidents the run can trigger or resolve.
    :param subject: what a page about it says.
    :param is_partial: whether ``--start-at-task`` or ``--step`` limits the run to some of its tasks.
    """

    playbook: str
    identity: Identity
    subject: Subject
    is_partial: bool


def read_run_context(playbook: str, extra_vars: Mapping[str, Any], project: str, key_vars: Iterable[str]) -> RunContext:
    """Return the context of a playbook that this process runs.

    :param playbook: its path, or its full name in a collection.
    :param extra_vars: the extra vars of the ansible-playbook call.
    :param project: the option ``project``.
    :param key_vars: the option ``key_vars``: names of extra vars.
    """
    arguments = context.CLIARGS
    machine = this_machine()
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
    )
    return RunContext(
        playbook=facts.playbook,
        identity=identify(facts),
        subject=_subject(facts, playbook, extra_vars, machine.directory),
        is_partial=bool(arguments.get("start_at_task") or arguments.get("step")),
    )


def _subject(facts: IdentityFacts, playbook: str, extra_vars: Mapping[str, Any], directory: Any) -> Subject:
    origin = read_origin(os.environ, extra_vars)
    root = read_project(playbook, C.CONFIG_FILE, directory).root
    # AWX users know the job template by its name. The name of a CI job or pipeline says less than the playbook.
    is_template = facts.job_template is not None and origin.job_name
    return Subject(name=origin.job_name if is_template else facts.playbook, origin=origin, root=str(root or ""))
