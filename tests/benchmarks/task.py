# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the module's overhead with that of `debug`, which only prints, and `uri`, which starts a module on the host.

Must not use the network: a stub of the API on loopback answers. Run this on an idle machine: ``make bench``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests
from measure import MIB, Call, Row, Sample, main, play, rounds, run, table
from stub import Stub

HOSTS = 100
FORKS = ("-f", "10")
ITEMS = 200
POSTS = 200
TITLE = "Disk full on {{ inventory_hostname }}"
EVENT = {"incident_key": "Disk full", "severity": "critical", "source": "Ansible", "state": "triggered"}
ACTIONS = Path(__file__).resolve().parent / "actions"
HEADERS = {"Authorization": "Bearer t0ken", "Content-Type": "application/json"}


def task(module: str, loop: bool, **arguments: object) -> str:
    """Return a playbook with this task, once for each host or in a loop."""
    words = {module: arguments, **({"loop": f"{{{{ range({ITEMS}) | list }}}}"} if loop else {})}
    return f"- hosts: all\n  gather_facts: false\n  tasks:\n    - {json.dumps(words)}\n"


def calls(directory: Path, stub: Stub, *, loop: bool = False) -> dict[str, Call]:
    """Return calls of the same task with four actions: `debug`, a minimal action that posts, ours, and `uri`."""
    title = "Disk full {{ item }}" if loop else TITLE
    hosts = 1 if loop else HOSTS
    env = {
        "CALLGOOSE_BASE_URL": stub.base_url,
        "CALLGOOSE_API_TOKEN": "t0ken",
        "ANSIBLE_ACTION_PLUGINS": str(ACTIONS),
        **({"CALLGOOSE_CA_PATH": stub.ca_path} if stub.ca_path else {}),
    }
    post = {
        "url": f"{stub.base_url}/v1/process?from=Ansible",
        "method": "POST",
        "body": {**EVENT, "title": title},
        "body_format": "json",
        "headers": HEADERS,
        "status_code": 201,
    }
    tasks = {
        "debug": task("ansible.builtin.debug", loop, msg=title),
        "bare": task("bare_post", loop, title=title),
        "trigger": task("callgoose.sqibs.callgoose_incident", loop, title=title),
        "uri": task("ansible.builtin.uri", loop, **post),
    }
    return {name: play(directory / name, text, *FORKS, hosts=hosts, env=env) for name, text in tasks.items()}


def timed(call: Call) -> Callable[[], Sample]:
    """Return a function that runs this call and measures its time."""
    return lambda: run(call)


def weighed(call: Call) -> Callable[[], Sample]:
    """Return a function that runs this call and measures its memory."""
    return lambda: run(call, memory=True)


def bare_posts(stub: Stub) -> Callable[[], Sample]:
    """Return a function that makes ``POSTS`` requests with one bare Session and measures all but the first."""

    def post_all() -> Sample:
        with requests.Session() as session:
            post_one(session)
            wall, cpu = time.monotonic(), time.process_time()
            for _number in range(POSTS):
                post_one(session)
            return Sample(time.monotonic() - wall, time.process_time() - cpu, largest=0)

    def post_one(session: requests.Session) -> None:
        body = json.dumps({**EVENT, "title": "Disk full"}).encode()
        url, verify = f"{stub.base_url}/v1/process?from=Ansible", stub.ca_path or True
        session.post(url, data=body, headers=HEADERS, timeout=10, verify=verify).raise_for_status()

    return post_all


def hosts(directory: Path, count: int) -> bool:
    """Measure one trigger on each of 100 hosts, with 10 forks."""
    with Stub() as stub:
        taken = rounds(count, {name: timed(call) for name, call in calls(directory, stub).items()})
    rows = [
        Row("wall time, trigger / debug", "times", lambda r: r["trigger"].wall / r["debug"].wall, at_most=1.10),
        Row("wall time, uri / trigger", "times", lambda r: r["uri"].wall / r["trigger"].wall, at_least=12),
        Row("wall time, bare post / debug", "times", lambda r: r["bare"].wall / r["debug"].wall),
        Row("wall time, trigger / bare post", "times", lambda r: r["trigger"].wall / r["bare"].wall),
        Row("CPU time, trigger / debug", "times", lambda r: r["trigger"].cpu / r["debug"].cpu),
        Row("CPU time, uri / trigger", "times", lambda r: r["uri"].cpu / r["trigger"].cpu),
    ]
    return table(f"{HOSTS} hosts, one trigger each, 10 forks", taken, rows)


def loop(directory: Path, count: int) -> bool:
    """Measure a loop of 200 triggers on one host, over http."""
    with Stub() as stub:
        by_name = calls(directory, stub, loop=True)
        runs = {name: timed(by_name[name]) for name in ("debug", "trigger", "uri")}
        taken = rounds(count, {**runs, "post": bare_posts(stub)})
    faster = Row("wall time, uri / trigger", "times", lambda r: r["uri"].wall / r["trigger"].wall, at_least=35)
    return table(f"A loop of {ITEMS} triggers on one host", taken, [*item_rows(), faster])


def loop_tls(directory: Path, count: int) -> bool:
    """Measure the same loop over https, where a handshake for each item would be visible."""
    with Stub(tls=True) as stub:
        by_name = calls(directory, stub, loop=True)
        runs = {name: timed(by_name[name]) for name in ("debug", "trigger")}
        taken = rounds(count, {**runs, "post": bare_posts(stub)})
        before = stub.counts()
        run(by_name["trigger"])
        after = stub.counts()
    handshakes = after.connections - before.connections
    rows = [
        *item_rows(),
        Row("requests of one more such loop", "", lambda _r: after.requests - before.requests, at_least=ITEMS),
        Row("TLS handshakes of that loop, counted at the server", "", lambda _r: handshakes, at_most=1),
    ]
    return table("The same loop over TLS", taken, rows)


def item_rows() -> list[Row]:
    """Return the rows about the time of one item, compared with a bare POST of the same round."""

    def added(part: str) -> Callable[[dict[str, Sample]], float]:
        def per_item(r: dict[str, Sample]) -> float:
            return (getattr(r["trigger"], part) - getattr(r["debug"], part)) / ITEMS

        return per_item

    wall, cpu = added("wall"), added("cpu")
    return [
        Row(
            "wall time an item adds to debug / one POST",
            "times",
            lambda r: wall(r) / (r["post"].wall / POSTS),
            at_most=3,
        ),
        Row("CPU time an item adds to debug / one POST", "times", lambda r: cpu(r) / (r["post"].cpu / POSTS)),
        Row("wall time an item adds to debug", "ms", lambda r: wall(r) * 1000),
        Row("wall time of one POST of a bare requests.Session", "ms", lambda r: r["post"].wall / POSTS * 1000),
    ]


def memory(directory: Path, count: int) -> bool:
    """Measure the peak memory of a run with 100 hosts."""
    with Stub() as stub:
        by_name = calls(directory, stub)
        taken = rounds(count, {name: weighed(by_name[name]) for name in ("debug", "trigger")})

    def above(part: str) -> Callable[[dict[str, Sample]], float]:
        return lambda r: (getattr(r["trigger"], part) - getattr(r["debug"], part)) / MIB

    rows = [
        Row("largest process (RSS), trigger above debug", "MiB", above("largest"), at_most=15),
        Row("all processes together (PSS), trigger above debug", "MiB", above("together"), at_most=15),
        Row("largest process (RSS), debug", "MiB", lambda r: r["debug"].largest / MIB),
        Row("all processes together (PSS), debug", "MiB", lambda r: r["debug"].together / MIB),
    ]
    return table(f"Peak memory, {HOSTS} hosts, 10 forks", taken, rows)


if __name__ == "__main__":
    sys.exit(main(__doc__, {"hosts": hosts, "loop": loop, "loop-tls": loop_tls, "memory": memory}))
