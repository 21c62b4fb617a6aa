# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says where a run came from: the AWX job or CI run that started it, its link, who asked for it, and the revision.

Must not look into os.environ or Ansible itself: both come as arguments. No link it gives holds a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Origin:
    """Where a run came from; what is not known is empty.

    :param system: ``AWX``, ``GitHub Actions``, ``GitLab CI``, ``Jenkins``, ``Buildkite``, or empty: a shell or cron.
    :param url: link to the run, without credentials.
    :param run_id: the system's own number of the run.
    :param user: who started it; in AWX the schedule, where no person did.
    :param revision: of the project, as the system calls it.
    :param job_name: the job template, workflow, job or pipeline.
    """

    system: str = ""
    url: str = ""
    run_id: str = ""
    user: str = ""
    revision: str = ""
    job_name: str = ""


def read_origin(environ: Mapping[str, str], extra_vars: Mapping[str, Any]) -> Origin:
    """Return where the run came from, by the variables that each system documents.

    AWX is asked first: its jobs can be launched from a CI run, but not the other way round.
    """
    if awx_variable(extra_vars, "job_id"):
        return _awx(environ, extra_vars)
    if _is_set(environ, "GITHUB_ACTIONS"):
        return _github(environ)
    if _is_set(environ, "GITLAB_CI"):
        return _gitlab(environ)
    if _is_set(environ, "BUILDKITE"):
        return _buildkite(environ)
    # Jenkins has no flag of its own: these two are set in every build of a server that knows its address.
    if environ.get("JENKINS_URL") or (environ.get("BUILD_URL") and environ.get("BUILD_NUMBER")):
        return _jenkins(environ)
    return Origin(user=_first(environ, "SUDO_USER", "USER", "LOGNAME"))


def awx_variable(extra_vars: Mapping[str, Any], name: str) -> str:
    """Return AWX's extra var ``awx_<name>``, or its twin ``tower_<name>``, as text; empty where there is none.

    The names are those of ``awx_meta_vars`` in AWX's ``models/jobs.py`` and ``models/unified_jobs.py``.
    """
    for prefix in ("awx_", "tower_"):
        value = extra_vars.get(prefix + name)
        if value not in (None, ""):
            return str(value)
    return ""


def awx_url(environ: Mapping[str, str]) -> str:
    """Return the address of the AWX whose job this is, without a slash at its end; empty outside AWX.

    AWX puts its *Base URL of the service* into ``AWX_HOST`` of each job, and lets no credential override it.
    """
    return public_url(environ.get("AWX_HOST", "")).rstrip("/")


def public_url(url: str) -> str:
    """Return an http or https URL without the credentials in it and with its host in lower case, else nothing."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))


def _awx(environ: Mapping[str, str], extra_vars: Mapping[str, Any]) -> Origin:
    job, host = awx_variable(extra_vars, "job_id"), awx_url(environ)
    starters = ("user_name", "schedule_name", "parent_job_schedule_name")
    return Origin(
        system="AWX",
        url=f"{host}/#/jobs/playbook/{job}" if host else "",
        run_id=job,
        user=next(filter(None, (awx_variable(extra_vars, name) for name in starters)), ""),
        revision=awx_variable(extra_vars, "project_revision"),
        job_name=awx_variable(extra_vars, "job_template_name"),
    )


def _github(environ: Mapping[str, str]) -> Origin:
    server, repository, run = (_first(environ, f"GITHUB_{part}") for part in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    attempt = _first(environ, "GITHUB_RUN_ATTEMPT")
    url = f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
    if url and attempt not in ("", "1"):
        # Without it the link shows the newest attempt, which may be a good one.
        url += f"/attempts/{attempt}"
    return Origin(
        system="GitHub Actions",
        url=public_url(url),
        run_id=run,
        # Whoever runs a job again is not who pushed the commit.
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
        # Jenkins itself names no user; these are the build user vars plugin's and the multibranch pipeline's.
        user=_first(environ, "BUILD_USER_ID", "BUILD_USER", "CHANGE_AUTHOR"),
        revision=_first(environ, "GIT_COMMIT"),
        job_name=_first(environ, "JOB_NAME"),
    )


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() == "true"
