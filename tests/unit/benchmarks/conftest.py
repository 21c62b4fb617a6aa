# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the tests import the benchmarks, which are scripts beside each other; leaves out charts without matplotlib.

Must not skip: the nox session charts runs what is left out here.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
collect_ignore = [] if importlib.util.find_spec("matplotlib") else ["test_chart.py", "test_report.py"]
