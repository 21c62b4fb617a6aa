# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How AWX refuses a request: with a status and an answer.

Must not decide what is refused.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request that AWX refuses.

    :param status: the HTTP status, such as 400.
    :param answer: the body of the response.
    """

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(f"{status}: {answer}")
        self.status = status
        self.answer = answer


def wrong(field: str, message: str) -> Refusal:
    """Return the refusal of a field, as AWX's serializers word it."""
    return Refusal(400, {field: [message]})
