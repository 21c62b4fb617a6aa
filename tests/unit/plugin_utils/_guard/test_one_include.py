# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests when the include of the guarded tasks runs once.

Must not run a play: tests/integration/e2e/test_role_steps.py does.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.strategy.linear import StrategyModule as Linear

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._guard.one_include import include_once

OWN = "incident_guard_file"
HEARD = SimpleNamespace(repeats_includes=True)


def is_once(loop_var: str = OWN, callbacks: tuple[Any, ...] = (HEARD,), code: Any = Linear.run.__code__) -> bool:
    """Return whether the include runs once.

    :param loop_var: its loop variable.
    :param callbacks: Ansible's callbacks.
    :param code: the code of the strategy.
    """
    task = TaskInclude()
    task.loop_control.loop_var = loop_var
    task.run_once = False
    iterator = SimpleNamespace(all_tasks=[SimpleNamespace(), task], cur_task=1)
    strategy = SimpleNamespace(_tqm=SimpleNamespace(_callback_plugins=list(callbacks)))
    frame: Any = SimpleNamespace(f_code=code, f_locals={"iterator": iterator, "self": strategy})
    include_once(frame)
    return bool(task.run_once)


def test_the_include_of_the_guarded_tasks_runs_once() -> None:
    assert is_once()


@pytest.mark.parametrize(
    "other",
    [
        {"loop_var": "item"},  # not the role's include
        {"callbacks": ()},  # nothing would repeat its result
        {"code": is_once.__code__},  # a derived strategy with a `run` of its own
    ],
)
def test_otherwise_each_host_includes_the_tasks(other: dict[str, Any]) -> None:
    assert not is_once(**other)
