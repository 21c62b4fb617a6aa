# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out where a run came from: the AWX job or CI run that started it, its link, its user and the revision.

Must not read os.environ or Ansible's state: both are arguments. Must not return a link with credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Origin:
    """Where a run came from. Unknown fields are empty.

    :param system: ``AWX``, ``GitHub Actions``, ``GitLab CI``, ``Jenkins`` or ``Buildkite``; empty for a shell or cron.
    :param url: the link to the run, without credentials.
    :param run_id: the system's ID of the run.
    :param user: who started the run; for a scheduled AWX job, the name of the schedule.
    :param revision: the project's revision, as the system names it.
    :param branch: the branch that an AWX job has instead of its project's; empty if it has none of its own.
    :param job_name: the name of the job template, workflow, job or pipeline.
    """

    system: str = ""
    url: str = ""
    run_id: str = ""
    user: str = ""
    revision: str = ""
    job_name: str = ""
    branch: str = ""


# The address of a job's page up to AWX 24.6.1. Newer ones and AAP 2.5 have another, and a job cannot tell which.
_JOB_URL = "{host}/#/jobs/playbook/{id}"
# What AWX takes for its own address until somebody sets the "Base URL of the service" (TOWER_URL_BASE).
_UNSET_HOST = "towerhost"


def read_origin(environ: Mapping[str, str], extra_vars: Mapping[str, Any], job_url: str = "") -> Origin:
    """Return where the run came from, by the environment variables and extra vars that each system documents.

    AWX comes first: a CI run can launch an AWX job, but an AWX job cannot launch a CI run.

    :param job_url: the option: the link to an AWX job, with ``{host}`` and ``{id}`` in it.
    """
    if awx_variable(extra_vars, "job_id"):
        return _awx(environ, extra_vars, job_url.strip() or _JOB_URL)
    if _is_set(environ, "GITHUB_ACTIONS"):
        return _github(environ)
    if _is_set(environ, "GITLAB_CI"):
        return _gitlab(environ)
    if _is_set(environ, "BUILDKITE"):
        return _buildkite(environ)
    # Jenkins has no flag. JENKINS_URL is set only if the server knows its address; the other two identify the build.
    if environ.get("JENKINS_URL") or (environ.get("BUILD_URL") and environ.get("BUILD_NUMBER")):
        return _jenkins(environ)
    return Origin(user=_first(environ, "SUDO_USER", "USER", "LOGNAME"))


def awx_variable(extra_vars: Mapping[str, Any], name: str) -> str:
    """Return AWX's extra var ``awx_<name>``, or its synonym ``tower_<name>``, as a string; empty if neither is set.

    The names are those of ``awx_meta_vars`` in AWX's ``models/jobs.py`` and ``models/unified_jobs.py``.
    """
    for prefix in ("awx_", "tower_"):
        value = extra_vars.get(prefix + name)
        if value not in (None, ""):
            return str(value)
    return ""


def awx_url(environ: Mapping[str, str]) -> str:
    """Return the URL of the AWX that runs this job, without a trailing slash; empty outside AWX, or if AWX has none.

    AWX sets ``AWX_HOST`` to its *Base URL of the service* in each job. No credential can override it.
    """
    return "" if is_awx_nameless(environ) else public_url(environ.get("AWX_HOST", "")).rstrip("/")


def is_awx_nameless(environ: Mapping[str, str]) -> bool:
    """Return whether an AWX runs this job that does not know its own address."""
    return urlsplit(public_url(environ.get("AWX_HOST", ""))).hostname == _UNSET_HOST


def public_url(url: str) -> str:
    """Return an http or https URL without credentials and with a lower-case host; empty for any other string."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))


def _awx(environ: Mapping[str, str], extra_vars: Mapping[str, Any], job_url: str) -> Origin:
    job, host = awx_variable(extra_vars, "job_id"), awx_url(environ)
    starters = ("user_name", "schedule_name", "parent_job_schedule_name")
    branch = awx_variable(extra_vars, "job_scm_branch")
    if branch == awx_variable(extra_vars, "project_scm_branch"):
        branch = ""
    return Origin(
        system="AWX",
        url=public_url(job_url.replace("{host}", host).replace("{id}", job)),
        run_id=job,
        user=next(filter(None, (awx_variable(extra_vars, name) for name in starters)), ""),
        # It is that of the project's branch, even if the job has another branch.
        revision="" if branch else awx_variable(extra_vars, "project_revision"),
        branch=branch,
        job_name=awx_variable(extra_vars, "job_template_name"),
    )


def _github(environ: Mapping[str, str]) -> Origin:
    server, repository, run = (_first(environ, f"GITHUB_{part}") for part in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    attempt = _first(environ, "GITHUB_RUN_ATTEMPT")
    url = f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
    if url and attempt not in ("", "1"):
        # Without it, the link would show the latest attempt, which may have succeeded.
        url += f"/attempts/{attempt}"
    return Origin(
        system="GitHub Actions",
        url=public_url(url),
        run_id=run,
        # GITHUB_ACTOR is the user of the first attempt, even if another user re-runs the job.
        user=_first(environ, "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        revision=_first(environ, "GITHUB_SHA"),
        job_name=_first(environ, "GITHUB_WORKFLOW"),
    )


def _gitlab(environ: Mapping[str, str]) -> Origin:
    return Origin(
        system="GitLab CI",
        url=public_url(_first(environ, "CI_JOB_URL", "CI_PIPELINE_URL")),
        run_id=_first(environ, "CI_JOB_ID", "CI_PIPELINE_ID"),
        user=_first(environ, "GITLAB_USER_LOGIN"),
        revision=_first(environ, "CI_COMMIT_SHA"),
        job_name=_first(environ, "CI_JOB_NAME"),
    )


def _buildkite(environ: Mapping[str, str]) -> Origin:
    build, job = public_url(_first(environ, "BUILDKITE_BUILD_URL")), _first(environ, "BUILDKITE_JOB_ID")
    return Origin(
        system="Buildkite",
        url=f"{build}#{job}" if build and job else build,
        run_id=_first(environ, "BUILDKITE_BUILD_NUMBER"),
        user=_first(environ, "BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_AUTHOR"),
        revision=_first(environ, "BUILDKITE_COMMIT"),
        job_name=_first(environ, "BUILDKITE_PIPELINE_SLUG"),
    )


def _jenkins(environ: Mapping[str, str]) -> Origin:
    return Origin(
        system="Jenkins",
        url=public_url(_first(environ, "BUILD_URL")),
        run_id=_first(environ, "BUILD_NUMBER"),
        # Jenkins itself sets no user. These come from the plugin build user vars and from multibranch pipelines.
        user=_first(environ, "BUILD_USER_ID", "BUILD_USER", "CHANGE_AUTHOR"),
        revision=_first(environ, "GIT_COMMIT"),
        job_name=_first(environ, "JOB_NAME"),
    )


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() == "true"
