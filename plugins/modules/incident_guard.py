#!/usr/bin/python
# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the role's own action; Ansible wants a module for each action plugin.

Must not hold any behaviour: the action plugin does, and runs on the controller only.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_guard
short_description: A step of the role incident_guard
version_added: 0.1.0
description:
  - The role P(callgoose.sqibs.incident_guard#role) consists of these steps. Use the role, not this module.
  - Under C(strategy=linear), and strategies derived from it, V(begin) and V(settle) run once for a batch of hosts.
    Under other strategies, and if what is guarded differs from host to host, they run on each host.
  - Each host records its progress on the controller. When no host can add anything, or when a host has failed, the
    records are turned into one incident, which is triggered or resolved.
  - The later steps of a host belong to the guard that the host began in the same place. They take from there what is
    guarded, the key and the title.
  - The optional variables of the role are read here and take precedence over options. As arguments of the role's tasks
    they would hide C(module_defaults) even if they are not set, and Ansible can print the arguments of a task,
    including the token.
  - Options that are not listed here are set with the environment variables E(CALLGOOSE_*) of the callback
    P(callgoose.sqibs.callgoose_incident#callback).
author:
  - Callgoose SQIBS collection contributors (@callgoose)
options:
  step:
    description:
      - V(begin) checks what is to be guarded and returns what to include.
      - V(done) and V(failed) record the result of this host.
      - V(settle) triggers or resolves the incident.
      - V(fail) fails again if this host has failed.
    type: str
    choices: [begin, done, failed, settle, fail]
    required: true
  tasks:
    description:
      - The guarded task files, for O(step=begin).
    type: list
    elements: str
    default: []
  roles:
    description:
      - The guarded roles, for O(step=begin).
    type: list
    elements: str
    default: []
  incident_key:
    description:
      - The key that identifies the incident. The default is a key made of what is guarded and where.
    type: str
    default: ''
  title:
    description:
      - The name that the page uses for what failed.
    type: str
    default: ''
  fail:
    description:
      - Whether O(step=fail) fails again with the original error. If this option is set, the role's variable
        C(incident_guard_fail) takes precedence.
    type: bool
    default: false
  severity:
    description:
      - The severity of the incident. API Filters can match on it.
      - Capitals and white space around the value do not matter.
      - If not set, the value of the environment variable E(CALLGOOSE_SEVERITY) is used.
    type: str
    choices: [critical, error, warning, info]
    default: critical
  tags:
    description:
      - Tags for Callgoose's tag-based maintenance mode.
      - If not set, the value of the environment variable E(CALLGOOSE_TAGS) is used.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - callgoose.sqibs.connection.module
  - callgoose.sqibs.attributes
  - callgoose.sqibs.attributes.actiongroup_callgoose
attributes:
  action:
    support: full
  async:
    support: none
  check_mode:
    support: full
    details: Triggers and resolves nothing.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
"""

EXAMPLES = r"""
- name: Deploy, and page once if it fails on any host
  ansible.builtin.include_role:
    name: callgoose.sqibs.incident_guard
  vars:
    incident_guard_tasks: deploy.yml
"""

RETURN = r"""
callgoose_guard:
  description: The failures that the callback must not page for.
  returned: O(step=settle)
  type: dict
  contains:
    hosts:
      description: The hosts whose failure has been reported.
      type: list
      elements: str
      sample: [web1]
files:
  description: The absolute paths of the task files to include.
  returned: O(step=begin)
  type: list
  elements: str
  sample: [/srv/project/deploy.yml]
roles:
  description: The guarded roles.
  returned: O(step=begin)
  type: list
  elements: str
  sample: [app]
failed_task:
  description: The task that failed on this host.
  returned: when O(step=fail) fails
  type: str
  sample: Restart the service
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import (
    CONNECTION_SPEC,
    GUARD_SPEC,
    SEVERITIES,
    AnyCase,
)


def main() -> None:
    """Refuse to run: on the controller, the action plugin of the same name runs instead."""
    module = AnsibleModule(
        argument_spec={
            **GUARD_SPEC,
            "severity": {"type": "str", "default": "critical", "choices": AnyCase(SEVERITIES)},
            "tags": {"type": "list", "elements": "str", "default": []},
            **CONNECTION_SPEC,
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="incident_guard runs only on the controller. Use the role callgoose.sqibs.incident_guard.")


if __name__ == "__main__":
    main()
