# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook with ARA's callback and with `opentelemetry` and `splunk` of community.general, for comparison.

Must not use the network: stubs on loopback answer. Each callback must prove that it did its work.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from measure import Sample, play, run, side_by_side
from released_collection import unpacked
from stub import Stub

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "community.general"
GENERAL = "ansible_collections/community/general/"
# The default of OTEL_BSP_MAX_EXPORT_BATCH_SIZE: how many spans one request of OpenTelemetry carries.
SPANS = 512
WITHOUT = "without"


@dataclass(frozen=True)
class Other:
    """One other callback.

    :ivar env: the environment variables that enable it.
    :ivar recorded: returns how much it has recorded so far, in its own measure.
    :ivar amount: how much that must be after a run with this many results.
    """

    name: str
    env: dict[str, str]
    recorded: Callable[[], int]
    amount: Callable[[int], int]


def installed() -> bool:
    """Return whether the requirements of these callbacks are installed."""
    return bool(importlib.util.find_spec("ara") and importlib.util.find_spec("opentelemetry"))


def community_general() -> Path:
    """Return a collections path with community.general as it was released for the ansible-core in use.

    The package `ansible` 14 is the one for ansible-core 2.21, and so on.
    """
    release = int(version("ansible-core").split(".")[1]) - 7
    return unpacked(CACHE, f"ansible=={release}.*", GENERAL)


def community_general_version() -> str:
    """Return the version of that collection."""
    manifest = community_general() / GENERAL / "MANIFEST.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]


def measure(directory: Path, hosts: int, tasks: int) -> dict[str, Sample]:
    """Run debug tasks without and with each callback, side by side, and return the samples by name.

    A small run before fills caches, and creates ARA's database.

    :raises SystemExit: a callback did not record every result.
    """
    head = "- hosts: all\n  gather_facts: false\n  tasks:\n"
    text = head + "".join(f"    - {{name: task {number}, debug: {{msg: fine}}}}\n" for number in range(tasks))
    with others(directory) as every:
        environments = {WITHOUT: {}, **{other.name: other.env for other in every}}
        for number, env in enumerate(environments.values()):
            run(play(directory / f"first{number}", head + "    - {name: task, debug: {msg: fine}}\n", env=env))
        before = {other.name: other.recorded() for other in every}
        runs = {
            name: play(directory / f"run{number}", text, "--forks=10", hosts=hosts, env=env)
            for number, (name, env) in enumerate(environments.items())
        }
        (samples,) = side_by_side(1, {name: lambda call=call: run(call) for name, call in runs.items()}, warm_up=False)
        for other in every:
            check(other, other.recorded() - before[other.name], hosts * tasks)
    return dict(samples)


def check(other: Other, recorded: int, results: int) -> None:
    """Make sure that a callback did its work.

    :raises SystemExit: it did not record as much as a run with this many results has.
    """
    if recorded < other.amount(results):
        raise SystemExit(f"{other.name} recorded {recorded} of {other.amount(results)}; its figure would mean nothing")


@contextmanager
def others(directory: Path) -> Iterator[tuple[Other, ...]]:
    """Yield the other callbacks, each with its own server or database."""
    general = {"ANSIBLE_COLLECTIONS_PATH": f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{community_general()}"}
    with Stub() as collector, Stub() as splunk:
        yield (
            Other(
                "opentelemetry",
                {
                    **general,
                    "ANSIBLE_CALLBACKS_ENABLED": "community.general.opentelemetry",
                    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": collector.base_url,
                },
                recorded=lambda: collector.counts().requests,
                amount=lambda results: -(-(results + 1) // SPANS),  # one span more for the playbook
            ),
            Other(
                "splunk",
                {
                    **general,
                    "ANSIBLE_CALLBACKS_ENABLED": "community.general.splunk",
                    "SPLUNK_URL": f"{splunk.base_url}/services/collector/event",
                    "SPLUNK_AUTHTOKEN": "t0ken",
                },
                recorded=lambda: splunk.counts().requests,
                amount=lambda results: results,
            ),
            ara(directory / "ara"),
        )


def ara(base: Path) -> Other:
    """Return ARA's callback, which records into an SQLite database in this directory."""
    from ara.setup import callback_plugins

    def recorded() -> int:
        with closing(sqlite3.connect(base / "ansible.sqlite")) as database:
            return database.execute("SELECT count(*) FROM results").fetchone()[0]

    env = {
        "ANSIBLE_CALLBACK_PLUGINS": str(callback_plugins),
        "ANSIBLE_CALLBACKS_ENABLED": "ara_default",
        "ARA_API_CLIENT": "offline",
        "ARA_BASE_DIR": str(base),
    }
    return Other("ara", env, recorded, amount=lambda results: results)
