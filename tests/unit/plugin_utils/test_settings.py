# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests how the shared options become settings, and which values are refused.

Must not repeat the tests of the connection options: test_connection.py has them.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction import user_patterns
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._settings import SETTINGS_SPEC, settings_from

TOKEN = "token-for-tests"


def options(**given: Any) -> dict[str, Any]:
    """Return all options, with the defaults of the specification for those not given."""
    defaults = {name: spec.get("default") for name, spec in SETTINGS_SPEC.items()}
    return {**defaults, "api_token": TOKEN, **given}


def test_by_default_the_first_failure_pages_and_is_repeated_after_four_hours():
    policy = settings_from(options()).policy
    assert (policy.after_failures, policy.repeat_interval, policy.page_limited_runs) == (1, 4 * 3600, True)


def test_options_determine_what_a_page_says():
    settings = settings_from(
        options(severity="warning", tags=["db"], source="CI", max_hosts=3, include_output=False, stable_payload=True)
    )
    page = settings.page
    assert (page.severity, page.tags, page.source, page.max_hosts) == ("warning", ("db",), "CI", 3)
    assert (page.include_output, page.stable_payload) == (False, True)


def test_white_space_around_names_and_capitals_in_the_severity_do_not_matter():
    settings = settings_from(options(severity=" Critical\n", project="shop\n", inventory_name=" production"))
    assert (settings.page.severity, settings.project, settings.inventory_name) == ("critical", "shop", "production")


def test_the_redactor_masks_a_token_that_was_read_with_its_line_break():
    text = settings_from(options(api_token=f"{TOKEN}\n")).redactor.text(f"the token {TOKEN} in a text")
    assert TOKEN not in text


def test_the_redactor_masks_the_token():
    assert TOKEN not in settings_from(options()).redactor.text(f"the token {TOKEN} in a text")


def test_a_pattern_that_takes_too_long_is_reported_once_it_was_used(monkeypatch):
    monkeypatch.setattr(user_patterns, "_PER_TEXT", 0.3)
    settings = settings_from(options(redact="(\\w+\\s?)+:"))
    assert settings.redaction_trouble == ""
    settings.redactor.text("word after word " * 100)
    assert "(\\w+\\s?)+:" in settings.redaction_trouble


def test_each_line_of_redact_is_a_pattern():
    text = settings_from(options(redact="\n  customer-\\d{1,3}\n\n  corp\\.example\n")).redactor.text
    assert text("customer-12 at corp.example, port 80") == "[redacted] at [redacted], port 80"


@pytest.mark.parametrize(
    "url", ["", " {host}/execution/jobs/playbook/{id}/output", "https://awx.example.com/jobs/{id}\n"]
)
def test_the_link_of_a_job_can_have_any_address(url):
    assert settings_from(options(job_url=url)).job_url == url.strip()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"api_token": None}, "api_token"),
        ({"after_failures": 0}, "after_failures: it is less than 1"),
        ({"repeat_interval": -1.0}, "repeat_interval: it is less than 0"),
        ({"repeat_interval": float("nan")}, "repeat_interval"),
        ({"max_hosts": 0}, "max_hosts: it is less than 1"),
        ({"max_delay": 0.5}, "max_delay: it is less than 1"),
        ({"job_url": "https://awx.example.com/jobs"}, "job_url: it is no link with the number of the job"),
        ({"job_url": "{host}/jobs/{number}/{id}"}, "job_url"),
        ({"job_url": "{host}.example.com/jobs/{id}"}, "job_url"),
        ({"job_url": "awx.example.com/jobs/{id}"}, "job_url"),
        ({"redact": "("}, "redact: '(' is not a regular expression"),
        ({"redact": "x*"}, "redact: 'x*' matches the empty string"),
        ({"ca_path": "/nonexistent/ca.pem"}, "ca_path"),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_option(given, words):
    with pytest.raises(OptionError) as refused:
        settings_from(options(**given))
    assert words in str(refused.value)
    assert TOKEN not in str(refused.value)
