# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what a page says of a run besides its failures, for who finds out later that the run was killed or is missing.

Must be plain data: the ledger keeps it. It is redacted when a page is made of it, like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.ci import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.run_context import Invocation, Subject
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import Policy
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.options import PageOptions


def about(subject: Subject, options: PageOptions, policy: Policy) -> dict[str, Any]:
    """Return plain data about a run."""
    return {"subject": asdict(subject), "options": asdict(options), "policy": asdict(policy)}


def read_about(data: Mapping[str, Any]) -> tuple[Subject, PageOptions, Policy]:
    """Return what :func:`about` was given. What another version of this collection wrote differently is left out."""
    subject, options = _dict(data.get("subject")), _dict(data.get("options"))
    parts = {
        "origin": _built(Origin, _dict(subject.get("origin"))),
        "invocation": _built(Invocation, _dict(subject.get("invocation"))),
    }
    policy = _built(Policy, _dict(data.get("policy")))
    return _built(Subject, {"name": "", **subject, **parts}), _built(PageOptions, options), policy


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _built(kind: Any, values: Mapping[str, Any]) -> Any:
    """Return an object of a data class. JSON has lists in place of tuples."""
    known = {name: values[name] for name in kind.__dataclass_fields__ if name in values}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in known.items()})
