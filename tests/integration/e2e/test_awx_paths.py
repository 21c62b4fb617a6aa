# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in which AWX runs jobs, with each place for the store: slices, relaunches, concurrent and killed jobs.

Must not test what pages say: test_awx.py does.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.awx_job import (
    RUN,
    STREAM,
    Controller,
    JobTemplate,
    RunningJob,
)
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = [pytest.mark.matrix, pytest.mark.any_core]

DEPLOY = JobTemplate()
# Says that it has started, and waits for a file.
SLOW = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.file: {path: "{{ started }}", state: touch}
    - name: Migrate the database
      ansible.builtin.wait_for: {path: "{{ go }}", timeout: 60, sleep: 1}
"""
WATCH = JobTemplate(
    id=9,
    name="Watch",
    hosts=("localhost",),
    playbook="callgoose_watch.yml",
    content="- name: Watch\n  ansible.builtin.import_playbook: callgoose.sqibs.watch\n",
)
# The container of a job has a host name and process numbers of its own.
CONTAINER = (
    *("unshare", "--map-root-user", "--uts", "--pid", "--fork", "--mount-proc", "sh", "-c"),
    *('hostname "pod-$(cat /proc/sys/kernel/random/uuid)" && exec "$@"', "sh"),
)
EXPOSED, SHARED = "exposed path", "PostgreSQL"


@pytest.fixture()
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return the URL of a new store in a place, which jobs share. Each job has a home of its own."""

    def new(place: str) -> str:
        if place == EXPOSED:
            return f"sqlite:///{tmp_path}/exposed/state.sqlite3"
        postgresql = request.getfixturevalue("postgresql")
        return postgresql.url(options=f"-csearch_path={postgresql.new_schema()}")

    return new


@pytest.fixture()
def awx(tmp_path: Path, sandbox: Sandbox) -> Controller:
    return Controller(tmp_path, sandbox)


@pytest.fixture(params=[EXPOSED, SHARED])
def awx_with_store(request: pytest.FixtureRequest, awx: Controller, state_url: Callable[[str], str]) -> Controller:
    awx.credential["CALLGOOSE_STATE_URL"] = state_url(request.param)
    return awx


def states(awx: Controller) -> list[str]:
    return [incident["state"] for incident in awx.sandbox.incidents]


def start_slow(awx: Controller, **variables: Any) -> tuple[RunningJob, Path]:
    """Launch a job, wait for its second task, and return it with the path of the file that this waits for."""
    started, go = awx.directory / "started", awx.directory / "go"
    job = awx.start(replace(DEPLOY, content=SLOW), variables={"started": str(started), "go": str(go), **variables})
    job.wait_for(started)
    return job, go


@pytest.mark.parametrize("way", [RUN, STREAM])
@pytest.mark.parametrize("place", ["throw-away container", EXPOSED, SHARED])
def test_each_way_opens_an_incident_and_closes_it(awx, state_url, way, place):
    awx.way = way
    if place in (EXPOSED, SHARED):
        awx.credential["CALLGOOSE_STATE_URL"] = state_url(place)
    failed = awx.launch(DEPLOY, bad="web1")
    assert (failed.rc, failed.states, states(awx)) == (2, ["triggered"], ["open"])
    good = awx.launch(DEPLOY)
    assert (good.rc, good.states, states(awx)) == (0, ["resolved"], ["resolved"])
    # AWX reads the events that its own callback writes.
    for job, event in ((failed, "runner_on_failed"), (good, "runner_on_ok")):
        assert event in job.events and job.events[-1] == "playbook_on_stats"
        assert "Callgoose: " in job.stdout


def test_with_a_store_the_same_failure_again_pages_nobody(awx_with_store):
    awx_with_store.launch(DEPLOY, bad="web1")
    assert awx_with_store.launch(DEPLOY, bad="web1").states == []


def test_without_a_store_no_slice_closes_the_incident_of_another(awx):
    first, second = awx.launch_slices(DEPLOY, 2, bad="web1")
    assert (first.states, second.states, states(awx)) == (["triggered"], [], ["open"])
    assert [job.states for job in awx.launch_slices(DEPLOY, 2)] == [[], []]
    assert states(awx) == ["open"]


def test_with_a_store_slices_are_parts_of_one_run(awx_with_store):
    awx_with_store.sandbox.set(reading="mapped")
    first, second = awx_with_store.launch_slices(DEPLOY, 2, bad="web1 web2")
    assert (first.states, second.states) == (["triggered"], ["triggered"])
    assert second.sent[0]["details"]["hosts"] == ["web1", "web2"]
    assert states(awx_with_store) == ["open"]
    assert [job.states for job in awx_with_store.launch_slices(DEPLOY, 2)] == [[], ["resolved"]]
    assert states(awx_with_store) == ["resolved"]


def test_a_relaunch_on_the_failed_hosts_closes_the_incident_of_the_whole_job(awx_with_store):
    awx_with_store.way = STREAM
    awx_with_store.launch(DEPLOY, bad="web2")
    failed = awx_with_store.launch(DEPLOY, bad="web2", limit="web2", launch_type="relaunch")
    assert (failed.states, states(awx_with_store)) == ([], ["open"])
    good = awx_with_store.launch(DEPLOY, limit="web2", launch_type="relaunch")
    assert (good.states, states(awx_with_store)) == (["resolved"], ["resolved"])


def test_without_a_store_a_relaunch_on_all_hosts_closes_the_incident_of_the_whole_job(awx):
    awx.launch(DEPLOY, bad="web1 web2")
    awx.launch(DEPLOY, limit="web1,web2", launch_type="relaunch")
    assert states(awx) == ["resolved"]


def test_concurrent_jobs_that_fail_open_one_incident(awx_with_store):
    jobs = [awx_with_store.start(DEPLOY, bad="web1") for _number in range(2)]
    assert [job.end().rc for job in jobs] == [2, 2]
    assert states(awx_with_store) == ["open"]
    assert awx_with_store.launch(DEPLOY).states == ["resolved"]


def test_a_job_that_began_before_another_failed_does_not_close_its_incident(awx_with_store):
    slow, go = start_slow(awx_with_store)
    assert awx_with_store.launch(DEPLOY, bad="web1").states == ["triggered"]
    go.touch()
    assert slow.end().rc == 0
    assert states(awx_with_store) == ["open"]
    assert awx_with_store.launch(DEPLOY).states == ["resolved"]


@pytest.mark.parametrize("way", [RUN, STREAM])
def test_watch_finds_a_job_that_was_killed_on_its_node(awx_with_store, way):
    awx_with_store.way = way
    slow, _go = start_slow(awx_with_store)
    slow.kill()
    assert slow.end().states == []
    watch = awx_with_store.launch(WATCH)
    assert (watch.rc, [page["title"] for page in watch.sent]) == (0, ["Deploy the shop was killed (Shop hosts)"])
    assert awx_with_store.launch(DEPLOY).states == ["resolved"]
    assert states(awx_with_store) == ["resolved"]


def test_watch_finds_a_job_whose_container_is_gone_by_its_maximum_time(awx_with_store):
    if subprocess.run([*CONTAINER, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let users create namespaces")
    awx_with_store.way, awx_with_store.container = STREAM, CONTAINER
    awx_with_store.credential["CALLGOOSE_MAX_RUN_TIME"] = "2s"
    slow, _go = start_slow(awx_with_store)
    slow.kill()
    slow.end()
    time.sleep(2)
    watch = awx_with_store.launch(WATCH)
    (page,) = watch.sent
    assert page["title"] == "Deploy the shop hangs (Shop hosts): it has been running for more than 2s"
    assert page["details"]["run"]["run_id"] == "42", "the link is that of the job that was killed"
    awx_with_store.credential["CALLGOOSE_MAX_RUN_TIME"] = "1h"
    assert awx_with_store.launch(DEPLOY).states == ["resolved"]
    assert states(awx_with_store) == ["resolved"]
