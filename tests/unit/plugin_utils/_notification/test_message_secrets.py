# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that secrets, unwanted output and control characters reach neither a page nor the ledger's data.

Must not test how a secret is recognized: _redaction/test_redactor.py does.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import snapshot
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import MASK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    MESSAGE_LIMIT,
    OUTPUT_LIMIT,
    SHORT_LIMIT,
    Run,
)
from ansible_collections.callgoose.sqibs.tests.unit.plugin_utils._notification.pages import (
    AWX,
    MIGRATE,
    ROOT,
    SECRETIVE,
    SITE,
    TOKEN,
    page,
    send,
    text_of,
)


def test_without_include_output_no_output_is_sent_even_if_the_ledger_has_some() -> None:
    failed = replace(MIGRATE, stdout="out", stderr="err")
    quiet = PageOptions(include_output=False)
    data = snapshot(Run("site.yml", {"web1": (failed,)}), SECRETIVE, quiet, ROOT)
    assert not {"stdout", "stderr"} & data["web1"]["failures"][0].keys()
    kept_before = snapshot(Run("site.yml", {"web1": (failed,)}), SECRETIVE, PageOptions(), ROOT)
    event = payload_for(send(kept_before), SITE, quiet, 12)
    assert "stderr" not in text_of(event) and "stdout" not in text_of(event)


def test_a_result_censored_by_no_log_keeps_the_message_of_ansible() -> None:
    censored = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
    assert f"Cause: {censored}\n" in page({"web1": replace(MIGRATE, message=censored)}).content


@pytest.mark.parametrize("name", ["task", "path", "message", "stdout", "stderr"])
def test_a_known_secret_is_masked_in_every_field(name: str) -> None:
    failed = replace(MIGRATE, **{name: f"a {TOKEN} b"})
    text = text_of(page({"web1": failed}))
    assert TOKEN not in text and f"a {MASK} b" in text
    # the ledger does not keep it either
    kept = snapshot(Run("site.yml", {"web1": (failed,), "web2": (failed,)}), SECRETIVE, PageOptions(max_hosts=1), ROOT)
    assert TOKEN not in json.dumps(kept)


def test_a_known_secret_is_masked_in_names_and_in_the_origin_of_the_run() -> None:
    subject = Subject(f"{TOKEN}.yml", replace(AWX, url=f"https://example.com/?x={TOKEN}", user=TOKEN), ROOT)
    event = page({f"{TOKEN}-host": MIGRATE}, subject=subject, aborted=f"{TOKEN}-host")
    assert TOKEN not in text_of(event)
    assert TOKEN not in text_of(payload_for(send({}, "resolved"), subject, PageOptions(), 1, SECRETIVE))


def test_a_pattern_added_later_masks_data_that_the_ledger_already_has() -> None:
    data = snapshot(Run("site.yml", {"web1": (replace(MIGRATE, message="EMP-1234"),)}), SECRETIVE, PageOptions(), "")
    event = payload_for(send(data), SITE, PageOptions(), 12, Redactor(extra_patterns=[r"EMP-\d+"]))
    assert "EMP-1234" not in text_of(event)


@pytest.mark.parametrize(
    "coloured", [f"\x1b[31m{TOKEN}\x1b[0m", TOKEN[:4] + "\x1b[1m" + TOKEN[4:], TOKEN[:4] + "\0" + TOKEN[4:]]
)
def test_a_secret_interrupted_by_colour_codes_is_masked(coloured: str) -> None:
    text = text_of(page({"web1": replace(MIGRATE, message=coloured, stdout=coloured)}))
    assert TOKEN not in text and "\\u001b" not in text and f'"message":"{MASK}"' in text


@pytest.mark.parametrize(("message_limit", "output_limit"), [(MESSAGE_LIMIT, OUTPUT_LIMIT), (SHORT_LIMIT, SHORT_LIMIT)])
@pytest.mark.parametrize("max_hosts", [0, 1])
def test_a_secret_that_was_cut_by_the_recorder_is_removed(
    message_limit: int, output_limit: int, max_hosts: int
) -> None:
    # masks are shorter than the passwords they replace, so even the end of a long message fits
    filler = f"password={'s3' * 150} " * 20
    message = filler[: message_limit - 9] + " " + TOKEN[:8]
    output = TOKEN[-8:] + " " + filler[: output_limit - 9]
    # the same if the snapshot itself reads only the beginning
    early = filler[:503] + " " + TOKEN
    assert (len(message), len(output)) == (message_limit, output_limit)
    failed = (replace(MIGRATE, message=message, stdout=output), replace(MIGRATE, message=early))
    for failure in failed:
        data = snapshot(Run("site.yml", {"web1": (failure,)}), SECRETIVE, PageOptions(max_hosts=max_hosts), "")
        texts = json.dumps(data)
        assert TOKEN[:8] not in texts and TOKEN[-8:] not in texts


def test_colours_and_control_characters_are_removed_and_lines_are_kept() -> None:
    stdout = "\x1b]0;title\x07\x1b[1;31mred\x1b[0m\tand\r\nprogress 10%\rprogress 90%\x08\x00\u202e end"
    failed = page({"web1": replace(MIGRATE, stdout=stdout, task="two\nlines")}).details["failures"][0]
    assert failed["stdout"] == "red\tand\nprogress 90% end"
    assert failed["task"] == "two lines"


def test_invalid_characters_are_sent_as_question_marks() -> None:
    broken = replace(MIGRATE, task="a\udcffb", message="\ud800", stdout="\udcff")
    event = page(
        {"web\udcff1": broken}, subject=replace(SITE, name="s\udcff.yml"), options=PageOptions(tags=("\udcff",))
    )
    assert event.title == "a?b failed on web?1: ? [s?.yml]"
    assert canonical_json(event.body())


def test_a_task_of_a_role_that_reads_like_a_secret_stays_whole_in_title_and_content() -> None:
    failed = replace(MIGRATE, task="rotate_password : Check the file", path=f"{ROOT}/roles/rotate_token/tasks/main.yml")
    event = page({"sk-europe-frankfurt-worker-prod-0001.example.com": failed})
    assert "rotate_password : Check the file" in event.title
    assert MASK not in text_of(event)


def test_the_value_of_a_name_that_the_recorder_cut_off_is_not_sent() -> None:
    secret = "correct-horse"
    for start in (f'ssword": "{secret}", "user": "app"', f"ssword: |\n  {secret}\nuser: app"):
        output = start + " " + "x " * OUTPUT_LIMIT
        failed = replace(MIGRATE, stdout=output[:OUTPUT_LIMIT])
        kept = snapshot(Run("site.yml", {"web1": (failed,)}), SECRETIVE, PageOptions(), ROOT)
        assert secret not in json.dumps(kept)
