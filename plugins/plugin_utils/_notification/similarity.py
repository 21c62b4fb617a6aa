# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whether the errors of two hosts are the same problem.

Must not change a text that is shown: the form that it returns is only compared.
"""

from __future__ import annotations

import re

# What differs between two hosts that have the same problem: numbers and times, ids, and names made of letters and
# digits in turn, such as those of a Kubernetes pod. A name that only ends in a number is compared without it.
_VARYING = re.compile(
    r"\b(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?=[a-f]{0,39}[0-9])[0-9a-f]{7,}"
    r"|[0-9a-z]{0,40}[0-9][a-z]{1,40}[0-9][0-9a-z]{0,40}"
    r"|Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"
    r"|[0-9]+"
)
_SPACE = re.compile(r"\s+")


def comparable(text: str, host: str) -> str:
    """Return a text without what differs between two hosts that have the same problem.

    :param host: the name of the host that the text is about.
    """
    for name in (host, host.partition(".")[0]):
        # A host named "a" must not take this letter out of every word.
        if len(name) > 1 and name in text:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", "~", text)
    return _SPACE.sub(" ", _VARYING.sub("#", text))
