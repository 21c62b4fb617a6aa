# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the overhead of the failure callback: in good runs, with either store, if hosts fail, or the API is down.

Must not use the network: a sandbox on loopback answers. If tests/benchmarks/requirements.txt is installed, other
callbacks run once for comparison. Run this on an idle machine: ``python tests/benchmarks/callback.py``.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import other_callbacks
from effort import Effort, Size
from measure import MIB, Call, Round, Row, Sample, main, play, ratio, rounds, run, side_by_side, table
from postgresql_server import Server
from results import Bar, Figure, Table
from sandbox import Sandbox

CALLBACKS = Path(__file__).resolve().parent / "callbacks"
OURS = "callgoose.sqibs.callgoose_incident"
HOSTS, TASKS = Size(50, 50, 4), Size(40, 20, 2)
FAILING = Size(1000, 500, 10)
MAX_DELAY = 2.0
PAIRS = Size(7, 3, 1)

HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"
ONE = HEAD + "    - {name: task, debug: {msg: fine}}\n"
BAD = HEAD + "    - {name: deploy, fail: {msg: 'disk full on {{ inventory_hostname }}'}}\n"


class Reports:
    """The reports that the timed callback wrote, one for each of its runs.

    :param path: the file into which the callback writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reports: list[dict] = []
        self._samples: list[Sample] = []

    def take(self, sample: Sample) -> Sample:
        """Read the report of the run with this sample, and return the sample."""
        self._reports.append(json.loads(self.path.read_text(encoding="utf-8")))
        self._samples.append(sample)
        return sample

    def spent(self, sample: Sample, *parts: str) -> float:
        """Return the CPU seconds spent in these parts of the callback; by default, in all except its import."""
        spent = self._of(sample)["spent"]
        return sum(spent.get(part, 0.0) for part in parts or set(spent) - {"import"})

    def http(self, sample: Sample) -> int:
        """Return how many HTTP libraries were loaded at the end of the run."""
        return len(self._of(sample)["http"])

    def _of(self, sample: Sample) -> dict:
        return next(report for report, one in zip(self._reports, self._samples, strict=True) if one is sample)


def environment(sandbox: Sandbox, callback: str = "", **more: str) -> dict[str, str]:
    """Return the environment variables of a run with this callback, or without one."""
    connection = {
        "CALLGOOSE_BASE_URL": sandbox.base_url,
        "CALLGOOSE_API_TOKEN": sandbox.token,
        "CALLGOOSE_PROJECT": "benchmark",
    }
    return {**connection, **({"ANSIBLE_CALLBACKS_ENABLED": callback} if callback else {}), **more}


def local(callback: str) -> dict[str, str]:
    """Return the environment variables of a run with a callback from the directory ``callbacks``.

    Each callback has its own directory, since Ansible imports all callbacks in a directory, even those that are not
    enabled, and the timed callback imports ours.
    """
    return {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS / callback), "ANSIBLE_CALLBACKS_ENABLED": callback}


def timed(directory: Path, reports: Reports, text: str, hosts: int, env: Mapping[str, str], code: int = 0) -> Callable:
    """Return a function that runs a playbook with the timed callback and stores its report."""
    report = {"TIMED_REPORT": str(reports.path), **local("timed")}
    call = play(directory, text, "--forks=10", hosts=hosts, env={**env, **report})
    return lambda: reports.take(run(call, code=code))


def fine(directory: Path, effort: Effort) -> Table:
    """Measure a successful run of many debug tasks with nothing to send."""
    hosts, tasks = effort.of(HOSTS), effort.of(TASKS)
    text = HEAD + "".join(f"    - {{name: task {number}, debug: {{msg: fine}}}}\n" for number in range(tasks))
    reports = Reports(directory / "report.json")
    with Sandbox() as sandbox:

        def call(name: str, callback: str = "", **more: str) -> Callable[[], Sample]:
            env = environment(sandbox, callback, **more)
            made = play(directory / name, text, "--forks=10", hosts=hosts, env=env)
            return lambda: run(made)

        runs = {
            "without": call("without"),
            "with": call("with", OURS),
            "nothing": call("nothing", **local("nothing")),
            "timed": timed(directory / "timed", reports, text, hosts, environment(sandbox)),
        }
        taken = side_by_side(effort.rounds(PAIRS), runs)
        # The first run in each of the two homes has no ledger yet, and so sends one resolve.
        requests = len(sandbox.requests) - 2
    ours = Bar("callback", "callgoose_incident")
    nothing = Bar("callback", "a callback that does nothing", ours=False)
    rows = [
        ratio("CPU time, with / without", "cpu", "with", "without", at_most=1.02, drawn=ours),
        ratio("CPU time, with a callback that does nothing / without", "cpu", "nothing", "without", drawn=nothing),
        Row("inside the callback, of the run's CPU time", "%", lambda r: share(reports, r), at_most=0.5),
        Row("inside the callback", "ms", lambda r: reports.spent(r["timed"]) * 1000),
        Row("import of the callback", "ms", lambda r: reports.spent(r["timed"], "import") * 1000),
        Row("CPU time of the run without", "s", lambda r: r["without"].cpu),
        Row("HTTP libraries loaded", "", lambda r: reports.http(r["timed"]), at_most=0),
        Row("requests, counted at the server", "", lambda _r: requests, at_most=0),
    ]
    return table(f"{hosts} hosts x {tasks} debug tasks, all fine", taken, rows)


def others(directory: Path, effort: Effort) -> Table:
    """Measure other callbacks in the run that :func:`fine` measures. Once, since they take minutes."""
    hosts, tasks = effort.of(HOSTS), effort.of(TASKS)
    samples = other_callbacks.measure(directory, hosts, tasks)
    without = samples.pop(other_callbacks.WITHOUT)
    figures = tuple(
        Figure(
            f"CPU time, with {name} / without",
            "times",
            sample.cpu / without.cpu,
            seconds=(sample.cpu, without.cpu),
            drawn=Bar("callback", name, ours=False),
        )
        for name, sample in samples.items()
    )
    general = other_callbacks.community_general_version()
    taken = f"one run each, opentelemetry and splunk of community.general {general}"
    return Table(f"{hosts} hosts x {tasks} debug tasks, all fine, other callbacks", taken, figures)


def share(reports: Reports, one: Round) -> float:
    """Return the share of the run's CPU time that was spent inside the callback, in per cent."""
    return reports.spent(one["timed"]) / one["timed"].cpu * 100


def shared(directory: Path, effort: Effort) -> Table:
    """Measure a successful run with a store in PostgreSQL beside one with the default store."""
    # The path of its socket must be short.
    with tempfile.TemporaryDirectory(prefix="sqibs-pg-", dir="/tmp") as place, Sandbox() as sandbox:
        server = Server(Path(place))
        try:
            runs = {}
            for name, url in (("default", ""), ("postgresql", server.url())):
                env = environment(sandbox, OURS, CALLGOOSE_STATE_URL=url)
                made = play(directory / name, ONE, "--forks=10", hosts=1, env=env)
                runs[name] = partial(run, made)
            taken = rounds(effort.rounds(PAIRS), runs)
        finally:
            server.stop()
    rows = [Row("wall time, with PostgreSQL above the default", "s", _above_default, at_most=0.3)]
    return table("a run of one task with a store in PostgreSQL", taken, rows)


def _above_default(one: Round) -> float:
    return one["postgresql"].wall - one["default"].wall


def failing(directory: Path, effort: Effort) -> Table:
    """Measure runs in which many hosts fail and one page is sent."""
    hosts = effort.of(FAILING)
    reports = Reports(directory / "report.json")
    with Sandbox() as sandbox:
        env = environment(sandbox, CALLGOOSE_REPEAT_INTERVAL="0")

        def call(name: str, **more: str) -> Call:
            return play(directory / name, BAD, "--forks=10", hosts=hosts, env={**env, **more})

        without, ours = call("without"), call("with", ANSIBLE_CALLBACKS_ENABLED=OURS)
        runs = {
            "without": lambda: run(without, code=2),
            "with": lambda: run(ours, code=2),
            "timed": timed(directory / "timed", reports, BAD, hosts, env, code=2),
        }
        taken = rounds(effort.rounds(), runs)
        pages = len(sandbox.requests) / (2 * (len(taken) + 1))
        longest = max(len(request["body"]) for request in sandbox.requests)
    rows = [
        Row("largest process (RSS), with above without", "MiB", lambda r: above(r) / MIB, at_most=30),
        Row("CPU time of the end: event, ledger, HTTP library, request", "s", ended(reports), at_most=1),
        Row("CPU time of all events before it", "s", lambda r: reports.spent(r["timed"]) - ended(reports)(r)),
        ratio("CPU time, with / without", "cpu", "with", "without"),
        Row("requests a run", "", lambda _r: pages, at_most=1),
        Row("the page", "KiB", lambda _r: longest / 1024, at_most=32),
    ]
    return table(f"{hosts} hosts that all fail", taken, rows)


def above(one: Round) -> int:
    """Return by how many bytes the callback increases the memory of the largest process."""
    return one["with"].largest - one["without"].largest


def ended(reports: Reports) -> Callable[[Round], float]:
    """Return a function that returns the CPU seconds of a run's last event."""
    return lambda r: reports.spent(r["timed"], "v2_playbook_on_stats")


def server_down(directory: Path, effort: Effort) -> Table:
    """Measure a failed run with a server that refuses connections, and with one that never answers."""
    with Sandbox() as sandbox, socket.socket() as free:
        sandbox.queue_fault("hang", count=None)
        free.bind(("127.0.0.1", 0))
        env = environment(sandbox, CALLGOOSE_MAX_DELAY=str(MAX_DELAY))
        refusing = {"CALLGOOSE_BASE_URL": f"http://127.0.0.1:{free.getsockname()[1]}"}

        def call(name: str, **more: str) -> Callable[[], Sample]:
            made = play(directory / name, BAD, hosts=1, env={**env, **more})
            return lambda: run(made, code=2)

        runs = {
            "without": call("without"),
            "refused": call("refused", ANSIBLE_CALLBACKS_ENABLED=OURS, **refusing),
            "hanging": call("hanging", ANSIBLE_CALLBACKS_ENABLED=OURS),
        }
        taken = rounds(effort.rounds(), runs)
    rows = [
        Row(
            f"wall time, {what} above without",
            "s",
            lambda r, name=name: r[name].wall - r["without"].wall,
            MAX_DELAY + 1,
        )
        for name, what in (("refused", "connections refused,"), ("hanging", "a server that hangs,"))
    ]
    return table(f"The server is down, max_delay {MAX_DELAY:g} s", taken, rows)


BENCHMARKS = {"fine": fine, "shared": shared, "failing": failing, "server-down": server_down}
if other_callbacks.installed():
    BENCHMARKS["others"] = others

if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS))
