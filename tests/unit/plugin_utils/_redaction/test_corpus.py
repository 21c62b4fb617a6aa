# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts over the corpus: how many secrets of each family are missed, and how many benign lines are changed.

Must not test single rules: test_redactor.py does.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor


def _corpus() -> ModuleType:
    """Return corpus.py beside this file: pytest's import mode knows no neighbours."""
    spec = importlib.util.spec_from_file_location("redaction_corpus", Path(__file__).with_name("corpus.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


corpus = _corpus()
SECRETS, BENIGN = corpus.templates("secrets"), corpus.templates("benign")
# How many rows of each family are missed. A number may only fall: lower it here when it does. What is left stands
# behind nothing but white space or another word, or in the middle of an argument.
MISSED = {
    "commands": 1,
    "devices": 0,
    "escapes": 0,
    "headers": 0,
    "keys": 0,
    "names": 0,
    "second_batch": 10,
    "structures": 0,
    "tokens": 0,
    "urls": 0,
}
# How many benign lines are changed, out of those below.
CHANGED = {"ansible": 0, "clouds": 0, "code": 0, "programs": 0, "sentences": 0, "systems": 0}
SEEDS = range(4)
REDACTOR = Redactor()


def missed(rows: list[str]) -> list[str]:
    """Return the rows of which a secret, or a part of one, is left."""
    found = []
    for row in rows:
        text, secrets = corpus.filled(row)
        masked = REDACTOR.text(text)
        if any(corpus.is_left(secret, masked) for secret in secrets):
            found.append(row)
    return found


def benign_lines(family: str) -> list[str]:
    return sorted({corpus.filled(row, seed)[0] for row in BENIGN[family] for seed in SEEDS})


def test_the_corpus_is_as_large_as_promised() -> None:
    assert sum(map(len, SECRETS.values())) >= 600
    assert sum(len(benign_lines(family)) for family in BENIGN) >= 1500
    assert set(SECRETS) == set(MISSED) and set(BENIGN) == set(CHANGED)


@pytest.mark.parametrize("family", sorted(SECRETS))
def test_no_more_secrets_of_a_family_are_missed_than_before(family: str) -> None:
    rows = missed(SECRETS[family])
    assert len(rows) == MISSED[family], "\n".join(rows)


@pytest.mark.parametrize("family", sorted(BENIGN))
def test_no_more_benign_lines_are_changed_than_before(family: str) -> None:
    changed = [(line, REDACTOR.text(line)) for line in benign_lines(family) if REDACTOR.text(line) != line]
    assert len(changed) == CHANGED[family], "\n".join(map(str, changed))


@pytest.mark.parametrize("family", sorted(SECRETS))
def test_masking_a_row_of_the_corpus_is_idempotent(family: str) -> None:
    for row in SECRETS[family]:
        masked = REDACTOR.text(corpus.filled(row)[0])
        assert REDACTOR.text(masked) == masked, row


# Rows that are missed only inside a string of JSON: there, each of their quotes has a backslash.
ONLY_IN_JSON = {**dict.fromkeys(SECRETS, 0), "names": 1, "second_batch": 1, "structures": 4}


@pytest.mark.parametrize("family", sorted(SECRETS))
def test_a_secret_is_also_found_in_an_output_inside_json(family: str) -> None:
    left = []
    for row in SECRETS[family]:
        text, secrets = corpus.filled(row)
        masked = REDACTOR.text(json.dumps({"stdout": f"first line\n{text}\nlast line", "rc": 1}))
        if any(corpus.is_left(json.dumps(secret)[1:-1], masked) for secret in secrets):
            left.append(row)
    assert len(left) == MISSED[family] + ONLY_IN_JSON[family], "\n".join(left)
