# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The errors of this collection: each message says what happened, to what, and what to do about it.

Must not hold a token or a URL: these messages are printed and logged.
"""

from __future__ import annotations


class CallgooseError(Exception):
    """Anything that this collection refuses or could not do. ``str()`` of it is fit for the user."""


class OptionError(CallgooseError):
    """An option's value is refused, before any request.

    :param option: the option's name.
    :param problem: what is wrong with the value, without the value itself (it may be a secret).
    :param remedy: what to write instead.
    """

    def __init__(self, option: str, problem: str, remedy: str) -> None:
        super().__init__(f"{option}: {problem}. {remedy}")
        self.option = option


class DeliveryError(CallgooseError):
    """The API gave no answer.

    :param attempts: requests made.
    :param uncertain: whether one of them may have been processed all the same.
    """

    def __init__(self, message: str, attempts: int = 0, uncertain: bool = False) -> None:
        super().__init__(message)
        self.attempts = attempts
        self.uncertain = uncertain
