# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how many requests are under way at the same time.

Must not use the network: a double answers. What a real server answers is tested with the callback, the role and watch.
"""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

from ansible_collections.callgoose.sqibs.plugins.module_utils import _client
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import Wish
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import Poster


class Answers:
    """A client's double that answers once some requests wait together, and counts how many do.

    :param together: how many wait for each other.
    """

    def __init__(self, together: int) -> None:
        self.waiting = self.most = 0
        self._lock = threading.Lock()
        self._all = threading.Barrier(together, timeout=60)

    def send(self, *_words):
        with self._lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        self._all.wait()
        with self._lock:
            self.waiting -= 1
        return SimpleNamespace(status=200, body={}, uncertain=False)


def post(monkeypatch, count, together=1):
    answers = Answers(together)
    monkeypatch.setattr(_client, "Client", lambda *_words: answers)
    poster = Poster(Connection("http://127.0.0.1:1/v1/process", "t0ken"), time.monotonic() + 60)
    wishes = [Wish("resolved", frozenset(), f"key-{number}", "here") for number in range(count)]
    return answers, poster.post(wishes, is_own=True)


def test_eight_requests_at_most_are_under_way(monkeypatch):
    answers, replies = post(monkeypatch, count=24, together=8)
    assert (answers.most, len(replies)) == (8, 24)


def test_one_request_starts_no_thread(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: 1 / 0)
    assert len(post(monkeypatch, count=1)[1]) == 1


def test_if_no_thread_can_be_started_the_requests_are_sent_one_after_the_other(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    answers, replies = post(monkeypatch, count=3)
    assert (answers.most, len(replies)) == (1, 3)
