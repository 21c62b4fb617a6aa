# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers the failures that a rescue catches: if the rescue fails too, they are its cause.

Must not decide what counts as a failure of the run: recorder.py does.
"""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import FAILURES_PER_HOST, Failure


class Causes:
    """The caught failures of one play or batch."""

    def __init__(self) -> None:
        # By host and the block whose rescue caught it: a failure, behind those that led to it; the newest block last.
        self._caught: dict[str, dict[str, tuple[Failure, ...]]] = {}
        self._fatal_block = ""
        self.last_fatal: tuple[str, Failure] | None = None  # the last fatal failure, behind its host

    def caught(self, host: str, block: str, failures: tuple[Failure, ...]) -> None:
        """Note that the rescue of a block has caught a failure.

        :param failures: those that led to it first, and the failure itself last.
        """
        own = self._caught.setdefault(host, {})
        own.pop(block, None)
        own[block] = failures
        if len(own) > FAILURES_PER_HOST:
            del own[next(iter(own))]

    def fatal(self, host: str, failure: Failure, block: str) -> None:
        """Note a failure that Ansible applies to other hosts too.

        :param block: the block whose rescue catches it; empty if there is none.
        """
        self._caught.clear()
        self._fatal_block = block
        self.last_fatal = (host, failure)

    def of(self, host: str, rescues: Collection[str]) -> tuple[Failure, ...]:
        """Return what led a host into a rescue, the first cause first.

        :param rescues: the blocks whose rescue the host is in.
        """
        found = [failures for block, failures in self._caught.get(host, {}).items() if block in rescues]
        if found:
            return found[-1]
        # Since ansible-core 2.19, hosts that another host's failure ended run the rescue too.
        is_fatal = self.last_fatal and self._fatal_block in rescues and self.last_fatal[0] != host
        return (self.last_fatal[1],) if self.last_fatal and is_fatal else ()

    def last(self, host: str) -> Failure | None:
        """Return the failure of this host that was caught last."""
        own = self._caught.get(host)
        return own[next(reversed(own))][-1] if own else None

    def forget(self, host: str, rescues: Collection[str] | None = None) -> None:
        """Forget what was caught on a host, or only what led it into these rescues."""
        own = self._caught.get(host, {})
        for block in [block for block in own if rescues is None or block in rescues]:
            del own[block]
