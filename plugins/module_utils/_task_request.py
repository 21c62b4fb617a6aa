# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The request of one task: checks the values of its options and builds what is to be sent.

Must not send anything, and must not check types: the argument specification has done so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Union

from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import lower_case
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import (
    VISIBLE_ASCII,
    Connection,
    connection_from,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import (
    TRIGGERED,
    NotPlainError,
    Payload,
    canonical_json,
    plain,
)

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
_TEXT_TYPES = frozenset(
    ("application/json", "application/xml", "application/yaml", "application/x-www-form-urlencoded")
)


@dataclass(frozen=True)
class TaskRequest:
    """The checked request of one task.

    :ivar incident_key: None if the user gave a ``payload`` of their own.
    :ivar payload: what is sent, as data or as a string.
    :ivar body: the same as bytes.
    :ivar unmatched: what a 202 means: ``fail``, ``warn`` or ``ok``.
    """

    state: str
    incident_key: Optional[str]
    payload: Any
    body: bytes
    content_type: str
    unmatched: str
    connection: Connection


def request_from(params: Mapping[str, Any]) -> TaskRequest:
    """Check what the argument specification cannot, and return the request.

    :param params: the task's options, validated by :data:`ARGUMENT_SPEC`.
    :raises OptionError: a value is invalid; the message names the option and the remedy.
    """
    connection = connection_from(params)
    state = params["state"]
    payload = _payload(params, connection.source)
    if isinstance(payload, str):
        body, default_type = payload.encode("utf-8"), "text/plain"
    else:
        body, default_type = canonical_json(payload), "application/json"
    return TaskRequest(
        state=state,
        incident_key=payload["incident_key"] if params["payload"] is None else None,
        payload=payload,
        body=body,
        content_type=_content_type(params["content_type"] or default_type),
        unmatched=params["unmatched"] or ("fail" if state == TRIGGERED else "ok"),
        connection=connection,
    )


def _payload(params: Mapping[str, Any], source: str) -> Any:
    if params["payload"] is not None:
        return _raw_payload(params["payload"])
    title = _line("title", params, "A resolve may omit it if incident_key is set.")
    incident_key = _line("incident_key", params, "Without it, the title is the key.")
    # Without content, the API shows the whole JSON body as the description.
    default_content = title if params["state"] == TRIGGERED else ""
    request = Payload(
        state=params["state"],
        incident_key=incident_key or title,
        title=title,
        content=params["content"] or default_content,
        severity=lower_case(params["severity"]),
        source=source,
        tags=tuple(params["tags"] or ()),
        details=params["details"] or {},
    )
    try:
        return request.body()
    except NotPlainError as error:
        raise _not_plain(str(error)) from None


def _line(option: str, params: Mapping[str, Any], alternative: str) -> str:
    """Return an option without white space around it; empty if it is not set.

    A YAML block (``title: |``) ends with a line break, and a resolve may spell the same title in another way.
    """
    if params[option] is None:
        return ""
    line: str = params[option].strip()
    # An empty string, as from an unset variable, would open an incident without a title or key.
    if not line:
        raise OptionError(option, "it is empty", f"Set it to a non-empty string. {alternative}")
    return line


def _raw_payload(payload: Any) -> Union[str, Dict[str, Any], List[Any]]:
    try:
        value = plain(payload, "payload")
    except NotPlainError as error:
        raise _not_plain(str(error)) from None
    if not isinstance(value, (str, dict, list)):
        raise OptionError("payload", "it is not a dictionary, list or string", "Set it to one of these types.")
    if not value:
        raise OptionError("payload", "it is empty", "Set it to the body that your API Filter expects.")
    return value


def _not_plain(problem: str) -> OptionError:
    option = re.split(r"[.\[ ]", problem, maxsplit=1)[0]
    return OptionError(option, problem, "Convert the value, for example with the filter string.")


def _content_type(content_type: str) -> str:
    remedy = "Use application/json, text/plain or another text type: the API treats any other type as an empty payload."
    media_type, _separator, parameters = content_type.partition(";")
    name = media_type.strip().lower()
    if not _MEDIA_TYPE.fullmatch(name) or not VISIBLE_ASCII.fullmatch(content_type.replace(" ", "")):
        raise OptionError("content_type", "it is not a valid media type", remedy)
    if not (name.startswith("text/") or name in _TEXT_TYPES or name.endswith(("+json", "+xml"))):
        raise OptionError("content_type", "it is not a text type", remedy)
    charset = _CHARSET.search(parameters)
    if charset and charset.group(1).lower() not in ("utf-8", "utf8"):
        remedy = "Remove the charset, or set it to utf-8: the body is always UTF-8."
        raise OptionError("content_type", "it names a charset other than UTF-8", remedy)
    return content_type.strip()
