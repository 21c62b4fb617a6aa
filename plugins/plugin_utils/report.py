# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page is about, and what the user decides about it, as plain data.

Must not say anything: page.py does, which no run needs that has nothing to send.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.callgoose.sqibs.plugins.plugin_utils.origin import Origin


@dataclass(frozen=True)
class ReportOptions:
    """What the user decides about pages.

    :param severity: ``critical``, ``error``, ``warning`` or ``info``.
    :param source: for the event; empty sends none.
    :param max_hosts: how many hosts are kept in full, and named with one failure; the others are counted.
    :param include_output: whether the end of stdout and stderr is sent.
    :param stable_payload: leave out what differs from run to run: its link, number, user and revision.
    """

    severity: str = "critical"
    tags: tuple[str, ...] = ()
    source: str = ""
    max_hosts: int = 20
    include_output: bool = True
    stable_payload: bool = False


@dataclass(frozen=True)
class Subject:
    """What a page is about.

    :param name: the job template's name, else the playbook's path in the project, or a guard's name.
    :param root: the project's folder, to which paths are shown relative; empty where there is none.
    """

    name: str
    origin: Origin
    root: str = ""
