# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in words what the emulated API did with a request, and why: the API's own answer does not.

Must not decide anything: the model has.
"""

from __future__ import annotations

from .filters import Filter, Pair, first_match
from .model import Effect
from .payload import Payload, read
from .settings import Settings
from .state import Request

# Characters of a payload's value that are quoted.
_QUOTED = 60
# What changes the direction of text (Unicode Standard Annex 9) would turn the words around a quotation.
_DIRECTIONS = {number: f"\\u{number:04x}" for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def clock(seconds: float) -> str:
    """Return a time of the sandbox's clock, such as ``0:05:12``."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that fits, such as ``5 min``."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (seconds >= size and not seconds % size):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def answer_of(request: Request, settings: Settings) -> str:
    """Return what became of a request, in a few sentences.

    :param settings: the settings now: they say why no filter matched.
    """
    fault = f" A fault was injected: {request.fault}." if request.fault else ""
    if not request.effects:
        return f"Not processed.{fault}"
    return " ".join(_effect(effect, request, settings) for effect in request.effects) + fault


def _effect(effect: Effect, request: Request, settings: Settings) -> str:
    incidents = ", ".join(effect.incidents)
    if effect.kind in ("trigger_duplicate", "resolve_duplicate"):
        if effect.similar_at is None:
            return f"Duplicate: {incidents} is open." if incidents else "Duplicate: nothing is open."
        about = f" ({incidents})" if incidents else ""
        return f"Duplicate of the request at {clock(effect.similar_at)}{about}."
    words = {
        "created": f"Opened {incidents} in service {effect.service}.",
        "resolved": f"Resolved {incidents} in service {effect.service}.",
        "resolved_false": "Nothing to resolve: no incident with this mapped value is open.",
        "maintenance": f"Nothing happened: service {effect.service} is in maintenance.",
        "unauthorized": "Refused: this is no incident token.",
    }
    return words.get(effect.kind) or _no_filter(effect.service, request, settings)


def _no_filter(service: str, request: Request, settings: Settings) -> str:
    payload = read(request.headers.get("Content-Type", ""), request.body.encode())
    filters = next((one.filters for one in settings.services if one.name == service), ())
    reasons = [_mismatch(f"Filter {place}", one, payload) for place, one in enumerate(filters, start=1)]
    return f"No filter of service {service} matched. {' '.join(reasons) or 'It has none.'}"


def _mismatch(name: str, filter: Filter, payload: Payload) -> str:
    """Return, for each part of a filter, the conditions that the payload does not meet."""
    if first_match((filter,), payload):
        return f"{name} would match now."
    parts = {"Trigger": filter.trigger.pairs, "Resolve": (filter.resolve.pair,) if filter.resolve else ()}
    missed: dict[str, list[str]] = {}
    for part, pairs in parts.items():
        if pairs:
            reasons = [_missed(pair, payload) for pair in pairs if not pair.matches(payload)]
            missed.setdefault(", and ".join(reasons), []).append(part)
    return f"{name}, " + " ".join(f"{' and '.join(names)}: {reasons}." for reasons, names in missed.items())


def _missed(pair: Pair, payload: Payload) -> str:
    value = payload.text_of(pair.key)
    wanted = " and ".join(f"'{string}'" for string in pair.contains)
    if value is None:
        return f"the payload has no key '{pair.key}'"
    shown = (value if len(value) <= _QUOTED else f"{value[: _QUOTED - 1]}…").translate(_DIRECTIONS)
    return f"'{pair.key}' is '{shown}' and must contain {wanted}"
