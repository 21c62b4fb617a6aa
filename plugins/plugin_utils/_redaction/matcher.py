# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies the user's own patterns in a process of their own, so that none of them can hang the run.

Must be standard library only and import nothing of the collection: user_patterns.py runs this file as a program.

It reads JSON, a line for each question: first the patterns and the mask, then the texts. It answers ``ready``, and then
for each text a dot before each pattern and the masked text as a line of JSON.
"""

from __future__ import annotations

import json
import re
import signal
import sys

# In seconds: how long a text may take, and how long to wait for one. Then the kernel ends this process, which Python's
# re could not prevent, also if the process that started it is gone.
_LONGEST_MATCH = 10
_LONGEST_WAIT = 120


def main() -> None:
    """Answer questions until there are no more."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.alarm(_LONGEST_WAIT)
    questions, answers = sys.stdin, sys.stdout
    setup = json.loads(questions.readline())
    mask, patterns = setup["mask"], [re.compile(pattern) for pattern in setup["patterns"]]
    print("ready", file=answers, flush=True)
    for question in questions:
        signal.alarm(_LONGEST_MATCH)
        text = json.loads(question)
        for pattern in patterns:
            print(".", end="", file=answers, flush=True)
            text = mask.join(pattern.sub(lambda found: mask if found[0] else "", piece) for piece in text.split(mask))
        print(json.dumps(text), file=answers, flush=True)
        signal.alarm(_LONGEST_WAIT)


if __name__ == "__main__":
    main()
