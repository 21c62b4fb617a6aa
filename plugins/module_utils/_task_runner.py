# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs one task for the module and the action plugin: takes its options and returns its result.

Must not know which of the two calls it, and must not check types: Ansible has done so.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional

from ansible_collections.callgoose.sqibs.plugins.module_utils._client import Answer, client_for
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import check_files
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, DeliveryError
from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import FAILED, UNMATCHED, WOULD_SEND, interpret
from ansible_collections.callgoose.sqibs.plugins.module_utils._payload import NotPlainError, plain
from ansible_collections.callgoose.sqibs.plugins.module_utils._task_request import TaskRequest, request_from

# Every result has these keys, so that a playbook can rely on them.
EMPTY_RESULT: Dict[str, Any] = {
    "changed": False,
    "outcome": FAILED,
    "status_code": None,
    "api_id": None,
    "triggered": {},
    "resolved": {},
    "incident_key": None,
    "payload": None,
    "attempts": 0,
    "msg": "",
}


def run_task(params: Mapping[str, Any], *, check_mode: bool, diff: bool) -> Dict[str, Any]:
    """Run a task and return Ansible's result dictionary. An error that a user can cause is a failed result.

    :param params: the task's options, validated by ``ARGUMENT_SPEC``.
    :param check_mode: send nothing, and return what would be sent.
    :param diff: also return what was (or would be) sent as a diff.
    """
    try:
        task = request_from(params)
        check_files(task.connection)
        result = _predict(task) if check_mode else _send(task)
    except CallgooseError as error:
        return refused(str(error))
    if diff and result["changed"]:
        result["diff"] = _diff(task)
    return result


def refused(message: str) -> Dict[str, Any]:
    """Return the result of a task that failed before any request.

    :param message: what is wrong and what to do about it.
    """
    return {**EMPTY_RESULT, "failed": True, "msg": message}


def _predict(task: TaskRequest) -> Dict[str, Any]:
    return _result(task, changed=True, outcome=WOULD_SEND, msg=f"Would send this payload as {task.content_type}.")


def _send(task: TaskRequest) -> Dict[str, Any]:
    try:
        answer = client_for(task.connection).send(task.body, task.content_type)
    except DeliveryError as error:
        return _result(task, failed=True, changed=error.uncertain, attempts=error.attempts, msg=str(error))
    outcome = interpret(task.state, answer.status, answer.body, answer.uncertain)
    fields = _answer_fields(answer)
    result = _result(task, changed=outcome.changed, outcome=outcome.name, msg=outcome.message, **fields)
    warnings = list(outcome.warnings)
    if outcome.name == FAILED or (outcome.name == UNMATCHED and task.unmatched == "fail"):
        result["failed"] = True
    elif outcome.name == UNMATCHED and task.unmatched == "warn":
        warnings.append(outcome.message)
    if warnings:
        result["warnings"] = [f"Callgoose: {warning}" for warning in warnings]
    return result


def _answer_fields(answer: Answer) -> Dict[str, Any]:
    """Return the result's fields that come from the answer.

    Ansible cannot handle everything that the answer's JSON can contain, so only what is documented is passed on.
    """
    body = answer.body or {}
    parts = {name: _scalars(body.get(name)) for name in ("triggered", "resolved")}
    return {"status_code": answer.status, "api_id": _id(body.get("id")), "attempts": answer.attempts, **parts}


def _id(value: Any) -> Optional[str]:
    is_id = isinstance(value, (str, int)) and not isinstance(value, bool) and _is_scalar(value)
    return str(value) if is_id else None


def _scalars(section: Any) -> Dict[str, Any]:
    """Return an object without its nested values; empty if it is not an object."""
    entries = section.items() if isinstance(section, dict) else ()
    return {name: value for name, value in entries if _is_scalar(name) and _is_scalar(value)}


def _is_scalar(value: Any) -> bool:
    """Return whether a value of the answer is a string, a finite number, a boolean or null."""
    if isinstance(value, (dict, list)):
        return False
    try:
        plain(value, "answer")
    except NotPlainError:
        return False
    return True


def _result(task: TaskRequest, **fields: Any) -> Dict[str, Any]:
    return {**EMPTY_RESULT, "incident_key": task.incident_key, "payload": task.payload, **fields}


def _diff(task: TaskRequest) -> Dict[str, str]:
    text = task.payload if isinstance(task.payload, str) else json.dumps(task.payload, indent=2, sort_keys=True)
    return {"before": "", "after": f"{text}\n", "after_header": f"sent to Callgoose ({task.state})"}
