# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the attributes that this collection's modules have.

Must not document options.
"""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes' meanings; each module says how far it supports them."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Indicates this has a corresponding action plugin, so some parts of the options run on the controller.
  async:
    description: Supports being used with the C(async) keyword.
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed, or would change in C(check_mode), when in diff mode.
  platform:
    description: Target OS or families that can be operated against.
    platforms: all
"""

    ACTIONGROUP_CALLGOOSE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/callgoose.sqibs.callgoose) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - callgoose.sqibs.callgoose
"""
