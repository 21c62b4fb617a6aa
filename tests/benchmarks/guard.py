# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the overhead of a guard: the CPU time of a guarded file compared with that of a plain include of it.

Must not use the network: a sandbox on loopback answers. Run this on an idle machine:
``python tests/benchmarks/guard.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from effort import Effort, Size
from measure import Sample, main, play, ratio, rounds, run, table
from results import Bar, Table
from sandbox import Sandbox

HOSTS = Size(200, 200, 4)
HOSTS_FREE = Size(200, 50, 4)
DEPLOY = "".join(f"- {{name: task {number}, debug: {{msg: fine}}}}\n" for number in range(3))
SITE = """- hosts: all
  gather_facts: false
  strategy: {strategy}
  tasks:
    - {include}
"""
PLAIN = "ansible.builtin.include_tasks: deploy.yml"
GUARD = """ansible.builtin.include_role: {name: callgoose.sqibs.incident_guard}
      vars: {incident_guard_tasks: deploy.yml}"""


def compare(directory: Path, effort: Effort, hosts: int, strategy: str, at_most: float | None) -> Table:
    """Measure three debug tasks on that many hosts, included and guarded.

    :param at_most: the limit for the ratio of their CPU times.
    """
    with Sandbox() as sandbox:
        env = {"CALLGOOSE_BASE_URL": sandbox.base_url, "CALLGOOSE_API_TOKEN": sandbox.token}

        def call(name: str, include: str) -> Callable[[], Sample]:
            site = SITE.format(strategy=strategy, include=include)
            made = play(directory / name, site, "--forks=10", hosts=hosts, env=env)
            (made.cwd / "deploy.yml").write_text(DEPLOY, encoding="utf-8")
            return lambda: run(made)

        taken = rounds(effort.rounds(), {"plain": call("plain", PLAIN), "guard": call("guard", GUARD)})
    drawn = Bar("guard", f"incident_guard, {strategy}")
    rows = [
        ratio("CPU time, guard / plain include", "cpu", "guard", "plain", at_most=at_most, drawn=drawn),
        ratio("wall time, guard / plain include", "wall", "guard", "plain"),
    ]
    return table(f"{hosts} hosts, 3 debug tasks, {strategy}", taken, rows)


def linear(directory: Path, effort: Effort) -> Table:
    """Measure a guard whose own steps run once for the batch."""
    return compare(directory, effort, effort.of(HOSTS), "linear", 1.35)


def free(directory: Path, effort: Effort) -> Table:
    """Measure a guard whose own steps run on each host."""
    return compare(directory, effort, effort.of(HOSTS_FREE), "free", None)


BENCHMARKS = {"linear": linear, "free": free}

if __name__ == "__main__":
    sys.exit(main("Compares a guard with a plain include.", BENCHMARKS))
