# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends wishes from a process of its own, which lives on if ansible-playbook is killed.

Must not use threads: Ansible forks. Must not pass the token on a command line or in the environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import Reply

_PROGRAM = Path(__file__).with_name("_courier_process.py")


class Courier:
    """A process that is started before its work is known, so that its imports take no time then."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A signal to the process group of ansible-playbook must not reach it.
            start_new_session=True,
        )

    def send(
        self,
        wishes: Mapping[str, Wish],
        connection: Connection,
        policy: Policy,
        base: str,
        state_url: str,
        seconds: float,
    ) -> None:
        """Give it its work. It sends the wishes, and records the answers in the store.

        :param wishes: by incident key.
        :param state_url: of the store; empty if there is none.
        :param seconds: how long sending may take.
        :raises OSError: the process could not be started.
        """
        work = {
            "wishes": {key: {**vars(wish), "hosts": sorted(wish.hosts)} for key, wish in wishes.items()},
            "connection": {**asdict(connection)},
            "policy": asdict(policy),
            "base": base,
            "state_url": state_url,
            "seconds": seconds,
        }
        with self._process.stdin as pipe:  # type: ignore[union-attr]  # it was asked for
            pipe.write(json.dumps(work).encode())
        self._process.stdin = None

    def replies(self, seconds: float) -> dict[str, Reply] | None:
        """Return the replies by incident key, or None if there are none yet.

        :param seconds: how long to wait for them. The process goes on after that.
        """
        try:
            output, _errors = self._process.communicate(timeout=max(seconds, 0.0))
            answers = json.loads(output)
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return None
        return {key: Reply(**reply) for key, reply in answers.items()}


def read_wishes(work: Mapping[str, Any]) -> dict[str, Wish]:
    """Return the wishes of a work order, by incident key."""
    return {key: Wish(**{**wish, "hosts": frozenset(wish["hosts"])}) for key, wish in work["wishes"].items()}


def to_json(replies: Mapping[str, Reply]) -> str:
    """Return replies as a courier process prints them."""
    return json.dumps({key: vars(reply) for key, reply in replies.items()})
