#!/usr/bin/python
# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action `callgoose_watch`; Ansible wants a module for each action plugin.

Must not hold any behaviour: the action plugin does, and runs on the controller only.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: callgoose_watch
short_description: Deliver what waits, and page for runs that were killed, hang, or never happened
version_added: 0.1.0
description:
  - Makes one pass over the store of the callback P(callgoose.sqibs.callgoose_incident#callback). Run it from cron, a
    systemd timer or an AWX schedule, every few minutes. The playbook C(callgoose.sqibs.watch) consists of this task.
  - It sends each request that the API has not confirmed yet and that is meant for the same base URL and token.
  - It finds runs whose process is gone without a word, if they ran on the same controller. It finds runs that take
    longer than the option C(max_run_time) of their callback, and playbooks whose last success is older than
    C(overdue_after). Each of these joins the incident of its playbook, and leaves it as a failed host does.
  - It runs on the controller, and changes nothing if there is nothing to do.
author:
  - Callgoose SQIBS collection contributors (@callgoose)
options:
  retry_parked:
    description:
      - Whether to send again what the API refused with an answer that would not change, such as a payload that is too
        large, or that no API Filter matched. Use it after you have corrected the cause.
      - What the API refused because of the token is sent with the token of this call, if the base URL is the same.
    type: bool
    default: false
  redact:
    description:
      - Regular expressions for what must not be sent, one per line, as for the callback.
      - If not set, the value of the environment variable E(CALLGOOSE_REDACT) is used.
    type: str
    default: ''
  state_url:
    description:
      - The store to look after, as V(sqlite:///) and a path, or V(postgresql://) and a database.
      - The default is C(callgoose/state.sqlite3) in Ansible's home, as for the callback.
      - If not set, the value of the environment variable E(CALLGOOSE_STATE_URL) is used.
    type: str
    default: ''
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
    details: Sends nothing and changes nothing. Returns what it would send.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
seealso:
  - module: callgoose.sqibs.callgoose_incident_info
"""

EXAMPLES = r"""
- name: Deliver what waits, and find runs that were killed, hang, or are overdue
  callgoose.sqibs.callgoose_watch:

- name: Send again what no API Filter matched, after the filter was corrected
  callgoose.sqibs.callgoose_watch:
    retry_parked: true
"""

RETURN = r"""
found:
  description: The runs that were found to be killed, hanging or overdue. Each is returned once.
  returned: success
  type: list
  elements: dict
  sample: [{"playbook": "site.yml", "what": "a run was killed in the task Deploy"}]
sent:
  description: What was sent, with the outcome.
  returned: success
  type: list
  elements: dict
  sample:
    - incident_key: shop-site.yml-0123456789abcdef
      state: triggered
      outcome: created
      message: The incident was created.
would_send:
  description: What would be sent, in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{"incident_key": "shop-site.yml-0123456789abcdef", "state": "triggered"}]
parked:
  description: Requests that the API refused, and that are sent again only if O(retry_parked) is set, at most 20.
  returned: success
  type: list
  elements: dict
  sample:
    - incident_key: shop-site.yml-0123456789abcdef
      reason: "HTTP 413. The payload is too large: shorten content or details."
report:
  description: All of this as lines for people.
  returned: success
  type: list
  elements: str
  sample: ["Nothing waits in postgresql://db.example.com/incidents, and no run was killed, hangs, or is overdue."]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import WATCH_SPEC


def main() -> None:
    """Refuse to run: on the controller, the action plugin of the same name runs instead."""
    module = AnsibleModule(argument_spec=WATCH_SPEC, supports_check_mode=True)
    module.fail_json(msg="callgoose_watch runs only on the controller, where the store is. Remove delegate_to.")


if __name__ == "__main__":
    main()
