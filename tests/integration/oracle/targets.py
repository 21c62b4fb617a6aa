# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names ansible-core's own integration targets that the oracle runs; all of them exist in each supported version.

Must not say what is expected of them: rules.py does for all, and exceptions.py for single invocations.
"""

from __future__ import annotations

# Short, and yet of most kinds: blocks, rescues, includes, handlers, loops, unreachable hosts, and two strategies.
QUICK = (
    "any_errors_fatal",
    "ignore_unreachable",
    "strategy_free",
)
# No target bears the name max_fail_percentage; ansible-playbook-callbacks is the one whose plays set it.
OTHERS = (
    "ansible-playbook-callbacks",
    "blocks",
    "delegate_to",
    "handlers",
    "ignore_errors",
    "include_import",
    "includes",
    "meta_tasks",
    "roles",
    "strategy_host_pinned",
    "strategy_linear",
    "tags",
    "throttle",
    "until",
)
