# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the role with invalid input, which is refused before anything runs, and with a broken configuration or API.

Must not test a guard whose input and API work: test_role.py does.
"""

from __future__ import annotations

import textwrap

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guard_run import SITE, Project, site

pytestmark = pytest.mark.matrix

TASKS = "incident_guard_tasks: deploy.yml"


@pytest.fixture()
def project(tmp_path, sandbox) -> Project:
    return Project(tmp_path, sandbox)


@pytest.mark.parametrize(
    ("variables", "option", "reason"),
    [
        ("unused: x", "incident_guard_tasks", "it is missing, and so is incident_guard_roles"),
        ("incident_guard_tasks: []", "incident_guard_tasks", "it is missing"),
        (f"{TASKS}, incident_guard_roles: [app]", "incident_guard_tasks", "together with incident_guard_roles"),
        ("incident_guard_tasks: [deploy.yml, gone.yml]", "incident_guard_tasks", "there is no file 'gone.yml'"),
        ("incident_guard_tasks: {a: b}", "incident_guard_tasks", ""),
        ("incident_guard_roles: [nobody.knows.this]", "incident_guard_roles", "was not found"),
        ("incident_guard_roles: [nowhere]", "incident_guard_roles", "was not found"),
        (f"{TASKS}, incident_guard_severity: bad", "incident_guard_severity", "critical, error, warning, info"),
        (f"{TASKS}, incident_guard_fail: perhaps", "incident_guard_fail", ""),
    ],
)
def test_invalid_input_is_refused_before_anything_runs(project, variables, option, reason):
    run = project.run(SITE.replace(TASKS, variables), hosts=["a"])
    assert run.rc == 2
    assert option in run.stdout and reason in run.stdout
    assert "look around" not in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert project.sent() == []


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"CALLGOOSE_API_TOKEN": ""}, "api_token: it is missing"),
        ({"CALLGOOSE_BASE_URL": "nonsense"}, "base_url: it needs a scheme"),
        ({"CALLGOOSE_TIMEOUT": "soon"}, "timeout"),
    ],
)
def test_an_invalid_configuration_warns_and_does_not_stop_the_run(project, env, reason):
    good = project.run(SITE, env=env)
    failed = project.run(SITE, "-e", "broken=b", env=env)
    assert (good.rc, failed.rc) == (0, 2)
    good_warnings, failed_warnings = (" ".join(run.stderr.split()) for run in (good, failed))
    assert "no incident will be triggered or resolved" in good_warnings and reason in good_warnings
    assert "no incident was triggered for this failure" in failed_warnings and reason in failed_warnings
    assert '"msg": "cannot deploy to b"' in failed.stdout.partition("Fail again with the original error")[2]


def test_a_trigger_that_fails_warns_and_does_not_hide_the_error(project):
    for _attempt in range(2):
        project.sandbox.queue_fault("status", status=503)
    failed = project.run(SITE, "-e", "broken=b")
    assert failed.rc == 2
    assert "could not be triggered" in failed.stderr
    assert '"msg": "cannot deploy to b"' in failed.stdout.partition("Fail again with the original error")[2]
    # nobody was paged, so the callback must not treat the failure as reported
    assert '"callgoose_guard": {"hosts": ["b"]}' not in failed.stdout
    project.sandbox.clear_faults()
    assert project.run(SITE, "-e", "broken=b").rc == 2
    assert [incident["state"] for incident in project.sandbox.incidents] == ["open"]


def test_a_slow_api_does_not_fail_a_deployment_with_a_task_timeout(project):
    project.sandbox.queue_fault("delay", seconds=3)
    good = project.run(SITE, env={"ANSIBLE_TASK_TIMEOUT": "1", "CALLGOOSE_TIMEOUT": "10"}, hosts=["a"])
    assert good.rc == 0
    assert project.sent_states() == [("resolved", ())]


@pytest.mark.parametrize(("option", "value"), [("api_token", ""), ("severity", "info"), ("fail", "true")])
def test_a_variable_that_can_no_longer_be_templated_stops_no_host_and_hides_no_error(project, option, value):
    project.files["value"] = value or project.sandbox.token
    project.files["deploy.yml"] = """
- {ansible.builtin.file: {path: "{{ playbook_dir }}/value", state: absent}, run_once: true}
- {ansible.builtin.fail: {msg: cannot deploy}, when: inventory_hostname == 'b'}
"""
    lookup = "{{ lookup('file', playbook_dir ~ '/value') }}"
    run = project.run(site(f'vars: {{incident_guard_{option}: "{lookup}"}}'))
    assert run.rc == 2
    assert '"msg": "cannot deploy"' in run.stdout.partition("Fail again with the original error")[2]
    assert "a went on" in run.stdout and "b went on" not in run.stdout
    assert f"incident_guard_{option} can no longer be templated" in " ".join(run.stderr.split())
    assert project.sent_states() == [("triggered", ("b",))], "the token is in the environment too"


def test_a_resolve_that_fails_does_not_fail_the_run_and_is_sent_by_the_next_run(project):
    project.run(SITE, "-e", "broken=b")
    project.sandbox.queue_fault("status", status=503)
    good = project.run(SITE)
    assert good.rc == 0
    assert "could not be resolved" in good.stderr
    assert len(project.sandbox.open_incidents) == 1
    assert project.run(SITE).rc == 0
    assert project.sandbox.open_incidents == []


@pytest.mark.parametrize("playbook", [SITE, site("strategy: free")], ids=["linear", "free"])
def test_a_token_in_a_variable_reaches_the_api_but_is_not_printed(project, playbook):
    token = project.sandbox.token
    run = project.run(
        playbook,
        "-e",
        f'{{"broken": "b", "incident_guard_api_token": "{token}"}}',
        "-vvv",
        env={"CALLGOOSE_API_TOKEN": "", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true"},
    )
    assert len(project.sandbox.open_incidents) == 1
    # at -vvv, Ansible itself does not print extra vars
    assert token not in run.stdout + run.stderr


def test_the_token_can_be_encrypted_inline(project):
    secret = VaultSecret(b"password")
    text = VaultLib([("default", secret)]).encrypt(project.sandbox.token, secret).decode()
    variables = f"  vars:\n    incident_guard_api_token: !vault |\n{textwrap.indent(text, ' ' * 6)}\n"
    project.files["password"] = "password\n"
    playbook = SITE.replace("  tasks:", variables + "  tasks:")
    words = ("-e", "broken=b", "--vault-password-file=password", "-vvv")
    run = project.run(playbook, *words, env={"CALLGOOSE_API_TOKEN": ""})
    assert run.rc == 2
    assert len(project.sandbox.open_incidents) == 1
    assert project.sandbox.token not in run.stdout + run.stderr


def test_the_connection_can_come_from_the_plays_module_defaults(project):
    defaults = f"""  module_defaults:
    group/callgoose.sqibs.callgoose:
      api_token: {project.sandbox.token}
      source: the play's
"""
    run = project.run(
        SITE.replace("  tasks:", defaults + "  tasks:"), "-e", "broken=b", env={"CALLGOOSE_API_TOKEN": ""}
    )
    assert run.rc == 2
    (triggered,) = project.sent()
    assert triggered["source"] == "the play's"
