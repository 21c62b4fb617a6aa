# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that secrets (the token, no_log results, passwords) reach neither page nor ledger nor terminal.

Must not use a secret that also occurs elsewhere: the tests search for it everywhere.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox, Token

pytestmark = pytest.mark.matrix

TOKEN = "cg-4711-Very+Secret/Token="
ENCODED = "cg-4711-Very%2BSecret%2FToken%3D"
HIDDEN = "hunter2isHidden"
PASSWORD = "Tr0ub4dor"
CODENAME = "bluebird"

HEAD = """
- hosts: all
  gather_facts: false
  tasks:
"""
# Each run fails on one host with a secret that no_log hides, in each place where a result can contain one.
NO_LOG = {
    "msg": "- {name: t, fail: {msg: SECRET}, no_log: true}",
    "a command": "- {name: t, shell: 'echo SECRET; echo SECRET >&2; exit 1', no_log: true}",
    "arguments": "- {name: t, command: cat, args: {chdir: /nonexistent/SECRET, stdin: SECRET}, no_log: true}",
    "an exception": "- {name: t, debug: {msg: \"{{ 'SECRET' + 1 }}\"}, no_log: true}",
    "an unknown option": "- {name: t, command: {cmd: 'true', SECRET: SECRET}, no_log: true}",
    "a loop": "- {name: t, fail: {msg: '{{ item }}'}, loop: [SECRET, SECRET-2], no_log: true}",
    "a loop with labels": (
        "- {name: t, fail: {msg: '{{ item }}'}, loop: [SECRET], loop_control: {label: '{{ item }}'}, no_log: true}"
    ),
    "a loop, some items": (
        "- {name: t, fail: {msg: '{{ item }}'}, loop: [fine, SECRET], no_log: '{{ item != \"fine\" }}'}"
    ),
    "a variable": "- {name: t, fail: {msg: '{{ secret }}'}, vars: {secret: SECRET}, no_log: true}",
    "a variable that is shown": "- {name: t, debug: {var: s}, vars: {s: SECRET}, failed_when: true, no_log: true}",
    "failed_when": "- {name: t, shell: 'echo SECRET', failed_when: true, no_log: true}",
    "until": (
        "- {name: t, shell: 'echo SECRET', register: r, until: r.stdout == 'no', retries: 1, delay: 0, no_log: true}"
    ),
    "a block": "- {block: [{name: t, fail: {msg: SECRET}}], no_log: true}",
    "a rescue that fails": (
        "- {no_log: true, block: [{name: t, fail: {msg: SECRET}}],"
        " rescue: [{name: u, fail: {msg: '{{ ansible_failed_result.msg }}'}}]}"
    ),
    "an assertion": "- {name: t, assert: {that: \"'SECRET' == ''\", fail_msg: SECRET}, no_log: true}",
    "a module's own": "- {name: t, uri: {url: 'http://127.0.0.1:1/', url_password: SECRET, url_username: u}}",
    "unreachable": "- {name: t, raw: echo SECRET, no_log: true, vars: {ansible_connection: ssh, ansible_port: 1}}",
}
# Output of failing tasks: the secrets in it, and words that describe the failure and may stay.
PRINTED = f"""
    - name: Fetch
      shell: |
        echo "fatal: unable to access https://deploy:{PASSWORD}@git.example.com/shop.git" >&2
        echo "DB_PASSWORD={PASSWORD}"; echo "mysql -p{PASSWORD} shop"; echo '{{"password": "{PASSWORD}"}}'
        echo "Authorization: Bearer {TOKEN}" >&2; echo "token={ENCODED}"
        echo "project {CODENAME} is gone"; exit 3
"""


@pytest.fixture()
def site(tmp_path, sandbox: Sandbox) -> Site:
    sandbox.set(tokens=(Token(TOKEN),))
    return Site(tmp_path, sandbox, hosts=("web1",), env={"CALLGOOSE_API_TOKEN": TOKEN})


def stored_by(site: Site) -> str:
    """Return everything that the callback stored in the home directory, as a string."""
    files = [path for path in site.ledger.parent.rglob("*") if path.is_file()]
    assert site.ledger in files
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def bodies(site: Site) -> str:
    """Return everything that was sent, as a string."""
    assert site.sandbox.requests
    return "\n".join(request["body"] for request in site.sandbox.requests)


def printed(*results: Result) -> str:
    return "\n".join(result.stdout + result.stderr for result in results)


def assert_nowhere(secret: str, *texts: str) -> None:
    """Check that none of the texts contains the secret."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    for text in texts:
        shown = [line[:500] for line in text.splitlines() if secret in line or encoded in line]
        assert not shown, shown


@pytest.mark.parametrize("method", ["bearer", "url_parameter"])
def test_the_token_is_neither_printed_nor_stored_nor_part_of_a_page(site, method) -> None:
    site.env["CALLGOOSE_AUTH_METHOD"] = method
    site.playbook = HEAD + PRINTED.replace(TOKEN, "{{ lookup('env', 'CALLGOOSE_API_TOKEN') }}").replace(ENCODED, "x")
    failed = site.run("-vvv")
    site.playbook = HEAD + "    - {debug: {msg: fine}}\n"
    good = site.run("-vvvv")
    site.sandbox.queue_fault("reset")
    site.sandbox.queue_fault("status", status=401, body=json.dumps({"message": f"no token {TOKEN}"}))
    site.sandbox.queue_fault("redirect", location=f"{site.sandbox.base_url}/v1/process?token={ENCODED}")
    refused = []
    for name in "abc":
        site.playbook = HEAD + f"    - {{name: {name}, fail: {{msg: bad}}}}\n"
        # Each has a store of its own: a run also sends what waits in its store.
        store = f"sqlite:///{site.ledger.parent}/{name}.sqlite3"
        refused.append(site.run("-vvvv", env={"CALLGOOSE_PROJECT": name, "CALLGOOSE_STATE_URL": store}))
    assert site.incidents == ["resolved"]
    assert {request["token"] for request in site.sandbox.requests} == {TOKEN}, "yet it was sent"
    for result in refused:
        assert "could not be triggered" in " ".join(result.stderr.split())
    for secret in (TOKEN, ENCODED):
        # what a task itself prints is outside the callback's control
        assert_nowhere(secret, printed(good, *refused), failed.stderr, stored_by(site), bodies(site))


@pytest.mark.parametrize("name", NO_LOG)
def test_results_hidden_by_no_log_are_neither_sent_nor_stored(site, name) -> None:
    site.playbook = HEAD + f"    {NO_LOG[name].replace('SECRET', HIDDEN)}\n"
    failed = site.run()
    assert failed.rc in (2, 4), printed(failed)
    assert site.incidents == ["open"]
    assert_nowhere(HIDDEN, bodies(site), stored_by(site))


def test_a_password_in_the_output_of_a_task_is_neither_sent_nor_stored_but_the_rest_is(site) -> None:
    site.playbook = HEAD + PRINTED
    site.run()
    for secret in (PASSWORD, TOKEN, ENCODED):
        assert_nowhere(secret, bodies(site), stored_by(site))
    for rest in ("https://deploy:[redacted]@git.example.com/shop.git", f"project {CODENAME} is gone"):
        assert rest in bodies(site)


def test_matches_of_the_users_patterns_are_neither_sent_nor_stored(site) -> None:
    site.env["CALLGOOSE_REDACT"] = "blue[a-z]+\nshop\\.git"
    site.playbook = HEAD + PRINTED
    site.run()
    for secret in (CODENAME, "shop.git"):
        assert_nowhere(secret, bodies(site), stored_by(site))
    assert "project [redacted] is gone" in bodies(site)


def test_a_pattern_that_hangs_costs_the_output_it_hangs_on_and_not_the_page(site) -> None:
    site.env["CALLGOOSE_REDACT"] = "(\\w+\\s?)+:\nblue[a-z]+"
    site.playbook = HEAD + f"    - {{name: t, fail: {{msg: 'project {CODENAME} {'word ' * 300}'}}}}\n"
    failed = site.run()
    assert failed.rc == 2, printed(failed)
    assert site.incidents == ["open"]
    assert "[redacted] (pattern timeout)" in bodies(site)
    assert_nowhere(CODENAME, bodies(site), stored_by(site))
    warning = " ".join(failed.stderr.split())
    assert warning.count("redact: the pattern") == 1 and "takes more than" in warning


def test_a_pattern_added_later_applies_to_data_that_the_ledger_already_has(site) -> None:
    site.env["CALLGOOSE_REPEAT_INTERVAL"] = "0"
    site.playbook = HEAD + PRINTED
    site.run()
    assert CODENAME in bodies(site)
    site.sandbox.reset()
    site.sandbox.set(tokens=(Token(TOKEN),))
    site.run(env={"CALLGOOSE_REDACT": "blue[a-z]+"})
    assert_nowhere(CODENAME, bodies(site), stored_by(site))


def test_without_include_output_no_output_is_sent_or_stored(site) -> None:
    site.env["CALLGOOSE_INCLUDE_OUTPUT"] = "false"
    # Otherwise the command would contain the output.
    site.playbook = HEAD + PRINTED.replace("shell: |", "shell: sh -s\n      args:\n        stdin: |").replace(
        "        echo", "          echo"
    )
    site.run()
    for part in ("git.example.com", CODENAME):
        assert_nowhere(part, bodies(site), stored_by(site))
    assert "exit status 3" in bodies(site)


def test_only_its_owner_can_read_the_ledger(site) -> None:
    site.playbook = HEAD + PRINTED
    site.run()
    modes = {path: path.stat().st_mode & 0o777 for path in (site.ledger, Path(site.ledger.parent))}
    assert list(modes.values()) == [0o600, 0o700]
