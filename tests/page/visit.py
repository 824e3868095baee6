"""A visit to the live page: opening it, waiting for what it shows, speaking from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from page.conftest import OpenPage
from page.live import Live, square
from playwright.sync_api import Page, expect
from waiting import PATIENCE_S

from callsheet_server.engine.scripted import ScriptedSettings

SMALL = ScriptedSettings(
    device_budget_bytes=4_000_000, host_budget_bytes=8_000_000, token_delay_s=0.005
)
"""Room for 4 NPCs on the device and 8 in host memory."""

SAY = """(npc) => callsheet.client.request({type: "say", npc, text: "What is new?",
  speaker: {kind: "player", id: callsheet.guest.id}})"""


def begin(live: Live, open_page: OpenPage, **server: Any) -> Page:
    """A page in a world of nine NPCs who stand 7 m apart; the player is in it."""
    live.start(SMALL, **server)
    live.play(square())
    page = open_page(live)
    expect(page.locator("#status")).to_have_text("Live")
    wait_until_joined(page)
    return page


def wait_until_joined(page: Page) -> None:
    wait_for(page, "callsheet.guest.id !== null")


def wait_for(page: Page, condition: str) -> None:
    """Wait until an expression holds in the page."""
    wait_until(page, lambda: bool(page.evaluate(condition)), condition)


def wait_until(page: Page, condition: Callable[[], bool], told: str) -> None:
    """Wait, looking every 50 ms."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s, f"never so: {told}"
        page.wait_for_timeout(50)


def speak_to(page: Page, npc: str) -> None:
    """From wherever the player stands; returns when the answer has ended."""
    page.evaluate(f"({SAY})", npc)


def ask(page: Page, npc: str) -> None:
    """Speak to an NPC without waiting for its answer."""
    page.evaluate(f"(npc) => {{ ({SAY})(npc); }}", npc)
