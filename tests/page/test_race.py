"""The race: Callsheet's policy against LRU on one server, one click from the first screen."""

from __future__ import annotations

import itertools

import pytest
from page.conftest import OpenPage, keep
from page.live import Live, square, town
from page.visit import ask, wait_for, wait_until, wait_until_joined
from playwright.sync_api import Page, expect

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser


def waits(page: Page, lane: int) -> int:
    count: int = page.evaluate(f"callsheet.race._lanes[{lane}].waitsS.length")
    return count


def policy(live: Live) -> str:
    return live.ask(lambda: live.server.controller.policy.name)


def begin_race(live: Live, open_page: OpenPage, lap_ms: int) -> Page:
    """Press the button on the first screen of a town whose memory is far too small."""
    live.start(
        ScriptedSettings(
            device_budget_bytes=10_000_000, host_budget_bytes=20_000_000, token_delay_s=0.005
        )
    )
    live.play(town())
    page = open_page(live)
    wait_until_joined(page)
    page.evaluate(f"callsheet.race.lapMs = {lap_ms}; callsheet.race.settleMs = 0")
    wait_for(page, "callsheet.race._policy !== null")
    page.get_by_role("button", name="Race Callsheet against LRU").click()
    return page


def test_both_run_in_turns_and_the_server_gets_its_policy_back(
    live: Live, open_page: OpenPage
) -> None:
    page = begin_race(live, open_page, lap_ms=3000)
    expect(page.get_by_role("tab", name="Race")).to_have_attribute("aria-selected", "true")
    seen = set()
    npcs = itertools.cycle(page.evaluate("[...callsheet.world.npcs.keys()]"))

    def raced() -> bool:
        ask(page, next(npcs))
        seen.add(policy(live))
        return min(waits(page, 0), waits(page, 1)) >= 5

    wait_until(page, raced, "five calls in each lane")
    assert seen == {"distance", "lru"}
    expect(page.locator("[data-part=verdict]")).to_contain_text("First word after")
    for lane in ("distance", "lru"):
        stopwatch = page.locator(f"[data-lane={lane}] [data-part=stopwatch]")
        assert stopwatch.inner_text().endswith(" s")
    keep(page, "race")
    page.get_by_role("button", name="Stop").click()
    wait_until(page, lambda: policy(live) == "distance", "the policy from before")
    expect(page.get_by_role("button", name="Start the race")).to_be_visible()


def test_a_race_that_was_stopped_leaves_the_policy_it_found(
    live: Live, open_page: OpenPage
) -> None:
    live.start(ScriptedSettings())
    live.play(town())
    page = open_page(live)
    wait_until_joined(page)
    page.evaluate('callsheet.client.request({ type: "set_policy", policy: "naive" })')
    wait_for(page, "callsheet.race._policy === 'naive'")
    page.get_by_role("tab", name="Race").click()
    page.get_by_role("button", name="Start the race").click()
    wait_until(page, lambda: policy(live) == "distance", "the first lap")
    page.close(run_before_unload=False)
    other = open_page(live)
    wait_until(other, lambda: policy(live) == "naive", "given back by the page that closed")


def test_shelves_hold_everybody_and_heads_slide(live: Live, open_page: OpenPage) -> None:
    page = begin_race(live, open_page, lap_ms=3000)
    shelves = page.locator("#shelves")
    wait_for(page, "callsheet.world.npcs.size === 60")
    wait_for(
        page, "/in engine memory, .* in RAM/.test(document.getElementById('shelves').ariaLabel)"
    )
    told = shelves.get_attribute("aria-label") or ""
    assert sum(int(word) for word in told.split() if word.isdigit()) == 60
    wait_for(page, "[...callsheet.shelves._heads.values()].some((head) => head.isSliding)")


def test_the_stopwatch_runs_while_somebody_is_waited_for(live: Live, open_page: OpenPage) -> None:
    live.start(ScriptedSettings(device_budget_bytes=0, host_budget_bytes=0, rebuild_s=3.0))
    live.play(square())
    page = open_page(live)
    wait_until_joined(page)
    page.evaluate("callsheet.race.settleMs = 0")
    wait_for(page, "callsheet.race._policy !== null")
    page.get_by_role("button", name="Race Callsheet against LRU").click()
    ask(page, "npc-8")
    lane = page.locator("[data-lane=distance]")
    expect(lane.locator("[data-part=who]")).to_have_text("Waiting for Npc 8")
    stopwatch = lane.locator("[data-part=stopwatch]")
    first = float(stopwatch.inner_text().removesuffix(" s"))
    wait_until(page, lambda: float(stopwatch.inner_text().removesuffix(" s")) > first, "it runs")
    expect(lane.locator("[data-part=calls]")).to_have_text("1")
    assert float(stopwatch.inner_text().removesuffix(" s")) >= 3.0
