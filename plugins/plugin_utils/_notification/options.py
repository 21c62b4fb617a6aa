# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for pages, as plain data.

Must not import the code that builds a page: a run with nothing to send does not need it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PageOptions:
    """The options for pages.

    :param severity: ``critical``, ``error``, ``warning`` or ``info``.
    :param tags: sent with each trigger.
    :param source: sent with each event; empty sends none.
    :param max_hosts: how many hosts are stored in full, and named for each failure; the others are counted.
    :param include_output: whether the end of stdout and stderr is sent.
    :param environment: which of several environments this is; empty: what the inventory's name tells.
    :param runbook_url: the link to the instructions for a failure; sent with each trigger.
    :param stable_payload: leave out what differs from run to run: link, id, user and revision.
    """

    severity: str = "critical"
    tags: tuple[str, ...] = ()
    source: str = ""
    max_hosts: int = 20
    include_output: bool = True
    stable_payload: bool = False
    environment: str = ""
    runbook_url: str = ""
