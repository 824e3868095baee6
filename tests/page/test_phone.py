"""The page under a finger: tap to walk and to talk."""

from __future__ import annotations

import pytest
from page.conftest import OpenPage, keep
from page.live import Live, square
from page.visit import SMALL, wait_for, wait_until_joined
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


CAMERA_RESTS = """(() => {
  const { camera, guest } = callsheet;
  return camera.scale > 0 && Math.hypot(
    camera.toPixels(...guest.place)[0] - camera.width / 2,
    camera.toPixels(...guest.place)[1] - camera.height / 2,
  ) < 0.5;
})()"""
"""The camera has come to the player, whom it follows on a phone."""


def begin_on_phone(live: Live, open_page: OpenPage) -> Page:
    live.start(SMALL)
    live.play(square())
    page = open_page(live, device="phone")
    wait_until_joined(page)
    wait_for(page, CAMERA_RESTS)
    return page


def tap(page: Page, x: float, y: float) -> None:
    """Tap on the map, in its own pixels."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + x, box["y"] + y)


def test_tap_the_ground_to_walk(live: Live, open_page: OpenPage) -> None:
    page = begin_on_phone(live, open_page)
    before = page.evaluate("callsheet.guest.place")
    x, y = page.evaluate("callsheet.camera.toPixels(...callsheet.guest.place)")
    tap(page, x + 12, y + 34)
    wait_for(page, "callsheet.guest.isWalking")
    wait_for(page, "!callsheet.guest.isWalking")
    after = page.evaluate("callsheet.guest.place")
    assert after[0] > before[0]
    assert after[1] < before[1]


def test_tap_somebody_to_talk(live: Live, open_page: OpenPage) -> None:
    page = begin_on_phone(live, open_page)
    x, y = page.evaluate(
        """() => { const { x, y } = callsheet.world.npcs.get("npc-4");
             return callsheet.camera.toPixels(x, y); }"""
    )
    tap(page, x, y - 12)
    expect(page.locator("#npc-name")).to_have_text("Npc 4")
    wait_for(page, "callsheet.guest.reaches(callsheet.world.npcs.get('npc-4'))")
    page.locator("#words").tap()
    page.keyboard.type("What is new?")
    page.get_by_role("button", name="Say").tap()
    expect(page.locator("#log li.npc")).to_have_attribute("data-done", "true")
    keep(page, "phone-talk")


def test_the_legend_is_one_tap_away(live: Live, open_page: OpenPage) -> None:
    page = begin_on_phone(live, open_page)
    legend = page.locator("#legend li").first
    expect(legend).to_be_hidden()
    page.locator("#legend summary").tap()
    expect(legend).to_have_text("in engine memory")
    assert legend.is_visible()


def test_buttons_zoom(live: Live, open_page: OpenPage) -> None:
    page = begin_on_phone(live, open_page)
    before = page.evaluate("callsheet.camera.scale")
    page.get_by_role("button", name="Closer").tap()
    wait_for(page, f"callsheet.camera.scale > {1.2 * before}")
    page.get_by_role("button", name="All", exact=True).tap()
    wait_for(page, f"callsheet.camera.scale < {1.05 * before}")
