# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures in docs/images again: ``make pictures``.

Must not draw anything itself.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from .. import artifact
from . import life, page, run
from .record import record

IMAGES = artifact.ROOT / "docs" / "images"


def main() -> None:
    """Record the runs anew and write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sqibs-pictures-") as collections:
        artifact.install(Path(collections))
        recording = record(Path(collections))
    (IMAGES / "life.svg").write_text(life.draw(), encoding="utf-8")
    (IMAGES / "run.svg").write_text(run.draw(recording), encoding="utf-8")
    page.shoot(recording, {"light": IMAGES / "sandbox.png", "dark": IMAGES / "sandbox-dark.png"})
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.relative_to(artifact.ROOT)}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
