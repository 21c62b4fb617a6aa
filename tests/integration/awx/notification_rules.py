# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX's rules for webhook notification templates, and how it renders and sends one.

Must not store anything. Source: ``NotificationTemplateSerializer`` in AWX 24's ``awx/api/serializers.py``,
``JobNotificationMixin`` in ``awx/main/models/notifications.py`` and ``awx/main/notifications/webhook_backend.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import ChainableUndefined, StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from ansible_collections.callgoose.sqibs.tests.integration.awx.refusal import wrong

EVENTS = ("started", "success", "error", "workflow_approval")
DEFAULTS = {"http_method": "POST", "disable_ssl_verification": False, "username": "", "password": ""}
TYPES = {
    "url": str,
    "http_method": str,
    "disable_ssl_verification": bool,
    "username": str,
    "password": str,
    "headers": dict,
}


class NamedUndefined(StrictUndefined):
    """An unknown field, whose error is its name."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self._undefined_hint = self._undefined_name


def complete(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a webhook as AWX stores it, with its defaults.

    :raises Refusal: a field is missing or has the wrong type.
    """
    whole = {**DEFAULTS, **configuration}
    missing = [name for name in TYPES if name not in whole]
    if missing:
        raise wrong("non_field_errors", f"Missing required fields for Notification Configuration: {missing}.")
    for name, expected in TYPES.items():
        if whole[name].__class__ is not expected:
            raise wrong(
                "non_field_errors", f"Configuration field '{name}' incorrect type, expected {expected.__name__}."
            )
    return whole


def check_messages(messages: Any, example: Mapping[str, Any]) -> None:
    """Refuse messages as AWX does: an unknown event, a body that is no string, or an unknown field.

    :param example: the context with which AWX tries the messages.
    """
    if not isinstance(messages, dict):
        raise wrong("messages", f"Expected dict for 'messages' field, found {type(messages)}")
    for event, parts in messages.items():
        if event not in EVENTS:
            raise wrong(
                "messages",
                f"Event '{event}' invalid, must be one of 'started', 'success', 'error', or 'workflow_approval'",
            )
        for part, text in (parts or {}).items():
            if part not in ("message", "body"):
                raise wrong("messages", f"Message type '{part}' invalid, must be either 'message' or 'body'")
            if text is None:
                continue
            if not isinstance(text, str):
                raise wrong("messages", f"Expected string for '{part}', found {type(text)}, ")
            try:
                ImmutableSandboxedEnvironment(undefined=NamedUndefined).from_string(text).render(example)
            except TemplateSyntaxError as error:
                raise wrong("messages", f"Unable to render message '{text}': {error.message}") from error
            except UndefinedError as error:
                raise wrong("messages", f"Field '{error.message}' unavailable") from error
            except SecurityError as error:
                raise wrong("messages", f"Security error due to field '{error.message}'") from error


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the messages that AWX stores when a template is changed: it keeps each event that is not given."""
    merged = dict(new)
    for event in EVENTS:
        if not merged.get(event) and old.get(event):
            merged[event] = old[event]
        merged.setdefault(event, None)
    return merged


def render(body: str, context: Mapping[str, Any]) -> Any:
    """Return what AWX posts for a job: the rendered body if it is JSON, otherwise an empty object."""
    rendered = ImmutableSandboxedEnvironment(undefined=ChainableUndefined).from_string(body).render(**context)
    try:
        return json.loads(rendered)
    except json.JSONDecodeError:
        return {}
