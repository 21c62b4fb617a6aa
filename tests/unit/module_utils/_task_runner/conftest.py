# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for the tests of tasks: options validated as Ansible does it, and pauses that take no time.

Must not bypass the argument specification: all options that a user sets are validated first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment variables that change a task's options or connection."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "CALLGOOSE_API_TOKEN", "CALLGOOSE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, in seconds: recorded, not waited for."""
    from ansible_collections.callgoose.sqibs.plugins.module_utils import _client as client

    asked: list[float] = []
    monkeypatch.setattr(client.time, "sleep", asked.append)
    return asked


@pytest.fixture()
def validate() -> Callable[..., tuple[dict[str, Any], list[str]]]:
    """Return a function that validates options as module and action plugin do, and returns parameters and errors."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ansible_collections.callgoose.sqibs.plugins.module_utils._argument_spec import ARGUMENT_RULES, ARGUMENT_SPEC

    def validate(**options: Any) -> tuple[dict[str, Any], list[str]]:
        result = ArgumentSpecValidator(ARGUMENT_SPEC, **ARGUMENT_RULES).validate(options)
        return result.validated_parameters, result.error_messages

    return validate
