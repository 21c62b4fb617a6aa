# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures time and memory to make the page of 2,000 failed hosts, from the run's failures to the event's JSON.

Must not need Ansible or the network: ``python tests/benchmarks/page.py``, or with ``--against REVISION``. Time is CPU
time, the shortest of several rounds; memory is the peak of what Python allocates meanwhile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from effort import Effort, Size, add_options, effort_of
from measure import end, show
from redactor import compared
from results import Figure, Table

HOSTS = Size(2000, 2000, 20)
SECONDS, MIB = 0.5, 30.0  # the limits


def failures(hosts: int) -> dict[str, list[dict[str, str]]]:
    """Return what differs in the failures of the hosts, by case."""
    log = "the service could not be started, see its log " * 80
    words = ["".join(chr(ord("a") + int(digit)) for digit in str(number)) for number in range(hosts)]
    same = {"message": "disk full " * 30, "stderr": "Error: no slots\n" * 40}
    return {
        "the same message": [same] * hosts,
        "messages that differ in ids": [{"message": f"{n}: {log}", "stdout": f"{n}\n" * 400} for n in range(hosts)],
        "distinct messages": [{"message": f"{word} is broken " * 300, "stdout": "x\n" * 1000} for word in words],
        "only outputs, in ids": [{"stderr": f"{n}: {log}\nError: {n} is gone"} for n in range(hosts)],
    }


def measured(collections: str, hosts: int) -> dict[str, tuple[float, float]]:
    """Return seconds and MiB by case, with the plugins installed there, in this process."""
    sys.path.insert(0, collections)
    base = "ansible_collections.callgoose.sqibs.plugins."

    def imported(module: str, name: str) -> Any:
        return getattr(__import__(base + module, fromlist=[name]), name)

    payload_for = imported("plugin_utils._notification.message", "payload_for")
    snapshot = imported("plugin_utils._notification.snapshot", "snapshot")
    failure, run = (imported("plugin_utils._run.model", name) for name in ("Failure", "Run"))
    failed_host, incident = (imported("plugin_utils._incident.ledger", name) for name in ("FailedHost", "Incident"))
    subject = imported("plugin_utils._context.run_context", "Subject")(
        "site.yml", imported("plugin_utils._context.ci", "Origin")(), "/srv/infra"
    )
    options = imported("plugin_utils._notification.options", "PageOptions")()
    request, scope = (
        imported("plugin_utils._incident.rules", "Request"),
        imported("plugin_utils._incident.identity", "Scope")(),
    )
    redactor = imported("plugin_utils._redaction.redactor", "Redactor")(secrets=["t0k3n-Of-The-Api"])

    def make(failed: dict[str, Any]) -> None:
        kept = {
            host: failed_host(1, data)
            for host, data in snapshot(run("site.yml", failed), redactor, options, "/srv/infra").items()
        }
        asked = request("triggered", "site-1a2b", 1, frozenset(kept), incident("site-1a2b", scope, kept))
        json.dumps(payload_for(asked, subject, options, hosts, redactor).body())

    found = {}
    for case, texts in failures(hosts).items():
        failed = {
            f"web{n}.example.com": (failure("failed", task="Migrate", path="/srv/infra/site.yml", line=4, **some),)
            for n, some in enumerate(texts)
        }
        make(failed)  # compiles patterns
        began = time.process_time()
        make(failed)
        seconds = time.process_time() - began
        tracemalloc.start()
        make(failed)
        found[case] = (seconds, tracemalloc.get_traced_memory()[1] / 2**20)
        tracemalloc.stop()
    return found


def in_a_process(collections: str, hosts: int) -> dict[str, tuple[float, float]]:
    """Return what :func:`measured` does in a new process: two revisions do not fit into one."""
    command = [sys.executable, __file__, "--measure", collections, "--hosts", str(hosts)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def page(directory: Path, effort: Effort, against: str = "") -> Table:
    """Measure the page of each case.

    :param against: a revision, whose figures are shown too.
    """
    hosts = effort.of(HOSTS)
    by_revision = compared(directory, effort, against, lambda place: in_a_process(place, hosts))
    figures = []
    for revision, rounds in by_revision.items():
        beside = f" at {revision}" if revision else ""
        for case in rounds[0]:
            seconds, mib = (min(one[case][part] for one in rounds) for part in (0, 1))
            limits = (None, None) if revision else (SECONDS, MIB)
            figures.append(Figure(f"CPU time, {case}{beside}", "s", seconds, at_most=limits[0]))
            figures.append(Figure(f"memory, {case}{beside}", "MiB", mib, at_most=limits[1]))
    return Table(f"The page of {hosts} failed hosts", f"best of {effort.rounds()}", tuple(figures))


def main() -> int:
    """Print a table, and return the exit code: 1 if a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REVISION", default="", help="compare with the pages of this revision")
    add_options(parser)
    parser.add_argument("--measure", metavar="DIRECTORY", help=argparse.SUPPRESS)
    parser.add_argument("--hosts", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure, options.hosts)))
        return 0
    effort = effort_of(options)
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        return end([show(page(Path(scratch), effort, options.against), effort)], options.results)


if __name__ == "__main__":
    sys.exit(main())
