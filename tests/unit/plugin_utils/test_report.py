# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page says, of failures of every kind and of any number, and what never gets into it.

Must not need Ansible or an API: runs are values, and what the ledger keeps of them goes through JSON as in a store.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.module_utils.event import Event, canonical_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.incidents import Send
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.ledger import Incident, Member
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.origin import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.recorder import (
    MESSAGE_LIMIT,
    OUTPUT_LIMIT,
    SHORT_LIMIT,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.redact import MASK, Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.report import (
    CONTENT_LIMIT,
    DETAILS_LIMIT,
    TITLE_LIMIT,
    ReportOptions,
    Subject,
    aborted_data,
    event_for,
    failure_data,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import (
    FAILED,
    LOST,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Run,
)

ROOT = "/srv/infra"
AWX = Origin("AWX", "https://awx.example.com/#/jobs/playbook/42", "42", "alice", "9c1f0e2", "Deploy")
SITE = Subject("site.yml", AWX, ROOT)
TOKEN = "t0k3n-Of-The-Api"
SECRETIVE = Redactor(secrets=[TOKEN])
MIGRATE = Failure(
    FAILED,
    task="Migrate the {{ app }} database",
    action="ansible.builtin.command",
    path=f"{ROOT}/roles/shop/tasks/main.yml",
    line=42,
    message="non-zero return code",
)
DOWN = Failure(UNREACHABLE, task="Gathering Facts", path=f"{ROOT}/site.yml", line=3, message="ssh: timed out")


def page(
    failures: dict[str, Any],
    total: int = 12,
    options: ReportOptions = ReportOptions(),  # noqa: B008 - frozen
    subject: Subject = SITE,
    aborted: str | None = None,
    redactor: Redactor = SECRETIVE,
) -> Event:
    """The event of a run with these failures, by way of the ledger; ``aborted``: it broke off, with this limit."""
    run = Run("site.yml", {host: (told if isinstance(told, tuple) else (told,)) for host, told in failures.items()})
    data = failure_data(run, redactor, options, subject.root)
    if aborted is not None:
        data[f"*{aborted}"] = aborted_data(run, redactor, options, subject.root)
    return event_for(send(json.loads(json.dumps(data))), subject, options, total, redactor)


def send(data: dict[str, Any], state: str = "triggered", episode: int = 1) -> Send:
    members = {host: Member(1, failure) for host, failure in data.items()}
    return Send(state, "site-1a2b", episode, frozenset(members), Incident("site-1a2b", Scope(), members))


def text_of(event: Event) -> str:
    return canonical_json(event.body()).decode()


@pytest.mark.parametrize(
    ("failures", "total", "title"),
    [
        ({"web1": MIGRATE}, 12, "site.yml failed on 1 of 12 hosts (web1): Migrate the {{ app }} database"),
        ({"localhost": MIGRATE}, 1, "site.yml failed on 1 of 1 host (localhost): Migrate the {{ app }} database"),
        (
            {f"web{n}": MIGRATE for n in range(1, 10)},
            12,
            "site.yml failed on 9 of 12 hosts (web1, web2, web3 and 6 more): Migrate the {{ app }} database",
        ),
        # the hosts of the task that is named come first
        ({"a": DOWN, "web1": MIGRATE}, 2, "site.yml failed on 2 of 2 hosts (web1, a): Migrate the {{ app }} database"),
        ({"db1": DOWN, "db2": DOWN}, 12, "site.yml could not reach 2 of 12 hosts (db1, db2)"),
        ({"db1": Failure(LOST)}, 12, "site.yml lost 1 of 12 hosts (db1)"),
        (
            {"db1": MIGRATE, "web1": Failure(NOT_REACHED), "web2": Failure(NOT_REACHED)},
            3,
            "site.yml failed on 1 of 3 hosts (db1), 2 not reached: Migrate the {{ app }} database",
        ),
        ({"web1": Failure(NOT_REACHED)}, 3, "site.yml did not reach 1 of 3 hosts (web1)"),
        # hosts of earlier runs that this one, with its limit, did not match
        ({"web1": DOWN, "web2": DOWN}, 1, "site.yml could not reach 2 hosts (web1, web2)"),
    ],
)
def test_a_title_says_what_failed_on_how_many_hosts_on_which_and_where(
    failures: dict[str, Failure], total: int, title: str
) -> None:
    assert page(failures, total).title == title


def test_a_long_title_names_fewer_hosts_and_then_cuts_the_tasks_name() -> None:
    long_task = replace(MIGRATE, task="Wait until the migration of the orders is done and the queue is empty again")
    hosts = {f"application-server-{n}.example.com": long_task for n in range(9)}
    assert page(hosts).title == (
        "site.yml failed on 9 of 12 hosts: Wait until the migration of the orders is done and the queue is empty again"
    )
    longer_task = replace(MIGRATE, task="Wait " * 50)
    title = page({"web1": longer_task}).title
    assert title.startswith("site.yml failed on 1 of 12 hosts: Wait Wait") and title.endswith("…")
    assert len(title) <= TITLE_LIMIT


def test_a_long_playbooks_name_keeps_its_end_in_the_title() -> None:
    title = page({"web1": MIGRATE}, subject=replace(SITE, name="playbooks/" * 10 + "site.yml")).title
    assert "playbooks/site.yml failed on 1 of 12 hosts (web1)" in title
    assert len(title) <= TITLE_LIMIT


def test_the_content_says_it_all() -> None:
    told = replace(MIGRATE, stderr="Traceback\n  line 1\nError: no slots\n", stdout="migrating 0041")
    event = page({"web1": told, "web2": told, "db1": DOWN, "db2": Failure(LOST), "db3": Failure(NOT_REACHED)})
    assert event.content == (
        "site.yml failed on 4 of 12 hosts, 1 not reached.\n"
        "\n"
        "Task: Migrate the {{ app }} database (roles/shop/tasks/main.yml:42)\n"
        "Hosts: web1, web2\n"
        "Message: non-zero return code\n"
        "End of stderr:\n"
        "  Traceback\n"
        "    line 1\n"
        "  Error: no slots\n"
        "End of stdout: migrating 0041\n"
        "\n"
        "Unreachable\n"
        "Task: Gathering Facts (site.yml:3)\n"
        "Host: db1\n"
        "Message: ssh: timed out\n"
        "\n"
        "Lost: ansible-core took the host out of the play, and no message was given by ansible-core.\n"
        "Host: db2\n"
        "\n"
        "Not reached: the play ended before it was done.\n"
        "Host: db3\n"
        "\n"
        "AWX run: https://awx.example.com/#/jobs/playbook/42\n"
        "Started by: alice\n"
        "Revision: 9c1f0e2"
    )


def test_the_details_say_the_same_as_data() -> None:
    told = replace(MIGRATE, stderr="Error: no slots")
    event = page({"web1": told, "web2": told, "db1": Failure(NOT_REACHED)})
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
                "message": "non-zero return code",
                "stderr": "Error: no slots",
            },
            {"kind": "not_reached", "hosts": ["db1"]},
        ],
        "episode": 1,
    }


def test_an_event_has_the_users_severity_source_and_tags_and_no_others() -> None:
    event = page({"web1": MIGRATE}, options=ReportOptions(severity="error", tags=("shop", "prod"), source="Ansible"))
    assert (event.severity, event.source, event.tags) == ("error", "Ansible", ("shop", "prod"))
    assert (event.state, event.incident_key) == ("triggered", "site-1a2b")


def test_hosts_with_different_messages_are_told_apart() -> None:
    full, locked = replace(MIGRATE, message="disk full"), replace(MIGRATE, message="table locked")
    failures = page({"web1": full, "web2": locked, "web3": full}).details["failures"]
    assert [(told["hosts"], told["message"]) for told in failures] == [
        (["web1", "web3"], "disk full"),
        (["web2"], "table locked"),
    ]


def test_outputs_that_differ_are_shown_with_their_host() -> None:
    content = page({f"web{n}": replace(MIGRATE, stderr=f"no slot {n}") for n in (1, 2)}).content
    assert "Hosts: web1, web2\n" in content
    assert "End of stderr on web1: no slot 1\nEnd of stderr on web2: no slot 2\n" in content


def test_an_output_that_only_one_of_several_hosts_has_is_shown_with_its_host() -> None:
    content = page({"web1": MIGRATE, "web2": replace(MIGRATE, stdout="no slots")}).content
    assert "Hosts: web1, web2\n" in content and "End of stdout on web2: no slots\n" in content


def test_a_long_message_leaves_room_for_the_output_and_one_task_for_the_next() -> None:
    told = replace(MIGRATE, message="m" * 9000, stderr="e" * 9000, stdout="o" * 9000)
    event = page({f"web{line}": replace(told, line=line) for line in range(1, 7)})
    for line, section in enumerate(event.content.split("\n\n")[1:7], 1):
        assert f":{line})" in section
        assert all(letter * 200 in section for letter in "meo")
    for failure in event.details["failures"]:
        assert all(len(failure[name]) > 200 for name in ("message", "stderr", "stdout"))


def test_a_host_that_failed_twice_is_one_host_with_two_failures() -> None:
    cleanup = replace(MIGRATE, task="Clean up", line=50)
    event = page({"web1": (MIGRATE, cleanup)})
    assert event.title == "site.yml failed on 1 of 12 hosts (web1): Migrate the {{ app }} database"
    assert [told["task"] for told in event.details["failures"]] == [MIGRATE.task, "Clean up"]


def test_an_aborted_run_is_called_so() -> None:
    event = page({}, aborted="")
    assert event.title == "site.yml was aborted before its end"
    assert "Aborted: the run started and never reached its end." in event.content
    assert event.details["aborted"] is True


def test_an_aborted_run_tells_its_limit_and_the_hosts_that_failed_before() -> None:
    event = page({"web1": MIGRATE}, aborted="web1,web2")
    assert event.title == (
        "site.yml was aborted before its end; failed on 1 of 12 hosts (web1): Migrate the {{ app }} database"
    )
    assert "\nLimit: web1,web2\n" in event.content


def test_a_path_outside_of_the_project_and_a_task_without_a_place_are_shown_as_they_are() -> None:
    elsewhere = replace(MIGRATE, path="/srv/infrared/main.yml", line=7)
    nowhere = Failure(FAILED, action="debug", message="no")
    content = page({"web1": elsewhere, "web2": nowhere}).content
    assert "(/srv/infrared/main.yml:7)" in content
    assert "\nTask: debug\n" in content


def test_a_run_from_a_shell_has_no_link_and_one_without_address_its_number() -> None:
    by_hand = page({"web1": MIGRATE}, subject=replace(SITE, origin=Origin(user="bob"))).content
    assert by_hand.endswith("Message: non-zero return code\n\nStarted by: bob")
    numbered = page({"web1": MIGRATE}, subject=replace(SITE, origin=Origin("Jenkins", run_id="15"))).content
    assert numbered.endswith("\n\nJenkins run: 15")


def test_a_stable_payload_leaves_out_what_differs_from_run_to_run() -> None:
    stable = ReportOptions(stable_payload=True)
    first = page({"web1": MIGRATE}, options=stable)
    later = replace(AWX, url="https://awx.example.com/#/jobs/playbook/43", run_id="43", user="bob", revision="ffac537")
    assert text_of(first) == text_of(page({"web1": MIGRATE}, options=stable, subject=replace(SITE, origin=later)))
    assert "alice" not in text_of(first) and "awx" not in text_of(first)


def test_a_resolve_says_that_it_works_again_and_is_the_same_whoever_ran_it() -> None:
    first = event_for(send({}, "resolved", 3), SITE, ReportOptions(), 12)
    later = event_for(send({}, "resolved", 3), replace(SITE, origin=Origin()), ReportOptions(), 5)
    assert first == later
    assert first.body() == {
        "state": "resolved",
        "incident_key": "site-1a2b",
        "title": "site.yml works again",
        "content": "site.yml works again: no host is left on which it failed.",
        "details": {"episode": 3},
    }


@pytest.mark.parametrize("state", ["triggered", "resolved"])
def test_an_episode_of_which_nothing_is_remembered_is_left_out(state: str) -> None:
    data = failure_data(Run("site.yml", {"web1": (MIGRATE,)}), SECRETIVE, ReportOptions(), ROOT)
    assert "episode" not in event_for(send(data, state, 0), SITE, ReportOptions(), 12).details


# Many hosts


def test_hosts_beyond_max_hosts_are_counted_and_keep_a_brief_message() -> None:
    said = "The service could not be started. " * 20
    failures = {f"web{n:03}": replace(MIGRATE, message=said, stderr="trace") for n in range(100)}
    event = page(failures, 100, ReportOptions(max_hosts=3))
    assert "Hosts: web000, web001, web002 and 97 more\n" in event.content
    assert event.details["hosts"] == ["web000", "web001", "web002"] and event.details["more_hosts"] == 97
    assert len(event.details["failures"]) == 1

    data = failure_data(
        Run("site.yml", {host: (failure,) for host, failure in failures.items()}),
        SECRETIVE,
        ReportOptions(max_hosts=3),
        ROOT,
    )
    assert data["web002"]["failures"][0]["message"] == said.strip() and data["web002"]["failures"][0]["stderr"]
    assert len(data["web003"]["failures"][0]["message"]) <= 200 and "stderr" not in data["web003"]["failures"][0]


def test_a_host_in_brief_joins_those_with_the_same_long_message_whatever_their_names() -> None:
    told = Run("site.yml", {"host": (replace(MIGRATE, message="The service could not be started. " * 20),)})
    full = failure_data(told, SECRETIVE, ReportOptions(), ROOT)["host"]
    brief = failure_data(told, SECRETIVE, ReportOptions(max_hosts=0), ROOT)["host"]
    event = event_for(send({"a": brief, "b": full, "c": brief}), SITE, ReportOptions(), 12)
    (failure,) = event.details["failures"]
    assert failure["hosts"] == ["a", "b", "c"] and failure["message"] == full["failures"][0]["message"]


def test_the_one_host_that_failed_is_told_in_full_though_many_were_not_reached() -> None:
    failures = {f"a{n:03}": Failure(NOT_REACHED) for n in range(100)}
    event = page({**failures, "web1": replace(MIGRATE, stderr="no slots")}, 101, ReportOptions(max_hosts=1))
    assert "Host: web1\nMessage: non-zero return code\nEnd of stderr: no slots\n" in event.content
    assert event.title.startswith("site.yml failed on 1 of 101 hosts (web1), 100 not reached: ")


def test_of_each_failing_task_a_host_is_told_in_full_though_another_failed_on_many() -> None:
    failures = {f"a{n:03}": replace(MIGRATE, stderr="no slots") for n in range(100)}
    other = replace(MIGRATE, task="Restart", line=50, stderr="no unit")
    content = page({**failures, "web1": other}, 101).content
    assert "Task: Restart (roles/shop/tasks/main.yml:50)\nHost: web1\n" in content and "no unit" in content


def test_ten_thousand_failed_hosts_give_one_bounded_event_and_little_to_remember() -> None:
    failures = {
        f"server-{n}.example.com": replace(MIGRATE, message=f"{n} is broken " * 300, stdout="x\n" * 1000)
        for n in range(10_000)
    }
    event = page(failures, 10_000)
    assert_bounded(event)
    assert event.details["failed_hosts"] == 10_000
    assert "Not shown: " in event.content and event.details["more_failures"] > 9_000
    data = failure_data(
        Run("site.yml", {host: (failure,) for host, failure in failures.items()}), SECRETIVE, ReportOptions(), ROOT
    )
    assert len(json.dumps(data)) < 6_000_000


@pytest.mark.parametrize("differing", [False, True])
def test_the_event_of_a_thousand_failed_hosts_is_built_in_less_than_a_second(differing: bool) -> None:
    said = "the service could not be started, see its log " * 80
    failures = {
        f"web{n}": replace(
            MIGRATE, message=f"{n if differing else 0}: {said}", stdout=f"{n if differing else 0}\n" * 400
        )
        for n in range(1000)
    }
    seconds = []
    for _attempt in range(3):
        before = time.process_time()
        page(failures, 1000)
        seconds.append(time.process_time() - before)
    assert min(seconds) < 1


# What must not leave


def test_no_output_leaves_when_it_is_not_wanted_even_if_the_ledger_has_some() -> None:
    told = replace(MIGRATE, stdout="out", stderr="err")
    quiet = ReportOptions(include_output=False)
    data = failure_data(Run("site.yml", {"web1": (told,)}), SECRETIVE, quiet, ROOT)
    assert not {"stdout", "stderr"} & data["web1"]["failures"][0].keys()
    kept_before = failure_data(Run("site.yml", {"web1": (told,)}), SECRETIVE, ReportOptions(), ROOT)
    event = event_for(send(kept_before), SITE, quiet, 12)
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
    kept = failure_data(
        Run("site.yml", {"web1": (told,), "web2": (told,)}), SECRETIVE, ReportOptions(max_hosts=1), ROOT
    )
    assert TOKEN not in json.dumps(kept)


def test_a_known_secret_is_masked_in_names_and_in_where_the_run_came_from() -> None:
    subject = Subject(f"{TOKEN}.yml", replace(AWX, url=f"https://example.com/?x={TOKEN}", user=TOKEN), ROOT)
    event = page({f"{TOKEN}-host": MIGRATE}, subject=subject, aborted=f"{TOKEN}-host")
    assert TOKEN not in text_of(event)
    assert TOKEN not in text_of(event_for(send({}, "resolved"), subject, ReportOptions(), 1, SECRETIVE))


def test_a_pattern_that_was_added_later_masks_what_the_ledger_has_kept() -> None:
    data = failure_data(
        Run("site.yml", {"web1": (replace(MIGRATE, message="EMP-1234"),)}), SECRETIVE, ReportOptions(), ""
    )
    event = event_for(send(data), SITE, ReportOptions(), 12, Redactor(extra_patterns=[r"EMP-\d+"]))
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
        data = failure_data(Run("site.yml", {"web1": (failure,)}), SECRETIVE, ReportOptions(max_hosts=max_hosts), "")
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
        {"web\udcff1": broken}, subject=replace(SITE, name="s\udcff.yml"), options=ReportOptions(tags=("\udcff",))
    )
    assert event.title == "s?.yml failed on 1 of 12 hosts (web?1): a?b"
    assert canonical_json(event.body())


@pytest.mark.parametrize(
    "kept", [{}, {"message": "old"}, {"failures": "?"}, {"failures": [1, {"kind": 3, "line": "x"}]}]
)
def test_what_another_version_has_kept_is_still_a_page(kept: dict[str, Any]) -> None:
    event = event_for(send({"web1": kept}), SITE, ReportOptions(), 12)
    assert event.title == "site.yml failed on 1 of 12 hosts (web1)"
    assert "Failed\nHost: web1" in event.content


# What holds for any run

texts = st.text(max_size=30) | st.builds(
    lambda unit, times: unit * times,
    st.sampled_from(['"', "\\", "\n", "é", "word ", "password=", TOKEN, "\0", "💥"]),
    st.integers(1, 1500),
)
failures = st.builds(
    Failure,
    kind=st.sampled_from([FAILED, UNREACHABLE, LOST, NOT_REACHED]),
    task=texts,
    path=texts,
    line=st.integers(0, 10**6),
    message=texts,
    stdout=texts,
    stderr=texts,
)
hosts = st.dictionaries(
    texts.filter(lambda host: not host.startswith("*")),
    st.lists(failures, min_size=1, max_size=4).map(tuple),
    max_size=12,
)
subjects = st.builds(
    Subject, name=texts, origin=st.builds(Origin, texts, texts, texts, texts, texts), root=st.just(ROOT)
)
options = st.builds(
    ReportOptions, max_hosts=st.integers(0, 30), include_output=st.booleans(), stable_payload=st.booleans()
)


def assert_bounded(event: Event) -> None:
    assert 0 < len(event.title) <= TITLE_LIMIT and "\n" not in event.title
    assert len(event.content.encode()) <= CONTENT_LIMIT
    assert len(canonical_json(event.body().get("details", {}))) <= DETAILS_LIMIT


@given(hosts, st.integers(0, 50), options, subjects, st.none() | texts)
def test_an_event_is_bounded_valid_and_free_of_known_secrets(
    failed: dict[str, Any], total: int, chosen: ReportOptions, subject: Subject, aborted: str | None
) -> None:
    event = page(failed, total, chosen, subject, aborted)
    assert_bounded(event)
    assert TOKEN not in text_of(event)


@given(hosts, options, st.randoms())
def test_an_event_is_the_same_in_whatever_order_hosts_failed(
    failed: dict[str, Any], chosen: ReportOptions, dice: random.Random
) -> None:
    names = list(failed)
    dice.shuffle(names)
    assert text_of(page(failed, options=chosen)) == text_of(
        page({name: failed[name] for name in names}, options=chosen)
    )
