"""The live page in a real browser, on a real server with a game: as a player sees it."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

import pytest
from page.conftest import OpenPage, Scheme, keep
from page.live import Live, square, town
from page.visit import SMALL, begin, speak_to, wait_for, wait_until, wait_until_joined
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from callsheet import Client
from callsheet_server.engine.scripted import ScriptedSettings
from callsheet_server.rooms.room import Room

pytestmark = pytest.mark.browser

NOTHING = "\N{EN DASH}"
"""Stands where there is no figure."""
PIXEL_OF = """(id) => {
  const { world, camera } = callsheet;
  const { x, y } = world.npcs.get(id);
  const [px, py] = camera.toPixels(x, y);
  const canvas = document.getElementById("map");
  const ratio = canvas.width / canvas.clientWidth;
  const at = [px + 15 * camera.size, py].map((value) => Math.round(value * ratio));
  return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
}"""
"""The colour of the ring at somebody's feet, at its right end."""
COLOUR_OF = """(tier) => {
  const probe = document.createElement("i");
  probe.style.color = `var(--${tier})`;
  document.body.append(probe);
  const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  return [r, g, b];
}"""


STAND_STILL_AT = """(npc) => new Promise((done) => {
  const look = () => {
    if (callsheet.guest.reaches(callsheet.world.npcs.get(npc))) {
      for (const key of ["ArrowRight", "ArrowUp"])
        document.getElementById("map").dispatchEvent(new KeyboardEvent("keyup", { key }));
      done();
    } else requestAnimationFrame(look);
  };
  look();
})"""
"""Let go of the keys in the frame in which the player comes in reach: a slow test walks past."""


def guests(room: Room) -> list[str]:
    return [player.spec.player for player in room.world.guests()]


def walk_to_the_middle(page: Page) -> None:
    """By keyboard alone: the player comes in at the left of npc-4, and below it."""
    for key in ("ArrowRight", "ArrowUp"):
        page.keyboard.down(key)
    page.evaluate(STAND_STILL_AT, "npc-4")
    for key in ("ArrowRight", "ArrowUp"):
        page.keyboard.up(key)


def test_walk_up_to_an_npc_talk_and_read_the_streamed_answer(
    live: Live, open_page: OpenPage
) -> None:
    page = begin(live, open_page)
    room = live.server.rooms["town"]
    assert live.ask(lambda: guests(room)) == ["guest:1"]

    page.keyboard.press("Enter")
    expect(page.locator("#hint")).to_contain_text("Nobody is in reach")
    walk_to_the_middle(page)
    page.keyboard.press("Enter")
    expect(page.locator("#npc-name")).to_have_text("Npc 4")
    expect(page.locator("#words")).to_be_focused()

    page.evaluate(
        """() => {
          callsheet.pieces = [];
          callsheet.client.on("reply_delta", (message) => callsheet.pieces.push(message.text));
        }"""
    )
    page.keyboard.type("Good evening!")
    page.keyboard.press("Enter")
    answer = page.locator("#log li.npc")
    expect(answer).to_have_attribute("data-done", "true")
    expect(answer.locator("b")).to_have_text("Npc 4")
    streamed = page.evaluate("callsheet.pieces")
    assert len(streamed) > 3
    assert answer.locator("span").inner_text() == "".join(streamed)
    expect(answer.locator("small")).to_contain_text("first word after")
    expect(page.locator("#card")).to_have_attribute("data-tier", "device")
    expect(page.locator("#card .mind")).to_contain_text("Mind in engine memory")
    expect(page.locator("#npc-facts")).to_be_hidden()
    page.get_by_text("Why", exact=True).click()
    expect(page.locator("#npc-facts")).to_contain_text("next call expected in")
    keep(page, "talk")


def test_a_guest_leaves_with_its_page(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    room = live.server.rooms["town"]
    other = open_page(live)
    wait_until_joined(other)
    assert len(live.ask(lambda: guests(room))) == 2
    wait_for(page, "callsheet.world.players.size === 2")
    other.close()
    wait_for(page, "[...callsheet.world.players.keys()].join() === callsheet.guest.id")
    assert live.ask(lambda: guests(room)) == ["guest:1"]


def test_the_ring_of_an_npc_changes_colour_with_its_tier(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    page.keyboard.press("0")
    wait_for(page, "callsheet.world.npcs.get('npc-8').tier === 'absent'")
    wait_for(page, "callsheet.camera.scale > 0")
    assert page.evaluate(f"({PIXEL_OF})('npc-8')") != page.evaluate(f"({COLOUR_OF})('device')")
    # The player stands still far away from it; being spoken to brings it to the device.
    page.evaluate("callsheet.world.selected = 'npc-8'; callsheet.camera.fit()")
    speak_to(page, "npc-8")
    wait_for(page, "callsheet.world.npcs.get('npc-8').tier === 'device'")
    wait_for(page, f"({PIXEL_OF})('npc-8').join() === ({COLOUR_OF})('device').join()")


def test_the_page_comes_back_after_a_restart(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    walk_to_the_middle(page)
    place = page.evaluate("callsheet.guest.place")
    live.stop()
    expect(page.locator("#status")).not_to_have_text("Live")
    lost = page.locator("#lost")
    expect(lost).to_contain_text("Connection lost")
    expect(page.locator("#town")).to_have_class("dimmed")
    keep(page, "lost")
    live.start(SMALL)
    expect(page.locator("#status")).to_have_text("Live")
    live.play(square())
    wait_until_joined(page)
    expect(lost).to_be_hidden()
    expect(page.locator("#town")).not_to_have_class("dimmed")
    assert page.evaluate("callsheet.guest.place") == pytest.approx(place)
    room = live.server.rooms["town"]
    assert live.ask(lambda: guests(room)) == ["guest:1"]


def test_a_lost_connection_is_resumed(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    session = page.evaluate("callsheet.client.welcome.session")
    guest = page.evaluate("callsheet.guest.id")
    page.evaluate("callsheet.client._lost(1006)")
    wait_for(page, "callsheet.client.state === 'open'")
    assert page.evaluate("callsheet.client.welcome.resumed")
    assert page.evaluate("callsheet.client.welcome.session") == session
    assert page.evaluate("callsheet.guest.id") == guest


def test_the_program_that_an_empty_page_shows_connects_a_game(
    live: Live, open_page: OpenPage
) -> None:
    live.start(SMALL)
    page = open_page(live)
    shown = page.locator("#snippet").inner_text()

    async def game(client: Client) -> None:
        names: dict[str, Any] = {"__name__": "shown"}
        body = textwrap.indent(shown, "    ") + "\n        await asyncio.Event().wait()"
        exec(f"import asyncio\nasync def play():\n{body}", names)
        await names["play"]()

    live.play(game, world="another")
    expect(page.locator("#worlds option")).to_have_count(1)
    wait_for(page, "callsheet.world.npcs.get('bram')?.name === 'Bram'")
    expect(page.locator("#empty")).to_be_hidden()


def test_without_a_game_the_page_says_how_to_start_one_and_finds_it(
    live: Live, open_page: OpenPage
) -> None:
    live.start(SMALL)
    page = open_page(live)
    expect(page.locator("#empty")).to_contain_text("callsheet demo")
    expect(page.locator("#address")).to_have_text(live.url.replace("http", "ws"))
    live.play(square(), world="somewhere-else")
    expect(page.locator("#worlds")).to_have_value("somewhere-else")
    wait_until_joined(page)
    expect(page.locator("#empty")).to_be_hidden()


def test_a_token_is_asked_for(live: Live, open_page: OpenPage) -> None:
    live.start(SMALL, observer_token="open sesame")
    live.play(square())
    page = open_page(live)
    page.get_by_label("Observer token").fill("open sesame")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Live")
    wait_until_joined(page)


def test_residency_figures_are_the_servers(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    for npc in ("npc-0", "npc-8"):
        speak_to(page, npc)
    page.get_by_role("tab", name="Figures").click()
    expect(page.locator("[data-part=replies]")).to_have_text("2")

    def part(name: str) -> str:
        return page.locator(f"[data-part={name}]").inner_text()

    def is_told() -> bool:
        stats = live.stats()
        return (part("loads"), part("evictions")) == (str(stats.loads), str(stats.evictions))

    wait_until(page, is_told, "the page has been told of all moves")
    stats = live.stats()
    assert part("npcs") == str(stats.npcs) == "9"
    assert part("players") == str(stats.players) == "1"
    resident, elsewhere = stats.ttft_resident.replies, stats.ttft_not_resident.replies
    assert part("hit-rate") == f"{100 * resident / (resident + elsewhere):.1f} %"
    assert part("resident-replies") == str(resident)
    assert part("not_resident-replies") == str(elsewhere)
    for tier in stats.tiers:
        bar = page.locator(f"[data-part=tiers] [data-tier={tier.tier}]")
        if tier.budget_bytes:
            assert bar.get_attribute("data-items") == str(tier.items)
            assert float(bar.locator("meter").evaluate("(m) => m.value")) == tier.used_bytes


def test_percentiles_wait_for_enough_calls(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    page.get_by_role("tab", name="Figures").click()
    median, p95 = (page.locator(f"[data-part=resident-{name}]") for name in ("p50", "p95"))
    by_policy = page.locator("tr[data-policy=distance] td")
    speak_to(page, "npc-0")  # it is on the device from now on
    for calls, known in ((4, (False, False)), (5, (True, False)), (20, (True, True))):
        while live.stats().ttft_resident.replies < calls:
            speak_to(page, "npc-0")
        expect(page.locator("[data-part=resident-replies]")).to_have_text(str(calls))
        assert (median.inner_text() != NOTHING, p95.inner_text() != NOTHING) == known
        if not known[1]:
            expect(by_policy.nth(4)).to_have_text(NOTHING)


def test_the_page_works_behind_a_prefix(live: Live, open_page: OpenPage) -> None:
    """A proxy strips the prefix; links and the socket's address are relative to the page."""
    live.start(SMALL)
    page = open_page(live)

    def strip(route: Route) -> None:
        route.continue_(url=route.request.url.replace("/games/callsheet/", "/"))

    page.route("**/games/callsheet/**", strip)
    page.goto(f"{live.url}games/callsheet/?world=town")
    expect(page.locator("#address")).to_have_text(
        live.url.replace("http", "ws") + "games/callsheet/"
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.map')).position") == "relative"


def test_the_table_sorts_and_an_npc_has_a_timeline(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    page.get_by_role("tab", name="Town").press("ArrowRight")
    page.get_by_role("tab", name="Race").press("ArrowRight")
    rows = page.locator("[data-part=rows] tr")
    expect(rows).to_have_count(9)
    page.get_by_role("button", name="name", exact=True).click()
    expect(rows.first).to_contain_text("Npc 0")
    page.get_by_role("button", name="name", exact=True).click()
    expect(rows.first).to_contain_text("Npc 8")
    speak_to(page, "npc-4")
    page.get_by_role("button", name="Npc 4").press("Enter")
    expect(page.locator("[data-part=timeline-name]")).to_have_text("Npc 4")
    expect(page.locator("[data-part=moves] li").first).to_contain_text("→ in engine memory")
    page.get_by_label("Filter NPCs").fill("npc 7")
    expect(rows).to_have_count(1)


def test_the_policy_switch_sets_the_servers_policy(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    controller = live.server.controller
    page.get_by_role("tab", name="Figures").click()
    expect(page.get_by_role("radio", name="Callsheet")).to_be_checked()
    page.locator("[name=policy][value=naive]").check(force=True)
    expect(page.locator("tr[data-policy=naive]")).to_have_class(re.compile("current"))
    assert live.ask(lambda: controller.policy.name) == "naive"
    page.locator("[name=policy][value=naive]").press("ArrowLeft")
    expect(page.locator("tr[data-policy=lru]")).to_have_class(re.compile("current"))
    assert live.ask(lambda: controller.policy.name) == "lru"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_a_town(live: Live, open_page: OpenPage, scheme: Scheme) -> None:
    live.start(
        ScriptedSettings(
            device_budget_bytes=14_000_000, host_budget_bytes=20_000_000, token_delay_s=0.06
        )
    )
    live.play(town())
    page = open_page(live, scheme)
    wait_until_joined(page)
    page.keyboard.press("n")
    page.keyboard.press("g")
    expect(page.locator("#words")).to_be_focused()
    page.keyboard.type("Good evening! What is new in town?")
    page.keyboard.press("Enter")
    expect(page.locator("#log li.npc span")).not_to_be_empty()
    keep(page, f"town-{scheme}")
    expect(page.locator("#log li.npc").first).to_have_attribute("data-done", "true")
    page.get_by_role("tab", name="Figures").click()
    expect(page.locator("[data-part=hit-rate]")).to_contain_text("%")
    keep(page, f"residency-{scheme}")


def test_a_model_that_is_not_ready_is_told_of(live: Live, open_page: OpenPage) -> None:
    live.start(SMALL)
    page = open_page(live)
    sockets: list[WebSocketRoute] = []

    def fetching(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda _: socket.send(progress(phase="download", total_bytes=98_000_000)))

    def progress(**fields: Any) -> str:
        return json.dumps({"type": "engine_progress", "done_bytes": 12_000_000, **fields})

    page.route_web_socket("ws://**", fetching)
    page.reload()
    lost = page.locator("#lost")
    expect(lost.locator("h2")).to_have_text("The model is not ready yet")
    expect(lost.locator("p")).to_have_text("Fetched 12.0 MB of 98.0 MB")
    sockets[-1].send(progress(phase="load"))
    expect(lost.locator("p")).to_have_text("It is being loaded")
    keep(page, "not-ready")
