#!/usr/bin/python
# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action `callgoose_incident_info`; Ansible wants a module for each action plugin.

Must not hold any behaviour: the action plugin does, and runs on the controller only.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: callgoose_incident_info
short_description: Return which incidents are open, and why somebody was or was not paged
version_added: 0.1.0
description:
  - Reads the store of the callback P(callgoose.sqibs.callgoose_incident#callback) and of the role
    P(callgoose.sqibs.incident_guard#role). The API has no way to ask for incidents.
  - Sends nothing and changes nothing. It needs no token; with one, it also tells which requests wait for another.
  - The playbook C(callgoose.sqibs.status) prints the same as a table.
author:
  - Callgoose SQIBS collection contributors (@callgoose)
options:
  incident_key:
    description: Return only the incident with this key, and its playbook.
    type: str
    default: ''
  playbook:
    description:
      - Return only what belongs to playbooks or job templates with this name. It can be a pattern, such as
        V(deploy/*.yml).
    type: str
    default: ''
  state:
    description:
      - Return only incidents in this state. V(open) and V(closed) mean what they should be at the API. With V(waiting)
        the API has not confirmed that yet. With V(parked) it refused it, and nobody tries again.
    type: str
    choices: ['', open, closed, waiting, parked]
    default: ''
  history:
    description: How many of the last events of each playbook to return.
    type: int
    default: 20
  state_url:
    description:
      - The store to read, as V(sqlite:///) and a path, or V(postgresql://) and a database.
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
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
seealso:
  - module: callgoose.sqibs.callgoose_watch
"""

EXAMPLES = r"""
- name: Read what is open
  callgoose.sqibs.callgoose_incident_info:
    state: open
  register: open_incidents

- name: Read why nobody was paged for a playbook
  callgoose.sqibs.callgoose_incident_info:
    playbook: site.yml
  register: site
"""

RETURN = r"""
store:
  description: Where the store is, without user and password.
  returned: success
  type: str
incidents:
  description: The incidents in the store, those that should be open first.
  returned: success
  type: list
  elements: dict
  contains:
    incident_key:
      description: The key that the API maps it by.
      type: str
    playbook:
      description: The name of the playbook, job template or guard.
      type: str
    group:
      description: The value of the variable that C(group_by) names.
      type: str
    wanted:
      description: What it should be at the API, V(open) or V(closed).
      type: str
    confirmed:
      description: What the API has confirmed. It is V(open), V(closed), V(not known) or V(nothing was sent).
      type: str
    failed_hosts:
      description:
        - The hosts that have failed and not recovered. Names with C(*) stand for a run that was aborted or killed or
          could not start (C(*)), hangs (C(*running)), or is overdue (C(*overdue)).
      type: list
      elements: str
    limit:
      description: The host patterns of C(--limit) of the run that opened it.
      type: list
      elements: str
    tags:
      description: The tags of that run.
      type: list
      elements: str
    skip_tags:
      description: The skipped tags of that run.
      type: list
      elements: str
    since:
      description: When it opened, in UTC. Empty if it should be closed.
      type: str
    episode:
      description: How often it has opened.
      type: int
    failed_runs:
      description: How many runs have failed since it opened.
      type: int
    waiting:
      description: Whether a request waits to be sent.
      type: bool
    parked:
      description: Why a request is not sent again by itself. Empty if none is parked.
      type: str
    last_answer:
      description: The API's last answer in words.
      type: str
    title:
      description: The title of the last request.
      type: str
    why:
      description: Why the last failed run sent nothing, or what a request waits for. Empty if nothing was kept back.
      type: str
playbooks:
  description: The playbooks in the store. Empty if O(state) is set.
  returned: success
  type: list
  elements: dict
  contains:
    playbook:
      description: The name of the playbook, job template or guard.
      type: str
    incident_key:
      description: The key of an incident of the whole playbook.
      type: str
    first_run:
      description: When it first ran, in UTC.
      type: str
    last_success:
      description: When a run of all hosts last succeeded, in UTC.
      type: str
    good_revision:
      description: The project's revision in that run.
      type: str
    overdue_after:
      description: The option of this name that is in force, such as V(26h). Empty if no success can be overdue.
      type: str
    overdue:
      description: Whether a success is overdue.
      type: bool
    why:
      description: Why the last failed run joined no incident. Empty if it joined one.
      type: str
    runs:
      description: Its runs that have begun and not ended.
      type: list
      elements: dict
      sample:
        - controller: ansible.example.com
          began: 2026-11-27 02:00 UTC
          last_task_at: 2026-11-27 02:03 UTC
          task: Deploy
          limit: []
          state: running
    history:
      description: Its last events.
      type: list
      elements: dict
      sample: [{"at": "2026-11-27 02:04 UTC", "incident_key": "", "event": "a run was killed in the task Deploy"}]
table:
  description: All of this as lines for a terminal.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import INFO_SPEC


def main() -> None:
    """Refuse to run: on the controller, the action plugin of the same name runs instead."""
    module = AnsibleModule(argument_spec=INFO_SPEC, supports_check_mode=True)
    module.fail_json(msg="callgoose_incident_info runs only on the controller, where the store is. Remove delegate_to.")


if __name__ == "__main__":
    main()
