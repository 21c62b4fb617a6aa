# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests `callgoose.sqibs.awx_setup` with the real modules of awx.awx against an emulated AWX.

Must not test what it refuses: test_awx_setup_refusals.py does.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.awx import contexts, notification_rules
from ansible_collections.callgoose.sqibs.tests.integration.awx.controller import Awx
from ansible_collections.callgoose.sqibs.tests.integration.awx.credential_rules import inject
from ansible_collections.callgoose.sqibs.tests.integration.awx.modules import as_controller, collections_path
from ansible_collections.callgoose.sqibs.tests.integration.awx.site import EVERYTHING, TOKEN, WRAPPERS, Site
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import run_playbook
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

pytestmark = pytest.mark.matrix
# What is found, kept and replaced in AWX is decided by the same modules with every ansible-core.
any_core = pytest.mark.any_core

OURS = "Callgoose SQIBS"
HOOK = "Callgoose webhook"
NEXT = {"CALLGOOSE_API_TOKEN": "incident-token-2"}


@pytest.fixture(scope="module")
def collections(pytestconfig):
    return collections_path(pytestconfig.rootpath / ".cache" / "awx")


@pytest.fixture()
def site(tmp_path, collections) -> Iterator[Site]:
    """An AWX without any of our objects."""
    with Awx() as awx:
        yield Site(tmp_path, awx, collections)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory, collections):
    """What AWX has after the first run with everything, and that run."""
    with Awx() as awx:
        run = Site(tmp_path_factory.mktemp("first"), awx, collections).set_up("-vvv", **EVERYTHING)
        assert run.rc == 0, run.result
        return awx.store, run


@pytest.fixture()
def ready(site, first_run) -> Site:
    """An AWX that has everything."""
    site.awx.store = copy.deepcopy(first_run[0])
    return site


def test_the_first_run_creates_everything(ready) -> None:
    store = ready.awx.store
    kind, credential = store.one("credential_types", OURS), store.one("credentials", OURS)
    assert kind["injectors"]["env"]["CALLGOOSE_API_TOKEN"] == "{{ api_token }}"
    assert (credential["inputs"], credential["organization"]) == ({"api_token": TOKEN}, ready.organization)

    for playbook in WRAPPERS:
        name = playbook.replace("callgoose_", "Callgoose ").removesuffix(".yml")
        template = store.one("job_templates", name)
        assert (template["playbook"], template["inventory"]) == (playbook, ready.inventory)
        # a limit that leaves out localhost pages nobody; the nodes of a workflow pass variables
        assert (template["ask_limit_on_launch"], template["ask_variables_on_launch"]) == (False, True)
        assert ready.credentials_of(template["id"]) == [OURS]

    (schedule,) = store.objects["schedules"].values()
    assert schedule["unified_job_template"] == store.one("job_templates", "Callgoose watch")["id"]
    assert schedule["rrule"].endswith("RRULE:FREQ=MINUTELY;INTERVAL=5")


def test_the_workflow_triggers_after_a_failure_and_resolves_after_a_success(ready) -> None:
    store = ready.awx.store
    workflow = store.one("workflow_job_templates", "Deploy with Callgoose")
    assert json.loads(workflow["extra_vars"]) == {
        "callgoose_title": "Deploy failed",
        "callgoose_organization": "Default",
    }
    nodes = {
        node["identifier"]: node
        for node in store.attached_to("workflow_job_templates", workflow["id"], "workflow_nodes")
    }
    names = {name: store.get("job_templates", node["unified_job_template"])["name"] for name, node in nodes.items()}
    assert names == {"run": "Deploy", "trigger": "Callgoose trigger", "resolve": "Callgoose resolve"}

    def after(event: str) -> list[str]:
        linked = store.attached_to("workflow_job_template_nodes", nodes["run"]["id"], f"{event}_nodes")
        return [node["identifier"] for node in linked]

    assert (after("success"), after("failure")) == (["resolve"], ["trigger"])


def test_the_other_credentials_and_notifications_of_a_job_template_stay(ready) -> None:
    assert ready.credentials_of(ready.deploy) == [OURS, "Root"]
    assert ready.credentials_of(ready.backup) == [OURS]
    assert ready.notifications_of("job_templates", ready.deploy, "error") == [HOOK, "Chat"]
    for endpoint, number in (
        ("job_templates", ready.deploy),
        ("workflow_job_templates", ready.release),
        ("projects", ready.project),
    ):
        assert HOOK in ready.notifications_of(endpoint, number, "error")
        assert ready.notifications_of(endpoint, number, "success") == [HOOK]
    assert ready.notifications_of("job_templates", ready.backup, "error") == []


def test_the_notification_template_posts_json_with_a_token_of_its_own(ready) -> None:
    hook = ready.awx.store.one("notification_templates", HOOK)
    assert hook["notification_configuration"]["url"] == "https://sqibs.callgoose.com/sqibs-api/v1/process?from=AWX"
    assert hook["notification_configuration"]["headers"] == {"Authorization": "Bearer webhook-token-1"}
    posted = notification_rules.render(hook["messages"]["error"]["body"], contexts.job(name=contexts.NASTY))
    assert posted["title"] == f"Job {contexts.NASTY} failed"


def test_a_second_run_changes_nothing_keeps_the_token_and_prints_none(ready, first_run) -> None:
    ready.env.update(NEXT)
    run = ready.set_up("-vvv", **EVERYTHING)
    assert (run.rc, run.changed, run.writes) == (0, 0, []), run.result
    assert "The credential keeps its api_token" in run.output
    assert "The notification template keeps its token" in run.output
    assert "Not checked" not in run.output
    for token in (TOKEN, *NEXT.values(), "webhook-token-1", Awx.admin):
        assert token not in first_run[1].output + run.output


@any_core
def test_check_mode_works_on_an_awx_that_has_everything(ready) -> None:
    run = ready.set_up("--check", **EVERYTHING)
    assert (run.rc, run.changed, run.writes) == (0, 0, []), run.result
    assert "Not checked" not in run.output


@any_core
def test_check_mode_on_a_new_awx_writes_nothing_and_says_what_it_cannot_check(site) -> None:
    site.awx.store.playbooks[site.project].remove("callgoose_watch.yml")
    run = site.set_up("--check", **EVERYTHING)
    assert (run.rc, run.writes) == (0, []), run.result
    assert run.changed > 0
    assert (
        "Not checked, because it needs what this run would create first: the credential Callgoose SQIBS, attaching the "
        "credential, the job templates for callgoose_watch.yml, the schedule, the workflow, attaching the notification "
        "template." in run.output
    ), run.output


@any_core
def test_what_somebody_added_stays(ready) -> None:
    store = ready.awx.store
    trigger = store.one("job_templates", "Callgoose trigger")
    store.attach("job_templates", trigger["id"], "credentials", ready.machine)
    workflow = store.one("workflow_job_templates", "Deploy with Callgoose")
    workflow["extra_vars"] = "---\ncallgoose_title: Deploy failed\ncallgoose_organization: Default\nregion: eu\n"
    nodes = {node["identifier"]: node["id"] for node in store.objects["workflow_job_template_nodes"].values()}
    smoke = store.add(
        "workflow_job_template_nodes",
        workflow_job_template=workflow["id"],
        unified_job_template=ready.backup,
        identifier="0c5f7ce2",
    )["id"]
    store.attach("workflow_job_template_nodes", nodes["run"], "success_nodes", smoke)
    store.one("credentials", OURS)["inputs"]["source"] = "AWX Berlin"
    expected = copy.deepcopy((store.objects, store.attached))

    run = ready.set_up(**EVERYTHING, callgoose_title="The shop is down")
    assert (run.rc, run.changed) == (0, 1), run.result
    assert json.loads(workflow["extra_vars"]) == {
        "callgoose_title": "The shop is down",
        "callgoose_organization": "Default",
        "region": "eu",
    }
    expected[0]["workflow_job_templates"][workflow["id"]]["extra_vars"] = workflow["extra_vars"]
    assert (store.objects, store.attached) == expected


@any_core
def test_another_input_changes_without_the_token(ready) -> None:
    ready.env.update(NEXT)
    link = "{host}/execution/jobs/playbook/{id}/output"
    store = "postgresql://callgoose:geheim@db/callgoose"
    run = ready.set_up(callgoose_source="AWX", callgoose_state_url=store, callgoose_job_url=link)
    assert (run.rc, run.changed) == (0, 1), run.result
    inputs = ready.awx.store.one("credentials", OURS)["inputs"]
    assert inputs == {
        "api_token": TOKEN,
        "source": "AWX",
        "state_url": store,
        "job_url": link,
    }
    assert "geheim" not in run.output


@any_core
def test_a_webhook_with_a_password_of_its_own_stays_as_it_is(ready) -> None:
    hook = ready.awx.store.one("notification_templates", HOOK)
    hook["notification_configuration"].update(username="proxy", password="$encrypted$")
    before = copy.deepcopy(hook)
    run = ready.set_up(callgoose_notification=True)
    assert (run.rc, run.changed) == (0, 0), run.result
    assert ready.awx.store.one("notification_templates", HOOK) == before


@any_core
def test_tokens_are_replaced_when_that_is_asked_for(ready) -> None:
    ready.env.update(NEXT)
    run = ready.set_up(
        callgoose_rotate=True, callgoose_notification=True, callgoose_notification_token="webhook-token-2"
    )
    assert (run.rc, run.changed) == (0, 2), run.result
    assert ready.awx.store.one("credentials", OURS)["inputs"] == {"api_token": "incident-token-2"}
    hook = ready.awx.store.one("notification_templates", HOOK)
    assert hook["notification_configuration"]["headers"] == {"Authorization": "Bearer webhook-token-2"}


@any_core
def test_a_run_that_broke_off_is_finished_by_the_next(site) -> None:
    only_watch = {f"callgoose_{kind}_playbook": "" for kind in ("trigger", "resolve", "verify")}
    variables = {"callgoose_project": "Shop", "callgoose_inventory": "Production", **only_watch}
    site.awx.down_for = "schedules"
    run = site.set_up(**variables)
    assert run.rc == 2, run.result
    assert "The host sent back a server error (HTTP Error 500" in run.output
    assert "try again later. When AWX is well again, run this again" in run.output
    assert not site.awx.store.objects["schedules"]
    site.awx.down_for = ""
    run = site.set_up(**variables)
    assert (run.rc, run.changed) == (0, 1), run.result
    assert site.awx.store.objects["schedules"]


@any_core
def test_the_project_is_synchronized_if_it_lacks_a_playbook(site) -> None:
    store = site.awx.store
    store.pushed[site.project] = store.playbooks[site.project]
    store.playbooks[site.project] = ["site.yml"]
    run = site.set_up(callgoose_project="Shop", callgoose_inventory="Production")
    assert run.rc == 0, run.result
    assert store.one("job_templates", "Callgoose watch")["playbook"] == "callgoose_watch.yml"


def test_ansible_automation_platform_is_set_up_with_ansible_controller(tmp_path, collections) -> None:
    with Awx(platform=True) as awx:
        site = Site(tmp_path, awx, as_controller(collections, tmp_path / "collections"))
        run = site.set_up(callgoose_job_templates="Deploy")
        assert (run.rc, run.changed) == (0, 3), run.result
        assert site.credentials_of(site.deploy) == [OURS, "Root"]
        again = site.set_up(callgoose_job_templates="Deploy")
        assert (again.rc, again.changed, again.writes) == (0, 0, []), again.result


@any_core
def test_wrappers_and_objects_can_have_other_names(site) -> None:
    site.awx.store.playbooks[site.project] = ["pages/on.yml", "pages/off.yml"]
    run = site.set_up(
        callgoose_project="Shop",
        callgoose_inventory="Production",
        callgoose_prefix="On-call",
        callgoose_trigger_playbook="pages/on.yml",
        callgoose_resolve_playbook="pages/off.yml",
        callgoose_verify_playbook="",
        callgoose_watch_playbook="",
    )
    assert run.rc == 0, run.result
    names = {item["name"]: item["playbook"] for item in site.awx.store.objects["job_templates"].values()}
    assert names == {
        "Deploy": "site.yml",
        "Backup": "site.yml",
        "On-call trigger": "pages/on.yml",
        "On-call resolve": "pages/off.yml",
    }
    assert not site.awx.store.objects["schedules"]


@pytest.mark.parametrize("everything", [False, True])
def test_a_job_with_the_credential_pages(tmp_path, ready, everything) -> None:
    """A field that is empty in AWX becomes an empty environment variable."""
    kind, credential = (ready.awx.store.one(endpoint, OURS) for endpoint in ("credential_types", "credentials"))

    def write(_label: str, content: str) -> str:
        path = tmp_path / "ca.pem"
        path.write_text(content, encoding="utf-8")
        return str(path)

    with Sandbox(tls=everything) as sandbox:
        credential["inputs"].update(api_token=sandbox.token, base_url=sandbox.base_url)
        if everything:
            ca = Path(sandbox.ca_path).read_text(encoding="utf-8")
            credential["inputs"].update(source="AWX", auth_method="url_parameter", ca=ca)
        env, explanation = inject(kind, credential["inputs"], write)
        assert not explanation
        result = run_playbook(
            tmp_path, "callgoose.sqibs.trigger", "-e", "callgoose_title=Disk", inventory=None, env=env
        )
        assert result.rc == 0, result
        (request,) = sandbox.requests
        assert json.loads(request["body"])["source"] == ("AWX" if everything else "Ansible")


def test_a_job_without_a_token_does_not_start(ready) -> None:
    kind = ready.awx.store.one("credential_types", OURS)
    _env, explanation = inject(kind, {"base_url": "https://sqibs.example.com"}, lambda _label, _content: "")
    assert "does not provide one or more required fields (['api_token'])" in explanation
