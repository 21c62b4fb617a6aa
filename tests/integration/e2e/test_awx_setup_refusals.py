# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what `callgoose.sqibs.awx_setup` refuses, and what it says to do about the errors of AWX and its modules.

Must not test what it creates: test_awx_setup.py does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.awx.controller import Awx
from ansible_collections.callgoose.sqibs.tests.integration.awx.modules import collections_path as awx_modules
from ansible_collections.callgoose.sqibs.tests.integration.awx.site import EVERYTHING, Site
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook_data import PlaybookData, playbooks

pytestmark = [pytest.mark.matrix, pytest.mark.any_core]

OURS = "Callgoose SQIBS"
FILES = ("variables.yml", "awx_setup.yml", "awx_objects.yml", "awx_rules.yml")


@pytest.fixture()
def site(tmp_path, pytestconfig) -> Iterator[Site]:
    with Awx() as awx:
        yield Site(tmp_path, awx, awx_modules(pytestconfig.rootpath / ".cache" / "awx"))


@pytest.fixture(scope="module")
def kind(collections_path) -> dict[str, Any]:
    """The credential type, as an administrator has created it."""
    data = PlaybookData(playbooks(collections_path) / "vars" / "awx_objects.yml")
    return {name: data.value(f"sqibs_type_{name}") for name in ("inputs", "injectors")}


def refused(site: Site, *says: str, **variables: Any) -> None:
    """Check that a run fails with all these words, and has written nothing."""
    run = site.set_up(**variables)
    assert (run.rc, run.writes) == (2, []), run.result
    for words in says:
        assert words in run.output, run.output


def test_without_the_collection_the_error_says_how_to_install_it(site) -> None:
    site.env["ANSIBLE_COLLECTIONS_PATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    run = site.set_up()
    assert run.rc != 0, run.result
    assert "couldn't resolve module/action 'controller_meta'" in run.output
    assert "neither is installed? ansible-galaxy collection install awx.awx" in run.output


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"CONTROLLER_OAUTH_TOKEN": "wrong"}, ("(HTTP 401)", "Set CONTROLLER_OAUTH_TOKEN to a token")),
        (
            {"CONTROLLER_HOST": "http://127.0.0.1:1"},
            ("Connection refused", "Set CONTROLLER_HOST to the address of AWX"),
        ),
        ({"CONTROLLER_HOST": "http://awx.invalid"}, ("resolve", "Set CONTROLLER_HOST to the address of AWX")),
    ],
)
def test_a_wrong_address_or_token_is_an_error_with_a_remedy(site, env, says) -> None:
    site.env.update(env)
    refused(site, *says)


def test_an_address_that_is_not_that_of_the_api_is_an_error_with_a_remedy(site) -> None:
    site.env["CONTROLLER_HOST"] = f"{site.awx.url}/dashboard"
    refused(site, "could not be found at /dashboard/api/v2/", "Here they are from awx.awx.")


def test_a_wrong_organization_is_refused(site) -> None:
    refused(site, "callgoose_organization: AWX has no organization Shops", callgoose_organization="Shops")


def test_all_wrong_names_are_refused_at_once(site) -> None:
    del site.env["CALLGOOSE_API_TOKEN"]
    refused(
        site,
        "callgoose_project: Shopp; callgoose_inventory: Prod; callgoose_execution_environment: EE; "
        "callgoose_job_templates: Deploi; callgoose_workflow_around: Roll out; "
        "callgoose_notify_job_templates: Backups; callgoose_notify_workflows: Relaese; "
        "callgoose_notify_projects: Shoop: the organization Default has none of that name",
        "callgoose_api_token: it is missing",
        "callgoose_notification_token: it is missing",
        callgoose_project="Shopp",
        callgoose_inventory="Prod",
        callgoose_execution_environment="EE",
        callgoose_job_templates="Deploy, Deploi",
        callgoose_workflow_around="Roll out",
        callgoose_notify_job_templates=["Backups"],
        callgoose_notify_workflows="Relaese",
        callgoose_notify_projects="Shoop",
    )


def test_a_playbook_that_the_project_does_not_have_is_refused(site) -> None:
    site.awx.store.playbooks[site.project] = ["site.yml", "callgoose_trigger.yml"]
    run = site.set_up(callgoose_project="Shop", callgoose_inventory="Production")
    assert run.rc == 2, run.result
    assert [path for _method, path in run.writes] == [f"/api/v2/projects/{site.project}/update/"]
    assert "callgoose_resolve.yml, callgoose_verify.yml, callgoose_watch.yml in the project Shop." in run.output
    assert "A job template can only name a file of its project." in run.output


def test_a_project_that_awx_cannot_synchronize_is_an_error_with_a_remedy(site) -> None:
    store = site.awx.store
    store.playbooks[site.project], store.pushed[site.project] = [], None
    run = site.set_up(callgoose_project="Shop", callgoose_inventory="Production")
    assert run.rc == 2, run.result
    assert "Project Update - Shop, failed" in run.output
    assert "AWX cannot synchronize the project Shop. Open it in AWX, correct what its last job says" in run.output
    assert not any(item["name"] == OURS for item in store.objects["credential_types"].values())


def test_a_type_that_only_an_administrator_may_create_is_an_error_that_a_later_run_needs_not_fear(site, kind) -> None:
    site.env["CONTROLLER_OAUTH_TOKEN"] = site.awx.organization_admin
    run = site.set_up(callgoose_job_templates="Deploy")
    assert run.rc == 2, run.result
    assert "You don't have permission to POST to /api/v2/credential_types/ (HTTP 403). Only a system administrator" in (
        run.output
    )
    site.awx.store.add("credential_types", name=OURS, **kind)
    run = site.set_up(callgoose_job_templates="Deploy")
    assert run.rc == 0, run.result
    assert site.credentials_of(site.deploy) == [OURS, "Root"]


def test_a_user_without_rights_gets_the_error_of_awx_with_a_remedy(site, kind) -> None:
    site.env["CONTROLLER_OAUTH_TOKEN"] = site.awx.organization_admin
    site.awx.may_write = False
    site.awx.store.add("credential_types", name=OURS, **kind)
    run = site.set_up()
    assert run.rc == 2, run.result
    assert (
        "You don't have permission to POST to /api/v2/credentials/ (HTTP 403). This user may not do that." in run.output
    )


def test_the_fields_of_a_type_in_use_are_refused_before_awx_does(site) -> None:
    fields = [{"id": "api_token", "label": "API token", "type": "string", "secret": True}]
    kind = site.awx.store.add("credential_types", name=OURS, inputs={"fields": fields})
    site.awx.store.add(
        "credentials",
        name="Mine",
        credential_type=kind["id"],
        organization=site.organization,
        inputs={"api_token": "t"},
    )
    refused(site, "callgoose_credential_type: the credential type Callgoose SQIBS has other fields", "SQIBS 2'")


def test_a_second_credential_of_the_type_is_refused_before_awx_does(site, kind) -> None:
    kind = site.awx.store.add("credential_types", name=OURS, **kind)
    mine = site.awx.store.add(
        "credentials",
        name="Mine",
        credential_type=kind["id"],
        organization=site.organization,
        inputs={"api_token": "t"},
    )
    site.awx.store.attach("job_templates", site.deploy, "credentials", mine["id"])
    refused(
        site,
        "callgoose_credential: a job template has Mine, which is of the same type, and AWX allows only one.",
        callgoose_job_templates="Deploy",
    )


def test_what_jobs_lack_is_reported(site) -> None:
    store = site.awx.store
    store.settings["TOWER_URL_BASE"] = "https://towerhost"
    store.attached.pop(("organizations", site.organization, "galaxy_credentials"))
    run = site.set_up(callgoose_state_url="postgresql://db/callgoose")
    assert run.rc == 0, run.result
    assert "Base URL of the service is not set" in run.output
    assert "The organization Default has no Galaxy credential, so AWX skips collections/requirements.yml" in run.output


@pytest.fixture(scope="module")
def problems(collections_path):
    """What is refused before AWX is asked: problems(**variables)."""
    data = PlaybookData(*(playbooks(collections_path) / "vars" / name for name in FILES))
    return lambda **variables: " ".join(data.value("sqibs_problems", **variables))


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"callgoose_project": "Shop"}, "callgoose_inventory: it is missing"),
        ({"callgoose_workflow_around": "Deploy"}, "callgoose_workflow_around: the workflow needs the job templates"),
        ({"callgoose_watch_every": "5m"}, "callgoose_watch_every: it is not a number"),
        ({"callgoose_rotate": "maybe"}, "one of them is not a truth value"),
        ({"callgoose_notification": "on request"}, "one of them is not a truth value"),
        ({"callgoose_rotate": True}, "callgoose_rotate: there is no new secret"),
        ({"callgoose_auth_method": "basic"}, "callgoose_auth_method: there is no such method"),
        ({"callgoose_job_url": "{host}/jobs"}, "callgoose_job_url: it is no link with the number of the job"),
        (
            {"callgoose_workflow_around": "Deploy", "callgoose_workflow": "Deploy"},
            "callgoose_workflow: it has the name of the job template",
        ),
        ({"callgoose_base_url": "sqibs.example.com"}, "callgoose_base_url: it is no URL"),
        ({"callgoose_ca_path": "/no/such/ca.pem"}, "callgoose_ca_path: /no/such/ca.pem is not a file"),
        ({"callgoose_title": ["x"]}, "callgoose_title: it is empty or not a string"),
    ],
)
def test_wrong_variables_are_refused_before_awx_is_asked(problems, variables, says) -> None:
    assert says in problems(**variables)


def test_what_is_asked_for_in_full_is_not_refused(problems) -> None:
    assert problems(**EVERYTHING, callgoose_rotate="true", callgoose_watch_every=0) == ""


def test_unanswered_survey_questions_count_as_unset(problems) -> None:
    """AWX sends an empty string for each."""
    names = ("project", "inventory", "job_templates", "workflow_around", "rotate", "notification", "watch_every")
    assert problems(**{f"callgoose_{name}": "" for name in names}) == ""


@pytest.mark.parametrize("name", ["callgoose_job_template", "callgoose_timeout", "callgoose_client_cert"])
def test_an_unknown_variable_is_refused(site, name) -> None:
    refused(site, f"{name}: this playbook has no such variable", **{name: "1"})
