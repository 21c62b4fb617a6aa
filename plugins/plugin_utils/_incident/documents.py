# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts a ledger's parts to JSON and back, and reads what version 1 of the SQLite store kept.

Must not touch files or databases: a store keeps the JSON. Reading is strict: what is missing, unknown or of another
type would fail much later, and again in every run.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import RESOLVED, TRIGGERED
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import (
    CLOSED,
    MAYBE,
    OPEN,
    UNKNOWN,
    FailedHost,
    Incident,
    Ledger,
    RunNote,
    Wish,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import aborted_host

_REMOTE_STATES = (UNKNOWN, CLOSED, MAYBE, OPEN)
# What a ledger keeps besides its incidents, runs and history.
_HEAD = frozenset(field.name for field in fields(Ledger)) - {"incidents", "runs", "events"}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "Mapping[str, Any]": (dict,),
}

_T = TypeVar("_T")


def head_to_json(ledger: Ledger) -> str:
    """Return what the ledger keeps besides its incidents and runs, as a string of ASCII characters."""
    return _dumped({name: getattr(ledger, name) for name in _HEAD})


def incident_to_json(incident: Incident) -> str:
    """Return an incident without its key, as a string of ASCII characters."""
    wish = incident.wish
    return _dumped(
        {
            **{field.name: getattr(incident, field.name) for field in fields(incident) if field.name != "key"},
            "scope": _plain_scope(incident.scope),
            "failed_hosts": {host: _plain_host(failed) for host, failed in incident.failed_hosts.items()},
            "sent_hosts": sorted(incident.sent_hosts),
            "wish": None if wish is None else {**vars(wish), "hosts": sorted(wish.hosts)},
        }
    )


def run_to_json(run: RunNote) -> str:
    """Return a running run as a string of ASCII characters."""
    return _dumped({**vars(run), "scope": _plain_scope(run.scope)})


def head_from_json(text: str | bytes) -> Ledger:
    """Return a ledger without incidents and runs.

    :raises ValueError: the string is not what :func:`head_to_json` returned; the other functions likewise.
    """
    return _read(text, lambda data: _built(Ledger, data, _HEAD))


def incident_from_json(key: str, text: str | bytes) -> Incident:
    """Return the incident that :func:`incident_to_json` serialized."""

    def build(data: Mapping[str, Any]) -> Incident:
        values = {
            **data,
            "key": key,
            "remote_state": _one_of(_REMOTE_STATES, data["remote_state"]),
            "scope": _scope(data["scope"]),
            "failed_hosts": {host: _failed_host(*value) for host, value in data["failed_hosts"].items()},
            "sent_hosts": frozenset(_strings(data["sent_hosts"])),
            "wish": None if data["wish"] is None else _wish(data["wish"]),
        }
        return _built(Incident, values)

    return _read(text, build)


def run_from_json(text: str | bytes) -> RunNote:
    """Return the run that :func:`run_to_json` serialized."""
    return _read(text, lambda data: _built(RunNote, {**data, "scope": _scope(data["scope"])}))


def ledger_of_version_1(text: str | bytes) -> Ledger:
    """Return a whole ledger from the document that version 1 kept of it. Its first releases kept less."""

    def build(data: Mapping[str, Any]) -> Ledger:
        incidents = {key: _incident_of_version_1(key, value) for key, value in data["incidents"].items()}
        head = {"id": data["id"], "sequence": data["sequence"], "good_revision": data.get("good_revision", "")}
        return replace(_built(Ledger, head, head), incidents=incidents)

    return _read(text, build)


def _incident_of_version_1(key: str, data: Mapping[str, Any]) -> Incident:
    values = {
        "key": key,
        "scope": _scope(data["scope"]),
        "failed_hosts": {_host_of_version_1(host): _failed_host(*value) for host, value in data["members"].items()},
        "episode": data["episode"],
        "remote_state": _one_of(_REMOTE_STATES, data["standing"]),
        "confirmed": data["granted"],
        "failed_runs": data["failed_runs"],
        "sent_hosts": frozenset(map(_host_of_version_1, _strings(data["sent_hosts"]))),
        "answered_at": data["answered_at"],
        "refused_at": data["refused_at"],
        "warned": data["warned"],
        "since": data.get("since", 0.0),
        "good_revision": data.get("good_revision", ""),
    }
    return _built(Incident, values, values)


def _host_of_version_1(host: str) -> str:
    """Return a host under its present name: version 1 wrote a limit directly behind the ``*`` of an aborted run."""
    limit = tuple(host[1:].split(",")) if host.startswith("*") and host != "*" else ()
    return aborted_host(Scope(limit)) if limit else host


def _read(text: str | bytes, build: Callable[[Mapping[str, Any]], _T]) -> _T:
    try:
        return build(json.loads(text))
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this is not part of a ledger: {type(error).__name__}: {error}") from error


def _built(kind: Callable[..., _T], values: Mapping[str, Any], names: Collection[str] = ()) -> _T:
    """Return an object of this dataclass.

    :param names: those of its fields that ``values`` must have, and nothing else; by default all.
    :raises ValueError: a value is missing, unknown or not finite. :raises TypeError: one is of another type.
    """
    declared = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
    expected = set(names or declared)
    if values.keys() != expected:
        wrong = ", ".join(sorted(expected ^ values.keys()))
        raise ValueError(f"these fields are missing or unknown: {wrong}")
    return kind(**{name: _checked(name, value, declared[name]) for name, value in values.items()})


def _checked(name: str, value: Any, declared: str) -> Any:
    kinds: tuple[Any, ...] | None = _TYPES.get(declared)  # None for what the callers have built
    if kinds is None:
        return value
    # In Python a bool is an int.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(f"{name} is {reprlib.repr(value)}, which is not of type {declared}")
    if not declared.startswith("float") or value is None:
        return value
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}")
    return number


def _one_of(values: Collection[str], value: object) -> object:
    if value not in values:
        raise ValueError(f"{reprlib.repr(value)} is none of {', '.join(values)}")
    return value


def _wish(data: Mapping[str, Any]) -> Wish:
    state = _one_of((TRIGGERED, RESOLVED), data["state"])
    return _built(Wish, {**data, "state": state, "hosts": frozenset(_strings(data["hosts"]))})


def _plain_scope(scope: Scope) -> dict[str, tuple[str, ...]]:
    return {"limit": scope.limit, "tags": scope.tags, "skip_tags": scope.skip_tags}


def _scope(data: Mapping[str, Any]) -> Scope:
    return _built(Scope, {name: _strings(value) for name, value in data.items()})


def _plain_host(failed: FailedHost) -> list[Any]:
    more = [failed.added, failed.slice_of] if failed.slice_of else [True] if failed.added else []
    return [failed.sequence, dict(failed.failure), *more]


def _failed_host(sequence: object, failure: object, added: object = False, slice_of: object = "") -> FailedHost:
    return _built(FailedHost, {"sequence": sequence, "failure": failure, "added": added, "slice_of": slice_of})


def _strings(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{reprlib.repr(values)} is not a list of strings")
    return tuple(values)


def _dumped(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))
