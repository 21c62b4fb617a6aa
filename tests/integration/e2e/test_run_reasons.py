# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which reason, command, status and delegated host real ansible-playbook runs give for a failure.

Must not test which hosts failed: test_run_events.py does. Each host fails at a task of its own: a run is slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.e2e.event_run import Playground
from ansible_collections.callgoose.sqibs.tests.integration.e2e.test_run_events import block, play
from ansible_collections.callgoose.sqibs.tests.integration.e2e.web_server import web_server

pytestmark = pytest.mark.matrix

VAULT = (
    "$ANSIBLE_VAULT;1.1;AES256\n"
    "63613437373135643163663936366435663861363162343261336230316133643335363365666433\n"
    "3838653632306136393861396231333261333532653663330a383135653864306466373537333965\n"
    "66353962303035333162343639613963643136356365663863326130383264643732666361363465\n"
    "3839393861613663330a306230656662373030613239626466633465303332366237323061396564\n"
    "3266\n"
)

# By host: the task that fails on it, and what is recorded of the failure. A tuple: parts of the string.
REASONS: dict[str, tuple[str, dict[str, Any]]] = {
    "vault": ("include_vars: secret.yml", {"message": ("Attempting to decrypt but no vault secrets found",)}),
    "list": ("fail: {msg: [one, 2]}", {"message": "one\n2"}),
    "failed": ("command: /bin/false", {"command": "/bin/false", "status": "exit status 1"}),
    "killed": ("shell: kill -9 $$", {"command": "kill -9 $$", "status": "killed by SIGKILL (exit status -9)"}),
    "script": ("script: x.sh one two", {"command": "x.sh one two", "status": "exit status 4", "stderr": "err"}),
    "missing": ("command: /no/such x", {"message": ("No such file or directory", "/no/such")}),
    "server": (
        "uri: {url: '{{ url }}/bad?token=x', timeout: 5}",
        {"status": "HTTP status 503 from URL/bad", "stdout": '{"error":"maintenance","retry":5}', "message": ("503",)},
    ),
    "download": (
        "get_url: {url: '{{ url }}/bad', dest: '{{ playbook_dir }}/x', timeout: 5}",
        {"status": "HTTP status 503 from URL/bad", "message": "Request failed: HTTP Error 503: Service Unavailable"},
    ),
    "again": (
        "get_url: {url: '{{ url }}/good', dest: '{{ playbook_dir }}/y'}\n  until: false\n  retries: 1\n  delay: 0",
        {"message": "gave up after 2 attempts"},
    ),
    "condition": (
        "command: 'true'\n  register: r\n  failed_when: r.nope.x",
        {"message": ("could not be evaluated: ", "no attribute 'nope'")},
    ),
    "met": ("command: 'true'\n  failed_when: true", {"message": "its failed_when was true"}),
    "items": (
        "shell: 'echo {{ item.name }} >&2; exit {{ item.rc }}'\n"
        "  loop: [{name: x, rc: 1, note: long}, {name: y, rc: 0}, {name: z, rc: 3}]",
        {"message": "item name=x rc=1: exit status 1: x\nitem name=z rc=3: exit status 3: z\n2 of 3 items failed"},
    ),
    "labels": (
        "fail: {msg: 'no {{ item.name }}'}\n  loop: [{name: x}]\n  loop_control: {label: 'the {{ item.name }}'}",
        {"message": "item the x: no x"},
    ),
    "hidden": ("shell: echo hunter2; exit 1\n  no_log: true", {"command": "", "stdout": "", "message": ("no_log",)}),
    "delegated": ("command: 'false'\n  delegate_to: '{{ \"met\" }}'", {"delegate": "met"}),
    "itself": ("command: 'false'\n  delegate_to: itself", {"delegate": ""}),
    "far": ("raw: 'true'\n  delegate_to: gone", {"delegate": "gone", "kind": "unreachable"}),
    "crash": ("crash:", {"message": ("went bad",)}),
    "python": ("setup:", {"message": ("/no/such/python: not found",)}),
    "facts": ("gather_facts:", {"message": "/no/such/python: not found"}),
}
CRASH = """
from ansible.module_utils.basic import AnsibleModule
AnsibleModule({})
raise ValueError("went bad")
"""
FILES = {"secret.yml": VAULT, "x.sh": "#!/bin/sh\necho err >&2; exit 4\n", "library/crash.py": CRASH}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with web_server() as url:
        yield url


@pytest.fixture(scope="module")
def failures(tmp_path_factory, url) -> tuple[Mapping[str, Any], str]:
    """Return the failures of one run by host, and the whole output."""
    no_python = " ansible_python_interpreter=/no/such/python"
    hosts = [name + (no_python if name in ("python", "facts") else "") for name in REASONS]
    tasks = "".join(
        f"- name: {name}\n  {task}\n  when: inventory_hostname == '{name}'\n"
        for name, (task, _expected) in REASONS.items()
    )
    ground = Playground(tmp_path_factory.mktemp("reasons"), FILES)
    call = ground.prepare(
        play(tasks, hosts="all,!gone"), "-e", f"url={url}", inventory=(*hosts, "gone ansible_connection=away")
    )
    recorded = ground.recorded(call.run())
    return recorded.run["failures"], recorded.output


@pytest.mark.parametrize("host", REASONS)
def test_a_failure_has_its_reason(failures, url, host) -> None:
    run, output = failures
    (failure,) = run[host]
    assert failure["task"] == host
    for name, expected in REASONS[host][1].items():
        if isinstance(expected, tuple):
            assert all(part in failure[name] for part in expected), (failure, output)
        else:
            assert failure[name].strip() == expected.replace("URL", url), (failure, output)
    assert "hunter2" not in str(failure)


GIVE_UP = "- {name: give up, fail: {msg: rolled back}}\n"
FLUSH = "- {name: change, command: 'true', notify: handle}\n- meta: flush_handlers\n"
# By host: tasks in a block whose rescue ends with a failure of its own, and the tasks whose failures come before it.
RESCUED = {
    "plain": ("- {name: cause, fail: }\n", "", ["cause"]),
    "nested": (block("- {name: cause, fail: }", "- {name: worse, fail: }") + "\n", "", ["cause", "worse"]),
    "undone": (
        "- {name: cause, fail: }\n",
        block("- {name: undo, fail: }", "- {name: skip, debug: }") + "\n",
        ["cause"],
    ),
    "file": ("- {name: include, include_tasks: nope.yml}\n", "", ["include"]),
    "role": ("- {name: include, include_role: {name: nope}}\n", "- {name: note, debug: }\n", ["include"]),
    "handler": (FLUSH, "", ["handle"]),
}


def test_what_led_into_a_failed_rescue_comes_before_its_own_failure(tmp_path) -> None:
    tasks = "".join(
        block(body, rescue + GIVE_UP, keywords=f"  when: inventory_hostname == '{host}'\n")
        for host, (body, rescue, _expected) in RESCUED.items()
    )
    ground = Playground(tmp_path)
    call = ground.prepare(play(tasks, handlers="[{name: handle, fail: {msg: bad}}]"), inventory=tuple(RESCUED))
    recorded = ground.recorded(call.run())
    seen = {host: [one["task"] for one in some] for host, some in recorded.run["failures"].items()}
    assert seen == {host: [*expected, "give up"] for host, (_body, _rescue, expected) in RESCUED.items()}, (
        recorded.output
    )
