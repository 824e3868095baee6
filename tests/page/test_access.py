"""Accessibility: axe-core finds nothing, and everything can be done by keyboard and by list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from page.conftest import Device, OpenPage, Scheme, keep
from page.live import Live, town
from page.visit import begin, speak_to, wait_for, wait_until_joined
from playwright.sync_api import Page, expect

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser

RUN_AXE = """() => axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) =>
    [id, nodes.map(({ html, failureSummary }) => [html.slice(0, 160), failureSummary])]))"""


def violations(page: Page, axe: str) -> list[Any]:
    page.evaluate(axe)
    found: list[Any] = page.evaluate(RUN_AXE)
    return found


def choose_somebody(page: Page) -> None:
    page.evaluate("callsheet.world.selected = [...callsheet.world.npcs.keys()][0]")
    expect(page.locator("#card")).to_be_visible()
    for summary in page.locator("#card summary").all():
        summary.click()
    expect(page.locator("#reasons li").first).to_be_visible()


VIEWS: dict[str, Callable[[Page], None]] = {
    "town": lambda page: expect(page.locator("#nearby li").first).to_be_visible(),
    "card": choose_somebody,
    "race": lambda page: page.get_by_role("tab", name="Race").click(),
    "figures": lambda page: page.get_by_role("tab", name="Figures").click(),
}


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    live: Live, open_page: OpenPage, axe: str, scheme: Scheme, device: Device
) -> None:
    live.start(ScriptedSettings(device_budget_bytes=14_000_000, host_budget_bytes=20_000_000))
    live.play(town())
    page = open_page(live, scheme, device)
    wait_until_joined(page)
    speak_to(page, page.evaluate("[...callsheet.world.npcs.keys()][0]"))
    for name, look in VIEWS.items():
        look(page)
        keep(page, f"{name}-{device}-{scheme}")
        assert violations(page, axe) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.get_by_role("tab", name="Town").click()
    live.stop()
    expect(page.locator("#lost")).to_be_visible()
    keep(page, f"lost-{device}-{scheme}")
    assert violations(page, axe) == [], "lost"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_no_game_is_and_where_a_token_is_asked_for(
    live: Live, open_page: OpenPage, axe: str, scheme: Scheme
) -> None:
    live.start(ScriptedSettings())
    empty = open_page(live, scheme)
    expect(empty.locator("#empty")).to_be_visible()
    keep(empty, f"empty-{scheme}")
    assert violations(empty, axe) == []
    live.stop()
    expect(empty.locator("#status")).to_have_text("Reconnecting")
    assert violations(empty, axe) == []
    empty.close()
    live.start(ScriptedSettings(), observer_token="open sesame")
    locked = open_page(live, scheme)
    expect(locked.locator("#token")).to_be_visible()
    assert violations(locked, axe) == []


def test_who_is_nearby_is_a_list_that_leads_to_them(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    people = page.get_by_role("region", name="Nearby").get_by_role("listitem")
    expect(people).to_have_count(5)
    first = people.first.get_by_role("button")
    expect(first).to_have_text(re.compile(r"^Npc \d 5 m, mind in engine memory$"))
    first.focus()  # nothing moves under the focus
    name = first.locator("b").inner_text()
    first.press("Enter")
    expect(page.locator("#npc-name")).to_have_text(name)
    wait_for(page, "callsheet.guest.reaches(callsheet.world.selectedNpc)")
    expect(page.locator("#words")).to_be_focused()
    page.get_by_role("button", name="Back to the town").press("Enter")
    expect(page.locator("#nearby")).to_be_visible()
    expect(page.locator("#map")).to_be_focused()
