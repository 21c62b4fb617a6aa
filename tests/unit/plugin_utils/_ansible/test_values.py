# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what is shown of a loop's item and of a command: enough to know it, and nothing that a cut could hide.

Must not need a run.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.commands import command_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import label_of

# In two parts, because secret scanners would report the whole marker.
BEGIN = "-----BEGIN EC PRIVATE " + "KEY-----"


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ("nginx", "nginx"),
        ({"name": "bob", "password": "Xk9vQ2mZ7tLp4R"}, "name=bob"),
        (["bob", "Xk9vQ2mZ7tLp4R"], "bob, …"),
        (("bob",), "bob"),
        ([], ""),
        ({"file": f"{BEGIN}\nMHcCAQEEIESo4R6f"}, 'file="…'),
        (f"{BEGIN}\nMHcCAQEEIESo4R6f", "…"),
        ("cert -----BEGIN CERTIFICATE-----\nMIIB", "cert …"),
    ],
)
def test_a_label_shows_what_names_the_item(item: object, label: str) -> None:
    assert label_of(item) == label


def test_a_command_that_is_cut_ends_with_a_whole_word() -> None:
    command = "echo" + " " * 1010 + "secret-that-is-cut"
    assert command_of({"cmd": command}) == "echo"
    assert command_of({"cmd": "echo  x"}) == "echo x"
