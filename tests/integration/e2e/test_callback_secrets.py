# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must stay secret reaches neither page nor ledger nor terminal: the token, what no_log hides, and passwords.

Must not use secrets that occur in a text of their own: they are looked for everywhere.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox, Token

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
# Each ends a run of one host with a secret in it that no_log hides, in every place where a result can hold one.
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
# What failing tasks print, and what of it names the failure and may stay.
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


def kept(site: Site) -> str:
    """Return everything that the callback left in the home, as text."""
    files = [path for path in site.ledger.parent.rglob("*") if path.is_file()]
    assert site.ledger in files
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def bodies(site: Site) -> str:
    """Return what was sent, as text."""
    assert site.sandbox.requests
    return "\n".join(request["body"] for request in site.sandbox.requests)


def printed(*results: Result) -> str:
    return "\n".join(result.stdout + result.stderr for result in results)


def assert_nowhere(secret: str, *texts: str) -> None:
    """None of the texts holds the secret."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    for text in texts:
        shown = [line[:500] for line in text.splitlines() if secret in line or encoded in line]
        assert not shown, shown


@pytest.mark.parametrize("method", ["bearer", "url_parameter"])
def test_the_token_is_neither_printed_nor_kept_nor_part_of_a_page(site, method) -> None:
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
        refused.append(site.run("-vvvv", env={"CALLGOOSE_PROJECT": name}))
    assert site.incidents == ["resolved"]
    assert {request["token"] for request in site.sandbox.requests} == {TOKEN}, "yet it was sent"
    for result in refused:
        assert "could not be triggered" in " ".join(result.stderr.split())
    for secret in (TOKEN, ENCODED):
        # what a task prints of its own accord is its own affair
        assert_nowhere(secret, printed(good, *refused), failed.stderr, kept(site), bodies(site))


@pytest.mark.parametrize("name", NO_LOG)
def test_what_no_log_hides_is_neither_sent_nor_kept(site, name) -> None:
    site.playbook = HEAD + f"    {NO_LOG[name].replace('SECRET', HIDDEN)}\n"
    failed = site.run()
    assert failed.rc in (2, 4), printed(failed)
    assert site.incidents == ["open"]
    assert_nowhere(HIDDEN, bodies(site), kept(site))


def test_a_password_in_what_a_task_prints_is_neither_sent_nor_kept_and_the_rest_is(site) -> None:
    site.playbook = HEAD + PRINTED
    site.run()
    for secret in (PASSWORD, TOKEN, ENCODED):
        assert_nowhere(secret, bodies(site), kept(site))
    for rest in ("https://deploy:[redacted]@git.example.com/shop.git", f"project {CODENAME} is gone"):
        assert rest in bodies(site)


def test_what_the_users_patterns_match_is_neither_sent_nor_kept(site) -> None:
    site.env["CALLGOOSE_REDACT"] = "blue[a-z]+\nshop\\.git"
    site.playbook = HEAD + PRINTED
    site.run()
    for secret in (CODENAME, "shop.git"):
        assert_nowhere(secret, bodies(site), kept(site))
    assert "project [redacted] is gone" in bodies(site)


def test_a_pattern_that_was_added_later_holds_for_what_the_ledger_has_kept(site) -> None:
    site.env["CALLGOOSE_REPEAT_INTERVAL"] = "0"
    site.playbook = HEAD + PRINTED
    site.run()
    assert CODENAME in bodies(site)
    site.sandbox.reset()
    site.sandbox.set(tokens=(Token(TOKEN),))
    site.run(env={"CALLGOOSE_REDACT": "blue[a-z]+"})
    assert_nowhere(CODENAME, bodies(site), kept(site))


def test_on_request_no_output_is_sent_nor_kept(site) -> None:
    site.env["CALLGOOSE_INCLUDE_OUTPUT"] = "false"
    site.playbook = HEAD + PRINTED
    site.run()
    for part in ("git.example.com", CODENAME):
        assert_nowhere(part, bodies(site), kept(site))
    assert "non-zero return code" in bodies(site)


def test_the_ledger_is_for_its_owner_only(site) -> None:
    site.playbook = HEAD + PRINTED
    site.run()
    modes = {path: path.stat().st_mode & 0o777 for path in (site.ledger, Path(site.ledger.parent))}
    assert list(modes.values()) == [0o600, 0o700]
