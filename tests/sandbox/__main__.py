# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as a command: ``python -m tests.sandbox`` in the collection's folder, until SIGINT or SIGTERM.

Must not do more than read the command line and say where everything is.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from .errors import SetupError
from .sandbox import Sandbox
from .settings import READINGS

ENDS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Serve until a signal ends it.

    :returns: the exit code: 1 if it could not start.
    """
    options = _options()
    # blocked before the server's thread starts, so that only sigwait gets them
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
    parser = argparse.ArgumentParser(prog="sandbox", description="An emulator of the Callgoose SQIBS incident API.")
    parser.add_argument("--port", type=int, default=8088, help="port on 127.0.0.1; 0 takes a free one (default 8088)")
    parser.add_argument("--reading", choices=READINGS, default="body", help="which requests are similar (default body)")
    parser.add_argument(
        "--window", type=float, default=300, help="seconds in which a similar request is a duplicate (default 300)"
    )
    parser.add_argument("--tls", action="store_true", help="serve https with a throw-away certificate authority")
    parser.add_argument("--ready-file", type=Path, help="a JSON file written when requests are served")
    return parser.parse_args()


def _say(sandbox: Sandbox, reading: str, window: float) -> None:
    lines = [
        "The Callgoose SQIBS sandbox is running; Ctrl-C ends it.",
        f"  base URL        {sandbox.base_url}",
        f"  incident token  {sandbox.token}",
        f"  request token   {sandbox.request_token} (the API refuses it)",
        f"  duplicates      {reading}, within {window:g} s",
        f"  incidents       {sandbox.control_url}/incidents",
        f"  requests        {sandbox.control_url}/requests",
        f"  everything      {sandbox.control_url}/state",
    ]
    if sandbox.ca_path:
        lines.append(f"  ca_path         {sandbox.ca_path}")
    print("\n".join(lines), flush=True)


def _write_whole(path: Path, value: dict[str, object]) -> None:
    """Write the file so that nobody can read half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
