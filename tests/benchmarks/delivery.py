# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long many requests take: 500 groups at the end of a run, and `watch` over 10,000 incidents.

Must not need Ansible: ``python tests/benchmarks/delivery.py``, on an idle machine. The groups are compared with 500
POSTs of `requests` with as many threads; both take turns, and the figure is the median of the ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from effort import Effort, Size, add_options, effort_of
from measure import end, show
from redactor import installed
from results import Figure, Table
from stub import Stub

GROUPS, INCIDENTS, WAITING = Size(500, 500, 20), Size(10_000, 10_000, 200), Size(500, 500, 20)
BASES = 1000
RATIO, SECONDS, MIB = 2.0, 10.0, 60.0  # the limits
BODY = {"state": "triggered", "title": "x" * 100, "content": "y" * 1500, "details": {"episode": 1}}


def deliver_all(collections: str, base_url: str, place: str, bases: int, incidents: int, waiting: int) -> dict:
    """Fill a new store, deliver what waits in it, and return the seconds and the peak memory in MiB."""
    sys.path.insert(0, collections)
    from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Sender, deliver
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import FailedHost, Incident, Wish
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import waiting as due_of
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import Poster, destination_of

    connection = Connection(f"{base_url}/v1/process", "token")
    store = open_store(f"sqlite://{place}")
    every = incidents // waiting
    for number in range(bases):

        def fill(ledger, number=number):
            found = {}
            for position in range(number, incidents, bases):
                key = f"key-{position}"
                wish = Wish(
                    "triggered",
                    frozenset({"web1"}),
                    {**BODY, "incident_key": key},
                    destination_of(connection),
                    waiting=position % every == 0,
                )
                found[key] = Incident(key, Scope(), {"web1": FailedHost(1, {})}, 1, wish=wish)
            return type(ledger)(ledger.id, 1, found), None

        store.update(f"base-{number}", fill)
    poster = Poster(connection, time.monotonic() + 600)
    sender = Sender(lambda request: None, poster.post, destination_of(connection))
    began = time.monotonic()
    if bases == 1:
        result = deliver(store, "base-0", due_of(store.read("base-0")), Policy(), sender)
    else:
        for base in store.bases(watched=True):
            store.read(base)
        result = deliver(store, "", (), Policy(), sender)
    seconds = time.monotonic() - began
    assert len(result.done) == waiting, (len(result.done), result.warnings[:3])
    return {"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_a_process(*words: object) -> dict:
    """Return what :func:`deliver_all` does in a new process, for its memory."""
    command = [sys.executable, __file__, "--deliver", json.dumps(words)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def plain_posts(base_url: str, count: int, threads: int) -> float:
    """Return how many seconds as many POSTs of `requests` take."""
    session = requests.Session()
    body = json.dumps(BODY).encode()
    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _number: session.post(f"{base_url}/v1/process", data=body).status_code, range(count)))
    return time.monotonic() - began


def delivery(directory: Path, effort: Effort) -> Table:
    """Measure the groups beside as many POSTs, and the watch."""
    groups, incidents, waiting = map(effort.of, (GROUPS, INCIDENTS, WAITING))
    pairs, watched = [], []
    with Stub() as stub:
        collections = installed(directory, "")
        for number in range(effort.rounds()):
            ours = in_a_process(collections, stub.base_url, f"{directory}/g{number}", 1, groups, groups)
            pairs.append((ours["seconds"], plain_posts(stub.base_url, groups, 8)))
            place = f"{directory}/w{number}"
            watched.append(in_a_process(collections, stub.base_url, place, BASES, incidents, waiting))
    figures = (
        Figure(
            f"{groups} groups / {groups} POSTs with as many threads",
            "times",
            statistics.median(ours / posts for ours, posts in pairs),
            at_most=RATIO,
            seconds=tuple(map(statistics.median, zip(*pairs, strict=True))),
        ),
        Figure(
            f"watch over {incidents} incidents of which {waiting} wait",
            "s",
            statistics.median(one["seconds"] for one in watched),
            at_most=SECONDS,
        ),
        Figure("its memory, most of all rounds", "MiB", max(one["mib"] for one in watched), at_most=MIB),
    )
    return Table("Many requests", f"medians of {len(pairs)}", figures)


def main() -> int:
    """Print the figures, and return the exit code: 1 if a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--deliver", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.deliver:
        print(json.dumps(deliver_all(*json.loads(options.deliver))))
        return 0
    effort = effort_of(options)
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        return end([show(delivery(Path(scratch), effort), effort)], options.results)


if __name__ == "__main__":
    sys.exit(main())
