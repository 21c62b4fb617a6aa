# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own patterns: what they mask, and that none of them can hang the run.

Must not measure how fast a pattern is, only that its time is bounded.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import user_patterns
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import MASK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.user_patterns import WITHHELD

HANGING = r"(\w+\s?)+:"
LONG = "one word after the other and no colon " * 200


@pytest.fixture(autouse=True)
def _long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time where nothing hangs."""
    monkeypatch.setattr(user_patterns, "_PER_TEXT", 60.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(user_patterns, "_PER_TEXT", 0.3)
    monkeypatch.setattr(user_patterns, "_IN_ALL", 0.6)
    return monkeypatch


def test_a_text_for_which_a_pattern_takes_too_long_is_left_out(impatient: pytest.MonkeyPatch) -> None:
    redactor = Redactor(extra_patterns=[r"EMP-\d+", HANGING])
    began = time.monotonic()
    assert redactor.text(f"password=hunter2 {LONG}") == WITHHELD
    assert time.monotonic() - began < 30
    assert HANGING in redactor.trouble and "EMP" not in redactor.trouble
    impatient.setattr(user_patterns, "_PER_TEXT", 60.0)
    assert redactor.text("EMP-12: ok") == f"{MASK}: ok"


def test_what_is_said_instead_of_a_text_stays_as_it_is() -> None:
    redactor = Redactor(extra_patterns=[HANGING, "pattern"])
    assert redactor.text(WITHHELD) == WITHHELD and redactor.trouble == ""


def test_texts_that_take_too_long_do_so_only_until_their_time_is_used_up_and_names_have_their_own(
    impatient: pytest.MonkeyPatch,
) -> None:
    redactor = Redactor(extra_patterns=[HANGING])
    assert [redactor.text(f"{number} {LONG}") for number in range(3)] == [WITHHELD] * 3
    began = time.monotonic()
    assert {redactor.text(f"{number} and more {LONG}") for number in range(1000)} == {WITHHELD}
    assert time.monotonic() - began < 30
    impatient.setattr(user_patterns, "_PER_TEXT", 60.0)
    assert redactor.name("web1.example.com") == "web1.example.com"


def test_without_a_process_nothing_is_sent_unredacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    redactor = Redactor(extra_patterns=["EMP"])
    assert redactor.text("EMP is secret") == WITHHELD
    assert "no process could be started" in redactor.trouble


def test_a_process_that_has_ended_is_started_again() -> None:
    redactor = Redactor(extra_patterns=[r"EMP-\d+"])
    assert redactor.text("a EMP-1") == f"a {MASK}"
    extra = redactor._extra
    assert extra is not None and extra._matcher is not None
    extra._matcher.end()
    assert redactor.text("b EMP-2") == f"b {MASK}" and redactor.trouble == ""


def test_a_forked_process_does_not_share_the_matcher_of_its_parent() -> None:
    redactor = Redactor(extra_patterns=[r"EMP-\d+"])
    assert redactor.text("parent EMP-1") == f"parent {MASK}"
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe()
    child = context.Process(target=lambda: sender.send(redactor.text("child EMP-2")))
    child.start()
    assert receiver.poll(30) and receiver.recv() == f"child {MASK}"
    child.join()
    assert redactor.text("parent EMP-3") == f"parent {MASK}"


def test_the_task_timeout_of_ansible_keeps_its_signal_and_its_timer(impatient: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_args: None)
    handler = signal.getsignal(signal.SIGALRM)
    try:
        signal.alarm(600)
        Redactor(extra_patterns=[HANGING]).text(LONG)
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 300 < signal.alarm(0) <= 600
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_without_patterns_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_patterns.subprocess, "Popen", None)
    assert Redactor().text("password=hunter2") == f"password={MASK}"


def test_a_pattern_replaces_each_match_and_leaves_masks_alone() -> None:
    redactor = Redactor(extra_patterns=[r"(?i)project \w+", r"redacted"])
    assert redactor.text("Project Apollo\nproject x") == f"{MASK}\n{MASK}"


def test_any_characters_reach_the_pattern_and_come_back() -> None:
    text = "ümlaut \ud800 \x00 \u2028 EMP-1 end"
    assert Redactor(extra_patterns=["EMP-1"]).text(text) == text.replace("EMP-1", MASK)


def test_the_process_ends_with_its_redactor() -> None:
    redactor = Redactor(extra_patterns=["EMP"])
    redactor.text("EMP")
    extra = redactor._extra
    assert extra is not None and extra._matcher is not None
    process = extra._matcher.end.peek()[2][0]  # type: ignore[index]
    del redactor, extra
    with pytest.raises(OSError):
        os.kill(process.pid, 0)


@pytest.mark.parametrize("pattern", [r"\b", r"(?=customer)", r"(?<=id=)"])
def test_a_match_without_characters_hides_nothing(pattern: str) -> None:
    assert Redactor(extra_patterns=[pattern]).text("id=customer-42 is gone") == "id=customer-42 is gone"
