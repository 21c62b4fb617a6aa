# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that only programs of this machine and the sandbox's own page can read and change it, and no other web site."""

from __future__ import annotations

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox
from ansible_collections.callgoose.sqibs.tests.sandbox.callers import is_own

OWN = "127.0.0.1:8088"
FAULT = '{"kind": "status", "status": 503, "count": null}'
# A form or a script of another site can send these without asking first; a name may lead to this machine.
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://evil.example", "Host": "evil.example"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
]


def call(sandbox: Sandbox, path: str, body: str, **headers: str) -> int:
    """Post to the sandbox as another site can, and return the status of the answer."""
    headers = {"Content-Type": "text/plain", **headers}
    return requests.post(
        f"{sandbox.page_url}{path}", body, headers=headers, timeout=10, allow_redirects=False
    ).status_code


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_can_neither_change_the_sandbox_nor_press_a_button(sandbox, headers: dict[str, str]) -> None:
    assert call(sandbox, "sandbox/faults", FAULT, **headers) == 403
    assert call(sandbox, "sandbox/reset", "", **headers) == 403
    assert call(sandbox, "page/actions", "action=503", **headers) == 403
    assert requests.get(f"{sandbox.control_url}/faults", timeout=10).json() == []


def test_another_site_cannot_read_by_a_name_that_leads_to_this_machine(sandbox) -> None:
    for url in (f"{sandbox.control_url}/state", sandbox.page_url):
        assert requests.get(url, headers={"Host": "evil.example"}, timeout=10).status_code == 403


def test_the_page_and_programs_without_an_origin_can(sandbox) -> None:
    own = {"Origin": sandbox.page_url.rstrip("/")}
    for headers in ({}, own):
        assert call(sandbox, "sandbox/faults", FAULT, **headers) == 200
        assert call(sandbox, "page/actions", "action=clear", **headers) == 303


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"Host": OWN}, True),
        ({"Host": "localhost"}, True),
        ({"Host": "[::1]:8088"}, True),
        ({"Host": "localhost:8088", "Origin": "http://localhost:8088"}, True),
        ({"Host": "localhost:8088", "Origin": f"http://{OWN}"}, False),
        ({"Host": "[::1"}, False),
        ({"Host": OWN, "Origin": "http://[::1"}, False),
        ({"Host": ""}, False),
        ({}, False),
    ],
)
def test_own_is_what_names_this_machine_and_comes_from_no_other_site(headers: dict[str, str], own: bool) -> None:
    assert is_own(headers) is own
