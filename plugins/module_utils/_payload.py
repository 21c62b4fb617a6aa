# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The request body: one trigger or resolve as the JSON object that the documented API Filter reads.

Must not use the network, and must not know the names of options.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Dict, Tuple

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError

TRIGGERED = "triggered"
RESOLVED = "resolved"
# In bits. Python itself refuses to convert integers of more than about 14,000 bits (CVE-2020-10735).
LONGEST_NUMBER = 4096
# A resolve has the fields that a resolve filter can test. Severity (for urgency) and tags (for maintenance) are for
# triggers only.
FIELDS = {
    TRIGGERED: ("state", "incident_key", "title", "content", "severity", "source", "group", "tags", "details"),
    RESOLVED: ("state", "incident_key", "title", "content", "source", "group", "details"),
}


class NotPlainError(CallgooseError):
    """A value has no JSON form. The message begins with its place, such as ``details.released``."""


@dataclass(frozen=True)
class Payload:
    """One trigger or resolve.

    :param state: ``triggered`` or ``resolved``.
    :param incident_key: the value that *Map Incident With* maps on: the same for a trigger and its resolve.
    :param group: the group of hosts that it is about, for filters to route by.
    :param source: the name of the sender; in the body, so that a filter can test it.
    """

    state: str
    incident_key: str
    title: str = ""
    content: str = ""
    severity: str = ""
    source: str = ""
    group: str = ""
    tags: Tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> Dict[str, Any]:
        """Return the JSON object to send, without fields that are empty or do not belong to the state.

        :raises NotPlainError: a field contains a value that has no JSON form.
        """
        values = {name: getattr(self, name) for name in FIELDS[self.state]}
        return {name: plain(value, name) for name, value in values.items() if value}


def plain(value: Any, where: str) -> Any:
    """Return ``value`` in the exact types of JSON, as Ansible's JSON encoder would write it.

    Ansible passes subclasses (tagged or unsafe strings, lazy containers, vault strings) and YAML's dates.

    :param where: the value's name, for the error message.
    :raises NotPlainError: the value has no JSON form.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) or hasattr(value, "__ENCRYPTED__"):
        return _string(str(value), where)
    if isinstance(value, int):
        if value.bit_length() > LONGEST_NUMBER:
            raise NotPlainError(f"{where} is a number too long for JSON parsers")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotPlainError(f"{where} is {value!r}, which JSON cannot express")
        return float(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_string(str(key), where): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise NotPlainError(f"{where} is of type {type(value).__name__}, which JSON cannot express")


def canonical_json(value: Any) -> bytes:
    """Return plain ``value`` as UTF-8 JSON with sorted keys and no spaces: equal values give equal bytes.

    The API may recognise duplicates by their bytes, so these must not depend on the order of keys.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def _string(value: str, where: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise NotPlainError(f"{where} contains bytes that are not valid UTF-8") from None
    return str.__str__(value)
