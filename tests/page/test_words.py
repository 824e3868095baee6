"""Names and bubbles on the map: nothing covers anything, and there are not too many."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest
from page.conftest import OpenPage, keep
from page.live import Live, square
from page.visit import ask, begin, wait_for, wait_until_joined
from playwright.sync_api import Page

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser

Box = Sequence[float]

FRAMES_WITH_WORDS = """(wanted) => new Promise((done) => {
  const frames = [];
  const look = () => {
    const { kept, names, bubbles } = callsheet.map.words.boxes;
    if (bubbles.length) frames.push({ kept, names, bubbles });
    if (frames.length < wanted) requestAnimationFrame(look);
    else done(frames);
  };
  look();
})"""

RANDOM_ARRANGEMENT = """async (seed) => {
  const { Arrangement } = await import("./page/arrange.js");
  const { dice } = await import("./page/chance.js");
  const roll = dice(seed);
  const kept = [[10, 10, 180, 130], [500, 380, 560, 430]];
  const arrangement = new Arrangement({ width: 600, height: 450 }, kept);
  for (let word = 0; word < 40; word++) {
    const at = [600 * roll(), 450 * roll()];
    if (roll() < 0.5) arrangement.takeNear(at, 40 + 160 * roll(), 20 + 30 * roll());
    else arrangement.take([at[0], at[1], at[0] + 90, at[1] + 16]);
  }
  return arrangement.taken;
}"""


def overlaps(boxes: Sequence[Box]) -> list[tuple[Box, Box]]:
    return [
        (a, b)
        for a, b in combinations(boxes, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def frames_with_words(page: Page, count: int = 40) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = page.evaluate(FRAMES_WITH_WORDS, count)
    return frames


def talkative(live: Live, open_page: OpenPage, apart_m: float, token_delay_s: float) -> Page:
    """A page in a crowd that stands close together; all of it is spoken to."""
    live.start(ScriptedSettings(rebuild_s=0.0, token_delay_s=token_delay_s))
    live.play(square(16, apart_m))
    page = open_page(live)
    wait_until_joined(page)
    for npc in range(16):
        ask(page, f"npc-{npc}")
    return page


@pytest.mark.parametrize("apart_m", [1.5, 3.0, 7.0])
def test_bubbles_cover_neither_each_other_nor_names_nor_you_nor_the_legend(
    live: Live, open_page: OpenPage, apart_m: float
) -> None:
    page = talkative(live, open_page, apart_m, token_delay_s=0.3)
    wait_for(page, "callsheet.map.words.boxes.bubbles.length > 1")
    frames = frames_with_words(page)
    keep(page, f"words-{apart_m}")
    for frame in frames:
        bubbles = [bubble["box"] for bubble in frame["bubbles"]]
        assert len(bubbles) <= 3
        assert overlaps([*bubbles, *frame["names"]]) == []
        for kept in frame["kept"]:
            assert all(overlaps([kept, word]) == [] for word in (*bubbles, *frame["names"]))
    assert max(len(frame["kept"]) for frame in frames) > 3, "legend, clock, keys, buttons, you"


def test_the_selected_one_has_its_bubble_first(live: Live, open_page: OpenPage) -> None:
    page = talkative(live, open_page, 7.0, token_delay_s=0.3)
    page.evaluate("callsheet.world.selected = 'npc-3'")
    wait_for(page, "callsheet.map.words.boxes.bubbles[0]?.npc === 'npc-3'")
    assert {frame["bubbles"][0]["npc"] for frame in frames_with_words(page)} == {"npc-3"}


def test_dots_stand_for_words_to_come_and_two_lines_for_words(
    live: Live, open_page: OpenPage
) -> None:
    live.start(ScriptedSettings(device_budget_bytes=0, host_budget_bytes=0, rebuild_s=2.0))
    live.play(square())
    page = open_page(live)
    wait_until_joined(page)
    ask(page, "npc-8")
    wait_for(
        page,
        """(() => {
          const [bubble] = callsheet.map.words.boxes.bubbles;
          const { said } = callsheet.world.npcs.get("npc-8");
          return !said && bubble && bubble.box[2] - bubble.box[0] < 50;
        })()""",
    )
    wait_for(page, "callsheet.world.npcs.get('npc-8').said?.lines?.length === 2")
    wait_for(page, "callsheet.world.npcs.get('npc-8').said.untilMs < Infinity")
    assert page.evaluate("callsheet.world.npcs.get('npc-8').said.lines.length") <= 2


def test_nobody_moves_into_a_taken_place(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    for seed in range(60):
        taken = page.evaluate(RANDOM_ARRANGEMENT, seed)
        assert len(taken) > 8
        assert overlaps(taken) == []
