# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated AWX has the traps of a real one: each was seen in AWX 24.6.1, with these words, through awx.awx.

Must not run our playbook: that it avoids the traps is tested in test_awx_setup.py.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.awx.controller import Awx
from ansible_collections.callgoose.sqibs.tests.integration.awx.modules import collections_path as awx_modules
from ansible_collections.callgoose.sqibs.tests.integration.awx.site import Site
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import run_playbook

pytestmark = [pytest.mark.matrix, pytest.mark.any_core]

# Each task is what a user would write who does not know the trap.
TRAPS = """
- hosts: localhost
  gather_facts: false
  ignore_errors: true
  tasks:
    - name: attaching replaces
      awx.awx.job_template: {name: Deploy, credentials: [Ours]}
    - name: fields of a type in use
      awx.awx.credential_type: {name: Type, kind: cloud, inputs: {fields: [{id: token, label: Other}]}}
    - name: environment variables of Ansible
      awx.awx.credential_type:
        {name: Other, kind: cloud, injectors: {env: {ANSIBLE_CALLBACKS_ENABLED: callgoose.sqibs.callgoose_incident}}}
    - name: a secret that is never replaced
      awx.awx.credential:
        {name: Ours, credential_type: Type, update_secrets: false, inputs: {token: new, base_url: 'https://a.example'}}
    - name: a secret that is always replaced
      awx.awx.credential: {name: Ours, credential_type: Type, inputs: {token: old, base_url: 'https://a.example'}}
    - name: inputs that are not given
      awx.awx.credential: {name: Ours, credential_type: Type, inputs: {base_url: 'https://b.example'}}
    - name: a playbook of a collection
      awx.awx.job_template:
        {name: Trigger, project: Shop, inventory: Production, playbook: callgoose.sqibs.trigger}
    - name: no inventory
      awx.awx.job_template: {name: Trigger, project: Shop, playbook: site.yml}
    - name: two of a type
      awx.awx.job_template: {name: Backup, credentials: [Ours, Theirs]}
    - name: check mode without the type
      awx.awx.credential: {name: Mine, credential_type: Nothing}
      check_mode: true
    - name: an event that does not exist
      awx.awx.notification_template: &hook
        name: Hook
        organization: Default
        notification_type: webhook
        notification_configuration: {url: 'https://a.example', headers: {}}
        messages: {failure: {body: x}}
    - name: a message that is no text
      awx.awx.notification_template: {<<: *hook, messages: {error: {body: {state: triggered}}}}
    - name: an unknown field
      awx.awx.notification_template: {<<: *hook, messages: {error: {body: !unsafe '{{ extra_vars }}'}}}
    - name: no headers
      awx.awx.notification_template: {<<: *hook, notification_configuration: {url: 'https://a.example'}, messages: {}}
    - name: a schedule without an interval
      awx.awx.schedule: {name: Often, unified_job_template: Deploy, rrule: 'DTSTART:20260101T000000Z RRULE:FREQ=DAILY'}
"""
SAYS = {
    "fields of a type in use": "You don't have permission to PATCH to /api/v2/credential_types/",
    "environment variables of Ansible": "ANSIBLE_CALLBACKS_ENABLED may affect Ansible configuration so its use is not "
    "allowed in credentials.",
    "a playbook of a collection": "Playbook not found for project.",
    "no inventory": "You must either set a default value or ask to prompt on launch.",
    "two of a type": "Cannot assign multiple Type credentials.",
    "check mode without the type": "returned 0 items, expected 1",
    "an event that does not exist": "Event 'failure' invalid",
    "a message that is no text": "Expected string for 'body'",
    "an unknown field": "Field 'extra_vars' unavailable",
    "no headers": "Missing required fields for Notification Configuration: ['headers'].",
    "a schedule without an interval": "INTERVAL required in rrule",
}


@pytest.fixture(scope="module")
def trapped(tmp_path_factory, pytestconfig):
    """The AWX after the playbook, and what each task printed."""
    modules = awx_modules(pytestconfig.rootpath / ".cache" / "awx")
    with Awx() as awx:
        folder = tmp_path_factory.mktemp("traps")
        site = Site(folder, awx, modules)
        fields = [{"id": "token", "label": "Token", "type": "string", "secret": True}]
        fields.append({"id": "base_url", "label": "URL", "type": "string"})
        kind = awx.store.add("credential_types", name="Type", inputs={"fields": fields})["id"]
        for name in ("Ours", "Theirs"):
            awx.store.add(
                "credentials", name=name, credential_type=kind, inputs={"token": "old", "base_url": "https://a.example"}
            )
        env = {
            "ANSIBLE_COLLECTIONS_PATH": str(modules),
            "ANSIBLE_PIPELINING": "true",
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": awx.admin,
            # a repeated key of a YAML merge is meant
            "ANSIBLE_DUPLICATE_YAML_DICT_KEY": "ignore",
        }
        result = run_playbook(folder, TRAPS, inventory=None, env=env, timeout=400)
        parts = result.stdout.split("TASK [")[1:]
        yield site, {part.partition("]")[0]: " ".join(part.split()) for part in parts}


@pytest.mark.parametrize("task", SAYS)
def test_awx_refuses(trapped, task) -> None:
    assert SAYS[task] in trapped[1][task].replace("\\\\", "").replace('\\"', '"').replace("\\'", "'")


def test_attaching_a_credential_replaces_the_others(trapped) -> None:
    assert trapped[0].credentials_of(trapped[0].deploy) == ["Ours"]


def test_a_secret_is_either_never_replaced_or_always(trapped) -> None:
    says = trapped[1]
    assert "ok: [localhost]" in says["a secret that is never replaced"], "although the token is new"
    assert "changed: [localhost]" in says["a secret that is always replaced"], "although the token is the same"


def test_an_input_that_is_not_given_is_deleted(trapped) -> None:
    assert trapped[0].awx.store.one("credentials", "Ours")["inputs"] == {"base_url": "https://b.example"}
