#!/usr/bin/python
# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task's documentation, and its entry point when it is delegated to a host.

Must not hold any behaviour: module_utils/task.py does, for the action plugin alike.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: callgoose_incident
short_description: Raise and resolve Callgoose SQIBS incidents
version_added: 0.1.0
description:
  - Raises an incident with Callgoose SQIBS, which calls the person on duty, and resolves it when all is well again.
  - Raising what is already raised changes nothing. The API answers that it is a duplicate, and the task reports
    C(changed=false).
  - Needs an API Filter in the Callgoose dashboard that reads the payload. The collection's README has the filter to
    set up for the payload that this module sends.
  - The request is sent from the controller, whatever the target host is, so nothing is needed on the target. Windows
    hosts and network devices work as well. With C(delegate_to) naming another host than localhost, that host sends.
author:
  - Callgoose SQIBS collection contributors (@callgoose)
options:
  state:
    description:
      - V(triggered) raises an incident, V(resolved) resolves the one with the same O(incident_key).
    type: str
    choices: [triggered, resolved]
    default: triggered
  title:
    description:
      - One line that says what is wrong, as it will be read aloud on the phone.
      - Required for O(state=triggered), unless O(payload) is given.
    type: str
  content:
    description:
      - The description, any text.
    type: str
  incident_key:
    description:
      - Names the incident. The API Filter's B(Map Incident With) and B(Incident Mapped With) refer to it, so that a
        resolve finds the incident that a trigger opened.
      - If not set, the O(title) is used.
      - O(state=resolved) needs it or O(title), unless O(payload) is given.
    type: str
  severity:
    description:
      - How bad it is. API Filters can ask for it and choose the urgency by it.
    type: str
    choices: [critical, error, warning, info]
    default: critical
  tags:
    description:
      - Words that Callgoose's tag-based maintenance mode looks for.
    type: list
    elements: str
  details:
    description:
      - Anything else that should be part of the payload.
    type: dict
  payload:
    description:
      - The whole body, for API Filters that were made for another structure.
      - A dictionary or a list is sent as JSON, a text as it is.
      - Excludes O(title), O(content), O(incident_key), O(severity), O(tags) and O(details).
    type: raw
  content_type:
    description:
      - The body's media type. It must be a text type, since the API takes any other for an empty payload.
      - The default is C(text/plain) for a text in O(payload), else C(application/json).
    type: str
  unmatched:
    description:
      - What it means that no API Filter matches the payload. V(fail) fails the task, V(warn) warns and V(ok) goes on.
      - The default is V(fail) for O(state=triggered), so that no page is lost silently, and V(ok) for
        O(state=resolved), since there may be nothing to resolve.
    type: str
    choices: [fail, warn, ok]
extends_documentation_fragment:
  - callgoose.sqibs.connection
  - callgoose.sqibs.attributes
  - callgoose.sqibs.attributes.actiongroup_callgoose
attributes:
  action:
    support: full
  async:
    support: none
    details: The task takes one request. Use O(timeout) and O(retries) to bound it.
  check_mode:
    support: full
    details: Sends nothing and returns what would be sent, with RV(outcome=would_send).
  diff_mode:
    support: full
    details: Shows the payload that was, or would be, sent.
  platform:
    support: full
    platforms: all
seealso:
  - name: Callgoose SQIBS
    description: The service's own site, with the guides for API tokens and API Filters.
    link: https://www.callgoose.com
  - plugin: callgoose.sqibs.callgoose_incident
    plugin_type: callback
    description: Raises and resolves incidents by what a whole run of C(ansible-playbook) does.
"""

EXAMPLES = r"""
- name: Raise an incident
  callgoose.sqibs.callgoose_incident:
    title: Nightly backup failed
    content: "{{ ansible_failed_result.msg | default('no message') }}"
    incident_key: nightly-backup
    api_token: "{{ callgoose_api_token }}"

- name: Resolve it when the backup works again
  callgoose.sqibs.callgoose_incident:
    state: resolved
    incident_key: nightly-backup
    api_token: "{{ callgoose_api_token }}"

- name: Page when the deployment fails, and fail all the same
  block:
    - name: Deploy
      ansible.builtin.include_role:
        name: app
  rescue:
    - name: Page the person on duty
      callgoose.sqibs.callgoose_incident:
        title: Deployment failed on {{ inventory_hostname }}
        content: "Task {{ ansible_failed_task.name }}: {{ ansible_failed_result.msg | default('no message') }}"
        severity: error
        tags: [deployment, "{{ inventory_hostname }}"]

    - name: Fail
      ansible.builtin.fail:
        msg: The deployment failed; see the incident.

- name: One incident for each full disk (loop)
  callgoose.sqibs.callgoose_incident:
    title: Disk {{ item.mount }} of {{ inventory_hostname }} is nearly full
    incident_key: disk-{{ inventory_hostname }}-{{ item.mount }}
    state: "{{ 'triggered' if item.size_available < 0.1 * item.size_total else 'resolved' }}"
    details:
      available_bytes: "{{ item.size_available }}"
  loop: "{{ ansible_facts.mounts }}"
  loop_control:
    label: "{{ item.mount }}"

- name: Request what a filter for another tool expects (custom payload)
  callgoose.sqibs.callgoose_incident:
    payload:
      alert: disk_full
      status: firing
      labels:
        host: "{{ inventory_hostname }}"

- name: Watch Windows servers and switches; nothing is needed on them
  hosts: windows,switches
  gather_facts: false
  tasks:
    - name: Check the service port
      ansible.builtin.wait_for:
        host: "{{ ansible_host | default(inventory_hostname) }}"
        port: 443
        timeout: 5
      delegate_to: localhost
      register: port
      ignore_errors: true

    - name: Raise or resolve (sent from the controller)
      callgoose.sqibs.callgoose_incident:
        state: "{{ 'triggered' if port is failed else 'resolved' }}"
        title: "{{ inventory_hostname }} does not answer on port 443"

- name: Request from a host that reaches the internet (delegate_to)
  callgoose.sqibs.callgoose_incident:
    title: Link to the data centre is down
  delegate_to: relay.example.com

- name: Set the connection once for all tasks of a play (module_defaults)
  hosts: all
  module_defaults:
    group/callgoose.sqibs.callgoose:
      api_token: "{{ callgoose_api_token }}"
      source: Production
  tasks:
    - name: Raise an incident
      callgoose.sqibs.callgoose_incident:
        title: Certificate of {{ inventory_hostname }} expires soon
        severity: warning

- name: Take the token from a file encrypted with ansible-vault
  hosts: all
  vars_files:
    - vault.yml  # holds callgoose_api_token
  tasks:
    - name: Raise an incident
      callgoose.sqibs.callgoose_incident:
        title: Queue is stuck
        api_token: "{{ callgoose_api_token }}"

- name: See what would be sent without sending it (check mode)
  callgoose.sqibs.callgoose_incident:
    title: Only a drill
  check_mode: true
  register: drill
"""

RETURN = r"""
outcome:
  description:
    - What came of it.
    - V(created) and V(resolved) are what the API granted. V(duplicate) says that it had processed a similar request
      before. V(unmatched) says that no API Filter matched. V(nothing_to_resolve) says that no open incident had this
      key. V(would_send) is check mode's. V(failed) is anything else, and RV(msg) says what.
  returned: always
  type: str
  sample: created
status_code:
  description: The HTTP status of the answer, or nothing where there was no answer.
  returned: always
  type: int
  sample: 201
api_id:
  description: The id that the API gave to the request.
  returned: always
  type: str
  sample: 6f1c2a0e
triggered:
  description: What the API says of triggering.
  returned: always
  type: dict
  sample: {created: true, duplicate: false}
resolved:
  description: What the API says of resolving.
  returned: always
  type: dict
  sample: {resolved: false, duplicate: false}
incident_key:
  description: The key of the incident; nothing with O(payload).
  returned: always
  type: str
  sample: nightly-backup
payload:
  description: The body that was, or would be, sent.
  returned: always
  type: raw
  sample: {incident_key: nightly-backup, severity: critical, state: triggered, title: Nightly backup failed}
attempts:
  description: How many requests were made.
  returned: always
  type: int
  sample: 1
msg:
  description: One sentence about what came of it, and on failure what to do.
  returned: always
  type: str
  sample: The incident was created.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import ARGUMENT_RULES, ARGUMENT_SPEC
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_runner import run_task


def main() -> None:
    """Run the task with the module's options, and exit as Ansible expects."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **ARGUMENT_RULES)
    result = run_task(module.params, check_mode=module.check_mode, diff=module._diff)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
