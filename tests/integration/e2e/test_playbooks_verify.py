# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests `ansible-playbook callgoose.sqibs.verify` as a user runs it: exit code, report, variables, nothing left open.

Must not test every wrong set-up: test_playbooks_findings.py does, with the same tasks and data.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import Result, run_playbook
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.sandbox import Filter, Pair, Resolve, Sandbox, Trigger

pytestmark = pytest.mark.matrix

VERIFY = "callgoose.sqibs.verify"
DEBUG_LOG = "switch on the debug log of the token"


def verify(tmp_path, sandbox: Sandbox, *args: str, **env: str) -> Result:
    """Run the playbook against a sandbox, without an inventory, with deprecation warnings."""
    warn = {"ANSIBLE_DEPRECATION_WARNINGS": "true"}
    return run_playbook(tmp_path, VERIFY, *args, inventory=None, env={**connection(sandbox), **warn, **env})


def test_a_correct_set_up_is_verified_with_one_incident_that_is_resolved(tmp_path, sandbox, reading) -> None:
    sandbox.set(reading=reading)
    result = verify(tmp_path, sandbox)
    assert result.rc == 0, result
    assert '"All is well: the token is valid' in result.stdout
    assert "DEPRECATION" not in result.stdout + result.stderr
    assert [request["status"] for request in sandbox.requests] == [201, 208, 200, 200]
    (incident,) = sandbox.incidents
    assert incident["state"] == "resolved"
    assert incident["title"] in result.stdout, "what to look for in the dashboard"
    assert sandbox.token not in result.stdout + result.stderr
    assert DEBUG_LOG not in result.stdout


def test_a_wrong_set_up_ends_with_an_error_and_says_what_to_resolve_by_hand(tmp_path, sandbox) -> None:
    sandbox.set_filters([Filter(resolve=Resolve(Pair("status", ("ok",))))])
    result = verify(tmp_path, sandbox)
    assert result.rc == 2, result
    report = result.stdout.partition("Report what was found")[2].splitlines()
    assert report[3].strip() == '"The resolve filter does not match a resolve.",', report
    assert "Resolve part: payload JSON key 'state', key value contains 'resolved'" in report[4], report
    (left,) = sandbox.open_incidents
    assert "Close it by hand" in result.stdout and left["title"] in result.stdout
    assert '"msg": "The resolve filter does not match a resolve."' in result.stdout, "the last error says it too"
    assert DEBUG_LOG in result.stdout and "For 48 hours, it shows the JSON of each call" in result.stdout
    assert "DEPRECATION" not in result.stdout + result.stderr and "Traceback" not in result.stdout + result.stderr


def test_no_match_names_a_disabled_service_and_the_debug_log_among_what_to_check(tmp_path, sandbox) -> None:
    sandbox.set_filters([])
    result = verify(tmp_path, sandbox)
    assert result.rc == 2, result
    assert "The trigger filter does not match a trigger." in result.stdout
    assert "A service that is disabled or in maintenance opens no incident." in result.stdout
    assert DEBUG_LOG in result.stdout


def test_a_refused_token_names_no_debug_log_because_none_has_the_request(tmp_path, sandbox) -> None:
    result = verify(tmp_path, sandbox, CALLGOOSE_API_TOKEN="no-such-token")
    assert result.rc == 2 and "The token is not valid" in result.stdout, result
    assert DEBUG_LOG not in result.stdout


def test_severity_and_tags_are_sent_so_that_filters_on_them_match(tmp_path, sandbox) -> None:
    asks = (Pair("severity", ("warning",)), Pair("tags", ("backup",)))
    sandbox.set_filters([Filter(Trigger(asks))])
    result = verify(tmp_path, sandbox, "-e", "callgoose_severity=warning callgoose_tags=backup,night")
    assert result.rc == 0, result


def test_the_connection_options_can_come_from_variables(tmp_path, sandbox) -> None:
    variables = f"callgoose_api_token={sandbox.token} callgoose_base_url={sandbox.base_url} callgoose_source=Vault"
    nowhere = {"CALLGOOSE_BASE_URL": "http://127.0.0.1:1", "CALLGOOSE_API_TOKEN": "none"}
    result = verify(tmp_path, sandbox, "-e", variables, **nowhere)
    assert result.rc == 0, result
    assert all(request["query"] == {"from": "Vault"} for request in sandbox.requests)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-e", "callgoose_title=x"), "callgoose_title: this playbook has no such variable"),
        (("-e", "callgoose_severity=fatal"), "callgoose_severity: there is no such severity"),
        (("--check",), "Run it without --check"),
    ],
)
def test_unsupported_variables_and_check_mode_are_refused_before_any_request(tmp_path, sandbox, words, says) -> None:
    result = verify(tmp_path, sandbox, *words)
    assert result.rc == 2 and says in result.stdout, result
    assert not sandbox.requests
