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
from ansible_collections.callgoose.sqibs.tests.sandbox.page import SHOWN

HOSTILE = "<script>alert(1)</script>\"'&"


def send(sandbox: Sandbox, **payload: object) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    requests.post(f"{sandbox.base_url}/v1/process", json=payload, headers=headers, timeout=10)


def press(sandbox: Sandbox, action: str, **headers: str) -> requests.Response:
    url = f"{sandbox.page_url}page/actions"
    return requests.post(url, data={"action": action}, headers=headers, allow_redirects=False, timeout=10)


def shown(sandbox: Sandbox) -> str:
    """Return the text of the page."""
    page = requests.get(sandbox.page_url, timeout=10).text
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
    assert sandbox.requests == []


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
    first = re.findall(r'<strong class="title">([^<]*)', page)
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
