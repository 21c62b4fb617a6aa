# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the sandbox's page without a browser: what it shows, that it escapes everything, and what its buttons do."""

from __future__ import annotations

import html
import re

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox
from ansible_collections.callgoose.sqibs.tests.sandbox.page import CHARACTERS, DEPTH, HISTORY, SHOWN, _pretty
from ansible_collections.callgoose.sqibs.tests.sandbox.payload import Payload

HOSTILE = "<script>alert(1)</script>\"'&"


def send(sandbox: Sandbox, **payload: object) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    requests.post(f"{sandbox.base_url}/v1/process", json=payload, headers=headers, timeout=10)


def press(sandbox: Sandbox, action: str, **headers: str) -> requests.Response:
    url = f"{sandbox.page_url}page/actions"
    return requests.post(url, data={"action": action}, headers=headers, allow_redirects=False, timeout=10)


def shown(sandbox: Sandbox) -> str:
    """Return the text of the page."""
    page = re.sub(r"</?bdi[^>]*>", "", requests.get(sandbox.page_url, timeout=10).text)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_the_page_shows_incidents_requests_filters_and_settings(sandbox) -> None:
    assert "No incident yet" in shown(sandbox) and "No request yet" in shown(sandbox)
    send(sandbox, state="triggered", incident_key="disk", title="Disk full", content="It is full.", severity="critical")
    send(sandbox, state="unknown")
    page = shown(sandbox)
    assert re.search(r"open Disk full Ansible · urgency high · severity critical · since 0:00:0\d", page)
    assert "Description It is full. History 0:00:0" in page
    assert "201 triggered: Disk full Opened incident-1 in service Ansible." in page
    assert "202 unknown No filter of service Ansible matched" in page
    assert "Trigger state triggered incident_key Resolve state resolved incident_key" in page
    assert "Within 5 min" in page
    assert "1 open · Callgoose SQIBS sandbox" in page
    send(sandbox, state="resolved", incident_key="disk")
    assert re.search(r"resolved Disk full .* resolved 0:00:0\d", shown(sandbox))


def test_what_the_page_shows_is_no_request_of_the_emulated_api(sandbox) -> None:
    shown(sandbox)
    press(sandbox, "503")
    # A browser asks for it by itself, also beside the JSON of the control interface.
    assert requests.get(f"{sandbox.page_url}favicon.ico", timeout=10).status_code == 204
    assert sandbox.requests == []
    assert "status 503, 1 time" in shown(sandbox)


@pytest.mark.parametrize("name", ["title", "content", "severity", "source", "state", "incident_key"])
def test_everything_from_a_request_is_escaped(sandbox, name: str) -> None:
    send(sandbox, **{"state": "triggered", "title": "t", "content": "c", **{name: f"triggered{HOSTILE}"}})
    answer = requests.get(sandbox.page_url, timeout=10)
    assert "<script>alert" not in answer.text and "&lt;script&gt;alert" in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_policy_lets_the_page_load_its_own_icon(sandbox) -> None:
    answer = requests.get(sandbox.page_url, timeout=10)
    assert '<link rel="icon" href="data:,">' in answer.text
    assert "; img-src data:;" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("body", ["", "no JSON", "[1]", "[" * 100_000, '{"title": "lone \\ud800 x"}'])
def test_any_body_can_be_shown(sandbox, body: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"}
    requests.post(f"{sandbox.base_url}/v1/process", data=body, headers=headers, timeout=10)
    assert "202 POST /sqibs-api/v1/process" in shown(sandbox)


def test_open_incidents_come_first_and_what_is_not_shown_is_counted(sandbox) -> None:
    for number in range(3):
        send(sandbox, state="triggered", incident_key=str(number), title=f"Old {number}")
    for number in range(SHOWN):
        send(sandbox, state="triggered", incident_key=f"new {number}", title=f"New {number}.")
        send(sandbox, state="resolved", incident_key=f"new {number}")
    page = requests.get(sandbox.page_url, timeout=10).text
    first = re.findall(r'<strong class="title"><bdi>([^<]*)', page)
    assert (len(first), first[:4]) == (SHOWN, ["Old 2", "Old 1", "Old 0", "New 99."])
    assert "3 open · the newest 100 of 103, open ones first" in page
    assert "Requests the newest 100 of 203" in shown(sandbox)


def test_a_button_queues_a_fault_moves_the_clock_or_forgets_everything(sandbox) -> None:
    own = {"Origin": sandbox.page_url.rstrip("/")}
    answer = press(sandbox, "503", **own)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/#try")
    assert "status 503, 1 time" in shown(sandbox)
    send(sandbox, state="triggered", title="t")
    assert "503 triggered: t Not processed. A fault was injected: status." in shown(sandbox)
    press(sandbox, "4h", **own)
    assert "Clock 4:00:0" in shown(sandbox)
    press(sandbox, "forget", **own)
    assert "No request yet" in shown(sandbox)
    press(sandbox, "401", **own)
    press(sandbox, "clear", **own)
    assert "next requests: none." in shown(sandbox)
    assert press(sandbox, "nothing", **own).status_code == 400


def test_the_page_is_only_read(sandbox) -> None:
    assert requests.post(sandbox.page_url, timeout=10).status_code == 405
    assert requests.get(f"{sandbox.page_url}page/actions", timeout=10).status_code == 405
    assert requests.get(f"{sandbox.page_url}page.js", timeout=10).headers["Content-Type"].startswith("text/javascript")


def test_a_long_history_shows_its_beginning_and_its_end(sandbox) -> None:
    for _number in range(HISTORY + 5):
        send(sandbox, state="triggered", incident_key="disk", title="Disk full", content="c")
    history = shown(sandbox).partition(" History ")[2].partition(" The rest of the payload ")[0]
    assert history.count("Disk full") == HISTORY
    assert re.match(r"0:00:\d\d 201 .* 5 requests are not shown\. 0:00:\d\d 208 ", history)


def test_a_huge_text_makes_no_huge_page(sandbox) -> None:
    huge = {name: name * 10**6 for name in ("title", "content", "severity", "more")}
    send(sandbox, state="triggered", **huge)
    page = shown(sandbox)
    assert "… (5000000 characters)" in page
    assert len(page) < 10 * CHARACTERS


def test_deep_json_is_shown_in_one_line(sandbox) -> None:
    deep: object = "x"
    for _level in range(DEPTH + 1):
        deep = [deep]
    send(sandbox, state="triggered", title="Deep", deep=deep)
    assert "[[[[[[" in shown(sandbox)


def test_json_that_is_too_deep_to_be_written_again_breaks_nothing() -> None:
    deep: object = "x"
    for _level in range(10**5):
        deep = [deep]
    assert Payload("", {"state": deep}).text_of("state") is None
    assert _pretty({"deep": deep}) == "(nested too deeply to be shown)"


@pytest.mark.parametrize("title", ["", "\u200b\u200d", " "])
def test_an_incident_without_a_title_has_one_to_press_on(sandbox, title: str) -> None:
    send(sandbox, state="triggered", incident_key="disk", title=title)
    assert "open (no title) Ansible" in shown(sandbox)


def test_a_text_cannot_turn_the_words_of_the_page(sandbox) -> None:
    send(sandbox, state="trig\u202egered")
    page = requests.get(sandbox.page_url, timeout=10).text
    assert "is &#39;trig\\u202egered&#39; and must contain" in page
    assert "<bdi>trig\u202egered</bdi>" in page
