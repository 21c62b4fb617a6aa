# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how pages shorten many or long failures, and that every page is bounded and reproducible.

Must not test the wording of a page: test_message.py does.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import Payload, canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Invocation, Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.content import CONTENT_LIMIT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.details import DETAILS_LIMIT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import snapshot
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.title import TITLE_LIMIT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    FAILED,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Run,
)
from ansible_collections.callgoose.sqibs.tests.unit.plugin_utils._notification.pages import (
    MIGRATE,
    ROOT,
    SECRETIVE,
    SITE,
    TOKEN,
    page,
    send,
    text_of,
)


def assert_bounded(event: Payload) -> None:
    assert 0 < len(event.title) <= TITLE_LIMIT and "\n" not in event.title
    assert len(event.content.encode()) <= CONTENT_LIMIT
    assert len(canonical_json(event.body().get("details", {}))) <= DETAILS_LIMIT


def test_hosts_beyond_max_hosts_are_counted_and_keep_a_brief_message() -> None:
    long_message = "The service could not be started. " * 20
    failures = {f"web{n:03}": replace(MIGRATE, message=long_message, stderr="trace") for n in range(100)}
    event = page(failures, 100, PageOptions(max_hosts=3))
    assert "Hosts: web000, web001, web002 and 97 more\n" in event.content
    assert event.details["hosts"] == ["web000", "web001", "web002"] and event.details["more_hosts"] == 97
    assert len(event.details["failures"]) == 1

    data = snapshot(
        Run("site.yml", {host: (failure,) for host, failure in failures.items()}),
        SECRETIVE,
        PageOptions(max_hosts=3),
        ROOT,
    )
    assert data["web002"]["failures"][0]["message"] == long_message.strip() and data["web002"]["failures"][0]["stderr"]
    assert len(data["web003"]["failures"][0]["message"]) <= 200 and "stderr" not in data["web003"]["failures"][0]


def test_a_host_with_a_brief_message_joins_the_group_with_the_same_full_message() -> None:
    run = Run("site.yml", {"host": (replace(MIGRATE, message="The service could not be started. " * 20),)})
    full = snapshot(run, SECRETIVE, PageOptions(), ROOT)["host"]
    brief = snapshot(run, SECRETIVE, PageOptions(max_hosts=0), ROOT)["host"]
    event = payload_for(send({"a": brief, "b": full, "c": brief}), SITE, PageOptions(), 12)
    (failure,) = event.details["failures"]
    assert failure["hosts"] == ["a", "b", "c"] and failure["message"] == full["failures"][0]["message"]


def test_the_only_failed_host_is_shown_in_full_even_if_many_hosts_were_not_reached() -> None:
    failures = {f"a{n:03}": Failure(NOT_REACHED) for n in range(100)}
    event = page({**failures, "web1": replace(MIGRATE, stderr="no slots")}, 101, PageOptions(max_hosts=1))
    assert "Host: web1\nCause: no slots\n" in event.content
    assert event.title == "Migrate the … database failed on web1: no slots [site.yml]"


def test_each_failing_task_shows_a_host_in_full_even_if_another_task_failed_on_many() -> None:
    failures = {f"a{n:03}": replace(MIGRATE, stderr="no slots") for n in range(100)}
    other = replace(MIGRATE, task="Restart", line=50, stderr="no unit")
    content = page({**failures, "web1": other}, 101).content
    assert "Task: Restart (roles/shop/tasks/main.yml:50)\nHost: web1\n" in content and "no unit" in content


def _word(number: int) -> str:
    """Return a word that no other number gives: errors that differ only in numbers are one problem."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def test_ten_thousand_failed_hosts_give_one_bounded_event_and_a_small_ledger() -> None:
    failures = {
        f"server-{n}.example.com": replace(MIGRATE, message=f"{_word(n)} is broken " * 300, stdout="x\n" * 1000)
        for n in range(10_000)
    }
    event = page(failures, 10_000)
    assert_bounded(event)
    assert event.details["failed_hosts"] == 10_000
    assert "Not shown: " in event.content and event.details["more_failures"] > 9_000
    data = snapshot(
        Run("site.yml", {host: (failure,) for host, failure in failures.items()}), SECRETIVE, PageOptions(), ROOT
    )
    assert len(json.dumps(data)) < 6_000_000


@pytest.mark.parametrize("differing", [False, True])
def test_the_event_of_a_thousand_failed_hosts_is_built_in_less_than_a_second(differing: bool) -> None:
    long_message = "the service could not be started, see its log " * 80
    failures = {
        f"web{n}": replace(
            MIGRATE, message=f"{n if differing else 0}: {long_message}", stdout=f"{n if differing else 0}\n" * 400
        )
        for n in range(1000)
    }
    seconds = []
    for _attempt in range(3):
        before = time.process_time()
        page(failures, 1000)
        seconds.append(time.process_time() - before)
    assert min(seconds) < 1


# Properties of any run

texts = st.text(max_size=30) | st.builds(
    lambda unit, times: unit * times,
    st.sampled_from(['"', "\\", "\n", "é", "word ", "password=", TOKEN, "\0", "💥"]),
    st.integers(1, 1500),
)
failures = st.builds(
    Failure,
    kind=st.sampled_from([FAILED, UNREACHABLE, DROPPED, NOT_REACHED]),
    task=texts,
    path=texts,
    line=st.integers(0, 10**6),
    message=texts,
    stdout=texts,
    stderr=texts,
)
hosts = st.dictionaries(
    texts.filter(lambda host: not host.startswith("*")),
    st.lists(failures, min_size=1, max_size=4).map(tuple),
    max_size=12,
)
subjects = st.builds(
    Subject,
    name=texts,
    origin=st.builds(Origin, texts, texts, texts, texts, texts),
    root=st.just(ROOT),
    invocation=st.builds(Invocation, texts, texts, texts, texts, texts, st.lists(texts, max_size=4).map(tuple)),
)
options = st.builds(
    PageOptions,
    max_hosts=st.integers(0, 30),
    include_output=st.booleans(),
    stable_payload=st.booleans(),
    environment=texts,
    runbook_url=texts,
)


@given(hosts, st.integers(0, 50), options, subjects, st.none() | texts)
def test_an_event_is_bounded_valid_and_free_of_known_secrets(
    failed: dict[str, Any], total: int, chosen: PageOptions, subject: Subject, aborted: str | None
) -> None:
    event = page(failed, total, chosen, subject, aborted)
    assert_bounded(event)
    assert TOKEN not in text_of(event)


@given(hosts, options, st.randoms())
def test_an_event_does_not_depend_on_the_order_in_which_hosts_failed(
    failed: dict[str, Any], chosen: PageOptions, dice: random.Random
) -> None:
    names = list(failed)
    dice.shuffle(names)
    assert text_of(page(failed, options=chosen)) == text_of(
        page({name: failed[name] for name in names}, options=chosen)
    )
