# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the wishes of incidents to the API: what callback, guard, watch and queued tasks have in common.

Must not decide what is sent. The HTTP library is imported only when something is sent.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ansible_collections.callgoose.sqibs.plugins.module_utils import _outcome as outcomes
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, DeliveryError
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import digest
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import Reply

if TYPE_CHECKING:
    from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client

_UNAUTHORIZED = 401
# The API would answer the same request with the same status again.
_FINAL = (400, _UNAUTHORIZED, 413, 422)
# How many requests are under way at the same time.
_PARALLEL = 8


def destination_of(connection: Connection) -> str:
    """Return digests of where a connection leads and of its token, with a dot in between.

    They cannot be reversed, so a store may keep them.
    """
    return f"{digest('endpoint', connection.endpoint)}.{digest('token', connection.endpoint, connection.token)}"


class Poster:
    """Sends wishes over one connection until a deadline.

    :param deadline: a time of ``time.monotonic()``, in seconds.
    """

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._clients: dict[int, Client] = {}

    def post(self, wishes: Sequence[Wish], is_own: bool) -> list[Reply]:
        """Send wishes, several at the same time, and return a reply for each.

        :param is_own: whether the run made them. What others left is tried once: they would wait for a dead API too.
        """
        if len(wishes) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with contextlib.suppress(RuntimeError), ThreadPoolExecutor(min(len(wishes), _PARALLEL)) as pool:
                # Python 3.12 and later start no thread while the process ends.
                return list(pool.map(lambda wish: self._post(wish, is_own), wishes))
        return [self._post(wish, is_own) for wish in wishes]

    def _post(self, wish: Wish, is_own: bool) -> Reply:
        body = wish.body.encode() if isinstance(wish.body, str) else canonical_json(wish.body)
        try:
            client = self._client(self._connection.retries if is_own else 0)
            answer = client.send(body, wish.content_type, self._deadline)
        except DeliveryError as error:
            result = None if error.uncertain else outcomes.FAILED
            return Reply(result, str(error), in_time=self._has_time())
        except CallgooseError as error:
            return Reply(outcomes.FAILED, str(error))
        # Unlike a task, the ledger cannot assume that a duplicate means its own first attempt: it could mean an older
        # trigger.
        outcome = outcomes.interpret(wish.state, answer.status, answer.body)
        is_unknown = outcome.name == outcomes.FAILED and (outcome.changed or answer.uncertain)
        result = None if is_unknown else outcome.name
        is_final, is_unauthorized = answer.status in _FINAL, answer.status == _UNAUTHORIZED
        return Reply(result, outcome.message, answer.uncertain, is_final, is_unauthorized, self._has_time())

    def _has_time(self) -> bool:
        return time.monotonic() < self._deadline

    def _client(self, retries: int) -> Client:
        from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Client

        if retries not in self._clients:
            self._clients[retries] = Client(replace(self._connection, retries=retries))
        return self._clients[retries]
