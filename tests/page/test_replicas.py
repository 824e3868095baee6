"""The strip of replicas on the page."""

from __future__ import annotations

import pytest
from page.conftest import OpenPage
from page.live import Live

from callsheet_server.engine.scripted import ScriptedSettings

pytestmark = pytest.mark.browser

DRAWN = """async (replicas) => {
  const { drawReplicas } = await import("./page/replicas.js");
  const section = document.querySelector("[data-part=replicas]").cloneNode(true);
  drawReplicas(section, replicas);
  const items = [...section.querySelectorAll("li")];
  return [section.hidden, items.map((item) => [item.dataset.state, item.textContent])];
}"""


def test_each_replica_has_a_strip_and_an_engine_without_has_none(
    live: Live, open_page: OpenPage
) -> None:
    live.start(ScriptedSettings())
    page = open_page(live)
    assert page.evaluate(DRAWN, None) == [True, []]
    one = {
        "name": "gpu-1:30000",
        "state": "serving",
        "npcs": 40,
        "running": 2,
        "queued": 1,
        "replies": 10,
        "device_hits": 9,
        "soonest": ["bob", "ann"],
    }
    other = {**one, "name": "<b>gpu-2</b>", "state": "lost", "replies": 0, "soonest": []}
    hidden, strips = page.evaluate(DRAWN, [one, other])
    assert not hidden
    assert strips == [
        ["serving", "gpu-1:3000040 NPCs · 2 + 1 requests · 90.0 % in engine memorybob, ann"],
        ["lost", "<b>gpu-2</b>does not answer: 40 NPCs · 2 + 1 requests"],
    ]
