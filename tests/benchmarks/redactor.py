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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "unit" / "plugin_utils" / "_redaction"
sys.path.insert(0, str(CORPUS))

import corpus  # noqa: E402  (in the directory of the redactor's tests)

SIZE = 8 * 1024
LIMIT = 3.0  # milliseconds for the slowest family
ROUNDS = 5
# How often a run repeats a text; it gives the shortest time.
REPEATS = 5


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

    redactor = Redactor()
    times = {}
    for name, text in texts().items():
        redactor.text(text)  # compiles patterns
        best = float("inf")
        for _repeat in range(REPEATS):
            began = time.process_time()
            redactor.text(text)
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


def main() -> int:
    """Print a table, and return the exit code: 1 if the limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REVISION", default="", help="compare with the redactor of this revision")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--measure", metavar="DIRECTORY", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure)))
        return 0
    with tempfile.TemporaryDirectory(prefix="sqibs-benchmarks-") as scratch:
        ours = installed(Path(scratch), "")
        theirs = installed(Path(scratch), options.against) if options.against else ""
        best: dict[str, dict[str, float]] = {}
        for _round in range(options.rounds):
            for place in filter(None, (ours, theirs)):
                times, known = in_a_process(place), best.setdefault(place, {})
                best[place] = {name: min(spent, known.get(name, spent)) for name, spent in times.items()}
    for name, spent in best[ours].items():
        other = best[theirs][name] if theirs else 0
        beside = f"  {other:7.2f} ms at {options.against}, ratio {spent / other:.2f}" if theirs else ""
        print(f"{name:24} {spent:7.2f} ms{beside}")
    worst = max(best[ours].values())
    print(f"\nslowest family: {worst:.2f} ms for 8 KiB, limit {LIMIT:g} ms: {'met' if worst <= LIMIT else 'MISSED'}")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
