# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests `callgoose.sqibs.awx_setup` with the real modules of awx.awx against an emulated AWX.

Must not test what it refuses: test_awx_setup_refusals.py does.
"""

from __future__ import annotations

import pytest

from ansible_collections.callgoose.sqibs.tests.integration.awx.controller import Awx
from ansible_collections.callgoose.sqibs.tests.integration.awx.modules import collections_path
from ansible_collections.callgoose.sqibs.tests.integration.awx.site import EVERYTHING, TOKEN, Site


@pytest.fixture()
def site(tmp_path, pytestconfig):
    with Awx() as awx:
        yield Site(tmp_path, awx, collections_path(pytestconfig.rootpath / ".cache" / "awx"))


def test_everything_is_set_up_and_a_second_run_changes_nothing(site) -> None:
    first = site.set_up(**EVERYTHING)
    assert first.rc == 0, first.result
    second = site.set_up(**EVERYTHING)
    assert (second.rc, second.changed, second.writes) == (0, 0, []), second.result
