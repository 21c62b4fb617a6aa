# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how the callback reads its options: empty means unset, and a boolean is true, false or refused.

Must not test other values: test_settings.py does.
"""

from __future__ import annotations

import configparser
import os
from typing import Any

import pytest
import yaml
from ansible import constants as C

from ansible_collections.callgoose.sqibs.plugins.callback.callgoose_incident import DOCUMENTATION
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._callback.options import (
    SWITCHES,
    documented_choices,
    read_options,
    without_empty_variables,
    written_value,
)

UNSET = {"tags": [], "playbooks": []}


def read(written: dict[str, str], **options: list[str]) -> dict[str, Any]:
    return read_options({**UNSET, **options}, written.get)


def test_booleans_have_their_documented_defaults() -> None:
    assert read({}).items() >= SWITCHES.items()
    documented = yaml.safe_load(DOCUMENTATION)["options"]
    own = [name for name in SWITCHES if name in documented]
    assert "enabled" in own
    assert {name: documented[name]["default"] for name in own} == {name: SWITCHES[name] for name in own}
    assert {documented[name]["type"] for name in own} == {"bool"}


@pytest.mark.parametrize(("text", "value"), [("off", False), ("No", False), ("1", True), ("yes", True)])
def test_a_boolean_accepts_the_words_that_ansible_accepts(text, value) -> None:
    assert read({"enabled": text})["enabled"] is value


@pytest.mark.parametrize("name", SWITCHES)
def test_any_other_value_of_a_boolean_is_refused_by_name(name) -> None:
    with pytest.raises(OptionError, match=f"^{name}: it is neither true nor false"):
        read({name: "ture"})


def test_an_option_is_read_as_it_was_written_and_the_environment_takes_precedence(monkeypatch) -> None:
    parser = configparser.ConfigParser()
    parser.read_string("[callback_callgoose_incident]\nenabled = %ture\nstable_payload =\n")
    monkeypatch.setattr(C, "CONFIG_FILE", "ansible.cfg")
    monkeypatch.setitem(C.config._parsers, "ansible.cfg", parser)
    assert [written_value(name) for name in ("enabled", "stable_payload", "allow_http")] == ["%ture", None, None]
    monkeypatch.setenv("CALLGOOSE_ENABLED", "no")
    monkeypatch.setenv("CALLGOOSE_ALLOW_HTTP", "")
    assert [written_value(name) for name in ("enabled", "allow_http")] == ["no", None]
    monkeypatch.setattr(C, "CONFIG_FILE", None)
    assert written_value("stable_payload") is None


@pytest.mark.parametrize(("written", "severity"), [("Critical", "critical"), (" ERROR\n", "error"), ("awful", "awful")])
def test_a_severity_is_passed_on_as_the_documentation_spells_it(monkeypatch, written, severity) -> None:
    monkeypatch.setattr(C, "CONFIG_FILE", None)
    assert documented_choices() == {}
    monkeypatch.setenv("CALLGOOSE_SEVERITY", written)
    assert documented_choices() == {"severity": severity}


def test_empty_items_of_lists_are_removed() -> None:
    assert read({}, tags=[""], playbooks=["", "a.yml"]).items() >= {"tags": [], "playbooks": ["a.yml"]}.items()


def test_empty_environment_variables_are_hidden_but_the_source_may_be_empty(monkeypatch):
    monkeypatch.setenv("CALLGOOSE_SEVERITY", "")
    monkeypatch.setenv("CALLGOOSE_TIMEOUT", "\n")
    monkeypatch.setenv("CALLGOOSE_SOURCE", "")
    monkeypatch.setenv("CALLGOOSE_PROJECT", "shop")
    monkeypatch.setenv("OTHER", "")
    with without_empty_variables():
        assert "CALLGOOSE_SEVERITY" not in os.environ
        assert "CALLGOOSE_TIMEOUT" not in os.environ
        assert (os.environ["CALLGOOSE_SOURCE"], os.environ["CALLGOOSE_PROJECT"], os.environ["OTHER"]) == (
            "",
            "shop",
            "",
        )
    assert os.environ["CALLGOOSE_SEVERITY"] == ""
