# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the benchmarks take turns, make figures of samples, and end; how much they measure.

Must not run Ansible: the samples are made by hand.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import callback
import conditions
import other_callbacks
import pytest
from effort import Effort, Size, add_options, effort_of
from measure import Row, Sample, end, ratio, rounds, side_by_side, table, tables
from results import Bar, Figure, Results, Table


def sample(wall: float, cpu: float = 0.0) -> Sample:
    return Sample(wall, cpu, largest=0)


TAKEN = [{"ours": sample(ours), "theirs": sample(theirs)} for ours, theirs in ((3, 1), (4, 2), (5, 5))]


def test_a_ratio_is_the_median_of_the_rounds_ratios_with_the_median_times_beside_it() -> None:
    figure = ratio("wall", "wall", "ours", "theirs", at_most=3, drawn=Bar("task", "ours")).of(TAKEN)
    assert figure == Figure("wall", "times", 2, at_most=3, seconds=(4, 2), drawn=Bar("task", "ours"))


def test_another_row_has_no_times_beside_it() -> None:
    found = table("100 hosts", TAKEN, [Row("memory", "MiB", lambda r: r["ours"].wall, at_least=1)])
    assert found == Table("100 hosts", "medians of 3", (Figure("memory", "MiB", 4, at_least=1),))


def test_each_round_begins_with_another_run() -> None:
    ran: list[str] = []

    def run(name: str) -> Sample:
        ran.append(name)
        return sample(1)

    taken = rounds(2, {name: lambda name=name: run(name) for name in "ab"})
    assert sorted(ran[:2]) == ["a", "b"]  # the warm-up
    assert ran[2:] == ["a", "b", "b", "a"]
    assert [list(one) for one in taken] == [["a", "b"], ["a", "b"]]


def test_one_run_without_a_warm_up_is_one_run() -> None:
    ran = []
    side_by_side(1, {"a": lambda: ran.append("a") or sample(1)}, warm_up=False)
    assert ran == ["a"]


def missed(_directory: Path, _effort: Effort) -> Table:
    return Table("100 hosts", "medians of 1", (Figure("wall", "s", 2, at_most=1),))


def test_a_missed_limit_is_printed_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert end(tables({"task hosts": missed}, Effort(), tmp_path), None) == 1
    assert "MISSED" in capsys.readouterr().out


def test_a_quick_run_misses_no_limit(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert end(tables({"task hosts": missed}, Effort("quick"), tmp_path), None) == 0
    assert "MISSED" not in capsys.readouterr().out


def test_results_are_handed_on_as_a_file(tmp_path: Path) -> None:
    found = missed(tmp_path, Effort())
    end([found], tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json").tables == (found,)


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(("level", "size", "count"), [("full", 7, 5), ("short", 4, 3), ("quick", 2, 1)])
def test_the_effort_chooses_sizes_and_rounds(level: str, size: int, count: int) -> None:
    effort = effort_of(options(f"--effort={level}"))
    assert (effort.of(Size(7, 4, 2)), effort.rounds()) == (size, count)


def test_a_benchmark_alone_measures_what_the_limits_were_set_for() -> None:
    assert effort_of(options()) == Effort("full")


def test_given_rounds_win() -> None:
    effort = effort_of(options("--effort=quick", "--rounds=2"))
    assert effort.rounds() == effort.rounds(callback.PAIRS) == 2


def test_the_limits_of_the_callback_are_checked_on_the_promised_size() -> None:
    assert (callback.HOSTS.full, callback.TASKS.full, callback.PAIRS.full, callback.FAILING.full) == (50, 40, 7, 1000)


def test_a_callback_that_did_not_do_its_work_has_no_figure() -> None:
    other = other_callbacks.Other("splunk", {}, recorded=lambda: 0, amount=lambda results: results)
    other_callbacks.check(other, 8, 8)
    with pytest.raises(SystemExit, match="splunk recorded 7 of 8"):
        other_callbacks.check(other, 7, 8)


@pytest.mark.parametrize(("core", "package"), [("2.16.14", "ansible==9.*"), ("2.21.5", "ansible==14.*")])
def test_community_general_is_of_the_release_for_the_ansible_core_in_use(
    monkeypatch: pytest.MonkeyPatch, core: str, package: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(other_callbacks, "version", lambda _name: core)
    monkeypatch.setattr(other_callbacks, "unpacked", lambda _cache, name, _inside: asked.append(name))
    other_callbacks.community_general()
    assert asked == [package]


def test_conditions_name_the_machine_and_versions_and_neither_host_nor_directory() -> None:
    found = conditions.read(Effort("short", 2))
    assert all(found.values())
    assert int(found["cores"]) > 0
    assert found["memory"].endswith(" GiB")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert re.search(r"Python 3.*, ansible-core 2.*, requests 2", found["versions"])
    assert found["effort"] == "short, 2 rounds"
    assert str(Path(__file__).resolve().parents[3]) not in str(found)
    assert conditions.platform.node() not in found.values()
