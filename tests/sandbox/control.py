# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API under /sandbox/: JSON to read and set up the sandbox. It is not part of the emulated API.

Must not know how the emulated API answers requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import parse
from .errors import SetupError, require
from .faults import Reply, json_reply
from .state import State

# The service whose filters are replaced if the request names none: the only service of the default settings.
DEFAULT_SERVICE = "Ansible"


def answer(state: State, method: str, path: str, body: bytes) -> Reply:
    """Return the reply to one control request.

    :param path: the URL's path, including ``/sandbox/``.
    """
    methods = ROUTES.get(path)
    if methods is None:
        return _error(404, f"there is no {path}; use one of {', '.join(ROUTES)}")
    if method not in methods:
        return _error(405, f"{path} accepts {', '.join(methods)}, not {method}")
    try:
        return json_reply(200, methods[method](state, _parsed(body)))
    except SetupError as error:
        return _error(400, str(error))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise SetupError(f"the body must be JSON: {error}") from error


def _error(status: int, message: str) -> Reply:
    return json_reply(status, {"error": message})


def _show(*names: str) -> Callable[[State, Any], Any]:
    """Return a handler that shows one part of the state, or all of it."""

    def show(state: State, _data: Any) -> Any:
        snapshot = state.snapshot()
        return snapshot[names[0]] if names else snapshot

    return show


def _set(state: State, data: Any) -> Any:
    state.set(**parse.settings(data))
    return state.snapshot()["settings"]


def _set_filters(state: State, data: Any) -> Any:
    """Replace filters by a list, or by an object that also names the service."""
    given: Any = {"filters": data} if isinstance(data, list) else data
    known = isinstance(given, dict) and set(given) <= {"filters", "service"}
    require(known, "give a list of filters, or an object with filters and service")
    filters = parse.many(parse.filter_, given.get("filters"), "filters")
    state.set_filters(filters, given.get("service", DEFAULT_SERVICE))
    return state.snapshot()["settings"]["services"]


def _queue(state: State, data: Any) -> Any:
    """Queue one fault or a list of faults; if one of them is invalid, queue none."""
    for fault in parse.many(parse.fault, data if isinstance(data, list) else [data], "faults"):
        state.faults.add(fault)
    return state.snapshot()["faults"]


def _clear_faults(state: State, _data: Any) -> Any:
    state.faults.clear()
    return []


def _advance(state: State, data: Any) -> Any:
    require(isinstance(data, dict) and set(data) == {"advance"}, 'give {"advance": seconds}')
    state.advance(data["advance"])
    return {"time": state.now}


def _reset(state: State, _data: Any) -> Any:
    state.reset()
    return state.snapshot()


ROUTES: dict[str, dict[str, Callable[[State, Any], Any]]] = {
    "/sandbox/state": {"GET": _show()},
    "/sandbox/incidents": {"GET": _show("incidents")},
    "/sandbox/requests": {"GET": _show("requests")},
    "/sandbox/settings": {"GET": _show("settings"), "PUT": _set, "POST": _set},
    "/sandbox/filters": {"POST": _set_filters},
    "/sandbox/faults": {"GET": _show("faults"), "POST": _queue, "DELETE": _clear_faults},
    "/sandbox/clock": {"POST": _advance},
    "/sandbox/reset": {"POST": _reset},
}
