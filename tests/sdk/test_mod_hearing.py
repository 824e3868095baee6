"""Which actions a script leaves its NPC after what it heard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callsheet.mod import Npc
from callsheet.mod.handlers import HandlerRunner
from callsheet.mod.hearing import hear, judge
from callsheet.mod.npc import Gate
from callsheet.wire import ActionChosen, HearAnswer, Heard, SpeakerView

SELL: dict[str, Gate | None] = {"sell": lambda _, heard: "buy" in heard.text}
WAVE: dict[str, Gate | None] = {"wave": None}


async def answered(
    on_hear: Callable[[Any, Heard], object] | None,
    gates: dict[str, Gate | None],
    text: str = "I buy it.",
    offered: tuple[str, ...] = ("open_gate",),
) -> HearAnswer:
    npc = type("Baker", (Npc,), {} if on_hear is None else {"on_hear": on_hear})()
    npc.npc = "bob"
    heard = Heard(
        script="baker",
        call=1,
        npc="bob",
        speaker=SpeakerView(kind="narrator"),
        text=text,
        deadline_s=10.0,
        actions=offered,
    )
    shown: list[str] = []
    handlers = HandlerRunner(Path("baker.py"), shown.append)
    try:
        return await hear(npc, heard, gates, handlers, shown.append)
    finally:
        handlers.close()


@pytest.mark.parametrize(
    ("on_hear", "gates", "allowed"),
    [
        (None, WAVE, None),
        (None, SELL, ("sell", "open_gate")),
        (lambda self, heard: self.deny("open_gate"), WAVE, ("wave",)),
        (lambda self, heard: self.deny("wave"), WAVE, ("open_gate",)),
        (lambda self, heard: self.allow("open_gate"), WAVE, ("open_gate",)),
        (lambda self, heard: self.allow("gated_one"), WAVE, ("gated_one",)),
        (lambda self, heard: self.allow(), SELL, ()),
    ],
)
async def test_a_script_judges_the_games_actions_too(
    on_hear: Callable[[Any, Heard], object] | None,
    gates: dict[str, Gate | None],
    allowed: tuple[str, ...] | None,
) -> None:
    assert (await answered(on_hear, gates)).actions == allowed


async def test_a_gate_that_is_shut_leaves_the_games_actions() -> None:
    assert (await answered(None, SELL, text="Hello.")).actions == ("open_gate",)


@pytest.mark.parametrize(
    ("on_act", "ok"),
    [
        (lambda self, chosen: chosen.arguments["price"] < 10, True),
        (lambda self, chosen: chosen.arguments["price"] > 10, False),
        (lambda self, chosen: None, False),
        (lambda self, chosen: chosen.arguments["cost"], False),
    ],
)
async def test_a_script_lets_its_npc_act_only_by_saying_so(
    on_act: Callable[[Any, ActionChosen], object], ok: bool
) -> None:
    npc = type("Baker", (Npc,), {"on_act": on_act})()
    npc.npc = "bob"
    chosen = ActionChosen(
        script="baker", call=3, npc="bob", name="sell", arguments={"price": 5}, deadline_s=10.0
    )
    shown: list[str] = []
    handlers = HandlerRunner(Path("baker.py"), shown.append)
    try:
        verdict = await judge(npc, chosen, handlers, shown.append)
    finally:
        handlers.close()
    assert (verdict.call, verdict.ok) == (3, ok)
    assert any("vetoed sell of 'bob'" in line for line in shown) != ok
