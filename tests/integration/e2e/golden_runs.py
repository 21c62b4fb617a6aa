# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failing runs whose pages stand in golden/: playbooks, hosts and files.

Must not contain expectations: the golden pages are the expectations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

ONE = ("web1.example.com",)
SEVERAL = ("web1.example.com", "web2.example.com", "db1.example.com")
FORTY = tuple(f"web{number:02}.example.com" for number in range(1, 41))


@dataclass(frozen=True)
class Golden:
    """One failing run.

    :param heading: of its page in the guide.
    :param tasks: the tasks of its only play, in YAML; or the whole playbook, if it begins with ``- name``.
    """

    heading: str
    tasks: str
    hosts: tuple[str, ...] = ONE
    files: Mapping[str, str] = field(default_factory=dict)
    inventory: str = "inventories/production/hosts.ini"
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def module(**result: object) -> str:
    """Return a module of the project that fails with this result, in place of one that needs another machine."""
    return f"#!/usr/bin/python\nprint({json.dumps(result)!r})\n"


APT = {
    "library/apt.py": module(
        failed=True,
        cache_updated=False,
        rc=100,
        msg="'/usr/bin/apt-get -y -o \"Dpkg::Options::=--force-confdef\" install 'nginx=1.24'' failed: E: Could not "
        "get lock /var/lib/dpkg/lock-frontend. It is held by process 4242 (unattended-upgr)\nE: Unable to acquire the "
        "dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n",
        stderr="E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4242 (unattended-upgr)\n"
        "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n",
        stdout="",
    )
}
SERVICE = {
    "library/service.py": module(
        failed=True,
        msg="Unable to start service nginx: Job for nginx.service failed because the control process exited with error "
        'code.\nSee "systemctl status nginx.service" and "journalctl -xeu nginx.service" for details.\n',
    )
}
TRACE = "\n".join(
    [
        'Exception in thread "main" com.acme.shop.MigrationException: migration 0042 failed',
        *(f"\tat com.acme.shop.Migration.step{number}(Migration.java:{number})" for number in range(60)),
        "Caused by: org.postgresql.util.PSQLException: FATAL: remaining connection slots are reserved",
        "\tat org.postgresql.core.v3.QueryExecutorImpl.receive(QueryExecutorImpl.java:2725)",
        "\t... 60 more\n",
    ]
)
ROLE = {
    "roles/client/tasks/main.yml": """
- name: Fetch the release
  ansible.builtin.command: {cmd: "sh -c 'echo curl: 404 Not Found >&2; exit 22'"}
  when: inventory_hostname[3:5] | int <= 9
- name: Unpack the client
  ansible.builtin.command: {cmd: "sh -c 'echo tar: write error: No space left on device >&2; exit 2'"}
  when: inventory_hostname[3:5] | int in [10, 11, 12, 13, 14]
- name: Restart the client
  ansible.builtin.fail: {msg: "the unit is masked"}
  when: inventory_hostname[3:5] | int in [15, 16, 17]
"""
}
GUARDED = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml}
"""
DEPLOY = {
    "deploy.yml": """
- name: Migrate the {{ database }} database
  ansible.builtin.command: {cmd: "sh -c 'echo lock timeout >&2; exit 3'"}
"""
}

GOLDEN = {
    "apt_lock": Golden("The package manager is locked", "- {name: Install nginx, apt: {name: nginx=1.24}}", files=APT),
    "service": Golden(
        "A service does not start", "- {name: Start nginx, service: {name: nginx, state: started}}", files=SERVICE
    ),
    "undefined_variable": Golden(
        "A template needs an undefined variable",
        "- {name: Write the configuration, ansible.builtin.template: {src: app.j2, dest: /nonexistent/app.conf}}",
        files={"templates/app.j2": "port = {{ app_port }}\n"},
    ),
    "ssh_unreachable": Golden(
        "A host is unreachable",
        "- {name: Look, ansible.builtin.raw: 'true'}",
        hosts=("web1.example.com ansible_connection=away",),
    ),
    "assertion": Golden(
        "An assertion failed",
        "- {name: Check the free space, ansible.builtin.assert: "
        "{that: free_gb | int > 10, fail_msg: only 3 GB are free}}",
        args=("-e", "free_gb=3"),
    ),
    "loop": Golden(
        "Some items of a loop failed",
        "- name: Create the users\n"
        "  ansible.builtin.command: {cmd: \"sh -c 'echo useradd: {{ item }} exists >&2; exit 9'\"}\n"
        "  loop: [ada, bob, cy, dan, eve, fay, gus, hal, ida, joe]\n"
        "  when: item in ['bob', 'eve', 'ida']",
    ),
    "stack_trace": Golden(
        "A command printed a long stack trace",
        "- {name: Migrate the database, ansible.builtin.shell: 'cat trace.txt >&2; exit 1'}",
        files={"trace.txt": TRACE},
    ),
    "killed": Golden("A command was killed", "- {name: Build the index, ansible.builtin.shell: 'kill -9 $$'}"),
    "out_of_memory": Golden(
        "A shell reports that its command was killed",
        "- {name: Build the index, ansible.builtin.shell: 'echo Killed >&2; exit 137'}",
    ),
    "http_error": Golden(
        "A server answered with an error",
        "- {name: Drain the node, ansible.builtin.uri: {url: '{{ url }}/bad?token=x'}}",
    ),
    "no_log": Golden(
        "A task has no_log", "- {name: Set the password, ansible.builtin.fail: {msg: hunter2}, no_log: true}"
    ),
    "many_tasks": Golden(
        "Several tasks failed on many hosts",
        "- {ansible.builtin.include_role: {name: client}}",
        hosts=FORTY,
        files=ROLE,
    ),
    "similar_errors": Golden(
        "Many hosts have the same problem",
        "- name: Reload the agent\n"
        "  ansible.builtin.command: {cmd: \"sh -c 'echo agent[{{ 3000 + inventory_hostname[3:5] | int }}]:"
        " {{ inventory_hostname }} has no route to the hub >&2; exit 1'\"}",
        hosts=FORTY,
    ),
    "aborted": Golden(
        "The run was aborted",
        "- name: Site\n  hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - {name: Look, ansible.builtin.debug: {msg: fine}}\n"
        "- name: Never\n  hosts: '{{ nowhere }}'\n  gather_facts: false\n",
    ),
    "not_reached": Golden(
        "Other hosts were not reached",
        "- {name: Drain, ansible.builtin.fail: {msg: the pool is empty}, any_errors_fatal: true, "
        "when: inventory_hostname is match('web1')}\n- {name: Deploy, ansible.builtin.debug: {msg: fine}}",
        hosts=SEVERAL,
    ),
    "delegated": Golden(
        "The host of a delegated task is unreachable",
        "- {name: Dump the database, ansible.builtin.raw: 'true', delegate_to: db1.example.com, "
        "when: inventory_hostname is match('web1')}",
        hosts=(*SEVERAL[:2], "db1.example.com ansible_connection=away"),
    ),
    "gather_facts": Golden(
        "Facts cannot be gathered",
        "- {name: Gather facts, ansible.builtin.setup: }",
        hosts=("web1.example.com ansible_python_interpreter=/no/such/python",),
    ),
    "until": Golden(
        "All attempts were used up",
        "- name: Wait for the queue\n  ansible.builtin.command: {cmd: \"sh -c 'echo 7 jobs left'\"}\n"
        "  register: queue\n  until: queue.stdout is match('0 jobs')\n  retries: 2\n  delay: 0",
    ),
    "rescue": Golden(
        "A rescue reported the failure",
        "- block:\n    - {name: Deploy, ansible.builtin.command: {cmd: \"sh -c 'echo disk full >&2; exit 1'\"}}\n"
        "  rescue:\n    - {name: Roll back, ansible.builtin.debug: {msg: rolled back}}\n"
        "    - {name: Report, ansible.builtin.fail: {msg: 'Deployment failed, rolled back'}}",
    ),
    "localhost": Golden(
        "A machine that configures itself",
        "- {name: Apply the updates, ansible.builtin.command: 'false', vars: "
        "{callgoose_runbook_url: 'https://wiki.example.com/runbooks/updates'}}",
        hosts=("localhost",),
        inventory="hosts.ini",
    ),
    "guard": Golden("Tasks under a guard failed", GUARDED, hosts=SEVERAL, files=DEPLOY, args=("-e", "database=shop")),
    "staging": Golden(
        "Another environment",
        "- {name: Install nginx, apt: {name: nginx=1.24}}",
        files=APT,
        inventory="inventories/staging/hosts.ini",
    ),
}
