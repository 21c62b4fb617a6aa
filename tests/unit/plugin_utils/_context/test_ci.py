# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The origin of a run, from the documented environment variables of each system.

Must not read this process's environment: all cases are tables.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import (
    Origin,
    awx_url,
    awx_variable,
    is_awx_nameless,
    public_url,
    read_origin,
)

# As written by awx_meta_vars() of AWX 24.6.1: numbers stay numbers.
AWX_VARS = {
    "job_id": 42,
    "job_launch_type": "manual",
    "job_template_id": 7,
    "job_template_name": "Deploy web",
    "inventory_id": 3,
    "inventory_name": "prod",
    "user_name": "alice",
    "project_revision": "9c1f0e2",
}
AWX = Origin("AWX", "https://awx.example.com/#/jobs/playbook/42", "42", "alice", "9c1f0e2", "Deploy web")
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "org/infra",
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_ACTOR": "alice",
    "GITHUB_TRIGGERING_ACTOR": "bob",
    "GITHUB_SHA": "ffac537",
    "GITHUB_WORKFLOW": "nightly",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_JOB_URL": "https://gitlab.example.com/org/infra/-/jobs/99",
    "CI_JOB_ID": "99",
    "GITLAB_USER_LOGIN": "alice",
    "CI_COMMIT_SHA": "ffac537",
    "CI_JOB_NAME": "deploy",
}
JENKINS = {
    "JENKINS_URL": "https://ci.example.com/",
    "BUILD_URL": "https://ci.example.com/job/deploy/15/",
    "BUILD_NUMBER": "15",
    "BUILD_USER_ID": "alice",
    "GIT_COMMIT": "ffac537",
    "JOB_NAME": "deploy",
}
BUILDKITE = {
    "BUILDKITE": "true",
    "BUILDKITE_BUILD_URL": "https://buildkite.com/org/infra/builds/514",
    "BUILDKITE_JOB_ID": "018f",
    "BUILDKITE_BUILD_NUMBER": "514",
    "BUILDKITE_BUILD_CREATOR": "Alice",
    "BUILDKITE_COMMIT": "ffac537",
    "BUILDKITE_PIPELINE_SLUG": "infra",
}


def prefixed(prefix: str, **changes: object) -> dict:
    return {f"{prefix}_{name}": value for name, value in {**AWX_VARS, **changes}.items()}


@pytest.mark.parametrize("prefix", ["awx", "tower"])
def test_an_awx_job_is_recognised_by_either_prefix(prefix: str) -> None:
    assert read_origin({"AWX_HOST": "https://awx.example.com"}, prefixed(prefix)) == AWX


@pytest.mark.parametrize(
    "environ", [{}, {"AWX_HOST": "https://towerhost"}, {"AWX_HOST": "https://me:pw@TowerHost:8443/"}]
)
def test_an_awx_job_without_an_address_of_awx_has_no_link(environ: dict) -> None:
    assert read_origin(environ, prefixed("awx")).url == ""
    assert awx_url(environ) == ""
    assert is_awx_nameless(environ) == bool(environ)


@pytest.mark.parametrize(
    ("job_url", "host", "url"),
    [
        (
            "{host}/execution/jobs/playbook/{id}/output",
            "https://a.example/",
            "https://a.example/execution/jobs/playbook/42/output",
        ),
        ("https://b.example/jobs/{id}", "https://a.example", "https://b.example/jobs/42"),
        ("https://b.example/jobs/{id}", "https://towerhost", "https://b.example/jobs/42"),
        ("https://me:pw@b.example/jobs/{id}", "", "https://b.example/jobs/42"),
        ("{host}/jobs/{id}", "", ""),
        (" ", "https://a.example", "https://a.example/#/jobs/playbook/42"),
    ],
)
def test_the_link_of_an_awx_job_is_the_users_own_if_given(job_url: str, host: str, url: str) -> None:
    assert read_origin({"AWX_HOST": host}, prefixed("awx"), job_url).url == url
    assert not is_awx_nameless({}) and read_origin(GITLAB, {}, job_url).url == GITLAB["CI_JOB_URL"]


@pytest.mark.parametrize(
    ("branches", "revision", "branch"),
    [
        ({"project_scm_branch": "main", "job_scm_branch": "hotfix"}, "", "hotfix"),
        ({"job_scm_branch": "hotfix"}, "", "hotfix"),
        ({"project_scm_branch": "main", "job_scm_branch": "main"}, "9c1f0e2", ""),
        ({"project_scm_branch": "main", "job_scm_branch": ""}, "9c1f0e2", ""),
        ({"project_scm_branch": "main"}, "9c1f0e2", ""),
    ],
)
def test_an_awx_job_on_another_branch_does_not_have_the_revision_of_the_project(
    branches: dict, revision: str, branch: str
) -> None:
    origin = read_origin({}, prefixed("awx", **branches))
    assert (origin.revision, origin.branch) == (revision, branch)


@pytest.mark.parametrize(
    ("variables", "user"),
    [
        ({"user_name": "alice", "schedule_name": "nightly"}, "alice"),
        ({"user_name": "", "schedule_name": "nightly"}, "nightly"),
        ({"user_name": None, "parent_job_schedule_name": "weekly"}, "weekly"),
        ({"user_name": ""}, ""),
    ],
)
def test_a_scheduled_awx_job_names_its_schedule_as_user(variables: dict, user: str) -> None:
    assert read_origin({}, prefixed("awx", **variables)).user == user


@pytest.mark.parametrize("environ", [GITHUB, GITLAB, JENKINS, BUILDKITE])
def test_awx_takes_precedence_over_the_ci_system_that_launched_it(environ: dict) -> None:
    assert read_origin({**environ, "AWX_HOST": "https://awx.example.com"}, prefixed("awx")) == AWX


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        (
            GITHUB,
            Origin(
                "GitHub Actions",
                "https://github.com/org/infra/actions/runs/1658821493",
                "1658821493",
                "bob",
                "ffac537",
                "nightly",
            ),
        ),
        (GITLAB, Origin("GitLab CI", GITLAB["CI_JOB_URL"], "99", "alice", "ffac537", "deploy")),
        (JENKINS, Origin("Jenkins", JENKINS["BUILD_URL"], "15", "alice", "ffac537", "deploy")),
        (
            BUILDKITE,
            Origin("Buildkite", "https://buildkite.com/org/infra/builds/514#018f", "514", "Alice", "ffac537", "infra"),
        ),
    ],
    ids=["github", "gitlab", "jenkins", "buildkite"],
)
def test_a_ci_run_is_recognised_by_the_variables_of_its_system(environ: dict, origin: Origin) -> None:
    assert read_origin(environ, {}) == origin


@pytest.mark.parametrize(
    ("environ", "system"),
    [
        ({"GITHUB_ACTIONS": "true"}, "GitHub Actions"),
        ({"GITLAB_CI": "true"}, "GitLab CI"),
        ({"JENKINS_URL": "https://ci.example.com/"}, "Jenkins"),
        ({"BUILDKITE": "true"}, "Buildkite"),
    ],
)
def test_a_ci_run_with_only_a_flag_still_names_the_system(environ: dict, system: str) -> None:
    assert read_origin(environ, {}) == Origin(system)


def test_a_github_rerun_links_to_its_own_attempt() -> None:
    again = read_origin({**GITHUB, "GITHUB_RUN_ATTEMPT": "2"}, {})
    assert again.url == "https://github.com/org/infra/actions/runs/1658821493/attempts/2"


def test_a_github_run_without_a_rerun_names_its_actor() -> None:
    assert read_origin({**GITHUB, "GITHUB_TRIGGERING_ACTOR": ""}, {}).user == "alice"


def test_jenkins_without_a_server_url_is_recognised_by_its_build() -> None:
    assert read_origin({"BUILD_URL": "http://ci/job/1/", "BUILD_NUMBER": "1"}, {}).system == "Jenkins"
    assert read_origin({"BUILD_NUMBER": "1"}, {}).system == ""
    assert read_origin({"BUILD_URL": "http://ci/job/1/"}, {}).system == ""


def test_a_buildkite_build_without_a_job_links_to_the_build() -> None:
    assert read_origin({**BUILDKITE, "BUILDKITE_JOB_ID": ""}, {}).url == BUILDKITE["BUILDKITE_BUILD_URL"]


@pytest.mark.parametrize(
    ("environ", "user"),
    [
        ({}, ""),
        ({"USER": "alice", "LOGNAME": "al"}, "alice"),
        ({"USER": "root", "SUDO_USER": "alice"}, "alice"),
        ({"LOGNAME": "cron"}, "cron"),
        ({"GITHUB_ACTIONS": "false", "USER": "alice"}, "alice"),
    ],
)
def test_a_shell_or_cron_has_only_a_user(environ: dict, user: str) -> None:
    assert read_origin(environ, {"env": "prod"}) == Origin(user=user)


@pytest.mark.parametrize(
    ("environ", "extra_vars"),
    [
        ({"AWX_HOST": "https://bob:hunter2@awx.example.com"}, prefixed("awx")),
        ({**GITHUB, "GITHUB_SERVER_URL": "https://bob:hunter2@github.com"}, {}),
        ({**GITLAB, "CI_JOB_URL": "https://bob:hunter2@gitlab.example.com/jobs/99"}, {}),
        ({**JENKINS, "BUILD_URL": "https://bob:hunter2@ci.example.com/15/"}, {}),
        ({**BUILDKITE, "BUILDKITE_BUILD_URL": "https://bob:hunter2@buildkite.com/514"}, {}),
    ],
    ids=["awx", "github", "gitlab", "jenkins", "buildkite"],
)
def test_no_link_contains_credentials(environ: dict, extra_vars: dict) -> None:
    url = read_origin(environ, extra_vars).url
    assert url.startswith("https://")
    assert "hunter2" not in url and "bob" not in url


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://Host.Example.com:8443/Path?q=1#f", "https://host.example.com:8443/Path?q=1#f"),
        ("https://a:b@c@host/x", "https://host/x"),
        ("HTTP://host", "http://host"),
        ("javascript:alert(1)", ""),
        ("https://[broken/x", ""),
        ("https:///x", ""),
        ("awx.example.com", ""),
        ("", ""),
    ],
)
def test_only_a_web_address_is_a_link(url: str, public: str) -> None:
    assert public_url(url) == public


@given(st.text())
def test_any_string_can_be_passed_as_url(text: str) -> None:
    # People click these links: they must never have another scheme, whatever the environment variables contain.
    assert public_url(text) == "" or public_url(text).startswith(("http://", "https://"))


def test_the_awx_url_is_normalised() -> None:
    forms = ("https://awx.example.com", "https://AWX.example.com/", " https://x:y@awx.example.com// ")
    assert {awx_url({"AWX_HOST": form}) for form in forms} == {"https://awx.example.com"}
    assert awx_url({}) == ""


def test_if_an_awx_variable_is_empty_its_tower_synonym_is_used() -> None:
    assert awx_variable({"awx_job_id": "", "tower_job_id": 5}, "job_id") == "5"
    assert awx_variable({"awx_job_id": None}, "job_id") == ""
    assert awx_variable({"awx_job_id": 1, "tower_job_id": 5}, "job_id") == "1"
