# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The exceptions of this collection. Each message says what is wrong, where, and what to do about it.

A message must not contain a token or a URL: it is printed and logged.
"""

from __future__ import annotations


class CallgooseError(Exception):
    """The collection refused something or could not do it. ``str()`` of the exception is the message for the user."""


class OptionError(CallgooseError):
    """An option has an invalid value. Raised before any request.

    :param option: the option's name.
    :param problem: what is wrong with the value, without the value itself (it may be a secret).
    :param remedy: what to set instead.
    """

    def __init__(self, option: str, problem: str, remedy: str) -> None:
        super().__init__(f"{option}: {problem}. {remedy}")
        self.option = option


class DeliveryError(CallgooseError):
    """The API did not answer.

    :param attempts: number of requests made.
    :param uncertain: whether the API may have processed one of them anyway.
    """

    def __init__(self, message: str, attempts: int = 0, uncertain: bool = False) -> None:
        super().__init__(message)
        self.attempts = attempts
        self.uncertain = uncertain
