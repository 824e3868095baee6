"""The card that says how good the forecast is."""

from __future__ import annotations

import pytest
from page.conftest import OpenPage
from page.live import Live

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser

NOTHING = "\N{EN DASH}"
DRAWN = """async ([forecast, calls]) => {
  const { ForecastCard } = await import("./page/forecast.js");
  const root = document.querySelector("[data-part=forecast-card]").cloneNode(true);
  const card = new ForecastCard(root);
  for (const [npc, tier] of calls) card.takeReplyEnd({ npc, tier });
  const device = { kind: "prefix", tier: "device", items: 1, used_bytes: 10, budget_bytes: 20 };
  card.draw({ forecast, tiers: [device] });
  const rows = (name) =>
    [...root.querySelectorAll(`[data-part=${name}] tr`)].map((row) =>
      [...row.cells].map((cell) => cell.textContent));
  const hidden = root.querySelector("[data-part=forecast]").hidden;
  return { hidden, chances: rows("chances"), sources: rows("sources"), optimum: rows("optimum") };
}"""


def test_said_and_seen_the_sources_and_the_bounds(live: Live, open_page: OpenPage) -> None:
    live.start(ScriptedSettings())
    page = open_page(live)
    likely = {"within_s": 2, "band": "likely", "looks": 10, "said": 7, "came": 8}
    forecast = {
        "chances": [likely, {**likely, "band": "possible", "looks": 0, "said": 0, "came": 0}],
        "callers": 4,
        "foremost": 3,
        "sources": [{"name": "history", "foremost": 1}],
    }
    # Room for two. LRU never has the one who comes; Belady keeps ann for her second call.
    calls = [["ann", "host"], ["bob", "device"], ["cid", "device"], ["ann", "device"]]
    drawn = page.evaluate(DRAWN, [forecast, calls])
    assert not drawn["hidden"]
    assert drawn["chances"] == [["likely, within 2 s", "10", "70.0 %", "80.0 %"]]
    assert drawn["sources"] == [
        ["with all sources", "75.0 %", ""],
        ["without history", "25.0 %", "50.0 points"],
    ]
    assert drawn["optimum"] == [
        ["here", "75.0 %"],
        ["LRU", "0.0 %"],
        ["best without prefetching", "25.0 %"],
        ["every call foreseen", "100.0 %"],
    ]


def test_a_world_of_which_nothing_is_known_says_so(live: Live, open_page: OpenPage) -> None:
    live.start(ScriptedSettings())
    drawn = open_page(live).evaluate(DRAWN, [None, []])
    assert drawn["hidden"]
    assert drawn["optimum"][0] == ["here", NOTHING]
