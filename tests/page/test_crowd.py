"""Two thousand NPCs in sight: how much is drawn for each, and how fast."""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any

import pytest
from page.conftest import OUTPUT, OpenPage, keep
from page.live import Live, crowd
from page.visit import wait_for
from playwright.sync_api import Page, expect

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser

NPCS = 2_000
FRAMES = """() => new Promise((done) => {
  const times = [];
  const frame = (now) => {
    times.push(now);
    if (times.length < 181) requestAnimationFrame(frame);
    else done(times);
  };
  requestAnimationFrame(frame);
})"""
CALLS_OF_A_FRAME = """() => {
  const drawing = CanvasRenderingContext2D.prototype;
  const names = ["drawImage", "fill", "fillRect", "fillText", "stroke", "strokeText"];
  const own = Object.fromEntries(names.map((name) => [name, drawing[name]]));
  const calls = Object.fromEntries(names.map((name) => [name, 0]));
  for (const name of names)
    drawing[name] = function (...args) {
      calls[name] += 1;
      return own[name].apply(this, args);
    };
  callsheet.map.draw(performance.now(), 1 / 60);
  Object.assign(drawing, own);
  return calls;
}"""


@pytest.fixture
def page(live: Live, open_page: OpenPage) -> Page:
    live.start(ScriptedSettings())
    live.play(crowd(NPCS))
    page = open_page(live)
    expect(page.locator("#summary")).to_have_text(f"{NPCS} NPCs")
    wait_for(page, "callsheet.camera.scale > 0 && callsheet.camera.scale < 2")
    return page


def test_a_frame_costs_one_copied_image_an_npc(page: Page) -> None:
    calls: dict[str, int] = page.evaluate(CALLS_OF_A_FRAME)
    images = calls.pop("drawImage")
    assert NPCS < images < NPCS + 100
    assert sum(calls.values()) < 300, calls


def test_frames_are_timed(page: Page) -> None:
    """test-output/page/frames.json tells how fast they are drawn; -s prints it.

    Frames a second depend on whether there is a GPU; the time in the page's own script does not.
    """
    devtools = page.context.new_cdp_session(page)
    devtools.send("Profiler.enable")
    devtools.send("Profiler.start")
    times: list[float] = page.evaluate(FRAMES)
    profile = devtools.send("Profiler.stop")["profile"]
    gaps_ms = sorted(b - a for a, b in itertools.pairwise(times))
    figures = {
        "npcs": NPCS,
        "frames_per_s": round(1000 * len(gaps_ms) / (times[-1] - times[0]), 1),
        "p50_ms": round(gaps_ms[len(gaps_ms) // 2], 1),
        "p95_ms": round(gaps_ms[int(0.95 * len(gaps_ms))], 1),
        "max_ms": round(gaps_ms[-1], 1),
        "script_ms_a_frame": round(script_ms(profile) / len(gaps_ms), 2),
    }
    keep(page, "crowd")
    (OUTPUT / "frames.json").write_text(json.dumps(figures) + "\n")
    sys.stdout.write(json.dumps(figures) + "\n")
    assert len(gaps_ms) == 180
    assert page.evaluate("callsheet.world.npcs.size") == NPCS


def script_ms(profile: dict[str, Any]) -> float:
    """Time in the page's own functions, without the browser's that they call."""
    own = {node["id"] for node in profile["nodes"] if "/page/" in node["callFrame"]["url"]}
    samples = zip(profile["samples"], profile["timeDeltas"], strict=True)
    return float(sum(delta_us for node, delta_us in samples if node in own)) / 1000
