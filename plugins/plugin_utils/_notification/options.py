# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user decides about pages, as plain data.

Must not import what makes a page: no run needs that which has nothing to send.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PageOptions:
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
