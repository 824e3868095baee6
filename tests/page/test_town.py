"""The town on the map: made from the world, the same for everybody; the hour is the game's."""

from __future__ import annotations

from typing import Any

import pytest
from page.conftest import OpenPage, keep
from page.live import Live, town
from page.visit import begin, speak_to, wait_for, wait_until_joined
from playwright.sync_api import Page

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser

LAYOUT = """async ([name, people]) => {
  const { layOut } = await import("./page/layout.js");
  const [xs, ys] = [people.map(({ x }) => x), people.map(({ y }) => y)];
  const box = {
    left: Math.min(...xs), right: Math.max(...xs), bottom: Math.min(...ys), top: Math.max(...ys),
  };
  return layOut(name, people, box);
}"""

PEOPLE = [{"x": 7.0 * (i % 8) + i % 3, "y": 9.0 * (i // 8)} for i in range(40)]


def lay_out(page: Page, name: str, people: list[dict[str, float]]) -> dict[str, Any]:
    layout: dict[str, Any] = page.evaluate(LAYOUT, [name, people])
    return layout


def test_the_same_world_gets_the_same_town_and_another_another(
    live: Live, open_page: OpenPage
) -> None:
    page = begin(live, open_page)
    layout = lay_out(page, "larkwater", PEOPLE)
    assert lay_out(page, "larkwater", PEOPLE) == layout
    assert lay_out(page, "elsewhere", PEOPLE)["trees"] != layout["trees"]
    moved = [{"x": 2 * person["x"], "y": person["y"]} for person in PEOPLE]
    assert lay_out(page, "larkwater", moved)["places"] != layout["places"]
    assert len(layout["places"]) > 1
    assert len(layout["trees"]) > len(layout["houses"]) > 3


def test_houses_stand_beside_paths_and_people(live: Live, open_page: OpenPage) -> None:
    layout = lay_out(begin(live, open_page), "larkwater", PEOPLE)
    on_foot = [*PEOPLE, *(point for path in layout["paths"] for point in path)]
    for house in layout["houses"]:
        for point in on_foot:
            assert (house["x"] - point["x"]) ** 2 + (house["y"] - point["y"]) ** 2 > 3.5**2


def test_houses_and_ponds_give_way_to_people(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    layout = lay_out(page, "larkwater", PEOPLE)
    cleared = """async ([town, people]) => {
      const { cleared } = await import("./page/layout.js");
      const left = cleared(town, people);
      return { houses: left.houses, pond: left.pond, isSame: left === town };
    }"""
    assert page.evaluate(cleared, [layout, PEOPLE])["isSame"]
    house, *others = layout["houses"]
    pond = {"x": 500.0, "y": 500.0, "radiusM": 5.0}
    town = layout | {"pond": pond}
    left = page.evaluate(cleared, [town, [{"x": house["x"] + 0.5, "y": house["y"]}]])
    assert left == {"houses": others, "pond": pond, "isSame": False}
    left = page.evaluate(cleared, [town, [{"x": 502.0, "y": 502.0}]])
    assert left == {"houses": layout["houses"], "pond": None, "isSame": False}


def test_day_and_night_come_with_the_games_clock(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    hours, darkness = page.evaluate(
        """async () => {
          const { Daylight } = await import("./page/daylight.js");
          const day = new Daylight(480);
          const times = [0, 120, 360, 480, -120];
          return [times.map((s) => day.clock(s)), times.map((s) => day.darkness(s))];
        }"""
    )
    assert hours == ["06:00", "12:00", "00:00", "06:00", "00:00"]
    assert darkness[1:3] == [0, 1]
    assert 0 < darkness[0] == darkness[3] < 1
    wait_for(page, "document.getElementById('clock').textContent === '06:00'")


def test_the_town_at_night(live: Live, open_page: OpenPage) -> None:
    live.start(ScriptedSettings())
    live.play(town())
    page = open_page(live)
    wait_until_joined(page)
    brightness = """(darkness) => {
      callsheet.map._daylight.darkness = () => darkness;
      callsheet.map.draw(performance.now(), 0.01);
      const { width, height } = document.getElementById("map");
      const pixels = document.getElementById("map").getContext("2d");
      const { data } = pixels.getImageData(0, 0, width, height);
      return data.reduce((sum, value) => sum + value, 0) / data.length;
    }"""
    assert page.evaluate(brightness, 1) < 0.8 * page.evaluate(brightness, 0)
    page.evaluate(brightness, 1)
    keep(page, "town-night")


def test_walking_is_smooth(live: Live, open_page: OpenPage) -> None:
    """Pictures come early and late; whoever walks at 1.5 m/s neither stops nor leaps."""
    page = begin(live, open_page)
    speeds_mps: list[float] = page.evaluate(
        """async () => {
          const { World } = await import("./page/world.js");
          const { dice } = await import("./page/chance.js");
          const [world, roll, speeds] = [new World(), dice(7), []];
          const picture = (nowMs) => world.takeStates({
            game_time_s: nowMs / 1000, part: 0, parts: 1,
            npcs: ["a", "b"].map((npc, row) =>
              ({ npc, tier: "host", position: [1.5 * nowMs / 1000, 0, 5 * row] })),
          }, nowMs);
          let pictureMs = 0;
          for (let nowMs = 0, before = 0; nowMs < 20000; nowMs += 1000 / 60) {
            if (nowMs >= pictureMs) {
              picture(nowMs);
              pictureMs += 80 + 40 * roll();
            }
            world.advance(nowMs);
            const { x } = world.npcs.get("a");
            if (nowMs > 3000) speeds.push((x - before) * 60);
            before = x;
          }
          return speeds;
        }"""
    )
    assert len(speeds_mps) > 900
    assert max(speeds_mps) < 1.5 * 1.5
    assert min(speeds_mps) > 0.5 * 1.5


def test_a_mind_that_arrives_on_the_gpu_is_shown(live: Live, open_page: OpenPage) -> None:
    page = begin(live, open_page)
    speak_to(page, "npc-8")
    wait_for(page, "callsheet.world.npcs.get('npc-8').arrivedMs > 0")
