# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks of extensions/eda: events open and close incidents, and a remediation that fails pages.

Must use the real ansible-rulebook. Without it or without Java, the tests are skipped, which .ci/run counts as failed.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.callgoose.sqibs.tests.integration.e2e.guide import blocks, file_of
from ansible_collections.callgoose.sqibs.tests.integration.e2e.playbook import run_playbook
from ansible_collections.callgoose.sqibs.tests.integration.e2e.task_run import connection
from ansible_collections.callgoose.sqibs.tests.integration.eda.rulebook import Rulebook, why_it_cannot_run
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

REASON = why_it_cannot_run()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

INCIDENTS = "callgoose.sqibs.incidents"
REMEDIATE = "callgoose.sqibs.remediate"
# As the guide says.
CALLBACK = {
    "ANSIBLE_CALLBACKS_ENABLED": "callgoose.sqibs.callgoose_incident",
    "CALLGOOSE_PROJECT": "eda",
}
RESTART = """
- name: Restart the shop
  hosts: all
  gather_facts: false
  tasks:
    - name: Restart {{ alert_instance }}
      ansible.builtin.command: "{{ 'true' if alert_name == 'Slow' else 'false' }}"
"""


def alerts(status: str, name: str = "DiskFull", **annotations: str) -> dict[str, Any]:
    """Return the body that Alertmanager 0.27 posts for a group of alerts, without the list of these."""
    return {
        "version": "4",
        "status": status,
        "receiver": "ansible",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name, "severity": "warning", "instance": "db1:9100"},
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager.example.com",
    }


def states(sandbox: Sandbox) -> list[str]:
    return [incident["state"] for incident in sandbox.incidents]


def bodies(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [json.loads(request["body"]) for request in sandbox.requests]


def test_an_incident_opens_and_closes_with_the_events(tmp_path: Path, sandbox: Sandbox) -> None:
    with Rulebook(tmp_path, INCIDENTS, connection(sandbox)) as rulebook:
        assert rulebook.send(alerts("firing"), token="wrong") == 401
        assert rulebook.send(alerts("firing", summary="Disk full on db1", description="/var has 1 % left.")) == 200
        rulebook.wait_for(lambda: states(sandbox) == ["open"])
        assert rulebook.send(alerts("resolved")) == 200
        rulebook.wait_for(lambda: states(sandbox) == ["resolved"])
    # One request for each event, although the inventory has two hosts, and none of them is localhost.
    trigger, resolve = bodies(sandbox)
    assert trigger["title"] == "Alert: Disk full on db1"
    assert trigger["content"] == "/var has 1 % left. See http://alertmanager.example.com"
    assert trigger["severity"] == "warning"
    assert resolve["incident_key"] == trigger["incident_key"]


def test_an_event_without_annotations_pages_with_the_name_of_the_alert(tmp_path: Path, sandbox: Sandbox) -> None:
    event = alerts("firing")
    event["commonLabels"]["severity"] = "page"
    with Rulebook(tmp_path, INCIDENTS, connection(sandbox)) as rulebook:
        rulebook.send(event)
        empty = {"summary": "", "description": ""}
        rulebook.send({**alerts("firing", "Mixed"), "commonLabels": {}, "commonAnnotations": empty})
        rulebook.wait_for(lambda: states(sandbox) == ["open", "open"])
    page, mixed = bodies(sandbox)
    assert (page["title"], page["severity"]) == ("Alert: DiskFull", "critical")
    assert (mixed["title"], mixed["severity"]) == ("Alert: several alerts", "critical")


def test_the_event_that_the_guide_sends_opens_and_closes_an_incident(
    tmp_path: Path, sandbox: Sandbox, collections_path: Path
) -> None:
    (curl,) = [one.text for one in blocks(collections_path, "event_driven_ansible") if one.text.startswith("curl ")]
    words = shlex.split(curl)
    event = json.loads(words[words.index("--data") + 1])
    with Rulebook(tmp_path, INCIDENTS, connection(sandbox)) as rulebook:
        rulebook.send(event)
        rulebook.wait_for(lambda: states(sandbox) == ["open"])
        rulebook.send({**event, "status": "resolved"})
        rulebook.wait_for(lambda: states(sandbox) == ["resolved"])


def test_a_template_in_an_event_is_text(tmp_path: Path, sandbox: Sandbox) -> None:
    template = "{{{ lookup('ansible.builtin.pipe', 'touch " + str(tmp_path / "templated") + "') }}} {% no such tag %}"
    event = alerts("firing", template, summary=template, description=f"[1, {template}]")
    event["externalURL"] = template
    with Rulebook(tmp_path, INCIDENTS, connection(sandbox)) as rulebook:
        rulebook.send(event)
        rulebook.wait_for(lambda: states(sandbox) == ["open"])
    (page,) = bodies(sandbox)
    assert "lookup(" in page["title"] and "no such tag" in page["content"] and "lookup(" in page["incident_key"]
    assert not tmp_path.joinpath("templated").exists()


def test_watch_delivers_what_the_api_did_not_get(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.queue_fault("reset")
    with Rulebook(tmp_path, INCIDENTS, connection(sandbox)) as rulebook:
        rulebook.send(alerts("firing"))
        rulebook.wait_for(lambda: "PLAY RECAP" in rulebook.output)
    assert states(sandbox) == []
    assert run_playbook(tmp_path, "callgoose.sqibs.watch", inventory=None, env=connection(sandbox)).rc == 0
    assert states(sandbox) == ["open"]


def test_a_remediation_that_fails_pages_and_a_later_one_resolves(tmp_path: Path, sandbox: Sandbox) -> None:
    tmp_path.joinpath("restart.yml").write_text(RESTART, encoding="utf-8")
    env = {**connection(sandbox), **CALLBACK}
    with Rulebook(tmp_path, REMEDIATE, env, remediation_playbook="restart.yml") as rulebook:
        rulebook.send(alerts("firing"))
        rulebook.wait_for(lambda: states(sandbox) == ["open"])
        rulebook.send(alerts("resolved"))
        rulebook.send(alerts("firing", "Slow"))
        rulebook.wait_for(lambda: states(sandbox) == ["resolved"])
    (page, _resolve) = bodies(sandbox)
    assert (
        page["title"].startswith("Restart ") and "failed on web1 and web2: exit status 1 [restart.yml]" in page["title"]
    )
    assert page["incident_key"].startswith("eda-restart.yml-")


def test_a_template_in_an_event_is_text_for_the_remediation_too(tmp_path: Path, sandbox: Sandbox) -> None:
    show = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug: {var: alert_name}\n"
    tmp_path.joinpath("show.yml").write_text(show, encoding="utf-8")
    event = alerts("firing", "{{{ lookup('ansible.builtin.pipe', 'touch " + str(tmp_path / "templated") + "') }}}")
    with Rulebook(tmp_path, REMEDIATE, connection(sandbox), remediation_playbook="show.yml") as rulebook:
        rulebook.send(event)
        rulebook.wait_for(lambda: "PLAY RECAP" in rulebook.output)
        assert "lookup('ansible.builtin.pipe'" in rulebook.output
    assert not tmp_path.joinpath("templated").exists()


def test_the_rulebook_that_the_guide_shows_for_aap_is_valid(collections_path: Path) -> None:
    from ansible_rulebook.validators import Validate

    Validate.rulebook(yaml.safe_load(file_of(collections_path, "event_driven_ansible", "rulebooks/incidents.yml")))
