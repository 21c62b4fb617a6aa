# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from the running ansible-playbook what a run is called and which incidents it belongs to.

Must not be imported where no command line was parsed, nor decide anything: identity.py and page.py do.
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
    """What a page is about.

    :param name: the job template's name, else the playbook's path in the project, or a guard's name.
    :param root: the project's folder, to which paths are shown relative; empty where there is none.
    """

    name: str
    origin: Origin
    root: str = ""


@dataclass(frozen=True)
class RunContext:
    """One run, or one guard in it.

    :param playbook: its path in the project, or its full name in a collection.
    :param is_partial: not all of its tasks were to run: ``--start-at-task`` or ``--step``.
    """

    playbook: str
    identity: Identity
    subject: Subject
    is_partial: bool


def read_run_context(playbook: str, extra_vars: Mapping[str, Any], project: str, key_vars: Iterable[str]) -> RunContext:
    """Return the case of a playbook that this process runs.

    :param playbook: its path, or its full name in a collection.
    :param project: the option of this name. ``key_vars`` likewise: names of extra vars.
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
        subject=_subject(facts, playbook, extra_vars, machine.folder),
        is_partial=bool(arguments.get("start_at_task") or arguments.get("step")),
    )


def _subject(facts: IdentityFacts, playbook: str, extra_vars: Mapping[str, Any], folder: Any) -> Subject:
    origin = read_origin(os.environ, extra_vars)
    root = read_project(playbook, C.CONFIG_FILE, folder).root
    # A job template's name is what its users know; a CI job's or pipeline's says less than the playbook does.
    is_template = facts.job_template is not None and origin.job_name
    return Subject(name=origin.job_name if is_template else facts.playbook, origin=origin, root=str(root or ""))
