# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how the hosts of a play are read.

Must not run Ansible: tests/integration/e2e/test_run_events.py does.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.inventory import is_template


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("web", False),
        (["web", "db"], False),
        ("{{ target }}", True),
        (["web", "{{ target }}"], True),
        ("{% if canary %}web1{% else %}web{% endif %}", True),
        (None, False),
    ],
)
def test_hosts_in_a_template_are_recognized(hosts: object, expected: bool) -> None:
    assert is_template(SimpleNamespace(get_ds=lambda: {"hosts": hosts})) is expected
