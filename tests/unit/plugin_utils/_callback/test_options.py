# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback's options: what is empty counts as not set, and a switch says on or off or is refused.

Must not check values: test_settings.py does.
"""

from __future__ import annotations

import os

import pytest
import yaml

from ansible_collections.callgoose.sqibs.plugins.callback.callgoose_incident import DOCUMENTATION
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._callback.options import (
    SWITCHES,
    read_options,
    without_empty_variables,
)

TEXTS = {name: str(default).lower() for name, default in SWITCHES.items()}


def test_switches_say_what_is_documented_and_an_empty_one_its_default():
    assert read_options(TEXTS) == SWITCHES == read_options(dict.fromkeys(SWITCHES, ""))
    documented = yaml.safe_load(DOCUMENTATION)["options"]
    own = [name for name in SWITCHES if name in documented]
    assert "enabled" in own
    assert {name: documented[name]["default"] for name in own} == {name: SWITCHES[name] for name in own}
    assert {documented[name]["type"] for name in own} == {"bool"}


@pytest.mark.parametrize(("text", "value"), [("off", False), ("No", False), ("1", True), ("yes", True), (False, False)])
def test_a_switch_takes_the_words_that_ansible_takes(text, value):
    assert read_options({**TEXTS, "enabled": text})["enabled"] is value


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_that_says_something_else_is_refused_by_name(name):
    with pytest.raises(OptionError, match=f"^{name}: it is neither true nor false"):
        read_options({**TEXTS, name: "ture"})


def test_empty_items_of_lists_are_left_out():
    assert read_options({**TEXTS, "tags": [""], "playbooks": ["", "a.yml"]}).items() >= {"tags": []}.items()
    assert read_options({**TEXTS, "playbooks": ["", "a.yml"]})["playbooks"] == ["a.yml"]


def test_empty_variables_are_hidden_for_a_while_but_the_source_may_be_empty(monkeypatch):
    monkeypatch.setenv("CALLGOOSE_SEVERITY", "")
    monkeypatch.setenv("CALLGOOSE_SOURCE", "")
    monkeypatch.setenv("CALLGOOSE_PROJECT", "shop")
    monkeypatch.setenv("OTHER", "")
    with without_empty_variables():
        assert "CALLGOOSE_SEVERITY" not in os.environ
        assert (os.environ["CALLGOOSE_SOURCE"], os.environ["CALLGOOSE_PROJECT"], os.environ["OTHER"]) == (
            "",
            "shop",
            "",
        )
    assert os.environ["CALLGOOSE_SEVERITY"] == ""
