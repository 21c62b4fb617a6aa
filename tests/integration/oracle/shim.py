# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for ansible-playbook and ansible on a target's PATH: runs the real command, and logs what it did.

``python shim.py COMMAND ARGUMENT...``, with the environment variables below. Must change neither the command's output
nor its exit code, and must not import ansible or the collection: it starts for each invocation.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO

# The directory of the log: for the n-th invocation n.json, n.out, n.err and the ledger n.sqlite3.
LOG = "ORACLE_LOG"
# The URL of the sandbox's control API, and the callback to enable; without them the command runs as it is.
CONTROL = "ORACLE_CONTROL"
CALLBACK = "ORACLE_CALLBACK"
# Set for what the real command starts.
INSIDE = "ORACLE_INSIDE"


def main(command: str, *arguments: str) -> int:
    """Return the real command's exit code."""
    real = [sys.executable, str(Path(sys.executable).with_name(command)), *arguments]
    if INSIDE in os.environ:
        # A playbook's own task calls it: part of the outer invocation, whose sandbox must be left alone.
        names = [name for name in enabled(os.environ) if name != os.environ.get(CALLBACK)]
        env = {**os.environ, "ANSIBLE_CALLBACKS_ENABLED": ",".join(names)}
        return subprocess.run(real, env=env, check=False).returncode
    log = Path(os.environ[LOG])
    number = len(list(log.glob("*.json")))
    control("reset", b"")
    rc = run(real, log / f"{number}.out", log / f"{number}.err", environment(log / f"{number}.sqlite3"))
    requests = [{**request, "body": json.loads(request["body"])} for request in control("requests")]
    entry = {"command": command, "arguments": arguments, "cwd": str(Path.cwd()), "rc": rc, "requests": requests}
    log.joinpath(f"{number}.json").write_text(json.dumps({**entry, "incidents": control("incidents")}), "utf-8")
    return rc


def environment(ledger: Path) -> dict[str, str]:
    """Return the command's environment variables: its own ledger, and the callback beside those that a target sets."""
    env = {**os.environ, INSIDE: "1", "CALLGOOSE_STATE_URL": f"sqlite:///{ledger}"}
    # Targets choose locales that a machine may lack, and Ansible starts only in a UTF-8 locale.
    env["LC_ALL"] = "C.UTF-8"
    if os.environ.get(CALLBACK):
        env["ANSIBLE_CALLBACKS_ENABLED"] = ",".join([*enabled(env), os.environ[CALLBACK]])
    return env


def enabled(env: Any) -> list[str]:
    """Return the callbacks that an environment enables."""
    return [name for name in env.get("ANSIBLE_CALLBACKS_ENABLED", "").split(",") if name]


def run(command: list[str], out: Path, err: Path, env: dict[str, str]) -> int:
    """Run the command with its output passed on and kept, and return its exit code as a shell gives it."""
    with out.open("wb") as kept_out, err.open("wb") as kept_err:
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        copies = [
            threading.Thread(target=copy, args=(process.stdout, sys.stdout.buffer, kept_out)),
            threading.Thread(target=copy, args=(process.stderr, sys.stderr.buffer, kept_err)),
        ]
        for thread in copies:
            thread.start()
        for thread in copies:
            thread.join()
        rc = process.wait()
    return rc if rc >= 0 else 128 - rc


def copy(source: BinaryIO, reader: BinaryIO, kept: BinaryIO) -> None:
    """Pass on what is read, as it comes; when the reader has gone (``grep -q``), only keep it."""
    while chunk := os.read(source.fileno(), 65536):
        kept.write(chunk)
        try:
            reader.write(chunk)
            reader.flush()
        except (BrokenPipeError, ValueError):
            pass


def control(what: str, data: bytes | None = None) -> Any:
    """Return the answer of the sandbox's control API: a GET, or with data a POST."""
    if not os.environ.get(CONTROL):
        return []
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(urllib.request.Request(f"{os.environ[CONTROL]}/{what}", data=data), timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    result = main(*sys.argv[1:])
    # The interpreter would flush stdout once more, and fail where the reader has gone.
    os._exit(result)
