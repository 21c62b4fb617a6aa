# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests which line of a failure is its cause, and which errors count as the same problem."""

from __future__ import annotations

import time

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.cause import cause_of, telling_line
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.similarity import comparable

PYTHON = """Traceback (most recent call last):
  File "/opt/app/migrate.py", line 3, in <module>
    main()
ValueError: no slots
"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: cannot start
\tat com.example.Main.main(Main.java:7)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 34 more
"""


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (PYTHON, "ValueError: no slots"),
        (JAVA, "Caused by: java.net.ConnectException: Connection refused"),
        (
            "tar: x: Cannot open: No such file\ntar: Exiting\n".replace("\\\n", "\n"),
            "tar: x: Cannot open: No such file",
        ),
        (
            "E: x 1.2 is not available\nE: Sub-process /usr/bin/dpkg returned an error code (1)",
            "E: x 1.2 is not available",
        ),
        ("make[1]: cc: No such file\nmake: *** [Makefile:3: all] Error 127", "make[1]: cc: No such file"),
        ("Error: \n Problem: nothing provides y\n", "Error: Problem: nothing provides y"),
        ('{\n  "error": "quota exceeded",\n  "code": 7\n}\n', '"error": "quota exceeded",'),
        (
            "npm error code E404\nnpm error 404 Not Found - GET https://r.example.com/x\n"
            "npm error A complete log of this run can be found in: /root/.npm/_logs/1.log",
            "npm error 404 Not Found - GET https://r.example.com/x",
        ),
        (
            "[ERROR] Failed to execute goal x: no compiler -> [Help 1]\n[ERROR] \n[ERROR] Re-run with -X for errors",
            "[ERROR] Failed to execute goal x: no compiler -> [Help 1]",
        ),
        ("> Could not resolve y:1\n\n* Try:\n> Run with --stacktrace\n\nBUILD FAILED in 3s", "> Could not resolve y:1"),
        ("FAILED t.py::test - assert 1 == 2\n===== 1 failed in 0.12s =====", "FAILED t.py::test - assert 1 == 2"),
        ("make: *** [all] Error 2", "make: *** [all] Error 2"),
        ("error: one\nerror: two\nfor help, see the manual", "error: two"),
        ("line one\nline two\n\n", "line two"),
        ("  only\n  indented", "indented"),
        ("", ""),
    ],
)
def test_the_line_that_tells_the_error_is_found(output: str, line: str) -> None:
    assert telling_line(output) == line


@pytest.mark.parametrize("line", ["= " + "1" * 8000, "=" * 8000, "due to " * 1200, "a." * 4000, "[ERROR] " * 1000])
def test_a_hostile_line_is_searched_in_linear_time(line: str) -> None:
    began = time.process_time()
    telling_line(line)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    ("message", "status", "stderr", "stdout", "cause"),
    [
        ("disk full", "exit status 1", "noise", "", "disk full"),
        ("non-zero return code", "exit status 2", "no slots", "fine", "exit status 2: no slots"),
        ("non-zero return code", "exit status 2", "", "no route", "exit status 2: no route"),
        ("non-zero return code", "killed by SIGKILL (exit status -9)", "", "", "killed by SIGKILL (exit status -9)"),
        ("non-zero return code", "", "", "", "non-zero return code"),
        ("The command exited with a non-zero return code.", "exit status 2", "no slots", "", "exit status 2: no slots"),
        ("gave up after 3 attempts", "exit status 2", "full", "", "gave up after 3 attempts: exit status 2: full"),
        (
            "Unable to start service nginx: Job failed.\nSee systemctl status.",
            "",
            "",
            "",
            "Unable to start service nginx: Job failed.",
        ),
        (
            "The following packages have unmet dependencies:\n nginx : Depends: libssl3",
            "",
            "",
            "",
            "The following packages have unmet dependencies: nginx : Depends: libssl3",
        ),
        (PYTHON, "", "", "", "ValueError: no slots"),
        ("'/usr/bin/apt-get install 'nginx=1'' failed: E: no lock\nE: more", "exit status 100", "", "", "E: no lock"),
        ("/usr/bin/true is no shell: failed", "", "", "", "/usr/bin/true is no shell: failed"),
        (
            "the output has been hidden due to the fact that 'no_log: true' was specified for this result",
            "",
            "",
            "",
            "no_log hides the output",
        ),
        ("", "", "", "", ""),
    ],
)
def test_the_cause_is_the_message_or_else_a_line_of_the_output(
    message: str, status: str, stderr: str, stdout: str, cause: str
) -> None:
    assert cause_of(message, status, stderr, stdout) == cause


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("web1 app[311]: no slots", "web22 app[9]: no slots"),
        ("web1.example.com: refused", "web22.example.com: refused"),
        ("at 02:10:11 on Fri Nov 27", "at 23:01:59 on Sat Dec 5"),
        ("request 0123abcd-0123-4567-89ab-0123456789ab", "request ffffffff-0123-4567-89ab-0123456789ab"),
        ("object at 0x7f00dead", "object at 0x7f11beef"),
        ("pod shop-7d9f8b6c5d-x2x4z", "pod shop-56f7c9d4b8-q9w8e"),
        ("two  spaces", "two spaces"),
    ],
)
def test_errors_that_differ_in_hosts_numbers_ids_and_times_are_one_problem(one: str, other: str) -> None:
    assert comparable(one, "web1.example.com") == comparable(other, "web22.example.com")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No package matching 'nginx'", "No package matching 'redis'"),
        ("No package matching 'libssl3'", "No package matching 'libxml2'"),
        ("could not reach db.example.com", "could not reach mq.example.com"),
        ("defaced", "decade"),
    ],
)
def test_errors_that_differ_in_words_are_different_problems(one: str, other: str) -> None:
    assert comparable(one, "web1") != comparable(other, "web2")


def test_a_host_name_is_not_taken_out_of_other_words() -> None:
    assert comparable("a database at db and db-2", "db") == "a database at ~ and db-#"
    assert comparable("a cat", "a") == "a cat"


def test_a_hostile_text_is_compared_in_linear_time() -> None:
    for unit in ("a1", "a", "1", "1a ", "aaaa1 ", "f0-"):
        took = []
        for size in (20_000, 80_000):
            began = time.process_time()
            comparable(unit * (size // len(unit)), "web1")
            took.append(time.process_time() - began)
        assert took[1] < 12 * took[0] + 0.05


@pytest.mark.parametrize(
    "message",
    [
        "Task failed: Finalization of task args for 'ansible.builtin.command' failed: Error while resolving value for "
        "'_raw_params': 'release_tag' is undefined",
        "Task failed: A 'when' expression failed: Error while evaluating conditional: 'release_tag' is undefined",
        "The task includes an option with an undefined variable. The error was: 'release_tag' is undefined. "
        "'release_tag' is undefined\n\nThe error appears to be in 'site.yml': line 4",
        "The conditional check 'release_tag | bool' failed. The error was: error while evaluating conditional "
        "(release_tag | bool): 'release_tag' is undefined. 'release_tag' is undefined\n\nThe error appears",
    ],
)
def test_the_cause_begins_with_what_is_wrong(message: str) -> None:
    assert cause_of(message, "", "", "") == "'release_tag' is undefined"
