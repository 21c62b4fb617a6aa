# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the control API's JSON into the sandbox's value objects; an error names the field that is wrong.

Must not check values: the objects do, since they are also created from Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from .errors import require
from .faults import Fault
from .filters import Filter, Pair, Resolve, Trigger
from .settings import Service, Token

T = TypeVar("T")


def settings(data: Any) -> dict[str, Any]:
    """Return the changed settings as the arguments of State.set."""
    require(isinstance(data, dict), f"settings must be an object, not {data!r}")
    changes = dict(data)
    if "services" in changes:
        changes["services"] = many(service, changes["services"], "services")
    if "tokens" in changes:
        changes["tokens"] = many(token, changes["tokens"], "tokens")
    return changes


def many(parse: Callable[[Any], T], data: Any, what: str) -> tuple[T, ...]:
    """Parse every item of a list."""
    require(isinstance(data, list), f"{what} must be a list, not {data!r}")
    return tuple(parse(item) for item in data)


def fault(data: Any) -> Fault:
    """Parse one fault."""
    return _make(Fault, data)


def token(data: Any) -> Token:
    """Parse one token."""
    return _make(Token, data)


def service(data: Any) -> Service:
    """Parse one service with its filters."""
    return _make(
        Service, data, filters=_list_of(filter_, "filters"), maintenance_tags=_list_of(_as_it_is, "maintenance_tags")
    )


def filter_(data: Any) -> Filter:
    """Parse one filter; ``resolve`` may be null."""
    return _make(Filter, data, trigger=_trigger, resolve=lambda value: None if value is None else _resolve(value))


def _trigger(data: Any) -> Trigger:
    return _make(Trigger, data, pairs=_list_of(_pair, "pairs"))


def _resolve(data: Any) -> Resolve:
    return _make(Resolve, data, pair=_pair)


def _pair(data: Any) -> Pair:
    return _make(Pair, data, contains=_list_of(_as_it_is, "contains"))


def _as_it_is(value: Any) -> Any:
    return value


def _list_of(parse: Callable[[Any], Any], what: str) -> Callable[[Any], Any]:
    return lambda value: many(parse, value, what)


def _make(kind: type[T], data: Any, **parsers: Callable[[Any], Any]) -> T:
    """Create one object from a JSON object of its fields.

    :param parsers: by field name, for the fields that are not plain values.
    """
    name = kind.__name__.lower()
    require(isinstance(data, Mapping), f"a {name} must be an object, not {data!r}")
    known = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(known))
    require(not unknown, f"a {name} has no {', '.join(unknown)}; it has {', '.join(known)}")
    for field, default in known.items():
        require(field in data or default is not MISSING, f"a {name} needs {field}")
    return kind(**{field: parsers.get(field, _as_it_is)(value) for field, value in data.items()})
