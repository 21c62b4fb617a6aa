# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what a page says for each kind of failure.

Must not test secrets (test_message_secrets.py does) nor size limits (test_message_limits.py does).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import Payload
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Invocation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import FailedHost
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.message import payload_for
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.snapshot import aborted_snapshot, snapshot
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.title import TITLE_LIMIT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    DROPPED,
    FAILED,
    NOT_REACHED,
    Failure,
    Run,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Task as RunTask
from ansible_collections.callgoose.sqibs.tests.unit.plugin_utils._notification.pages import (
    AWX,
    DOWN,
    MIGRATE,
    ROOT,
    SECRETIVE,
    SITE,
    page,
    send,
    text_of,
)

FULL = replace(MIGRATE, message="disk full")
NAMED = "Migrate the … database failed on {}: disk full [site.yml]"


@pytest.mark.parametrize(
    ("failures", "total", "title"),
    [
        ({"web1": FULL}, 12, NAMED.format("web1")),
        ({f"web{n}": FULL for n in (1, 2, 3)}, 12, NAMED.format("web1, web2 and web3")),
        ({f"web{n}": FULL for n in range(1, 10)}, 12, NAMED.format("9 of 12 hosts")),
        # hosts of earlier runs that this run did not match because of its limit
        ({f"web{n}": FULL for n in range(1, 10)}, 0, NAMED.format("9 hosts")),
        ({"web1.a.example": FULL, "db.example": FULL}, 2, NAMED.format("db and web1")),
        ({"web1.a.example": FULL, "web1.b.example": FULL}, 2, NAMED.format("web1.a.example and web1.b.example")),
        ({"10.0.0.7": FULL}, 2, NAMED.format("10.0.0.7")),
        ({"web1": replace(FULL, delegate="db1")}, 2, NAMED.format("web1 -> db1")),
        ({"web1.example": replace(FULL, delegate="db1.example")}, 2, NAMED.format("web1 -> db1")),
        (
            {"db1": FULL, "web1": replace(FULL, message="table locked"), "web2": FULL},
            12,
            "Migrate the … database failed on db1, web1 and web2: disk full, and 1 other error [site.yml]",
        ),
        (
            {f"web{n}": replace(FULL, message=f"disk of {'abc'[n]}") for n in range(3)},
            0,
            "Migrate the … database failed on web0, web1 and web2: disk of a, and 2 other errors [site.yml]",
        ),
        ({"a": DOWN, "web1": FULL}, 2, "site.yml: 2 of 2 hosts failed: Migrate the … database (1), unreachable (1)"),
        ({"db1": DOWN, "db2": DOWN}, 12, "db1 and db2 unreachable: ssh: timed out [site.yml]"),
        ({"db1": Failure(DROPPED, task="Load {{ it }}")}, 12, "Load … dropped db1 [site.yml]"),
        ({"db1": FULL, "web1": Failure(NOT_REACHED), "web2": Failure(NOT_REACHED)}, 3, NAMED.format("db1")),
        ({"web1": Failure(NOT_REACHED)}, 3, "web1 not reached [site.yml]"),
        # the failure that led into a rescue comes first, and the failure of the rescue is its consequence
        ({"web1": (FULL, replace(FULL, task="Roll back", message="rolled back"))}, 3, NAMED.format("web1")),
        (
            {"web1": replace(MIGRATE, status="exit status 2")},
            1,
            "Migrate the … database failed on web1: exit status 2 [site.yml]",
        ),
    ],
)
def test_a_title_says_what_failed_where_and_why(failures: dict[str, Failure], total: int, title: str) -> None:
    assert page(failures, total).title == title


def test_several_failing_tasks_are_counted_in_the_title() -> None:
    tasks = ["Fetch the release"] * 9 + ["Unpack the client"] * 5 + ["Restart"] * 3
    failures = {f"web{n:02}": replace(FULL, task=task) for n, task in enumerate(tasks)}
    event = page(failures, 40, PageOptions(environment="production"))
    assert event.title == (
        "site.yml: 17 of 40 hosts failed (production): Fetch the release (9), Unpack the client (5), Restart (3)"
    )
    assert [failed["task"] for failed in event.details["failures"]] == [
        "Fetch the release",
        "Unpack the client",
        "Restart",
    ]


def test_the_tasks_of_a_title_are_named_without_their_role_and_never_cut() -> None:
    tasks = ["client : Fetch the release", "client : Unpack the new client there", "Restart all services of it", "Stop"]
    failures = {f"web{n:02}": replace(FULL, task=task) for n, task in enumerate(tasks)}
    title = page(failures, 40).title
    assert title == (
        "site.yml: 4 of 40 hosts failed: Fetch the release (1), Restart all services of it (1), Stop (1), …"
    )


def test_localhost_has_the_name_of_the_controller_in_the_text_but_not_in_the_data() -> None:
    subject = replace(SITE, origin=Origin(), invocation=Invocation(controller="ctl7"))
    event = page({"localhost": FULL}, 1, subject=subject)
    assert event.title == NAMED.format("localhost (ctl7)")
    assert "\nHost: localhost (ctl7)\n" in event.content
    assert event.details["hosts"] == event.details["failures"][0]["hosts"] == ["localhost"]
    delegated = page({"web1": replace(FULL, delegate="localhost")}, 1, subject=subject)
    assert delegated.title == NAMED.format("web1 -> localhost (ctl7)")


def test_the_runbook_of_a_task_stands_with_its_failure() -> None:
    url = "https://wiki.example.com/migrate"
    event = page({"web1": replace(FULL, runbook=url), "web2": DOWN})
    assert f"Cause: disk full\nRunbook: {url}\n" in event.content
    assert [failed.get("runbook_url") for failed in event.details["failures"]] == [url, None]


def test_the_output_of_an_http_request_is_the_answer_of_the_server() -> None:
    failure = replace(FULL, message="Status code was 503", status="HTTP status 503 from https://lb/x", stdout="{}")
    assert "\nAnswer: {}\n" in page({"web1": failure}).content


def test_a_long_title_keeps_the_hosts_and_shortens_the_task_first() -> None:
    long_task = replace(FULL, task="Wait until the migration of the orders is done and the queue is empty again")
    assert page({"application-server-1": long_task}).title == (
        "Wait until the migration of the orders is done and the queue is em… failed on application-server-1: "
        "disk full [site.yml]"
    )
    longest = replace(FULL, task="Wait " * 50, message="no space left on the device " * 9)
    event = page({"web1": longest}, subject=replace(SITE, name="playbooks/" * 10 + "site.yml"))
    assert len(event.title) <= TITLE_LIMIT
    for words in ("Wait Wait", "failed on web1", ": no space left on", "/site.yml]"):
        assert words in event.title


def test_the_content_describes_each_failure_and_the_run() -> None:
    failed = replace(
        MIGRATE,
        stderr="Traceback\n  line 1\nError: no slots\n",
        stdout="migrating 0041",
        command="/opt/shop/migrate --all",
        status="exit status 2",
    )
    event = page({"web1": failed, "web2": failed, "db1": DOWN, "db2": Failure(DROPPED), "db3": Failure(NOT_REACHED)})
    assert event.content == (
        "site.yml\n"
        "\n"
        "Task: Migrate the {{ app }} database (roles/shop/tasks/main.yml:42)\n"
        "Hosts: web1, web2\n"
        "Cause: exit status 2: Error: no slots\n"
        "Command: /opt/shop/migrate --all\n"
        "End of stderr:\n"
        "  Traceback\n"
        "    line 1\n"
        "  Error: no slots\n"
        "End of stdout: migrating 0041\n"
        "\n"
        "Unreachable\n"
        "Task: Gathering Facts (site.yml:3)\n"
        "Host: db1\n"
        "Cause: ssh: timed out\n"
        "\n"
        "Dropped: ansible-core took the host out of the play without reporting an error.\n"
        "Host: db2\n"
        "\n"
        "Not reached: the play ended before the host had finished its tasks.\n"
        "Host: db3\n"
        "\n"
        "AWX run: https://awx.example.com/#/jobs/playbook/42\n"
        "Started by: alice\n"
        "Revision: 9c1f0e2"
    )


def test_the_details_contain_the_same_as_data() -> None:
    failed = replace(MIGRATE, stderr="Error: no slots")
    event = page({"web1": failed, "web2": failed, "db1": Failure(NOT_REACHED)})
    assert event.details == {
        "name": "site.yml",
        "failed_hosts": 3,
        "total_hosts": 12,
        "hosts": ["db1", "web1", "web2"],
        "run": {
            "system": "AWX",
            "url": "https://awx.example.com/#/jobs/playbook/42",
            "run_id": "42",
            "user": "alice",
            "revision": "9c1f0e2",
        },
        "failures": [
            {
                "kind": "failed",
                "task": "Migrate the {{ app }} database",
                "path": "roles/shop/tasks/main.yml",
                "line": 42,
                "hosts": ["web1", "web2"],
                "message": "Error: no slots",
            },
            {"kind": "not_reached", "hosts": ["db1"]},
        ],
        "episode": 1,
    }


def test_an_event_has_the_severity_source_and_tags_of_the_options() -> None:
    event = page({"web1": MIGRATE}, options=PageOptions(severity="error", tags=("shop", "prod"), source="Ansible"))
    assert (event.severity, event.source, event.tags) == ("error", "Ansible", ("shop", "prod"))
    assert (event.state, event.incident_key) == ("triggered", "site-1a2b")


def test_hosts_with_different_messages_are_different_failures() -> None:
    full, locked = replace(MIGRATE, message="disk full"), replace(MIGRATE, message="table locked")
    failures = page({"web1": full, "web2": locked, "web3": full}).details["failures"]
    assert [(failed["hosts"], failed["message"]) for failed in failures] == [
        (["web1", "web3"], "disk full"),
        (["web2"], "table locked"),
    ]


def test_outputs_that_differ_are_shown_with_their_host() -> None:
    content = page({f"web{n}": replace(FULL, stderr=f"on {disk}") for n, disk in ((1, "root"), (2, "data"))}).content
    assert "Hosts: web1, web2\n" in content
    assert "End of stderr on web1: on root\nEnd of stderr on web2: on data\n" in content


def test_forty_errors_that_differ_in_pid_and_host_name_are_one_problem() -> None:
    failures = {
        f"web{n:02}.example.com": replace(
            MIGRATE,
            stderr=f"web{n:02} app[{3000 + n}]: job 7f{n:02}ab12cd stopped at 02:10:{n:02}\nno slots on web{n:02}",
            status="exit status 2",
        )
        for n in range(40)
    }
    event = page(failures, 40)
    (problem,) = event.details["failures"]
    assert problem["message"] == "exit status 2: no slots on web00" and problem["more_hosts"] == 20
    assert event.title == "Migrate the … database failed on 40 of 40 hosts: exit status 2: no slots on web00 [site.yml]"
    assert event.content.count("End of stderr") == 1


def test_commands_that_failed_with_different_errors_are_different_problems() -> None:
    content = page({"web1": replace(MIGRATE, stderr="no slots"), "web2": replace(MIGRATE, stderr="no route")}).content
    assert "Host: web1\nCause: no slots\n" in content and "Host: web2\nCause: no route\n" in content


def test_an_output_that_only_one_of_several_hosts_has_is_shown_with_its_host() -> None:
    content = page({"web1": FULL, "web2": replace(FULL, stdout="no slots")}).content
    assert "Hosts: web1, web2\n" in content and "End of stdout on web2: no slots\n" in content


def test_a_long_message_leaves_space_for_the_output_and_for_the_next_task() -> None:
    failed = replace(MIGRATE, message="m" * 9000, stderr="e" * 9000, stdout="o" * 9000)
    event = page({f"web{line}": replace(failed, line=line) for line in range(1, 7)})
    for line, section in enumerate(event.content.split("\n\n")[1:7], 1):
        assert f":{line})" in section
        assert all(letter * 200 in section for letter in "meo")
    for failure in event.details["failures"]:
        assert all(len(failure[name]) > 200 for name in ("message", "stderr", "stdout"))


def test_a_host_that_failed_twice_is_one_host_with_two_failures() -> None:
    cleanup = replace(MIGRATE, task="Clean up", line=50)
    event = page({"web1": (MIGRATE, cleanup)})
    assert [failed["task"] for failed in event.details["failures"]] == [MIGRATE.task, "Clean up"]


def test_an_aborted_run_is_described_as_aborted() -> None:
    event = page({}, aborted="")
    assert event.title == "site.yml aborted"
    assert "Aborted: the run started but did not finish." in event.content
    assert event.details["aborted"] is True


def test_an_aborted_run_shows_its_limit_and_the_hosts_that_failed_before() -> None:
    event = page({"web1": MIGRATE}, aborted="web1,web2")
    assert event.title == "site.yml aborted; 1 host failed"
    assert "\nLimit: web1,web2\n" in event.content


def test_an_aborted_run_says_the_error_that_ended_it_and_the_task_that_started_last() -> None:
    last = RunTask("Check {{ it }}", path=f"{ROOT}/site.yml", line=7)
    run = Run("site.yml", aborted=True, last_task=last, error="'nowhere' is undefined")
    event = payload_for(send({"*": aborted_snapshot(run, SECRETIVE, ROOT)}), SITE, PageOptions(), 3)
    assert event.title == "site.yml aborted: 'nowhere' is undefined"
    assert (
        "Aborted: the run started but did not finish.\nLast task: Check {{ it }} (site.yml:7)\n"
        "Cause: 'nowhere' is undefined\n" in event.content
    )
    silent = payload_for(send({"*": aborted_snapshot(replace(run, error=""), SECRETIVE, ROOT)}), SITE, PageOptions(), 3)
    assert silent.title == "site.yml aborted at Check …"
    assert "See the output of ansible-playbook for the cause." in silent.content


@pytest.mark.parametrize(
    "place", ["/usr/share/ansible/collections/ansible_collections", f"{ROOT}/collections/ansible_collections"]
)
def test_a_task_of_a_collection_shows_its_path_in_the_collection(place: str) -> None:
    failure = replace(FULL, path=f"{place}/acme/shop/roles/app/tasks/main.yml", line=7)
    assert "(acme.shop/roles/app/tasks/main.yml:7)" in page({"web1": failure}).content


def test_a_path_outside_the_project_and_a_task_without_a_path_are_shown_unchanged() -> None:
    elsewhere = replace(MIGRATE, path="/srv/infrared/main.yml", line=7)
    nowhere = Failure(FAILED, action="debug", message="no")
    content = page({"web1": elsewhere, "web2": nowhere}).content
    assert "(/srv/infrared/main.yml:7)" in content
    assert "\nTask: debug\n" in content


def test_a_run_from_a_shell_has_no_link_and_a_job_without_a_url_shows_its_id() -> None:
    by_hand = page({"web1": MIGRATE}, subject=replace(SITE, origin=Origin(user="bob"))).content
    assert by_hand.endswith("Cause: non-zero return code\n\nStarted by: bob")
    numbered = page({"web1": MIGRATE}, subject=replace(SITE, origin=Origin("Jenkins", run_id="15"))).content
    assert numbered.endswith("\n\nJenkins run: 15")


def test_a_stable_payload_leaves_out_what_differs_from_run_to_run() -> None:
    stable = PageOptions(stable_payload=True)
    first = page({"web1": MIGRATE}, options=stable)
    later = replace(AWX, url="https://awx.example.com/#/jobs/playbook/43", run_id="43", user="bob", revision="ffac537")
    assert text_of(first) == text_of(page({"web1": MIGRATE}, options=stable, subject=replace(SITE, origin=later)))
    assert "alice" not in text_of(first) and "awx" not in text_of(first)


def test_a_resolve_reports_the_recovery_and_does_not_depend_on_who_ran_it() -> None:
    first = payload_for(send({}, "resolved", 3), SITE, PageOptions(), 12)
    later = payload_for(send({}, "resolved", 3), replace(SITE, origin=Origin()), PageOptions(), 5)
    assert first == later
    assert first.body() == {
        "state": "resolved",
        "incident_key": "site-1a2b",
        "title": "site.yml has recovered",
        "content": "site.yml has recovered: no failed hosts are left.",
        "details": {"episode": 3},
    }


def test_a_resolve_without_an_episode_names_its_run() -> None:
    details = payload_for(send({}, "resolved", 0), SITE, PageOptions(), 12).details
    assert details == {"run": page({"web1": MIGRATE}).details["run"]}
    assert payload_for(send({}, "resolved", 0), SITE, PageOptions(stable_payload=True), 12).details == {}
    assert payload_for(send({}, "resolved", 0), replace(SITE, origin=Origin()), PageOptions(), 12).details == {}


@pytest.mark.parametrize("state", ["triggered", "resolved"])
def test_an_unknown_episode_is_left_out(state: str) -> None:
    data = snapshot(Run("site.yml", {"web1": (MIGRATE,)}), SECRETIVE, PageOptions(), ROOT)
    assert "episode" not in payload_for(send(data, state, 0), SITE, PageOptions(), 12).details


@pytest.mark.parametrize(
    "kept", [{}, {"message": "old"}, {"failures": "?"}, {"failures": [1, {"kind": 3, "line": "x"}]}]
)
def test_data_stored_by_another_version_still_makes_a_page(kept: dict[str, Any]) -> None:
    event = payload_for(send({"web1": kept}), SITE, PageOptions(), 12)
    assert event.title.startswith("web1 failed") and event.title.endswith("[site.yml]")
    assert "Failed\nHost: web1" in event.content


def test_a_run_that_fails_normally_after_an_aborted_one_is_not_called_aborted() -> None:
    data = snapshot(Run("site.yml", {"web1": (FULL,)}), SECRETIVE, PageOptions(), ROOT)
    request = send({"*": {"failures": [{"kind": "aborted"}]}, **data})
    later = {**request.incident.failed_hosts, "web1": FailedHost(2, data["web1"])}
    event = payload_for(
        replace(request, incident=replace(request.incident, failed_hosts=later)), SITE, PageOptions(), 3
    )
    assert event.title == NAMED.format("web1") and "aborted" not in event.details
    assert "Aborted: the run started but did not finish." in event.content


PLACED = replace(
    SITE,
    origin=Origin(user="bob", revision="b" * 40),
    invocation=Invocation(
        environment="production",
        inventory="inventories/production/hosts.ini",
        limit="web*",
        controller="ctl7",
        directory="/srv/infra",
        command=("ansible-playbook", "-i", "inventories/production", "site.yml", "-e", "..."),
        compare_url="https://github.com/acme/infra/compare/{good}...{failed}",
    ),
)


def placed(options: PageOptions = PageOptions(), since: float = 1795831860.0) -> Payload:  # noqa: B008 - frozen
    request = send(snapshot(Run("site.yml", {"web1": (FULL,)}), SECRETIVE, options, ROOT))
    incident = replace(request.incident, since=since, good_revision="a" * 40)
    return payload_for(replace(request, incident=incident), PLACED, options, 3)


def test_a_page_says_where_since_when_and_what_to_do_next() -> None:
    event = placed(PageOptions(runbook_url="https://wiki.example.com/shop"))
    assert event.title == "Migrate the … database failed on web1 (production): disk full [site.yml]"
    assert event.content.splitlines()[0] == "site.yml, inventory inventories/production/hosts.ini, limited to web*"
    assert event.content.partition("Cause: disk full\n\n")[2].splitlines() == [
        "Failing since: 2026-11-28 02:11 UTC",
        f"Last good run: revision {'a' * 40}, compare https://github.com/acme/infra/compare/{'a' * 40}...{'b' * 40}",
        "Run on: ctl7, in /srv/infra",
        "Started by: bob",
        f"Revision: {'b' * 40}",
        "Retry: ansible-playbook -i inventories/production site.yml -e ... --limit web1",
        "Runbook: https://wiki.example.com/shop",
    ]
    for name, value in {
        "environment": "production",
        "inventory": "inventories/production/hosts.ini",
        "limit": "web*",
        "since": "2026-11-28 02:11 UTC",
        "good_revision": "a" * 40,
        "runbook_url": "https://wiki.example.com/shop",
    }.items():
        assert event.details[name] == value


def test_the_option_environment_beats_what_the_inventory_tells() -> None:
    assert "failed on web1 (blue): disk full" in placed(PageOptions(environment="blue")).title


def test_a_stable_payload_has_no_revision_and_no_controller() -> None:
    text = text_of(placed(PageOptions(stable_payload=True)))
    assert "ctl7" not in text and "a" * 40 not in text and "compare" not in text


@pytest.mark.parametrize("since", [0.0, 1e300, float("nan")])
def test_an_unknown_time_is_left_out(since: float) -> None:
    assert "since" not in placed(since=since).content


def test_the_hosts_of_a_retry_are_left_out_if_they_are_too_many() -> None:
    data = snapshot(Run("site.yml", {f"web{n}": (FULL,) for n in range(500)}), SECRETIVE, PageOptions(), ROOT)
    assert (
        payload_for(send(data), PLACED, PageOptions(), 500).details["retry"].endswith(" site.yml -e ... --limit 'web*'")
    )
