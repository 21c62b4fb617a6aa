# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a courier: reads its work from stdin, sends, records the answers, and prints them.

Must not need ansible-core, whose start takes longer than the request.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path

# The directory that contains ansible_collections, from which this file was installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[5]))

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._courier import read_wishes, to_json
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Sender, deliver
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.wishes import waiting
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._poster import Poster, destination_of


def main() -> None:
    """Do the work of one order."""
    # Poster would import it, and requests with it, when it posts. Here it costs no time: the order is still awaited.
    import_module("ansible_collections.callgoose.sqibs.plugins.module_utils._client")
    work = json.load(sys.stdin)
    connection = Connection(**work["connection"])
    wishes = read_wishes(work)
    poster = Poster(connection, time.monotonic() + work["seconds"])
    if work["state_url"]:
        with closing(open_store(work["state_url"])) as store:
            ledger = store.read(work["base"], list(wishes))
            due = [request for request in waiting(ledger) if request.key in wishes]
            sender = Sender(lambda request: None, poster.post, destination_of(connection))
            sent = deliver(store, work["base"], due, Policy(**work["policy"]), sender).sent
        replies = {one.request.key: one.reply for one in sent if one.is_own}
    else:
        replies = dict(zip(wishes, poster.post(list(wishes.values()), True), strict=True))
    # Who started it may be gone.
    try:
        print(to_json(replies), flush=True)
    except OSError:
        pass


if __name__ == "__main__":
    main()
