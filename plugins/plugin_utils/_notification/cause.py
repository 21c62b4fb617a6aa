# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the cause of a failure in what the failed task left: the one line that a title can say.

Must not invent words: a cause is the error message, or a line of the output.
"""

from __future__ import annotations

import re

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._notification.text import one_line

# Messages that only say that something failed. The reason is in the output.
_NO_REASON = re.compile(
    r"(?:The command exited with a )?non-zero return code\.?|command failed|gave up after \d+ attempts"
    r"|MODULE FAILURE\b.*",
    re.DOTALL,
)
_GAVE_UP = "gave up after"
# Some modules begin with the whole command: "'/usr/bin/apt-get … install 'nginx'' failed: E: Could not get lock …".
_COMMAND_FIRST = re.compile(r"""['"`]?/[^\n]{0,1000}? failed: """)
# What ansible-core says before it says what is wrong; 2.16 repeats that after a full stop.
_WRAPPED = re.compile(
    r"""(?:Task failed: |Finalization of task args for '[^'\n]{1,200}' failed: |A '[\w ]{1,40}' expression failed: """
    r"""|Error while resolving value for '[^'\n]{1,200}': |Error while evaluating conditional: """
    r"""|The task includes an option with an undefined variable\.{1,2} """
    r"""|The conditional check '[^\n]{1,300}?' failed\. """
    r"""|The error was: |error while evaluating conditional \([^\n]{1,300}?\): )+"""
)
_TWICE = re.compile(r"(?P<once>[^\n]{1,300}?)\. (?P=once)\.?")
# What ansible-core puts in place of a result that no_log hides. A voice needs half a minute for it.
_HIDDEN = "the output has been hidden due to the fact that 'no_log: true'"
# Lines of a stack trace, and of shells and tools, that are not the error itself.
_TRACE = re.compile(r"\s|at |\.\.\. \d+ more|Traceback |File |During handling of|The above exception|\+ |[-=~^*#]+$")
# Lines in which a tool says at its end that there was an error, or where to read more: the error stands before them.
_AFTERWARDS = re.compile(
    r"\W*$|[\w.-]+: \*\*\* |tar: Exiting with |.*\bdue to (?:the )?previous errors?\b"
    r"|Errors were encountered while processing|E: Sub-process |collect2: error: ld returned|ninja: build stopped"
    r"|BUILD FAILED|FAILURE: Build failed with |\* (?:Try|Get more help)\b|> (?:Run with|Get more help) |Run with --"
    r"|npm (?:ERR!|error)(?:$| (?:A complete log|code |errno |command |path |\s|Failed at the |This is probably not ))"
    r"|\[ERROR\] *(?:$|\[Help|Re-run |To see the full |For more information|After correcting|-> )"
    r"|=+ .*\b\d+ failed|FAILED \(|error: Recipe |Error: Process completed with "
)
# In lower case: to ignore the case makes the search take several times as long.
_ERROR = re.compile(
    r"error|exception|fatal|fail|cannot|can't|could not|couldn't|denied|no such|not found|refused|timed out|timeout"
    r"|unable|invalid|killed|no space|unreachable|missing|abort|panic"
)
# Lines of an output that are searched: more would take long, and the error is near the end.
_SEARCHED = 200


def gives_reason(message: str) -> bool:
    """Return whether an error message gives a reason, not only the fact that something failed."""
    return bool(message) and not _NO_REASON.fullmatch(message.strip())


def cause_of(message: str, status: str, stderr: str, stdout: str) -> str:
    """Return the cause of a failure on one line; empty if there is none.

    :param message: the error message, with its lines.
    :param status: how a command ended, such as ``exit status 2``.
    :param stderr: the end of the standard error, with its lines; ``stdout`` likewise.
    """
    if gives_reason(message):
        return _reason(message)
    line = telling_line(stderr) or telling_line(stdout)
    gave_up = message if message.startswith(_GAVE_UP) else ""
    return ": ".join(filter(None, (gave_up, status, line))) or one_line(message)


def telling_line(output: str) -> str:
    """Return the line of an output that most likely tells the error; empty if the output has no line.

    It is the last *Caused by* of a Java trace, else the last line that looks like an error, else the last line. A line
    such as ``Error:`` only announces the next one, so that is added.
    """
    lines = [line for line in output.splitlines()[-_SEARCHED:] if line and not line.isspace()]
    for is_less in (_is_beside, _AFTERWARDS.match, None):  # what stands beside an error, only if there is nothing else
        for tells_most in (_is_cause, _is_error, bool):
            for position in range(len(lines) - 1, -1, -1):
                line = lines[position]
                if tells_most(line) and not (is_less and is_less(line)):
                    return one_line(" ".join(lines[position : position + 2]) if line.rstrip().endswith(":") else line)
    return ""


def _is_beside(line: str) -> bool:
    return bool(_TRACE.match(line) or _AFTERWARDS.match(line))


def _is_cause(line: str) -> bool:
    return line.startswith("Caused by:")


def _is_error(line: str) -> bool:
    return bool(_ERROR.search(line.lower()))


def _reason(message: str) -> str:
    """Return the first sentence-like line of a message: its first line, and the next if the first announces it."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if lines[0].startswith("Traceback "):
        return telling_line(message)
    if lines[0].startswith(_HIDDEN):
        return "no_log hides the output"
    first = _COMMAND_FIRST.sub("", lines[0], count=1) if _COMMAND_FIRST.match(lines[0]) else lines[0]
    if wrapped := _WRAPPED.match(first):
        first = first[wrapped.end() :] or first
        twice = _TWICE.match(first)
        first = twice["once"] if twice else first
    if first.endswith(":") and len(lines) > 1:
        first = f"{first} {lines[1]}"
    return one_line(first)
