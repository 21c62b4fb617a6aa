# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX hands to the messages of a notification template, for jobs of each kind.

Must not render anything. The fields are those of ``JobNotificationMixin.context`` in AWX 24's
``awx/main/models/notifications.py``: a project update and a workflow have fewer than a job.
"""

from __future__ import annotations

from typing import Any

AWX = "https://awx.example.com"
NASTY = """O'Reilly "the shop" {{ 7 * 7 }} {% raw %} \\ <b>&</b> Käse 🧀"""


def job(**changes: Any) -> dict[str, Any]:
    """Return the context of a job that a user launched and that failed.

    :param changes: fields of the job to replace; None removes one.
    """
    fields: dict[str, Any] = {
        "id": 42,
        "type": "job",
        "url": "/api/v2/jobs/42/",
        "name": "Deploy the shop",
        "description": "",
        "job_type": "run",
        "playbook": "site.yml",
        "forks": 0,
        "limit": "",
        "verbosity": 0,
        "job_tags": "",
        "skip_tags": "",
        "launch_type": "manual",
        "status": "failed",
        "failed": True,
        "started": "2026-11-27T03:00:00.000000Z",
        "finished": "2026-11-27T03:01:00.000000Z",
        "elapsed": 60.0,
        "job_explanation": "",
        "execution_node": "awx",
        "controller_node": "awx",
        "scm_revision": "0f1e2d3c",
        "scm_branch": "",
        "job_slice_number": 0,
        "job_slice_count": 1,
        "artifacts": {},
        "host_status_counts": {"ok": 3, "failures": 1, "dark": 2, "processed": 3},
        "summary_fields": {
            "inventory": {"id": 3, "name": "Production"},
            "project": {"id": 6, "name": "Shop", "status": "successful", "scm_type": "git"},
            "job_template": {"id": 7, "name": "Deploy the shop", "description": ""},
            "unified_job_template": {
                "id": 7,
                "name": "Deploy the shop",
                "description": "",
                "unified_job_type": "job",
            },
            "created_by": {"id": 1, "username": "marge", "first_name": "", "last_name": ""},
            "labels": {"count": 0, "results": []},
        },
        **changes,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    pages = {"project_update": "project", "workflow_job": "workflow"}
    names = {"project_update": "Project Update", "workflow_job": "Workflow Job"}
    return {
        "job": fields,
        "job_friendly_name": names.get(fields["type"], "Job"),
        "url": f"{AWX}/#/jobs/{pages.get(fields['type'], 'playbook')}/{fields['id']}",
        "job_metadata": "{}",
    }


def summary(**changes: Any) -> dict[str, Any]:
    """Return the summary fields of a job with some of them replaced; None removes one."""
    fields = {**job()["job"]["summary_fields"], **changes}
    return {name: value for name, value in fields.items() if value is not None}


def example() -> dict[str, Any]:
    """Return a context that has every field, as the one with which AWX tries a message before it stores it."""
    stub = job(summary_fields=summary(schedule={"id": 42, "name": "Nightly", "description": ""}))
    return {**stub, "approval_status": "", "approval_node_name": "", "workflow_url": ""}


NOT_IN_A_PROJECT_UPDATE = dict.fromkeys(
    ("playbook", "forks", "limit", "verbosity", "job_slice_number", "job_slice_count", "artifacts", "skip_tags")
)
SUCCEEDED = {"status": "successful", "failed": False}
FAILED_JOBS = {
    "failure": job(),
    "timeout": job(job_explanation="Job terminated due to timeout", host_status_counts={}),
    "no statistics": job(status="error", host_status_counts=None, job_explanation="Task was marked as running at"),
    "slice": job(job_slice_number=2, job_slice_count=3, launch_type="workflow"),
    "limit": job(limit="web2:&eu"),
    "scheduled": job(
        launch_type="scheduled", summary_fields=summary(created_by=None, schedule={"id": 4, "name": NASTY})
    ),
    "nobody": job(launch_type="webhook", summary_fields=summary(created_by=None, inventory=None)),
    "project update": job(
        id=43,
        type="project_update",
        name="Shop",
        host_status_counts=None,
        job_explanation="Failed to clone",
        **NOT_IN_A_PROJECT_UPDATE,
        summary_fields=summary(
            job_template=None,
            inventory=None,
            unified_job_template={"id": 6, "name": "Shop", "unified_job_type": "project_update"},
        ),
    ),
    "workflow": job(
        id=44,
        type="workflow_job",
        name="Deploy all",
        host_status_counts=None,
        limit=None,
        playbook=None,
        job_slice_count=None,
        job_slice_number=None,
        summary_fields=summary(
            job_template=None,
            inventory=None,
            unified_job_template={"id": 9, "name": "Deploy all", "unified_job_type": "workflow_job"},
        ),
    ),
    "deleted template": job(summary_fields=summary(job_template=None, unified_job_template=None)),
    "names with quotes, braces and more": job(
        name=NASTY, limit=NASTY, job_explanation=NASTY, summary_fields=summary(inventory={"id": 3, "name": NASTY})
    ),
}
CANCELED = job(status="canceled", job_explanation="Job canceled")
