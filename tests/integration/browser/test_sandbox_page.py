# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the sandbox's page in a real Chromium: it is live, readable, and what a request contains does nothing in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found (on Debian: apt install chromium)")

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
# Colours that WCAG 2 level AA asks for: a contrast of 4.5 for text. Runs in the page.
CONTRASTS = """() => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (colour) => {
    const [red, green, blue] = parts(colour).map(channel);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [...document.querySelectorAll("body *")].filter((one) =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((one) => {
    const [low, high] = [light(getComputedStyle(one).color), light(behind(one))].sort((a, b) => a - b);
    return [`${one.tagName} ${one.className}`, (high + 0.05) / (low + 0.05)];
  });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, Chromium starts only without its own sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def open_page(browser: Any, sandbox: Sandbox) -> Iterator[Any]:
    """Return a function that opens the page, with the given options of a browser context."""
    contexts = []

    def open_page(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(sandbox.page_url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def send(sandbox: Sandbox, state: str = "triggered", **more: object) -> None:
    payload = {"state": state, "incident_key": "disk", "title": "Disk full", "content": "It is full.", **more}
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    requests.post(f"{sandbox.base_url}/v1/process", json=payload, headers=headers, timeout=10)


def test_an_incident_opens_is_a_duplicate_and_resolves_while_one_looks(open_page: Any, sandbox: Sandbox) -> None:
    page = open_page()
    page.get_by_text("No incident yet").wait_for()
    send(sandbox)
    page.locator(".incident.open", has_text="Disk full").wait_for()
    assert page.title().startswith("1 open")
    marker = page.locator("#incident-1 > summary").evaluate("(one) => getComputedStyle(one).listStyleType")
    assert marker == "disclosure-closed", "an incident shows that it can be opened"
    page.locator("#incident-1 > summary").click()
    send(sandbox)
    page.locator("#incident-1").get_by_text("Duplicate of the request at").wait_for()
    assert page.locator("#incident-1").get_by_text("It is full.").is_visible(), "what was opened stays open"
    send(sandbox, "resolved")
    page.locator(".incident.resolved", has_text="Disk full").wait_for()
    page.wait_for_function("document.title.startsWith('0 open')")
    assert page.locator("#incident-1 .request").count() == 3


def test_a_hostile_title_does_nothing(open_page: Any, sandbox: Sandbox) -> None:
    page = open_page()
    alarms: list[Any] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog), dialog.dismiss()))
    send(sandbox, title=HOSTILE, content=HOSTILE, severity=HOSTILE)
    page.locator("#incident-1").get_by_text("onerror").first.wait_for()
    page.locator("#incident-1 > summary").click()
    page.wait_for_timeout(1500)  # at least one more refresh
    assert (page.title().startswith("1 open"), alarms) == (True, [])
    assert page.locator("main img, main script").count() == 0


def test_a_button_works_with_the_keyboard_and_the_focus_stays(open_page: Any, sandbox: Sandbox) -> None:
    page = open_page()
    page.get_by_role("button", name="503 once").focus()
    page.keyboard.press("Enter")
    page.get_by_text("status 503, 1 time").wait_for()
    send(sandbox)
    page.get_by_text("A fault was injected: status.").wait_for()
    send(sandbox)
    page.locator("#incident-1 > summary").focus()
    page.keyboard.press("Enter")
    send(sandbox, title="Disk fuller")
    page.locator("#incident-2").wait_for()
    assert page.evaluate("document.activeElement.parentElement.id") == "incident-1"
    assert page.locator("#incident-1 .description").is_visible()


def test_pressing_a_button_leaves_the_page_as_it_is(open_page: Any, sandbox: Sandbox) -> None:
    for number in range(20):
        send(sandbox, incident_key=str(number))
    page = open_page()
    page.locator("#incident-1 > summary").click()
    button = page.get_by_role("button", name="503 once")
    button.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 0
    button.click()
    page.get_by_text("status 503, 1 time").wait_for()
    assert page.evaluate("document.activeElement.id") == "action-503"
    assert abs(page.evaluate("scrollY") - before) < 60
    assert page.locator("#incident-1 .description").is_visible()
    assert page.evaluate("history.length") == 2, "about:blank and the page"


def test_selected_text_stays_selected_and_a_button_works_all_the_same(open_page: Any, sandbox: Sandbox) -> None:
    send(sandbox)
    page = open_page()
    page.locator("#incident-1 > summary").click()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#incident-1 .description'))")
    send(sandbox, title="Another", incident_key="another")
    page.locator("#requests-part").get_by_text("Another").wait_for()
    assert page.evaluate("String(getSelection())").strip() == "It is full."
    assert page.locator("#incident-2").count() == 0, "the part with the selection waits"
    page.get_by_role("button", name="Forget everything").focus()
    page.keyboard.press("Enter")
    page.get_by_text("No incident yet").wait_for()


@pytest.mark.parametrize("target", ["button#action-503", "#incident-1 > summary"])
def test_a_press_counts_if_the_page_changes_during_it(open_page: Any, sandbox: Sandbox, target: str) -> None:
    send(sandbox)
    page = open_page()
    page.locator(target).hover()
    page.mouse.down()
    send(sandbox, title="Another", incident_key="another")
    page.wait_for_timeout(1500)  # at least one refresh
    page.mouse.up()
    done = page.get_by_text("status 503, 1 time") if "503" in target else page.locator("#incident-1 .description")
    done.wait_for()


def test_an_older_answer_does_not_replace_a_newer_one(open_page: Any, sandbox: Sandbox) -> None:
    send(sandbox)
    page = open_page()
    old = page.content()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(sandbox.page_url, hold)
    page.wait_for_timeout(1500)  # at least one refresh begins
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_text("No incident yet").wait_for()
    assert len(held) == 1, "one refresh at a time"
    held[0].fulfill(body=old, content_type="text/html")
    page.wait_for_timeout(300)
    assert page.get_by_text("No incident yet").is_visible()


def test_new_incidents_do_not_push_away_what_one_reads(open_page: Any, sandbox: Sandbox) -> None:
    for number in range(20):
        send(sandbox, incident_key=str(number))
    page = open_page()
    page.locator("#incident-9 > summary").click()
    page.evaluate("document.getElementById('incident-9').scrollIntoView()")
    top = "document.getElementById('incident-9').getBoundingClientRect().top"
    before = page.evaluate(top)
    send(sandbox, incident_key="new")
    page.locator("#incident-21").wait_for()
    assert abs(page.evaluate(top) - before) < 2


def test_a_stopped_sandbox_is_said_to_be_and_not_once_it_is_back(open_page: Any, sandbox: Sandbox) -> None:
    page = open_page()
    lost = page.get_by_text("The sandbox does not answer.")
    assert not lost.is_visible()
    sandbox.close()
    lost.wait_for()
    sandbox.start()
    lost.wait_for(state="hidden")
    page.route("**/", lambda route: route.fulfill(status=500))
    lost.wait_for()


def test_without_javascript_the_page_can_be_read_and_its_buttons_pressed(open_page: Any, sandbox: Sandbox) -> None:
    send(sandbox)
    page = open_page(java_script_enabled=False)
    page.locator("#incident-1 > summary").click()
    assert page.locator("#incident-1 .description").inner_text() == "It is full."
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_text("No incident yet").wait_for()
    assert page.url.endswith("/#try")
    page.goto(sandbox.page_url)
    page.get_by_role("link", name="Skip to the buttons").click()
    assert page.url.endswith("/#try")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(open_page: Any, sandbox: Sandbox, scheme: str) -> None:
    send(sandbox, severity="critical")
    send(sandbox, title="Another")
    send(sandbox, "resolved")
    send(sandbox, "unknown")
    sandbox.queue_fault("hang")
    page = open_page(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 40
    assert [pair for pair in contrasts if pair[1] < 4.5] == []


def test_a_phone_needs_no_sideways_scrolling(open_page: Any, sandbox: Sandbox) -> None:
    send(sandbox, title="x" * 300, content="y" * 2000)
    page = open_page(viewport={"width": 360, "height": 740})
    page.locator("#incident-1 > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    heights = page.locator("button").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert min(heights) >= 44
