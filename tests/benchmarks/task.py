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
from effort import Effort, Size
from measure import MIB, Call, Row, Sample, main, play, ratio, rounds, run, table
from results import Bar, Table
from stub import Stub

HOSTS = Size(100, 100, 4)
FORKS = ("-f", "10")
ITEMS = Size(200, 200, 4)
POSTS = 200
TITLE = "Disk full on {{ inventory_hostname }}"
EVENT = {"incident_key": "Disk full", "severity": "critical", "source": "Ansible", "state": "triggered"}
ACTIONS = Path(__file__).resolve().parent / "actions"
HEADERS = {"Authorization": "Bearer t0ken", "Content-Type": "application/json"}


def task(module: str, items: int, **arguments: object) -> str:
    """Return a playbook with this task, once for each host or in a loop of that many items."""
    words = {module: arguments, **({"loop": f"{{{{ range({items}) | list }}}}"} if items else {})}
    return f"- hosts: all\n  gather_facts: false\n  tasks:\n    - {json.dumps(words)}\n"


def calls(directory: Path, stub: Stub, *, hosts: int = 1, items: int = 0) -> dict[str, Call]:
    """Return calls of the same task with four actions: `debug`, a minimal action that posts, ours, and `uri`.

    :param items: the length of a loop; 0 for none.
    """
    title = "Disk full {{ item }}" if items else TITLE
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
        "debug": task("ansible.builtin.debug", items, msg=title),
        "bare": task("bare_post", items, title=title),
        "trigger": task("callgoose.sqibs.callgoose_incident", items, title=title),
        "uri": task("ansible.builtin.uri", items, **post),
    }
    directory.mkdir(exist_ok=True)
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


def hosts(directory: Path, effort: Effort) -> Table:
    """Measure one trigger on each of many hosts, with 10 forks."""
    count = effort.of(HOSTS)
    with Stub() as stub:
        by_name = calls(directory, stub, hosts=count)
        taken = rounds(effort.rounds(), {name: timed(call) for name, call in by_name.items()})
    ours, uri = Bar("task", "callgoose_incident"), Bar("task", "uri", ours=False)
    bare = Bar("task", "action with one bare POST", ours=False)
    rows = [
        ratio("wall time, trigger / debug", "wall", "trigger", "debug", at_most=1.10, drawn=ours),
        ratio("wall time, bare post / debug", "wall", "bare", "debug", drawn=bare),
        ratio("wall time, uri / debug", "wall", "uri", "debug", drawn=uri),
        ratio("wall time, uri / trigger", "wall", "uri", "trigger", at_least=12),
        ratio("wall time, trigger / bare post", "wall", "trigger", "bare"),
        ratio("CPU time, trigger / debug", "cpu", "trigger", "debug"),
        ratio("CPU time, uri / trigger", "cpu", "uri", "trigger"),
    ]
    return table(f"{count} hosts, one trigger each, 10 forks", taken, rows)


def loop(directory: Path, effort: Effort) -> Table:
    """Measure a loop of triggers on one host, over http."""
    items = effort.of(ITEMS)
    with Stub() as stub:
        by_name = calls(directory, stub, items=items)
        runs = {name: timed(by_name[name]) for name in ("debug", "trigger", "uri")}
        taken = rounds(effort.rounds(), {**runs, "post": bare_posts(stub)})
    faster = ratio(f"wall time, uri / trigger, {items} items", "wall", "uri", "trigger", at_least=35)
    return table(f"A loop of {items} triggers on one host", taken, [*item_rows(items), faster])


def loop_tls(directory: Path, effort: Effort) -> Table:
    """Measure the same loop over https, where a handshake for each item would be visible."""
    items = effort.of(ITEMS)
    with Stub(tls=True) as stub:
        by_name = calls(directory, stub, items=items)
        runs = {name: timed(by_name[name]) for name in ("debug", "trigger")}
        taken = rounds(effort.rounds(), {**runs, "post": bare_posts(stub)})
        before = stub.counts()
        run(by_name["trigger"])
        after = stub.counts()
    handshakes = after.connections - before.connections
    rows = [
        *item_rows(items),
        Row("requests of one more such loop", "", lambda _r: after.requests - before.requests, at_least=items),
        Row("TLS handshakes of that loop, counted at the server", "", lambda _r: handshakes, at_most=1),
    ]
    return table(f"The same loop of {items} triggers over TLS", taken, rows)


def item_rows(items: int) -> list[Row]:
    """Return the rows about the time of one item, compared with a bare POST of the same round."""

    def times(part: str) -> Callable[[dict[str, Sample]], tuple[float, float]]:
        def of_one(r: dict[str, Sample]) -> tuple[float, float]:
            added = (getattr(r["trigger"], part) - getattr(r["debug"], part)) / items
            return added, getattr(r["post"], part) / POSTS

        return of_one

    wall, cpu = times("wall"), times("cpu")
    return [
        Row("wall time an item adds to debug / one POST", "times", lambda r: wall(r)[0] / wall(r)[1], at_most=3),
        Row("CPU time an item adds to debug / one POST", "times", lambda r: cpu(r)[0] / cpu(r)[1]),
        Row("wall time an item adds to debug", "ms", lambda r: wall(r)[0] * 1000),
        Row("wall time of one POST of a bare requests.Session", "ms", lambda r: wall(r)[1] * 1000),
    ]


def memory(directory: Path, effort: Effort) -> Table:
    """Measure the peak memory of a run with many hosts."""
    count = effort.of(HOSTS)
    with Stub() as stub:
        by_name = calls(directory, stub, hosts=count)
        taken = rounds(effort.rounds(), {name: weighed(by_name[name]) for name in ("debug", "trigger")})

    def above(part: str) -> Callable[[dict[str, Sample]], float]:
        return lambda r: (getattr(r["trigger"], part) - getattr(r["debug"], part)) / MIB

    rows = [
        Row("largest process (RSS), trigger above debug", "MiB", above("largest"), at_most=15),
        Row("all processes together (PSS), trigger above debug", "MiB", above("together"), at_most=15),
        Row("largest process (RSS), debug", "MiB", lambda r: r["debug"].largest / MIB),
        Row("all processes together (PSS), debug", "MiB", lambda r: r["debug"].together / MIB),
    ]
    return table(f"Peak memory, {count} hosts, 10 forks", taken, rows)


BENCHMARKS = {"hosts": hosts, "loop": loop, "loop-tls": loop_tls, "memory": memory}

if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS))
