#!/usr/bin/python
# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task's documentation, and its entry point when it is delegated to a host.

Must not hold any behaviour: module_utils/_task_runner.py does, for the action plugin alike.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: callgoose_incident
short_description: Trigger and resolve Callgoose SQIBS incidents
version_added: 0.1.0
description:
  - Triggers an incident with Callgoose SQIBS, which pages the on-call engineer, and resolves the incident later.
  - Triggering is idempotent. If the incident was triggered before, the API reports a duplicate and the task returns
    C(changed=false).
  - The Callgoose dashboard needs an API Filter that reads the payload. The collection's README shows the filter for the
    payload that this module sends.
  - The controller sends the request, whatever the target host is. Targets need nothing installed, so this works for
    Windows hosts and network devices too. If C(delegate_to) names another host than localhost, that host sends the
    request.
author:
  - Callgoose SQIBS collection contributors (@callgoose)
options:
  state:
    description:
      - V(triggered) triggers an incident. V(resolved) resolves the incident with the same O(incident_key).
    type: str
    choices: [triggered, resolved]
    default: triggered
  title:
    description:
      - One line that says what failed. Callgoose reads it out on the phone.
      - White space around it is removed, such as the line break at the end of a YAML block.
      - Required for O(state=triggered), unless O(payload) is given.
    type: str
  content:
    description:
      - The description of the incident. Any string is allowed.
      - The default is the O(title).
    type: str
  incident_key:
    description:
      - The key that identifies the incident. A resolve finds the incident that a trigger opened with the same key. In
        the API Filter, B(Map Incident With) and B(Incident Mapped With) refer to it.
      - White space around it is removed.
      - The default is the O(title).
      - O(state=resolved) requires this option or O(title), unless O(payload) is given.
    type: str
  severity:
    description:
      - The severity of the incident. API Filters can match on it and set the urgency by it.
      - Capitals and white space around the value do not matter.
    type: str
    choices: [critical, error, warning, info]
    default: critical
  tags:
    description:
      - Tags for Callgoose's tag-based maintenance mode.
    type: list
    elements: str
  details:
    description:
      - Any further data for the payload.
    type: dict
  payload:
    description:
      - The whole request body, for API Filters that expect another structure.
      - A dictionary or a list is sent as JSON, a string is sent unchanged.
      - Mutually exclusive with O(title), O(content), O(incident_key), O(severity), O(tags) and O(details).
    type: raw
  content_type:
    description:
      - The media type of the body. It must be a text type, because the API treats any other as an empty payload.
      - The default is C(text/plain) if O(payload) is a string, and C(application/json) otherwise.
    type: str
  unmatched:
    description:
      - What to do if no API Filter matches the payload. V(fail) fails the task, V(warn) warns, V(ok) continues.
      - The default is V(fail) for O(state=triggered), so that no page is lost silently, and V(ok) for
        O(state=resolved), because there may be nothing to resolve.
    type: str
    choices: [fail, warn, ok]
  on_unreachable:
    description:
      - What to do if the API does not answer, or answers with a temporary error, after all retries. V(fail) fails the
        task. V(queue) keeps the request in the store of the controller. The next run with the callback
        P(callgoose.sqibs.callgoose_incident#callback) on this store sends it, and so does the module
        M(callgoose.sqibs.callgoose_watch).
      - A newer request with the same key replaces a request that waits.
    type: str
    choices: [fail, queue]
    default: fail
  state_url:
    description:
      - The store of the controller, as V(sqlite:///) and a path, or V(postgresql://) and a database. It is used for
        O(on_unreachable=queue), and after the API has resolved an incident that the store knows.
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
    details: The task makes a single request. Limit its duration with O(timeout) and O(retries).
  check_mode:
    support: full
    details: Sends nothing and returns what would be sent, with RV(outcome=would_send).
  diff_mode:
    support: full
    details: Shows the payload that was sent, or would be sent.
  platform:
    support: full
    platforms: all
seealso:
  - ref: ansible_collections.callgoose.sqibs.docsite.sandbox
    description: Try your playbooks without an account.
  - name: Callgoose SQIBS
    description: The website of the service, with guides for API tokens and API Filters.
    link: https://www.callgoose.com
  - plugin: callgoose.sqibs.callgoose_incident
    plugin_type: callback
    description: Triggers and resolves incidents by the result of a whole C(ansible-playbook) run.
"""

EXAMPLES = r"""
- name: Trigger an incident
  callgoose.sqibs.callgoose_incident:
    title: Nightly backup failed
    content: "{{ ansible_failed_result.msg | default('no message') }}"
    incident_key: nightly-backup
    api_token: "{{ callgoose_api_token }}"

- name: Resolve the incident when the backup succeeds again
  callgoose.sqibs.callgoose_incident:
    state: resolved
    incident_key: nightly-backup
    api_token: "{{ callgoose_api_token }}"

- name: Page if the deployment fails, and still fail
  block:
    - name: Deploy
      ansible.builtin.include_role:
        name: app
  rescue:
    - name: Page the on-call engineer
      callgoose.sqibs.callgoose_incident:
        title: Deployment failed on {{ inventory_hostname }}
        content: "Task {{ ansible_failed_task.name }}: {{ ansible_failed_result.msg | default('no message') }}"
        severity: error
        tags: [deployment, "{{ inventory_hostname }}"]

    - name: Fail
      ansible.builtin.fail:
        msg: The deployment failed; see the incident.

- name: Open one incident for each full disk (loop)
  callgoose.sqibs.callgoose_incident:
    title: Disk {{ item.mount }} of {{ inventory_hostname }} is nearly full
    incident_key: disk-{{ inventory_hostname }}-{{ item.mount }}
    state: "{{ 'triggered' if item.size_available < 0.1 * item.size_total else 'resolved' }}"
    details:
      available_bytes: "{{ item.size_available }}"
  loop: "{{ ansible_facts.mounts }}"
  loop_control:
    label: "{{ item.mount }}"

- name: Send the payload that another tool's filter expects (custom payload)
  callgoose.sqibs.callgoose_incident:
    payload:
      alert: disk_full
      status: firing
      labels:
        host: "{{ inventory_hostname }}"

- name: Monitor Windows servers and switches, which need nothing installed
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

    - name: Trigger or resolve (sent from the controller)
      callgoose.sqibs.callgoose_incident:
        state: "{{ 'triggered' if port is failed else 'resolved' }}"
        title: "{{ inventory_hostname }} does not answer on port 443"

- name: Send from a host that reaches the internet (delegate_to)
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
    - name: Trigger an incident
      callgoose.sqibs.callgoose_incident:
        title: Certificate of {{ inventory_hostname }} expires soon
        severity: warning

- name: Read the token from a file encrypted with ansible-vault
  hosts: all
  vars_files:
    - vault.yml  # contains callgoose_api_token
  tasks:
    - name: Trigger an incident
      callgoose.sqibs.callgoose_incident:
        title: Queue is stuck
        api_token: "{{ callgoose_api_token }}"

- name: Show what would be sent, without sending it (check mode)
  callgoose.sqibs.callgoose_incident:
    title: Only a drill
  check_mode: true
  register: drill
"""

RETURN = r"""
outcome:
  description:
    - The result of the request.
    - V(created) and V(resolved) are confirmed by the API.
    - V(duplicate) means that the API processed a similar request before.
    - V(unmatched) means that no API Filter matched.
    - V(nothing_to_resolve) means that no open incident has this key.
    - V(would_send) is returned in check mode.
    - V(queued) means that the request is kept and sent later.
    - V(failed) is anything else. RV(msg) says what.
  returned: always
  type: str
  sample: created
status_code:
  description: The HTTP status of the response. Empty if there was no response.
  returned: always
  type: int
  sample: 201
api_id:
  description: The ID that the API gave to the request. Empty if there was none.
  returned: always
  type: str
  sample: 6f1c2a0e
triggered:
  description: What the API reports about triggering.
  returned: always
  type: dict
  sample: {created: true, duplicate: false}
resolved:
  description: What the API reports about resolving.
  returned: always
  type: dict
  sample: {resolved: false, duplicate: false}
incident_key:
  description: The key of the incident. Empty if O(payload) is given.
  returned: always
  type: str
  sample: nightly-backup
payload:
  description: The body that was sent, or would be sent.
  returned: always
  type: raw
  sample: {incident_key: nightly-backup, severity: critical, state: triggered, title: Nightly backup failed}
attempts:
  description: How many requests were made.
  returned: always
  type: int
  sample: 1
msg:
  description: One sentence about the result. After a failure it also says what to do.
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
