# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes screenshots of the sandbox's page, in light and in dark colours, with what the recorded runs sent.

Must not show anything of this machine: the requests are those of the recording, and the clock is the sandbox's.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

from ..sandbox import Sandbox
from .record import Recording

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 980, "height": 1100}
MARGIN = 16
# What happens between two requests, on the sandbox's clock: the retry comes soon, the rest in the course of the night.
PAUSES = (0, 60, 45 * 60, 80 * 60)


def shoot(recording: Recording, files: dict[str, Path]) -> None:
    """Write the screenshots.

    :param files: the file for each colour scheme, ``light`` and ``dark``.
    :raises RuntimeError: no Chromium was found.
    """
    chromium = next((found for name in NAMES if (found := shutil.which(name))), None)
    if chromium is None:
        raise RuntimeError(f"None of {', '.join(NAMES)} was found (on Debian: apt install chromium).")
    with Sandbox() as sandbox, sync_playwright() as playwright:
        for pause, body in zip(PAUSES, recording.bodies, strict=True):
            sandbox.advance(pause)
            headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"}
            url = f"{sandbox.base_url}/v1/process?from=Ansible"
            requests.post(url, data=body.encode(), headers=headers, timeout=10).raise_for_status()
        # As root, Chromium starts only without its own sandbox.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme, path in files.items():
            page = browser.new_page(color_scheme=scheme, viewport=SIZE, device_scale_factor=1.5)
            page.goto(sandbox.page_url)
            page.locator(".incident.open > summary").click()
            page.mouse.move(0, 0)
            # What lies below the requests, API Filters and buttons, is always the same.
            last = page.locator("#requests ~ .answer").last.bounding_box()
            assert last
            page.screenshot(
                path=path, clip={"x": 0, "y": 0, "width": SIZE["width"], "height": last["y"] + last["height"] + MARGIN}
            )
            page.close()
        browser.close()
