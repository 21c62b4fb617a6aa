# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how the callback reads its options: empty means unset, and a boolean is true, false or refused.

Must not test other values: test_settings.py does.
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

DEFAULTS = {name: str(default).lower() for name, default in SWITCHES.items()}


def test_booleans_have_their_documented_defaults_and_an_empty_one_means_its_default():
    assert read_options(DEFAULTS) == SWITCHES == read_options(dict.fromkeys(SWITCHES, ""))
    documented = yaml.safe_load(DOCUMENTATION)["options"]
    own = [name for name in SWITCHES if name in documented]
    assert "enabled" in own
    assert {name: documented[name]["default"] for name in own} == {name: DEFAULTS[name] for name in own}


@pytest.mark.parametrize(("text", "value"), [("off", False), ("No", False), ("1", True), ("yes", True), (False, False)])
def test_a_boolean_accepts_the_words_that_ansible_accepts(text, value):
    assert read_options({**DEFAULTS, "enabled": text})["enabled"] is value


@pytest.mark.parametrize("name", SWITCHES)
def test_any_other_value_of_a_boolean_is_refused_by_name(name):
    with pytest.raises(OptionError, match=f"^{name}: it is neither true nor false"):
        read_options({**DEFAULTS, name: "ture"})


def test_empty_items_of_lists_are_removed():
    assert read_options({**DEFAULTS, "tags": [""], "playbooks": ["", "a.yml"]}).items() >= {"tags": []}.items()
    assert read_options({**DEFAULTS, "playbooks": ["", "a.yml"]})["playbooks"] == ["a.yml"]


def test_empty_environment_variables_are_hidden_but_the_source_may_be_empty(monkeypatch):
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
