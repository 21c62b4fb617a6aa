# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what `verify` finds in each wrong set-up, for all possible behaviours of the API; and that it leaves none open.

Runs the playbook's own tasks and data with Ansible's templating in this process: there are too many cases to run
ansible-playbook for each. Must not test what the user sees: test_playbooks_verify.py does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import ARGUMENT_RULES, ARGUMENT_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_runner import run_task
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook_data import (
    OMIT,
    PlaybookData,
    compile_each_template_once,
    playbooks,
)
from ansible_collections.callgoose.sqibs.tests.sandbox import Filter, Pair, Resolve, Sandbox, Service, Token, Trigger

pytestmark = pytest.mark.matrix

WELL = "All is well"
OPTIONS = "The connection options are invalid"
TLS = "The server's TLS certificate is not trusted"
UNREACHABLE = "The API cannot be reached"
TOKEN = "The token is not valid, or it is a Request token"
REFUSED = "The API refused the test incident"
BROKE_OFF = "The API accepted the trigger, but not every later request"
TRIGGER = "The trigger filter does not match a trigger"
RESOLVE = "The resolve filter does not match a resolve"
SWAPPED = "The resolve filter matches a trigger, and the trigger filter does not"
BOTH = "Both filters match a trigger"
RESOLVE_OPENS = "The trigger filter matches a resolve too, so a resolve opens incidents"
FOUND_NONE = "The resolve found no incident, because the filter does not map with incident_key"
CLOSES_OTHERS = "A resolve closes incidents with another key"
COUNT_AS_ONE = "Incidents with different keys count as one"
BY_HAND = "Close it by hand"
MAPPING = "Incident Mapped With 'incident_key'"

DOCUMENTED_FILTER = (Filter(),)
FIRING = Pair("state", ("firing",))
ANSIBLE = Pair("source", ("Ansible",))
ANY_STATE = Pair("state", ("e",))
NOTHING_OPEN = ("resolved_false", "no_filter", "duplicate")


@dataclass(frozen=True)
class SetUp:
    """One way to set up a service, and the expected verdict.

    :ivar closes: whether the test incident can be resolved at all.
    :ivar unseen: the verdict where the API answers a resolve of nothing as if no filter matched, if it is another then.
    """

    name: str
    verdict: str
    filters: tuple[Filter, ...] = DOCUMENTED_FILTER
    closes: bool = True
    maintenance: bool = False
    unseen: str = ""


def mapped(trigger: str | None, resolve: str | None) -> tuple[Filter, ...]:
    """Return the documented filter, but with these keys for the mapping."""
    return (Filter(Trigger(map_with=trigger), Resolve(mapped_with=resolve)),)


SET_UPS = (
    SetUp("as documented", WELL),
    SetUp("as documented, behind another tool's filter", WELL, (Filter(Trigger((FIRING,)), Resolve(FIRING)), Filter())),
    SetUp("no filter", TRIGGER, ()),
    SetUp("trigger filter of another tool", TRIGGER, (Filter(Trigger((FIRING,))),)),
    SetUp("in maintenance", TRIGGER, maintenance=True),
    SetUp("resolve filter of another tool", RESOLVE, (Filter(resolve=Resolve(FIRING)),), closes=False),
    SetUp("no resolve filter", RESOLVE, (Filter(resolve=None),), closes=False),
    SetUp(
        "swapped",
        SWAPPED,
        (Filter(Trigger((Pair("state", ("resolved",)),)), Resolve(Pair("state", ("triggered",)))),),
        unseen=TRIGGER,
    ),
    SetUp("resolve filter matches all", BOTH, (Filter(resolve=Resolve(ANSIBLE)),)),
    SetUp("trigger filter matches all", RESOLVE_OPENS, (Filter(Trigger(())),)),
    SetUp("both filters match all", BOTH, (Filter(Trigger((ANY_STATE,)), Resolve(ANY_STATE)),)),
    SetUp("trigger mapped with nothing", FOUND_NONE, mapped(None, "incident_key"), closes=False),
    SetUp("resolve mapped with nothing", FOUND_NONE, mapped("incident_key", None), closes=False),
    SetUp("trigger mapped with a key that is not sent", FOUND_NONE, mapped("id", "incident_key"), closes=False),
    SetUp("trigger mapped with severity", FOUND_NONE, mapped("severity", "incident_key"), closes=False),
    SetUp("trigger mapped with the title", FOUND_NONE, mapped("title", "incident_key")),
    SetUp("resolve mapped with the title", FOUND_NONE, mapped("incident_key", "title")),
    SetUp("both mapped with the title", FOUND_NONE, mapped("title", "title")),
    SetUp("resolve mapped with the source", FOUND_NONE, mapped("incident_key", "source"), closes=False),
    SetUp("both mapped with the source", CLOSES_OTHERS, mapped("source", "source")),
)
TASK = "callgoose.sqibs.callgoose_incident"


@dataclass(frozen=True)
class Verified:
    """The report of `verify`.

    :ivar lines: what it prints; the first is the verdict.
    :ivar requests: how many tasks sent something.
    """

    lines: list[str]
    well: bool
    left_open: bool
    requests: int

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


class Verify:
    """The tasks and data of the playbook, loaded once."""

    def __init__(self, folder: Path) -> None:
        self._data = PlaybookData(folder / "vars" / "verify.yml")
        self._tasks = self._data.load(folder / "tasks" / "round_trip.yml")

    def __call__(self, base_url: str, token: str, **options: Any) -> Verified:
        """Run the round trip and return the report. The options are those of the task, such as ``ca_path``."""
        connection = {"base_url": base_url, "api_token": token, "retries": 0, "timeout": 5, **options}
        answers: dict[str, Any] = {}
        requests = 0
        for task in self._tasks:
            if "when" in task and not self._data.value(task["when"], **answers):
                answers[task["register"]] = {"changed": False, "skipped": True}
            elif TASK in task:
                given = self._data.template(dict(task[TASK]), **answers)
                given = {name: value for name, value in given.items() if value != OMIT}
                answers[task["register"]] = send({**connection, **given})
                requests += 1
            else:
                answers.update(self._data.template(dict(task["ansible.builtin.set_fact"]), **answers))
        # templated once, because other expressions would template it again each time
        answers["sqibs_finding"] = self._data.value("sqibs_finding", **answers)
        report, well, left_open = (
            self._data.value(name, **answers) for name in ("sqibs_report", "sqibs_well", "sqibs_left_open")
        )
        return Verified(report, well, left_open, requests)


def send(params: dict[str, Any]) -> dict[str, Any]:
    """Send as the task does with these options, and return the result as a playbook registers it."""
    checked = ArgumentSpecValidator(ARGUMENT_SPEC, **ARGUMENT_RULES).validate(params)
    assert not checked.error_messages, checked.error_messages
    return run_task(checked.validated_parameters, check_mode=False, diff=False)


def services(set_ups: tuple[SetUp, ...]) -> dict[str, tuple[Any, ...]]:
    """Return the settings of a sandbox with a service, and its own token, for each set-up."""
    return {
        "services": tuple(Service(one.name, filters=one.filters, maintenance=one.maintenance) for one in set_ups),
        "tokens": tuple(Token(f"token-{number}", owner=one.name) for number, one in enumerate(set_ups)),
    }


def check(set_up: SetUp, report: Verified, sandbox: Sandbox, verdict: str = "") -> None:
    """Check the verdict, and that the incident is resolved or reported as open.

    :param verdict: the one to expect, if it is not the usual one of this set-up.
    """
    verdict = verdict or set_up.verdict
    still_open = [incident for incident in sandbox.open_incidents if incident["service"] == set_up.name]
    where = f"{set_up.name}: {report.text}"
    assert verdict in report.lines[0], where
    assert report.well == (verdict == WELL), where
    assert bool(still_open) == (not set_up.closes), where
    if still_open:
        assert report.left_open and BY_HAND in report.text, where
        assert any(incident["title"] in report.text for incident in still_open), where
    assert report.requests <= 7, where


def named(name: str) -> SetUp:
    """Return the set-up with this name."""
    (only,) = (one for one in SET_UPS if one.name == name)
    return only


@pytest.fixture(scope="module")
def verify(collections_path) -> Iterator[Verify]:
    """The round trip and report of the playbook."""
    with pytest.MonkeyPatch.context() as patch:
        compile_each_template_once(patch)
        yield Verify(playbooks(collections_path))


@pytest.mark.parametrize("nothing_open", NOTHING_OPEN)
def test_each_wrong_set_up_is_recognized_however_the_api_detects_duplicates(verify, reading, nothing_open) -> None:
    with Sandbox(reading=reading, nothing_open=nothing_open, **services(SET_UPS)) as sandbox:
        for number, set_up in enumerate(SET_UPS):
            verdict = set_up.unseen if nothing_open == "no_filter" else ""
            check(set_up, verify(sandbox.base_url, f"token-{number}"), sandbox, verdict)


@pytest.mark.parametrize("nothing_open", NOTHING_OPEN)
def test_an_api_without_duplicate_detection_does_not_change_the_verdict(verify, reading, nothing_open) -> None:
    some = tuple(map(named, ("as documented", "no filter", "no resolve filter", "both mapped with the source")))
    with Sandbox(reading=reading, nothing_open=nothing_open, window=0, **services(some)) as sandbox:
        for number, set_up in enumerate(some):
            report = verify(sandbox.base_url, f"token-{number}")
            check(set_up, report, sandbox)
            assert ("very short" in report.text) == (set_up.verdict not in (TRIGGER,)), report.text


def test_a_resolve_with_two_possible_explanations_reports_both(verify, reading) -> None:
    """Without duplicate detection, a filter that finds nothing looks like a filter that does not match."""
    wrong = (named("trigger mapped with nothing"),)
    with Sandbox(reading=reading, nothing_open="no_filter", window=0, **services(wrong)) as sandbox:
        report = verify(sandbox.base_url, "token-0")
        check(wrong[0], report, sandbox, RESOLVE)
        assert MAPPING in report.text


def test_an_api_that_answers_duplicate_for_an_open_incident_passes(verify, reading) -> None:
    with Sandbox(reading=reading, merge_open=True, window=0, **services(SET_UPS[:1])) as sandbox:
        check(SET_UPS[0], verify(sandbox.base_url, "token-0"), sandbox)


def test_a_new_incident_that_is_merged_with_another_is_reported_and_not_resolved(verify) -> None:
    wrong = (named("both mapped with the source"),)
    with Sandbox(reading="mapped", **services(wrong)) as sandbox:
        send({"base_url": sandbox.base_url, "api_token": "token-0", "title": "Nightly backup failed"})
        report = verify(sandbox.base_url, "token-0")
        assert COUNT_AS_ONE in report.lines[0] and not report.well and report.requests == 1
        assert [incident["title"] for incident in sandbox.open_incidents] == ["Ansible - Nightly backup failed"]


@pytest.mark.parametrize("window", [0, 300])
def test_two_verifications_in_a_row_both_pass(verify, reading, window) -> None:
    with Sandbox(reading=reading, window=window) as sandbox:
        for _time in range(2):
            assert verify(sandbox.base_url, sandbox.token).well
        assert not sandbox.open_incidents


@pytest.mark.parametrize("token", ["sandbox-request-token", "no-such-token"])
def test_a_refused_token_is_reported(verify, sandbox, token) -> None:
    report = verify(sandbox.base_url, token)
    assert TOKEN in report.lines[0] and "Incident token" in report.text and not report.well
    assert report.requests == 1 and BY_HAND not in report.text


def test_an_unreachable_api_is_reported(verify, sandbox) -> None:
    base_url, token = sandbox.base_url, sandbox.token
    sandbox.close()
    report = verify(base_url, token)
    assert UNREACHABLE in report.lines[0] and "base_url" in report.text and not report.well
    assert report.requests == 1 and BY_HAND not in report.text


def test_an_untrusted_certificate_is_reported(verify) -> None:
    with Sandbox(tls=True) as sandbox:
        report = verify(sandbox.base_url, sandbox.token)
        assert TLS in report.lines[0] and "CALLGOOSE_CA_PATH" in report.text and not report.well
        assert report.requests == 1 and not sandbox.requests
        assert verify(sandbox.base_url, sandbox.token, ca_path=sandbox.ca_path).well


def test_invalid_options_are_reported(verify, sandbox) -> None:
    report = verify("sqibs.callgoose.com", sandbox.token)
    assert OPTIONS in report.lines[0] and "base_url" in report.text and not report.well
    assert not sandbox.requests


@pytest.mark.parametrize("status", [302, 403, 404, 429, 503])
def test_an_unexpected_answer_is_reported(verify, sandbox, status) -> None:
    fields = {"location": "https://example.com/"} if status == 302 else {"status": status}
    sandbox.queue_fault("redirect" if status == 302 else "status", **fields)
    report = verify(sandbox.base_url, sandbox.token)
    assert REFUSED in report.lines[0] and f"HTTP {status}" in report.text and not report.well
    assert not sandbox.open_incidents


def test_a_trigger_whose_answer_was_lost_is_still_resolved(verify, sandbox) -> None:
    sandbox.queue_fault("reset", processed=True)
    report = verify(sandbox.base_url, sandbox.token)
    assert UNREACHABLE in report.lines[0] and not report.well
    assert [incident["state"] for incident in sandbox.incidents] == ["resolved"]
    assert BY_HAND not in report.text


@pytest.mark.parametrize(("before", "closes"), [(1, True), (2, True), (3, False)])
def test_an_api_that_fails_midway_is_reported_with_what_may_be_open(verify, sandbox, before, closes) -> None:
    sandbox.queue_fault("delay", seconds=0, count=before)
    sandbox.queue_fault("status", status=503)
    report = verify(sandbox.base_url, sandbox.token)
    assert BROKE_OFF in report.lines[0] and "HTTP 503" in report.text and not report.well
    assert bool(sandbox.open_incidents) == (not closes) == (BY_HAND in report.text)
