# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules by which a failed host leaves an incident: it recovered in a run that counts, or it no longer takes part.

Must stay pure, like rules.py, which applies them.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.facts import RunFacts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import FailedHost, Incident, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.pseudo_hosts import (
    OVERDUE,
    RUNNING,
    aborted_host,
    is_pseudo,
)

# ansible-core creates these hosts if a play names one that is not in the inventory (constants.LOCALHOST).
_IMPLICIT = frozenset(("localhost", "127.0.0.1", "::1"))


def without_recovered(incident: Incident, run: RunFacts, ledger: Ledger, is_hung: bool) -> Incident:
    """Return an incident without the hosts that have recovered by a run.

    :param ledger: as it was before the run, without the runs that have ended.
    :param is_hung: whether a run of this base hangs.
    """
    if RUNNING in incident.failed_hosts and not is_hung:
        incident = replace(incident, failed_hosts={h: f for h, f in incident.failed_hosts.items() if h != RUNNING})
    if OVERDUE in incident.failed_hosts and not ledger.overdue_after:
        incident = replace(incident, failed_hosts={h: f for h, f in incident.failed_hosts.items() if h != OVERDUE})
    covered = same_tags(incident, run) or not (run.scope.tags or run.scope.skip_tags)
    if not run.successes_count or not covered or run.began.ledger_id != ledger.id:
        return incident
    failed_hosts = {
        host: failed
        for host, failed in incident.failed_hosts.items()
        if _is_newer(host, failed, run) or not _has_recovered(host, failed, run)
    }
    return replace(incident, failed_hosts=failed_hosts)


def _is_newer(host: str, failed: FailedHost, run: RunFacts) -> bool:
    """Return whether another run has recorded the failure since this one began."""
    return failed.sequence > run.began.sequence and host not in run.noticed


def is_same_job(slice_of: str, run: RunFacts) -> bool:
    """Return whether a run is another slice of this job."""
    return bool(slice_of) and slice_of == run.slice_of


def _has_recovered(host: str, failed: FailedHost, run: RunFacts) -> bool:
    """Return whether the host recovered in a run whose successes count, or no longer takes part.

    A host takes part if it is in the inventory and a play matches it, even if it skips all tasks.
    """
    if host == RUNNING:
        return False  # it leaves when no run hangs any more
    if host == OVERDUE:
        return run.wholly_successful and run.scope == Scope()
    if is_pseudo(host):
        covers = not run.scope.limit or host == aborted_host(run.scope)
        return run.wholly_successful and covers and not is_same_job(failed.slice_of, run)
    if host in run.failed:
        return False
    if host in run.succeeded:
        return True
    # A broken dynamic inventory is empty, or lacks all hosts of the plays.
    is_trusted = not run.scope.limit and bool(run.inventory) and bool(run.succeeded or run.failed)
    if is_trusted and host not in run.inventory and host not in _IMPLICIT:
        # A run that fails may have ended before the task that adds the host.
        return not failed.added or (run.wholly_successful and run.matched is not None and host not in run.matched)
    is_complete = run.wholly_successful and run.scope == Scope()
    return is_complete and run.matched is not None and host not in run.matched


def same_tags(incident: Incident, run: RunFacts) -> bool:
    """Return whether a run has the tags of the runs that an incident is of."""
    return (incident.scope.tags, incident.scope.skip_tags) == (run.scope.tags, run.scope.skip_tags)
