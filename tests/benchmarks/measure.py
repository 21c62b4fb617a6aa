# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Common parts of the benchmarks: runs commands in turns, measures them, and prints a table of figures with verdicts.

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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import artifact  # noqa: E402  (in the parent directory of this file)
from integration.e2e.playbook import Call, prepare  # noqa: E402

MIB = 1024 * 1024
FEWEST_ROUNDS = 5
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


@dataclass(frozen=True)
class Row:
    """One row of the table: a figure computed from each round, and an optional limit for its median."""

    name: str
    unit: str
    figure: Callable[[Round], float]
    at_most: float | None = None
    at_least: float | None = None

    def verdict(self, median: float) -> str:
        """Return whether the median meets the limit; empty if there is no limit."""
        if self.at_most is None and self.at_least is None:
            return ""
        met = median <= self.at_most if self.at_most is not None else median >= (self.at_least or 0)
        return "met" if met else "MISSED"

    @property
    def target(self) -> str:
        """Return the limit as a string."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"


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
    for warm_up in runs.values():
        warm_up()
    taken = []
    names = list(runs)
    for number in range(1, count + 1):
        samples = {name: runs[name]() for name in names}
        names.append(names.pop(0))
        taken.append({name: samples[name] for name in runs})
        walls = ", ".join(f"{name} {sample.wall:.2f} s" for name, sample in taken[-1].items())
        print(f"  {number}/{count}: {walls}", flush=True)
    return taken


def side_by_side(count: int, runs: Mapping[str, Callable[[], Sample]]) -> list[Round]:
    """Execute all runs at the same time, ``count`` times, after one round that only warms up caches.

    Use this for CPU time only; the elapsed times mean nothing. If a machine's speed varies between runs, differences of
    one per cent disappear. Here it varies for all runs equally.
    """
    for warm_up in runs.values():
        warm_up()
    taken = []
    with ThreadPoolExecutor(len(runs)) as pool:
        for number in range(1, count + 1):
            started = {name: pool.submit(one) for name, one in runs.items()}
            taken.append({name: one.result() for name, one in started.items()})
            times = ", ".join(f"{name} {sample.cpu:.2f} s" for name, sample in taken[-1].items())
            print(f"  {number}/{count}: CPU {times}", flush=True)
    return taken


def table(title: str, taken: Sequence[Round], rows: Sequence[Row]) -> bool:
    """Print the medians of these rows over all rounds, and return whether all limits are met."""
    print(f"\n{title} (medians of {len(taken)})")
    kept = True
    for row in rows:
        median = statistics.median(row.figure(one) for one in taken)
        verdict = row.verdict(median)
        kept = kept and verdict != "MISSED"
        print(f"  {row.name:58} {median:9.2f} {row.unit:5} {row.target:8} {verdict}".rstrip(), flush=True)
    print(flush=True)
    return kept


def main(description: str, benchmarks: Mapping[str, Callable[[Path, int], bool]]) -> int:
    """Run the benchmarks named on the command line (default: all) with a newly installed artifact.

    :param benchmarks: the benchmarks by name. Each takes a scratch directory and the number of rounds, and returns
        whether it met its limits.
    :returns: the exit code: 1 if a limit was missed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(benchmarks)}; default: all")
    parser.add_argument("--rounds", type=int, default=FEWEST_ROUNDS, help="number of rounds (default: 5)")
    options = parser.parse_args()
    unknown = set(options.names) - set(benchmarks)
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        collections = Path(scratch, "collections")
        artifact.install(collections)
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
        kept = []
        for name in options.names or benchmarks:
            directory = Path(scratch, name)
            directory.mkdir()
            print(f"{name}:", flush=True)
            kept.append(benchmarks[name](directory, options.rounds))
    return 0 if all(kept) else 1
