# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What never gets into a page, nor into what the ledger keeps for one: secrets, unwanted output, control characters.

Must not test how a secret is known: test_redact.py does.
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


def test_no_output_leaves_when_it_is_not_wanted_even_if_the_ledger_has_some() -> None:
    told = replace(MIGRATE, stdout="out", stderr="err")
    quiet = PageOptions(include_output=False)
    data = snapshot(Run("site.yml", {"web1": (told,)}), SECRETIVE, quiet, ROOT)
    assert not {"stdout", "stderr"} & data["web1"]["failures"][0].keys()
    kept_before = snapshot(Run("site.yml", {"web1": (told,)}), SECRETIVE, PageOptions(), ROOT)
    event = payload_for(send(kept_before), SITE, quiet, 12)
    assert "stderr" not in text_of(event) and "stdout" not in text_of(event)


def test_what_no_log_has_censored_stays_as_ansible_says_it() -> None:
    censored = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
    assert f"Message: {censored}\n" in page({"web1": replace(MIGRATE, message=censored)}).content


@pytest.mark.parametrize("name", ["task", "path", "message", "stdout", "stderr"])
def test_a_known_secret_is_masked_wherever_it_stands(name: str) -> None:
    told = replace(MIGRATE, **{name: f"a {TOKEN} b"})
    text = text_of(page({"web1": told}))
    assert TOKEN not in text and f"a {MASK} b" in text
    # nor does the ledger, a file, keep it
    kept = snapshot(Run("site.yml", {"web1": (told,), "web2": (told,)}), SECRETIVE, PageOptions(max_hosts=1), ROOT)
    assert TOKEN not in json.dumps(kept)


def test_a_known_secret_is_masked_in_names_and_in_where_the_run_came_from() -> None:
    subject = Subject(f"{TOKEN}.yml", replace(AWX, url=f"https://example.com/?x={TOKEN}", user=TOKEN), ROOT)
    event = page({f"{TOKEN}-host": MIGRATE}, subject=subject, aborted=f"{TOKEN}-host")
    assert TOKEN not in text_of(event)
    assert TOKEN not in text_of(payload_for(send({}, "resolved"), subject, PageOptions(), 1, SECRETIVE))


def test_a_pattern_that_was_added_later_masks_what_the_ledger_has_kept() -> None:
    data = snapshot(Run("site.yml", {"web1": (replace(MIGRATE, message="EMP-1234"),)}), SECRETIVE, PageOptions(), "")
    event = payload_for(send(data), SITE, PageOptions(), 12, Redactor(extra_patterns=[r"EMP-\d+"]))
    assert "EMP-1234" not in text_of(event)


@pytest.mark.parametrize(
    "coloured", [f"\x1b[31m{TOKEN}\x1b[0m", TOKEN[:4] + "\x1b[1m" + TOKEN[4:], TOKEN[:4] + "\0" + TOKEN[4:]]
)
def test_a_secret_is_masked_also_where_colours_hide_it(coloured: str) -> None:
    text = text_of(page({"web1": replace(MIGRATE, message=coloured, stdout=coloured)}))
    assert TOKEN not in text and "\\u001b" not in text and f'"message":"{MASK}"' in text


@pytest.mark.parametrize(("message_limit", "output_limit"), [(MESSAGE_LIMIT, OUTPUT_LIMIT), (SHORT_LIMIT, SHORT_LIMIT)])
@pytest.mark.parametrize("max_hosts", [0, 1])
def test_a_secret_that_was_cut_in_two_when_it_was_recorded_leaves_no_half(
    message_limit: int, output_limit: int, max_hosts: int
) -> None:
    # passwords make way for masks, which are short: so even the end of a long message comes into view
    filler = f"password={'s3' * 150} " * 20
    message = filler[: message_limit - 9] + " " + TOKEN[:8]
    output = TOKEN[-8:] + " " + filler[: output_limit - 9]
    # the same where the report itself looks at the beginning only
    early = filler[:503] + " " + TOKEN
    assert (len(message), len(output)) == (message_limit, output_limit)
    told = (replace(MIGRATE, message=message, stdout=output), replace(MIGRATE, message=early))
    for failure in told:
        data = snapshot(Run("site.yml", {"web1": (failure,)}), SECRETIVE, PageOptions(max_hosts=max_hosts), "")
        texts = json.dumps(data)
        assert TOKEN[:8] not in texts and TOKEN[-8:] not in texts


def test_colours_and_control_characters_are_taken_out_and_lines_stay_lines() -> None:
    stdout = "\x1b]0;title\x07\x1b[1;31mred\x1b[0m\tand\r\nprogress 10%\rprogress 90%\x08\x00\u202e end"
    told = page({"web1": replace(MIGRATE, stdout=stdout, task="two\nlines")}).details["failures"][0]
    assert told["stdout"] == "red\tand\nprogress 10%\nprogress 90% end"
    assert told["task"] == "two lines"


def test_what_is_no_valid_text_is_sent_as_question_marks() -> None:
    broken = replace(MIGRATE, task="a\udcffb", message="\ud800", stdout="\udcff")
    event = page(
        {"web\udcff1": broken}, subject=replace(SITE, name="s\udcff.yml"), options=PageOptions(tags=("\udcff",))
    )
    assert event.title == "s?.yml failed on 1 of 12 hosts (web?1): a?b"
    assert canonical_json(event.body())
