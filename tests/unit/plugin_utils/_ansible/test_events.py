# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of a failed task is read from every form of result that ansible-core has.

Must not run Ansible: tests/integration/e2e/test_run_events.py does.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import output_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Output

TRACEBACK = "Traceback (most recent call last):\n  File x\nKeyError: 'x'\n"


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ({"msg": "no", "stdout": "out", "stderr": "err"}, Output("no", "out", "err")),
        ({"msg": ["no", 1]}, Output("['no', 1]")),
        ({"msg": None}, Output()),
        ({"reason": "Could not find the file"}, Output("Could not find the file")),
        (
            {"msg": "MODULE FAILURE", "module_stdout": "out", "module_stderr": "err"},
            Output("MODULE FAILURE", "out", "err"),
        ),
        ({"msg": "Assertion failed", "assertion": "x == 1"}, Output("Assertion failed: x == 1")),
        ({"exception": TRACEBACK, "stdout": ""}, Output("KeyError: 'x'")),
        ({"exception": "(traceback unavailable)"}, Output()),
        ({"failed_when_result": True, "stdout": "out"}, Output("its failed_when was true", "out")),
        ({"censored": "hidden", "msg": "secret", "stdout": "secret", "exception": TRACEBACK}, Output("hidden")),
        ({"censored": "hidden", "results": [{"failed": True, "msg": "secret"}]}, Output("hidden")),
        ({"msg": "\udcff"}, Output("?")),
        ({"msg": "sum", "results": ["a package", {"msg": "fine"}]}, Output("sum")),
        ({}, Output()),
    ],
)
def test_the_output_of_a_result(result, output) -> None:
    assert output_of(result) == output


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"item": "u", "failed": False}, {"item": "v", "failed": True, "msg": "no"}], "item v: no"),
        ([{"item": "u", "failed": True, "msg": "no"}] * 2, "item u: no (the first of 2 failed items)"),
        ([{"item": "u", "exception": "(none)", "msg": "no"}], "item u: no"),
        ([{"item": "u", "exception": "(none)", "failed_when_result": False, "msg": "no"}], "sum"),
        ([{"item": "u", "unreachable": True, "msg": "no"}], "item u: no"),
        ([{"item": {"password": "x"}, "failed": True, "msg": "no"}], "no"),
        ([{"item": "x", "_ansible_item_label": "label", "failed": True, "msg": "no"}], "item label: no"),
        ([{"ansible_loop_var": "one", "one": 7, "failed": True, "msg": "no"}], "item 7: no"),
        ([{"item": "secret", "failed": True, "censored": "hidden"}], "hidden"),
    ],
)
def test_the_message_of_a_loop_is_that_of_its_first_failed_item(items, message) -> None:
    assert output_of({"msg": "sum", "results": items}).message == message
