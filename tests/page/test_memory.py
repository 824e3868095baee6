"""Actions and memories of NPCs, and the game's time, as the page tells them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from page.conftest import OpenPage, keep
from page.live import TICK_S, Live
from page.visit import SMALL, speak_to, wait_until_joined
from playwright.sync_api import Locator, Page, expect
from server.open_book import OpenBook

from callsheet import ActionSpec, Client, NpcSpec
from callsheet.wire import Action
from callsheet_server.storage.settings import StorageSettings

pytestmark = pytest.mark.browser

OPEN = ActionSpec(
    name="open_gate",
    description="Open a gate.",
    parameters={
        "type": "object",
        "properties": {"gate": {"const": "north"}},
        "required": ["gate"],
    },
)
PLACES = {"bob": 0.0, "ida": 4.0}


class TwoAtTheGate:
    """A game of two NPCs whose clock only the test turns; what they want to do is not possible."""

    def __init__(self) -> None:
        self.time_s = 100.0

    async def __call__(self, client: Client) -> None:
        async def refuse(action: Action) -> None:
            await client.answer_action(action, ok=False, message="It is stuck.")

        tasks = set[asyncio.Task[None]]()
        client.on(lambda action: tasks.add(asyncio.ensure_future(refuse(action))), Action)
        npcs = [NpcSpec(npc=n, name=n.title(), action_specs=(OPEN,)) for n in PLACES]
        handles = await client.spawn(npcs)
        while True:
            at = [[x, 0.0, 0.0] for x in PLACES.values()]
            await client.send_tick(self.time_s, [handles.npcs[n] for n in PLACES], at)
            await asyncio.sleep(TICK_S)


@pytest.fixture
def gate(live: Live, tmp_path: Path) -> TwoAtTheGate:
    game = TwoAtTheGate()
    storage = StorageSettings(directory=str(tmp_path))
    live.start(SMALL, engine=OpenBook(action="open_gate"), storage=storage)
    live.play(game)
    return game


def visit(live: Live, open_page: OpenPage) -> Page:
    page = open_page(live)
    wait_until_joined(page)
    return page


def news(page: Page, kind: str) -> Locator:
    return page.locator(f"#feed li.{kind}")


@pytest.mark.usefixtures("gate")
def test_what_an_npc_wants_to_do_and_what_became_of_it(live: Live, open_page: OpenPage) -> None:
    page = visit(live, open_page)
    page.evaluate("callsheet.world.selected = 'bob'")
    speak_to(page, "bob")
    expect(news(page, "acts")).to_have_text("Bob wants to open_gate (gate: north)")
    expect(page.locator("#log li.acts")).to_contain_text("wants to open_gate (gate: north)")
    page.get_by_text("Remembers").click()
    remembered = page.locator("#remembers li")
    expect(remembered.last).to_have_text(
        "Narrator Bob failed: open_gate (gate: north): It is stuck."
    )
    expect(remembered.first).to_have_text("Visitor What is new?")
    keep(page, "memory")


@pytest.mark.usefixtures("gate")
def test_what_an_npc_has_overheard(live: Live, open_page: OpenPage) -> None:
    page = visit(live, open_page)

    async def whisper(client: Client) -> str:
        return (await (await client.say("bob", "Psst!", audible_m=5.0))).text

    answer = live.order(whisper)
    page.evaluate("callsheet.world.selected = 'ida'")
    heard = page.locator("#remembers li")
    expect(heard).to_have_text(["Narrator Psst!", f"Bob {answer}"])


def test_saves_loads_and_a_clock_that_goes_back(
    live: Live, gate: TwoAtTheGate, open_page: OpenPage
) -> None:
    page = visit(live, open_page)
    live.order(lambda client: client.save("at the gate"))
    expect(news(page, "saved")).to_have_text(
        "The game saved \N{LEFT DOUBLE QUOTATION MARK}at the gate"
        "\N{RIGHT DOUBLE QUOTATION MARK} at 11:00"
    )
    gate.time_s = 200.0
    expect(page.locator("#clock")).to_have_text("16:00")
    live.order(lambda client: client.load("at the gate"))
    expect(news(page, "loaded")).to_contain_text("it is 11:00 again")
    keep(page, "saves")
    gate.time_s = 300.0
    expect(page.locator("#clock")).to_have_text("21:00")
    expect(news(page, "rewound")).to_have_count(0)
    gate.time_s = 20.0
    expect(news(page, "rewound")).to_have_text("The clock went back to 07:00")
    expect(page.locator("#clock")).to_have_text("07:00")
