# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long the redactor takes for 8 KiB of each family of its corpus, beside the redactor of another revision.

Must not need Ansible or the network. Run this on an idle machine: ``python tests/benchmarks/redactor.py``, or with
``--against REVISION``. Figures are CPU time, the best of several rounds that take turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from effort import Effort, add_options, effort_of
from measure import end, show
from results import Figure, Table

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "unit" / "plugin_utils" / "_redaction"
sys.path.insert(0, str(CORPUS))

import corpus  # noqa: E402  (in the directory of the redactor's tests)

SIZE = 8 * 1024
LIMIT = 3.0  # milliseconds for the slowest family
# How often a run repeats a text; it gives the shortest time.
REPEATS = 5
Measured = TypeVar("Measured")


def texts() -> dict[str, str]:
    """Return 8 KiB of the lines of each family, secrets and benign lines."""
    found = {}
    for directory in ("secrets", "benign"):
        for family, rows in corpus.templates(directory).items():
            lines = [corpus.filled(row)[0] for row in rows]
            found[f"{directory}: {family}"] = "\n".join(lines * (1 + SIZE // sum(map(len, lines))))[:SIZE]
    return found


def measured(collections: str) -> dict[str, float]:
    """Return the milliseconds per text of the redactor installed there, in this process."""
    sys.path.insert(0, collections)
    from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor

    ours = Redactor()
    times = {}
    for name, text in texts().items():
        ours.text(text)  # compiles patterns
        best = float("inf")
        for _repeat in range(REPEATS):
            began = time.process_time()
            ours.text(text)
            best = min(best, time.process_time() - began)
        times[name] = best * 1000
    return times


def installed(directory: Path, revision: str) -> str:
    """Return a directory of collections with the plugins of a revision, or of the work tree if it is empty."""
    target = directory / (revision or "now") / "ansible_collections" / "callgoose" / "sqibs"
    target.mkdir(parents=True)
    if revision:
        archive = subprocess.run(["git", "archive", revision, "plugins"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", str(target)], input=archive.stdout, check=True)
    else:
        (target / "plugins").symlink_to(ROOT / "plugins")
    return str(target.parents[2])


def in_a_process(collections: str) -> dict[str, float]:
    """Return what :func:`measured` does in a new process: two revisions do not fit into one."""
    command = [sys.executable, __file__, "--measure", collections]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compared(
    directory: Path, effort: Effort, against: str, measure: Callable[[str], Measured]
) -> dict[str, list[Measured]]:
    """Return what each round measured, by revision, which take turns; that of the work tree is the empty string.

    :param against: the other revision; empty for none.
    :param measure: takes a directory of collections.
    """
    places = {revision: installed(directory, revision) for revision in dict.fromkeys(["", against])}
    rounds = [{revision: measure(place) for revision, place in places.items()} for _round in range(effort.rounds())]
    return {revision: [one[revision] for one in rounds] for revision in places}


def redactor(directory: Path, effort: Effort, against: str = "") -> Table:
    """Measure each family of the corpus.

    :param against: a revision, whose figures are shown too.
    """
    figures = []
    for revision, rounds in compared(directory, effort, against, in_a_process).items():
        best = {name: min(one[name] for one in rounds) for name in rounds[0]}
        beside = f" at {revision}" if revision else ""
        limit = None if revision else LIMIT
        figures += [Figure(f"{name}{beside}", "ms", spent) for name, spent in best.items()]
        figures.append(Figure(f"slowest family{beside}", "ms", max(best.values()), at_most=limit))
    return Table("Redaction of 8 KiB of each family, CPU time", f"best of {effort.rounds()}", tuple(figures))


def main() -> int:
    """Print a table, and return the exit code: 1 if the limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REVISION", default="", help="compare with the redactor of this revision")
    add_options(parser)
    parser.add_argument("--measure", metavar="DIRECTORY", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure)))
        return 0
    effort = effort_of(options)
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        return end([show(redactor(Path(scratch), effort, options.against), effort)], options.results)


if __name__ == "__main__":
    sys.exit(main())
