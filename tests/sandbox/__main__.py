# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as a command: run ``python -m tests.sandbox`` in the collection's directory, end it by SIGINT or SIGTERM.

Must only read the command line, start the sandbox, and print how to use it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
from pathlib import Path

from .errors import SetupError
from .sandbox import Sandbox
from .settings import READINGS

ENDS = (signal.SIGINT, signal.SIGTERM)
SIMILAR = {"body": "the same body", "mapped": "the same mapped value"}


def main() -> int:
    """Serve until a signal arrives.

    :returns: the exit code: 1 if the sandbox could not start, else 0.
    """
    options = _options()
    # Blocked before the server's thread starts, so that only sigwait receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        with Sandbox(port=options.port, tls=options.tls, reading=options.reading, window=options.window) as sandbox:
            if options.ready_file:
                facts = {"base_url": sandbox.base_url, "pid": os.getpid(), "ca_path": sandbox.ca_path}
                _write_whole(options.ready_file, facts)
            _say(sandbox, options.reading, options.window)
            signal.sigwait(ENDS)
    except (OSError, OverflowError, SetupError) as error:
        print(f"The sandbox cannot start on 127.0.0.1:{options.port}: {error}", file=sys.stderr)
        return 1
    if options.ready_file:
        options.ready_file.unlink(missing_ok=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox", description="Emulates the Callgoose SQIBS incident API."
    )
    parser.add_argument("--port", type=int, default=8088, help="port on 127.0.0.1; 0 picks a free one (default: 8088)")
    parser.add_argument(
        "--reading",
        choices=READINGS,
        default="body",
        help="what makes two requests similar: the same body, or the same mapped value (default: body)",
    )
    parser.add_argument(
        "--window", type=float, default=300, help="seconds within which a similar request is a duplicate (default: 300)"
    )
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a temporary certificate authority")
    parser.add_argument("--ready-file", type=Path, help="JSON file to write once requests are served")
    return parser.parse_args()


def _say(sandbox: Sandbox, reading: str, window: float) -> None:
    exports = {"CALLGOOSE_BASE_URL": sandbox.base_url, "CALLGOOSE_API_TOKEN": sandbox.token}
    if sandbox.ca_path:
        exports["CALLGOOSE_CA_PATH"] = sandbox.ca_path
    lines = [
        "The Callgoose SQIBS sandbox is running. Press Ctrl-C to stop it.",
        "",
        "To use it, run this in another terminal:",
        *(f"  export {name}={shlex.quote(value)}" for name, value in exports.items()),
        "Install the collection there first: docs/docsite/rst/sandbox.rst shows how.",
        "",
        "To see what it holds, open:",
        f"  {sandbox.page_url:{len(sandbox.control_url) + 10}}  the page: incidents, requests and filters, live",
        f"  {sandbox.control_url}/incidents  the incidents",
        f"  {sandbox.control_url}/requests   the requests and their answers",
        f"  {sandbox.control_url}/state      everything, with the settings",
        "",
        f"Duplicates: requests with {SIMILAR[reading]}, within {window:g} seconds.",
        f"Refused token: {sandbox.request_token} is a Request token, so the API answers 401.",
    ]
    print("\n".join(lines), flush=True)


def _write_whole(path: Path, value: dict[str, object]) -> None:
    """Write the file atomically: readers see all of it or nothing."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
