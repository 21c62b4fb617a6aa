# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Common parts of the benchmarks: runs commands in turns, measures them, and returns tables of figures with limits.

Must not know what is measured. Each figure is a median over several rounds. The runs take turns, and each round starts
with another run, so that other load on the machine affects all of them equally.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from effort import Effort, add_options, effort_of
from results import Bar, Figure, Results, Table

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import artifact  # noqa: E402  (in the parent directory of this file)
from integration.e2e.playbook import Call, prepare  # noqa: E402

MIB = 1024 * 1024
# Seconds between two memory measurements; each of them takes one or two milliseconds.
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Sample:
    """The measurements of one run.

    :ivar wall: elapsed time, in seconds.
    :ivar cpu: CPU time of all its processes, user and system, in seconds.
    :ivar largest: peak resident memory of its largest process, in bytes.
    :ivar together: peak memory of all its processes together, with each shared page counted once (Linux's PSS), in
        bytes; 0 if not measured.
    """

    wall: float
    cpu: float
    largest: int
    together: int = 0


Round = Mapping[str, Sample]
Benchmark = Callable[[Path, Effort], Table]


@dataclass(frozen=True)
class Row:
    """One row of the table: a figure computed from each round, and an optional limit for its median.

    :ivar seconds: of a ratio of times, a function that returns the two times.
    """

    name: str
    unit: str
    figure: Callable[[Round], float]
    at_most: float | None = None
    at_least: float | None = None
    seconds: Callable[[Round], tuple[float, ...]] = lambda _round: ()
    drawn: Bar | None = None

    def of(self, taken: Sequence[Round]) -> Figure:
        """Return the median over these rounds."""
        value = statistics.median(map(self.figure, taken))
        seconds = tuple(map(statistics.median, zip(*map(self.seconds, taken), strict=True)))
        return Figure(self.name, self.unit, value, self.at_most, self.at_least, seconds, self.drawn)


def ratio(
    name: str,
    part: str,
    over: str,
    under: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    drawn: Bar | None = None,
) -> Row:
    """Return a row about the ratio of two runs of a round.

    :param part: what of them: ``wall`` or ``cpu``.
    """

    def seconds(r: Round) -> tuple[float, float]:
        return getattr(r[over], part), getattr(r[under], part)

    return Row(name, "times", lambda r: seconds(r)[0] / seconds(r)[1], at_most, at_least, seconds, drawn)


def play(directory: Path, text: str, *args: str, hosts: int = 1, env: Mapping[str, str] | None = None) -> Call:
    """Return a call that runs a playbook with the installed artifact on this many local hosts.

    :param directory: the directory for the project and the home of this call; created if it does not exist.
    """
    directory.mkdir(exist_ok=True)
    names = [f"host{number:03}" for number in range(hosts)]
    return prepare(directory, text, *args, inventory=names, env=env)


def run(call: Call, *, memory: bool = False, code: int = 0) -> Sample:
    """Run a call to its end and measure it.

    :param memory: also measure the memory of all its processes, which slows the run down.
    :param code: the expected exit code.
    :raises SystemExit: the call ended with another exit code; the message contains its output.
    """
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            call.argv, env=call.env, cwd=call.cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        watch = _Watch(process.pid) if memory else None
        _pid, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        together = watch.end() if watch else 0
        if process.returncode != code:
            output.seek(0)
            printed = output.read().decode(errors="replace")[-4000:]
            raise SystemExit(f"{' '.join(call.argv)} ended with {process.returncode}:\n{printed}")
    # macOS counts in bytes, Linux in KiB (getrusage(2)).
    return Sample(
        wall, used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), together
    )


class _Watch:
    """A thread that measures the memory of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> int:
        """Stop measuring, and return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._most = max(self._most, sum(map(_proportional_bytes, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    """Return the IDs of a process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it has ended, or this is not Linux
        return []
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def rounds(count: int, runs: Mapping[str, Callable[[], Sample]]) -> list[Round]:
    """Execute all runs one after another, ``count`` times, after one round that only warms up caches.

    Each round starts with the run that was second in the previous round.
    """
    _together(runs)
    taken = []
    names = list(runs)
    for number in range(1, count + 1):
        samples = {name: runs[name]() for name in names}
        names.append(names.pop(0))
        taken.append({name: samples[name] for name in runs})
        walls = ", ".join(f"{name} {sample.wall:.2f} s" for name, sample in taken[-1].items())
        print(f"  {number}/{count}: {walls}", flush=True)
    return taken


def side_by_side(count: int, runs: Mapping[str, Callable[[], Sample]], *, warm_up: bool = True) -> list[Round]:
    """Execute all runs at the same time, ``count`` times, after one round that only warms up caches.

    Use this for CPU time only; the elapsed times mean nothing. If a machine's speed varies between runs, differences of
    one per cent disappear. Here it varies for all runs equally.
    """
    if warm_up:
        _together(runs)
    taken = []
    for number in range(1, count + 1):
        taken.append(_together(runs))
        times = ", ".join(f"{name} {sample.cpu:.2f} s" for name, sample in taken[-1].items())
        print(f"  {number}/{count}: CPU {times}", flush=True)
    return taken


def _together(runs: Mapping[str, Callable[[], Sample]]) -> Round:
    with ThreadPoolExecutor(len(runs)) as pool:
        started = {name: pool.submit(one) for name, one in runs.items()}
        return {name: one.result() for name, one in started.items()}


def table(title: str, taken: Sequence[Round], rows: Sequence[Row]) -> Table:
    """Return the medians of these rows over all rounds."""
    return Table(title, f"medians of {len(taken)}", tuple(row.of(taken) for row in rows))


@contextmanager
def installed_artifact() -> Iterator[Path]:
    """Install the artifact where the runs find it, and yield a scratch directory."""
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        collections = Path(scratch, "collections")
        artifact.install(collections)
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
        yield Path(scratch)


def tables(benchmarks: Mapping[str, Benchmark], effort: Effort, scratch: Path) -> list[Table]:
    """Run the benchmarks one after another, print what each found, and return it."""
    found = []
    for name, benchmark in benchmarks.items():
        directory = scratch / name.replace(" ", "-")
        directory.mkdir()
        print(f"{name}:", flush=True)
        found.append(show(benchmark(directory, effort), effort))
    return found


def show(found: Table, effort: Effort) -> Table:
    """Print the table, without limits where they mean nothing, and return what was printed."""
    shown = found.without_limits() if effort.quick else found
    print(shown.text(), flush=True)
    return shown


def main(description: str, benchmarks: Mapping[str, Benchmark]) -> int:
    """Run the benchmarks named on the command line (default: all) with a newly installed artifact.

    :param benchmarks: the benchmarks by name. Each takes a scratch directory and the effort.
    :returns: the exit code: 1 if a limit was missed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(benchmarks)}; default: all")
    add_options(parser)
    options = parser.parse_args()
    unknown = set(options.names) - set(benchmarks)
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    chosen = {name: benchmarks[name] for name in options.names or benchmarks}
    with installed_artifact() as scratch:
        return end(tables(chosen, effort_of(options), scratch), options.results)


def end(found: Sequence[Table], results: Path | None) -> int:
    """Write the results if asked, and return the exit code: 1 if a limit was missed."""
    if results:
        Results({}, tuple(found)).write(results)
    return 0 if all(one.kept for one in found) else 1
