# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the callback when something around a run goes wrong: one warning, and the run ends unchanged and in time.

Must not test what is sent if nothing goes wrong, nor how the client retries.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import time
from contextlib import closing

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.faults.world import SHIMS
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, end
from ansible_collections.callgoose.sqibs.tests.integration.e2e.site_run import Site
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = [pytest.mark.matrix, pytest.mark.any_core]

# Seconds by which two equal runs may differ on a busy machine.
MARGIN = 3.0
MAX_DELAY = 2.0
# Further playbooks in one call: enough to notice if each of them waited.
MORE = 11

# A deployment that replaces the checkout that it runs in.
REMOVAL = """
- hosts: web1
  gather_facts: false
  tasks:
    - ansible.builtin.file: {path: "{{ playbook_dir }}", state: absent}
"""


@pytest.fixture()
def site(tmp_path, sandbox: Sandbox) -> Site:
    return Site(tmp_path, sandbox, hosts=("web1", "web2"))


def text(result: Result) -> str:
    """Return what was printed, without the line breaks with which Ansible wraps warnings."""
    return " ".join(f"{result.stdout} {result.stderr}".split())


def assert_one_warning(result: Result, *words: str) -> None:
    """Check that the failed run ended as usual, with one warning that contains these words."""
    assert result.rc == 2, result.stderr
    assert result.stdout.count("PLAY RECAP") == 1
    printed = text(result)
    assert printed.count("[WARNING]") == 1, printed
    for word in words:
        assert word in printed
    assert "Traceback" not in printed


OPTIONS = {
    "no token": ({"CALLGOOSE_API_TOKEN": ""}, "api_token", "CALLGOOSE_API_TOKEN"),
    "a token with a line break": ({"CALLGOOSE_API_TOKEN": "a\nb"}, "api_token", "line break"),
    "a type": ({"CALLGOOSE_MAX_HOSTS": "many"}, "max_hosts", "many"),
    "a choice": ({"CALLGOOSE_SEVERITY": "awful"}, "severity", "awful"),
    "a range": ({"CALLGOOSE_MAX_DELAY": "0"}, "max_delay", "1 or more"),
    "not a number": ({"CALLGOOSE_REPEAT_INTERVAL": "nan"}, "repeat_interval"),
    "a pattern": ({"CALLGOOSE_REDACT": "fine\n(broken"}, "redact", "(broken"),
    "an address": ({"CALLGOOSE_BASE_URL": "sqibs.example.com"}, "base_url"),
    "plain http": ({"CALLGOOSE_BASE_URL": "http://sqibs.example.com"}, "base_url", "http"),
    "a file that is missing": ({"CALLGOOSE_CA_PATH": "/nonexistent/ca.pem"}, "ca_path"),
}


SWITCHES = ("enabled", "page_limited_runs", "include_output", "stable_payload", "validate_certs", "allow_http")
EMPTY = (*SWITCHES, "severity", "tags", "playbooks", "exclude_playbooks", "unreachable", "on_interrupt")


@pytest.mark.parametrize("name", SWITCHES)
def test_an_invalid_boolean_gives_one_warning_that_names_it(site, name) -> None:
    warning = site.run(bad="web1", env={f"CALLGOOSE_{name.upper()}": "ture"})
    assert_one_warning(warning, f"{name}: it is neither true nor false")
    site.cfg += f"{name} = maybe\n"
    assert_one_warning(site.run(bad="web1"), f"{name}: it is neither true nor false")
    assert site.sandbox.requests == []


def test_an_empty_environment_variable_counts_as_unset(site) -> None:
    env = {f"CALLGOOSE_{name.upper()}": "" for name in EMPTY}
    failed = site.run("--limit=web1", bad="web1", env=env)
    assert (failed.rc, failed.stderr) == (2, "")
    (page,) = site.sent
    assert page["severity"] == "critical" and "tags" not in page
    # the tests cannot reach the default address
    assert_one_warning(
        site.run(bad="web2", env={"CALLGOOSE_BASE_URL": "", "HTTPS_PROXY": "http://127.0.0.1:9"}), "proxy"
    )


def test_an_empty_value_in_ansible_cfg_counts_as_unset(site) -> None:
    site.cfg += "enabled =\nplaybooks =\nexclude_playbooks =\ntags =\n"
    failed = site.run(bad="web1")
    assert (failed.rc, failed.stderr, site.states, site.incidents) == (2, "", ["triggered"], ["open"])


@pytest.mark.parametrize("name", OPTIONS)
def test_an_invalid_option_gives_one_warning_that_names_it(site, name) -> None:
    env, *words = OPTIONS[name]
    assert_one_warning(site.run(bad="web1", env=env), *words)
    assert site.sandbox.requests == []


def test_a_missing_token_warns_in_a_successful_run_too(site) -> None:
    good = site.run(env={"CALLGOOSE_API_TOKEN": ""})
    assert good.rc == 0
    assert text(good).count("[WARNING]") == 1


def test_without_requests_one_warning_says_how_to_install_it_and_the_next_run_triggers(site, tmp_path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "requests.py").write_text("raise ImportError('no module named requests here')\n", encoding="utf-8")
    failed = site.run(bad="web1", env={"PYTHONPATH": str(shims)})
    assert_one_warning(failed, "could not be triggered", "pip install requests")
    site.run(bad="web1")
    assert site.incidents == ["open"]


def test_a_run_with_nothing_to_send_does_not_try_to_import_requests(site, tmp_path) -> None:
    site.run(bad="web1")
    shims = tmp_path / "shims"
    shims.mkdir()
    trace = "import pathlib; pathlib.Path(__file__).with_name('looked').touch(); raise ImportError('no')\n"
    for library in ("requests", "urllib3"):
        (shims / f"{library}.py").write_text(trace, encoding="utf-8")
    again = site.run(bad="web1", env={"PYTHONPATH": str(shims)})
    assert (again.rc, again.stderr, site.states) == (2, "", [])
    assert not (shims / "looked").exists()


def test_a_store_that_is_a_directory_gives_a_note_and_the_trigger_is_sent(site, tmp_path) -> None:
    site.env["CALLGOOSE_STATE_URL"] = f"sqlite://{tmp_path}"
    failed = site.run("-v", bad="web1")
    assert (failed.rc, failed.stderr, site.incidents) == (2, "", ["open"])
    assert text(failed).count("is not a regular file") == 1


def test_a_store_that_every_user_could_replace_gives_one_warning_and_the_trigger_is_sent(site, tmp_path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    site.env["CALLGOOSE_STATE_URL"] = f"sqlite://{shared}/state.sqlite3"
    assert_one_warning(site.run(bad="web1"), "every user can write to", "Set state_url to a file")
    assert (site.incidents, list(shared.iterdir())) == (["open"], [])
    assert site.run().rc == 0
    assert site.states == ["resolved"], "as without a store"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_store_of_another_user_gives_one_warning_and_the_trigger_is_sent(site) -> None:
    site.run()
    before = site.ledger.read_bytes()
    os.chown(site.ledger, 65534, 65534)
    assert_one_warning(site.run(bad="web1"), "belongs to user", "chown")
    assert (site.incidents, site.ledger.read_bytes()) == (["open"], before)


def test_a_store_of_an_unknown_kind_gives_a_note_and_the_trigger_is_sent(site) -> None:
    site.env["CALLGOOSE_STATE_URL"] = "paper:///x"
    failed = site.run("-v", bad="web1")
    assert (failed.rc, failed.stderr, site.incidents) == (2, "", ["open"])
    assert text(failed).count("stores of the kind paper are not supported") == 1


def test_a_corrupt_store_gives_one_warning_with_its_new_name_and_the_trigger_is_sent(site) -> None:
    site.run()
    data = site.ledger.read_bytes()
    site.ledger.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    assert_one_warning(site.run(bad="web1"), "is broken", "state.sqlite3.broken")
    assert site.incidents == ["open"]
    assert site.ledger.with_name("state.sqlite3.broken").exists()
    assert site.run(bad="web1").stderr == ""
    assert site.states == [], "the new store knows what is open"


def test_a_file_that_is_not_a_store_gives_one_warning_and_stays_and_the_trigger_is_sent(site) -> None:
    site.ledger.parent.mkdir(parents=True)
    site.ledger.write_text("somebody's notes\n", encoding="utf-8")
    failed = site.run(bad="web1")
    assert_one_warning(failed, "is not an SQLite file")
    assert text(failed).count("left unchanged") == 1
    assert site.incidents == ["open"]
    assert site.ledger.read_text(encoding="utf-8") == "somebody's notes\n"


def use_closed_port(site: Site) -> None:
    """Configure an address at which no server listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site.env["CALLGOOSE_BASE_URL"] = f"http://127.0.0.1:{free.getsockname()[1]}"


SERVERS = {
    "is dead": use_closed_port,
    "says 500": lambda site: site.sandbox.queue_fault("status", status=500, count=None),
    "says 401": lambda site: site.sandbox.queue_fault("status", status=401, count=None),
    "redirects": lambda site: site.sandbox.queue_fault("redirect", location="http://127.0.0.1:9/", count=None),
    "resets": lambda site: site.sandbox.queue_fault("reset", count=None),
    "cuts off": lambda site: site.sandbox.queue_fault("cut_off", count=None),
    "asks for patience": lambda site: site.sandbox.queue_fault(
        "status", status=429, headers={"Retry-After": "20"}, count=None
    ),
    "hangs": lambda site: site.sandbox.queue_fault("hang", count=None),
    "is slow": lambda site: site.sandbox.queue_fault("delay", seconds=30, count=None),
    "drips its answer": lambda site: site.sandbox.queue_fault("drip", count=None),
    "drips its head": lambda site: site.sandbox.queue_fault("drip_head", count=None),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_delays_the_run_by_at_most_max_delay(site, name) -> None:
    site.env |= {"CALLGOOSE_MAX_DELAY": str(MAX_DELAY), "CALLGOOSE_TIMEOUT": "10", "CALLGOOSE_RETRIES": "3"}
    SERVERS[name](site)
    without = site.run(bad="web1", env={"CALLGOOSE_ENABLED": "false"})
    failed = site.run(bad="web1")
    assert_one_warning(failed, "could not be triggered")
    assert failed.elapsed - without.elapsed < MAX_DELAY + 1 + MARGIN


@pytest.mark.parametrize("body", ["", "<html>ok</html>", "[]", "{" * 5000, '{"triggered": "yes", "resolved": 7}', "\0"])
def test_an_answer_that_cannot_be_read_does_not_end_the_run(site, body) -> None:
    site.sandbox.queue_fault("body", body=body)
    failed = site.run(bad="web1")
    assert (failed.rc, site.incidents) == (2, ["open"])
    assert text(failed).count("[WARNING]") <= 1
    assert "Traceback" not in text(failed)


def test_a_run_that_fails_because_it_removes_its_working_directory_still_pages(site) -> None:
    site.playbook = REMOVAL
    failed = site.run()
    assert (failed.rc, site.incidents) == (2, ["open"])
    assert "[WARNING]: callgoose" not in text(failed)


def test_two_playbooks_in_one_call_share_max_delay(site, tmp_path) -> None:
    site.env |= {"CALLGOOSE_MAX_DELAY": str(MAX_DELAY), "CALLGOOSE_TIMEOUT": "10", "CALLGOOSE_RETRIES": "3"}
    site.run()
    shutil.copy(tmp_path / "project" / "playbook.yml", tmp_path / "project" / "second.yml")
    site.sandbox.queue_fault("hang", count=None)
    without = site.run("second.yml", env={"CALLGOOSE_ENABLED": "false"})
    shutil.rmtree(site.ledger.parent)  # so that both have something to send
    both = site.run("second.yml")
    assert both.rc == 0
    assert text(both).count("could not be resolved") == 2
    assert both.elapsed - without.elapsed < MAX_DELAY + 1 + MARGIN


def test_a_locked_store_delays_all_playbooks_of_a_call_by_at_most_max_delay(site, tmp_path) -> None:
    site.env |= {"CALLGOOSE_MAX_DELAY": str(MAX_DELAY)}
    site.run(bad="web1")
    names = [f"more{number}.yml" for number in range(MORE)]
    for name in names:
        shutil.copy(tmp_path / "project" / "playbook.yml", tmp_path / "project" / name)
    without = site.run(*names, env={"CALLGOOSE_ENABLED": "false"})
    with closing(sqlite3.connect(site.ledger, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        good = site.run(*names)
    # Only the ledger knows what is open, so nothing may be resolved now.
    assert (good.rc, site.states, site.incidents) == (0, [], ["open"])
    # A busy machine makes both runs take longer.
    assert good.elapsed - without.elapsed < MAX_DELAY + 1 + max(MARGIN, without.elapsed)


@pytest.mark.parametrize("words", [(), ("-e", "abort=yes")], ids=["over", "aborted"])
def test_ctrl_c_while_sending_gives_one_warning_and_the_next_run_sends_again(site, words) -> None:
    site.sandbox.queue_fault("hang")
    process = site.call(*words, bad="web1").start()
    try:
        deadline = time.monotonic() + 60
        while not site.sandbox.connections and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)  # a hanging server receives the request without any sign that the test could wait for
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    except BaseException:
        end(process)
        raise
    assert process.returncode == (4 if words else 99), stderr
    printed = text(Result(process.returncode, stdout, stderr, 0))
    assert printed.count("it was interrupted while sending") == 1
    assert "Traceback" not in printed
    site.run(*words, bad="web1")
    assert site.states == ["triggered"]


def test_an_aborted_run_is_delayed_by_at_most_max_delay_too(site) -> None:
    site.env |= {"CALLGOOSE_MAX_DELAY": str(MAX_DELAY), "CALLGOOSE_TIMEOUT": "10"}
    site.sandbox.queue_fault("hang", count=None)
    without = site.run("-e", "abort=yes", env={"CALLGOOSE_ENABLED": "false"})
    aborted = site.run("-e", "abort=yes")
    assert aborted.rc == without.rc
    assert text(aborted).count("could not be triggered") == 1
    assert aborted.elapsed - without.elapsed < MAX_DELAY + 1 + MARGIN


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "no threads at exit"])
def test_a_resolver_that_hangs_delays_an_aborted_run_by_at_most_max_delay(site, tmp_path, threads) -> None:
    (tmp_path / "names").write_text("hangs.example hangs\n", encoding="utf-8")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" > "$0.asked"\nexec sleep 90\n', encoding="utf-8")
    python.chmod(0o755)
    site.env |= {
        "PYTHONPATH": str(SHIMS),
        "FAULT_NAMES": str(tmp_path / "names"),
        "CALLGOOSE_BASE_URL": "https://hangs.example",
        "CALLGOOSE_MAX_DELAY": str(MAX_DELAY),
        "CALLGOOSE_TIMEOUT": "60",
        **({} if threads else {"FAULT_PYTHON": str(python)}),
    }
    without = site.run("-e", "abort=yes", env={"CALLGOOSE_ENABLED": "false"})
    aborted = site.run("-e", "abort=yes")
    assert aborted.rc == without.rc
    assert text(aborted).count("the host name was not resolved within") == 1
    assert aborted.elapsed - without.elapsed < MAX_DELAY + 1 + MARGIN
    assert (tmp_path / "python.asked").exists() != threads, "a child process looks it up where no thread can"
