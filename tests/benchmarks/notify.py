# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures `notify: immediately`: from the line about the failed task to the arrival of the page.

Must run on an idle machine: ``python tests/benchmarks/notify.py``.
"""

from __future__ import annotations

import http.server
import statistics
import sys
import threading
import time
from pathlib import Path

from effort import Effort, Size
from measure import main, prepare
from results import Bar, Figure, Table
from stub import ANSWER

SECONDS = 0.5  # the limit
ROUNDS = Size(9, 5, 1)
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Deploy
      ansible.builtin.fail: {msg: disk full}
      when: inventory_hostname == 'web1'
    - name: Go on
      ansible.builtin.pause: {seconds: 2}
"""


class Arrivals(http.server.BaseHTTPRequestHandler):
    """Notes when a request has arrived as a whole, and answers 201."""

    times: list[float] = []  # noqa: RUF012 - one server at a time

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.times.append(time.monotonic())
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


def one_run(folder: Path, base_url: str) -> float:
    """Return the seconds from the failed task's line to the page of one run."""
    env = {
        "ANSIBLE_CALLBACKS_ENABLED": "callgoose.sqibs.callgoose_incident",
        "CALLGOOSE_NOTIFY": "immediately",
        "CALLGOOSE_BASE_URL": base_url,
        "CALLGOOSE_API_TOKEN": "token",
    }
    Arrivals.times.clear()
    process = prepare(folder, PLAYBOOK, inventory=("web1", "web2"), env=env).start()
    failed = next(time.monotonic() for line in process.stdout if "disk full" in line)
    process.communicate()
    return Arrivals.times[0] - failed


def notice(directory: Path, effort: Effort) -> Table:
    """Measure several runs."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Arrivals) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        took = []
        for number in range(effort.rounds(ROUNDS)):
            folder = directory / str(number)
            folder.mkdir()
            took.append(one_run(folder, f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
    print(f"  all: {', '.join(f'{one:.2f}' for one in sorted(took))}", flush=True)
    figures = (
        Figure(
            "from the failed task to the page, median",
            "s",
            statistics.median(took),
            at_most=SECONDS,
            drawn=Bar("notice", "median"),
        ),
        Figure("from the failed task to the page, slowest", "s", max(took), drawn=Bar("notice", "slowest")),
    )
    return Table("notify: immediately", f"of {len(took)} runs", figures)


BENCHMARKS = {"notice": notice}

if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS))
