#!/usr/bin/python
# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action `callgoose_start_failure`; Ansible wants a module for each action plugin.

Must not hold any behaviour: the action plugin does, and runs on the controller only.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: callgoose_start_failure
short_description: Page for a playbook that could not start
version_added: 0.1.0
description:
  - Triggers the incident of a playbook that ended before it began, so that no callback saw it. The cause may be an
    error in its YAML, a missing role, or a C(--limit) that matches no host.
  - It is the incident of that playbook with the same inventory. So the next run that succeeds resolves it.
  - The playbook C(callgoose.sqibs.trigger) runs it if C(callgoose_playbook) is set.
  - Options that are not listed here are set with the environment variables E(CALLGOOSE_*) of the callback
    P(callgoose.sqibs.callgoose_incident#callback).
author:
  - Callgoose SQIBS collection contributors (@callgoose)
options:
  playbook:
    description:
      - The playbook, as it was given to C(ansible-playbook) in the same directory.
    type: str
    required: true
  reason:
    description: What went wrong, such as the end of the output of C(ansible-playbook).
    type: str
    default: ''
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
    details: Triggers nothing.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
"""

EXAMPLES = r"""
# A shell script around ansible-playbook:
#
# ansible-playbook -i hosts.ini site.yml --syntax-check ||
#   ansible-playbook -i hosts.ini callgoose.sqibs.trigger -e callgoose_playbook=site.yml

- name: Page for a playbook that could not start
  callgoose.sqibs.callgoose_start_failure:
    playbook: site.yml
    reason: "the role 'shop' was not found"
"""

RETURN = r"""
incident_key:
  description: The key of the incident.
  returned: success
  type: str
  sample: shop-site.yml-0123456789abcdef
outcome:
  description: The result of the request, as of M(callgoose.sqibs.callgoose_incident).
  returned: success
  type: str
  sample: created
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import (
    CONNECTION_SPEC,
    SEVERITIES,
    START_FAILURE_SPEC,
    AnyCase,
)


def main() -> None:
    """Refuse to run: on the controller, the action plugin of the same name runs instead."""
    module = AnsibleModule(
        argument_spec={
            **START_FAILURE_SPEC,
            "severity": {"type": "str", "default": "critical", "choices": AnyCase(SEVERITIES)},
            "tags": {"type": "list", "elements": "str", "default": []},
            **CONNECTION_SPEC,
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="callgoose_start_failure runs only on the controller, where the store is. Remove delegate_to.")


if __name__ == "__main__":
    main()
