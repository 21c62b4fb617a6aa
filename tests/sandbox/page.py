# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's web page: incidents as an on-call app shows them, requests in words, filters, and buttons for faults.

Must not change the state except by its buttons, and must escape everything that comes from a request.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from . import words
from .faults import Fault, Reply
from .model import Incident
from .payload import Payload, read
from .state import Request, State

WEB = Path(__file__).with_name("web")
# What the page may load: its own files, and nothing from elsewhere.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
# Browsers ask for it by themselves, also beside the JSON of the control interface: no fault is for that.
ICON = "/favicon.ico"
FILES = {"/page.css": "text/css", "/page.js": "text/javascript"}
# Requests and incidents that are shown: the newest, but open incidents before resolved ones.
SHOWN = 100
# Requests that an incident's history shows, and characters of one text: the page is made while the API waits.
HISTORY, CHARACTERS = 40, 10_000
# Deeper JSON is shown in one line: indentation would grow with the square of the depth.
DEPTH = 100
ACTIONS_PATH = "/page/actions"
# The section with the buttons, where a browser without JavaScript goes on after one was pressed.
BUTTONS = "/#try"

Action = Callable[[State], None]


def _fault(kind: str, **fields: Any) -> Action:
    return lambda state: state.faults.add(Fault(kind, **fields))


# The buttons, by the value that a form sends: what they say, and what they do.
ACTIONS: dict[str, tuple[str, Action]] = {
    "503": ("503 once", _fault("status", status=503)),
    "401": ("401 once", _fault("status", status=401)),
    "reset": ("Connection reset once", _fault("reset")),
    "hang": ("No answer once", _fault("hang")),
    "clear": ("Clear faults", lambda state: state.faults.clear()),
    "5min": ("Clock + 5 min", lambda state: state.advance(300)),
    "4h": ("Clock + 4 h", lambda state: state.advance(4 * 3600)),
    "forget": ("Forget everything", lambda state: state.reset()),
}


@dataclass(frozen=True)
class Entry:
    """One request with its answer, as shown.

    :ivar at: when, on the sandbox's clock.
    :ivar state: ``triggered``, ``resolved`` or empty.
    """

    at: str
    method: str
    path: str
    state: str
    title: str
    status: str
    answer: str


@dataclass(frozen=True)
class Shown:
    """One incident, as shown.

    :ivar details: the rest of the JSON that opened it, one key a line.
    :ivar history: the requests about it, oldest first: the first and the newest ones.
    :ivar left_out: how many are not in the history.
    """

    incident: Incident
    title: str
    description: str
    opened: str
    resolved: str
    severity: str
    details: str
    history: list[Entry]
    left_out: int


def is_page(path: str) -> bool:
    """Return whether a path belongs to the page, not to the emulated API."""
    return path in ("/", ICON, ACTIONS_PATH) or path in FILES


def answer(state: State, method: str, path: str, body: bytes) -> Reply:
    """Return the reply to one request for the page."""
    if path == ACTIONS_PATH:
        return _act(state, body) if method == "POST" else _text(405, "Use POST.")
    if method not in ("GET", "HEAD"):
        return _text(405, "Use GET.")
    if path == ICON:
        return _text(204, "")
    if path in FILES:
        text = (WEB / path.lstrip("/")).read_text(encoding="utf-8")
        return Reply(200, text, {**HEADERS, "Content-Type": f"{FILES[path]}; charset=utf-8"})
    return Reply(200, _render(state), {**HEADERS, "Content-Type": "text/html; charset=utf-8"})


def _text(status: int, text: str, **headers: str) -> Reply:
    return Reply(status, text, {**HEADERS, "Content-Type": "text/plain; charset=utf-8", **headers})


def _act(state: State, body: bytes) -> Reply:
    """Do what a button says."""
    names = parse_qs(body.decode("utf-8", errors="replace")).get("action", [""])
    if names[0] not in ACTIONS:
        return _text(400, f"There is no such action. Use one of {', '.join(ACTIONS)}.")
    ACTIONS[names[0]][1](state)
    return _text(303, "", Location=BUTTONS)


@functools.cache
def _template() -> Any:
    # Only who opens the page needs it: tests and benchmarks start many sandboxes.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2")


def _render(state: State) -> str:
    settings = state.model.settings
    newest = list(reversed(state.requests))[:SHOWN]
    incidents = sorted(state.model.incidents, key=lambda one: one.state == "open")[::-1]
    about: dict[str, list[Request]] = {}
    for request in state.requests:
        for name in dict.fromkeys(name for effect in request.effects for name in effect.incidents):
            about.setdefault(name, []).append(request)
    return str(
        _template().render(
            clock=words.clock(state.now),
            settings=settings,
            window=words.duration(settings.window),
            incidents=[_incident(one, about.get(one.id, []), state) for one in incidents[:SHOWN]],
            incident_count=len(incidents),
            open_count=len(state.model.open_incidents),
            requests=[_entry(one, state) for one in newest],
            request_count=len(state.requests),
            faults=[_fault_words(one) for one in state.faults],
            actions={name: label for name, (label, _action) in ACTIONS.items()},
            actions_path=ACTIONS_PATH,
        )
    )


def _incident(incident: Incident, requests: list[Request], state: State) -> Shown:
    payload = _payload(requests[0]) if requests else Payload("", {})
    details = {name: value for name, value in payload.keys.items() if name not in ("title", "content", "state")}
    shown = requests if len(requests) <= HISTORY else [requests[0], *requests[1 - HISTORY :]]
    return Shown(
        incident,
        _title(incident.title),
        _cut(incident.description),
        words.clock(incident.opened),
        "" if incident.resolved is None else words.clock(incident.resolved),
        _text_of(payload, "severity"),
        _cut(_pretty(details)),
        [_entry(one, state) for one in shown],
        len(requests) - len(shown),
    )


def _entry(request: Request, state: State) -> Entry:
    payload = _payload(request)
    title = _text_of(payload, "title")
    return Entry(
        words.clock(request.time),
        request.method,
        request.path,
        _text_of(payload, "state"),
        _title(title) if "title" in payload.keys else "",
        "no answer" if request.status is None else str(request.status),
        words.answer_of(request, state.model.settings),
    )


def _text_of(payload: Payload, key: str) -> str:
    """Return a value as the API sees it, and nothing if there is none."""
    return _cut(payload.text_of(key) or "")


def _title(text: str) -> str:
    """Return a title of which one sees something."""
    is_visible = any(character.isprintable() and not character.isspace() for character in text)
    return _cut(text) if is_visible else "(no title)"


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}… ({len(text)} characters)"


def _pretty(value: object) -> str:
    try:
        flat = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"
    depths = accumulate((character in "[{") - (character in "]}") for character in flat[:CHARACTERS])
    is_plain = len(flat) <= CHARACTERS and max(depths) <= DEPTH
    return json.dumps(value, indent=2, ensure_ascii=False) if is_plain else flat


def _payload(request: Request) -> Payload:
    return read("application/json", request.body.encode())


def _fault_words(fault: Fault) -> str:
    what = f"{fault.kind} {fault.status}" if fault.status else fault.kind
    return f"{what}, until cleared" if fault.count is None else f"{what}, {fault.count} time{'s' * (fault.count > 1)}"
