from __future__ import annotations

import pytest
from world.ticks import world_with

from callsheet.wire import SamplingSpec, Say, Speaker
from callsheet_server.engine.engine import Priority, Sampling
from callsheet_server.reply.prompting import heard_turn, priority_of, sampling_of, speaker_name
from callsheet_server.reply.settings import ReplySettings
from callsheet_server.world.memory import Turn


@pytest.mark.parametrize(
    ("speaker", "name"),
    [
        (Speaker(kind="player", id="ann"), "Ann"),
        (Speaker(kind="player", id="ann", name="The Stranger"), "The Stranger"),
        (Speaker(kind="player", id="unknown"), "unknown"),
        (Speaker(kind="npc", id="bob"), "Bob"),
        (Speaker(kind="npc", id="ann"), "ann"),
        (Speaker(kind="player"), "Narrator"),
        (Speaker(kind="narrator", id="bob"), "Narrator"),
    ],
)
def test_an_npc_knows_who_speaks(speaker: Speaker, name: str) -> None:
    assert speaker_name(world_with("bob", players=("ann",)), speaker) == name


def test_material_comes_before_the_words() -> None:
    assert heard_turn("Ann", "Hi.", None) == Turn("Ann", "Hi.")
    assert heard_turn("Ann", "Hi.", "It rains.") == Turn("Ann", "(It rains.)\nHi.")


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        ("player", None, Priority.PLAYER),
        ("npc", None, Priority.NPC),
        ("narrator", None, Priority.BACKGROUND),
        ("player", "background", Priority.BACKGROUND),
        ("narrator", "player", Priority.PLAYER),
    ],
)
def test_priority_is_as_asked_else_after_the_speaker(
    kind: str, asked: str | None, expected: Priority
) -> None:
    message = Say.model_validate(
        {"id": 1, "npc": "bob", "speaker": {"kind": kind}, "text": "x", "priority": asked}
    )
    assert priority_of(message) is expected


def test_a_request_overrides_single_settings() -> None:
    settings = ReplySettings(temperature=0.5, top_k=7)
    assert sampling_of(None, settings) == Sampling(0.5, 0.95, 7, 1.1, None)
    asked = SamplingSpec(temperature=0.0, seed=3)
    assert sampling_of(asked, settings) == Sampling(0.0, 0.95, 7, 1.1, 3)
