"""Lorebooks and greetings: what a cast's NPCs know and say besides their personas."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cast.characters import CARD
from sdk.conftest import Programs
from sdk.test_mod_run import run

import callsheet
from callsheet import SpeakerView
from callsheet.cast import Cast, import_cast, write_cast
from callsheet.mod import Greetings, Heard, Lorebook, LoreEntry
from callsheet.mod.cast import matching

MOD = """
from callsheet.mod import Greetings, Lorebook

class Quay(Greetings, Lorebook):
    cast = "quay.cast.json"
"""


def always() -> float:
    return 0.0


def entry(content: str, *keys: str, **more: object) -> LoreEntry:
    return LoreEntry(content, keys=keys, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("logic", "known"),
    [
        ("any", {"the night is long": True, "night and fog": True, "day": False}),
        ("all", {"the night is long": False, "night and fog": True, "day": False}),
        ("not_any", {"the night is long": False, "night and fog": False, "day": True}),
        ("not_all", {"the night is long": True, "night and fog": False, "day": True}),
    ],
)
def test_secondary_keys(logic: str, known: dict[str, bool]) -> None:
    one = entry("Mill.", "MILL", secondary_keys=("night", "fog"), logic=logic)
    for words, is_known in known.items():
        assert bool(matching([one], [f"The mill, {words}"], 99, always)) is is_known
        assert not matching([one], [words], 99, always)


def test_order_budget_and_probability() -> None:
    book = [
        entry("Low, and twenty long.", "mill", order=1),
        entry("High.", "mill", order=9),
        entry("Always.", constant=True, order=5),
        entry("Never.", "bell", order=99),
    ]
    heard = ["What of the mill?"]
    assert matching(book, heard, 99, always) == ["Low, and twenty long.", "Always.", "High."]
    assert matching(book, heard, 5, always) == ["Always.", "High."]
    sometimes = [entry("Sometimes.", "mill", probability=0.6)]
    assert matching(sometimes, heard, 99, lambda: 0.59) == ["Sometimes."]
    assert matching(sometimes, heard, 99, lambda: 0.6) == []


def test_case_matters_where_the_entry_says_so() -> None:
    one = entry("Bell.", "Bell", case_sensitive=True)
    assert matching([one], ["the Bell"], 99, always)
    assert not matching([one], ["the bell"], 99, always)


@pytest.fixture
def quay(tmp_path: Path) -> tuple[Cast, Path]:
    """A cast, and a mod for it."""
    (tmp_path / "odila.json").write_text(json.dumps(CARD))
    cast, _ = import_cast([tmp_path / "odila.json"])
    (tmp_path / "quay.cast.json").write_bytes(write_cast(cast))
    (tmp_path / "quay.py").write_text(MOD)
    return cast, tmp_path / "quay.py"


async def test_a_cast_greets_once_and_knows_its_lore(
    url: str, quay: tuple[Cast, Path], programs: Programs
) -> None:
    cast, file = quay
    async with callsheet.connect(url, role="game", world="town") as game:
        handles = await game.spawn(
            cast.specs(),
            [callsheet.PlayerSpec(player=name, name=name.title()) for name in ("ann", "ben")],
        )
        await programs.start(*run(url, file))
        said: asyncio.Queue[callsheet.ReplyEnd] = asyncio.Queue()
        game.on(said.put_nowait, callsheet.ReplyEnd)
        place = {"ann": 900.0, "ben": 900.0}

        async def tick(game_time_s: float) -> None:
            await game.send_tick(
                game_time_s,
                list(handles.npcs.values()),
                [[0.0, 0.0, 0.0]],
                player_handles=list(handles.players.values()),
                player_positions_m=[[place[name], 0.0, 0.0] for name in handles.players],
            )

        await tick(0.0)
        time_s = 0.0
        for name, line in (("ann", "Ferry's late"), ("ben", "You again")):
            while said.empty():  # until the mod is there
                place[name] = 1.0 if place[name] > 100 else 900.0
                time_s += 1.0
                await tick(time_s)
                await asyncio.sleep(0.05)
            assert line in said.get_nowait().text
        place["ann"] = 900.0
        await tick(time_s + 1.0)
        place["ann"] = 1.0
        await tick(time_s + 2.0)
        reply = await (await game.say("odila_farr", "When is the ferry, at night?", speaker="ann"))
        assert said.get_nowait().text == reply.text, "ann was greeted twice"
        facts = await game.get_facts("odila_farr")
        assert facts["met"] == ["ann", "ben"]


class Stage:
    """What a mod's NPCs do, noted."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    async def speak(self, npc: str, text: str, audible_m: float | None) -> str:
        self.said.append((npc, text))
        return text

    async def remember(self, npc: str, facts: dict[str, object]) -> None:
        pass

    async def recall(self, npc: str) -> dict[str, object]:
        return {}


@pytest.fixture
def square(tmp_path: Path) -> Cast:
    """Three who have lines for when they are met alone, two of them for company too."""
    cards = [
        {"name": "Ada", "first_mes": "Hello.", "group_only_greetings": ["Hello, with Bo."]},
        {"name": "Bo", "first_mes": "Hi.", "group_only_greetings": ["Hi, you two."]},
        {"name": "Cy", "first_mes": "Hey."},
    ]
    data = [{"spec": "chara_card_v3", "data": card} for card in cards]
    (tmp_path / "cards.json").write_text(json.dumps(data))
    return import_cast([tmp_path / "cards.json"])[0]


async def test_who_is_met_in_company_says_a_group_greeting(square: Cast) -> None:
    class Square(Greetings):
        npcs = ("ada", "bo", "cy")
        _whole = square

    stage = Stage()

    def person(npc: str) -> Square:
        made = Square.__new__(Square)
        made.npc = npc
        made._stage = stage  # type: ignore[assignment]
        Square.__init__(made)
        return made

    ada, bo, cy = map(person, Square.npcs)
    for one in (ada, bo, cy):
        await one.on_near("ann")
    await ada.on_near("ben")
    await ada.on_leave("ben")
    await bo.on_near("ben")
    assert stage.said == [
        ("ada", "Hello."),
        ("bo", "Hi, you two."),
        ("cy", "Hey."),
        ("ada", "Hello."),
        ("bo", "Hi."),
    ]
    await ada.on_near("cem")
    await ada.on_despawn()
    await bo.on_near("cem")
    assert stage.said[-1] == ("bo", "Hi.")


class Quay(Lorebook):
    entries = (entry("The ferry is late.", "ferry"),)


def test_lore_is_found_in_the_latest_lines() -> None:
    book = Quay.__new__(Quay)
    book.npc = "odila"
    Quay.__init__(book)
    told = [book.on_hear(heard(text)) for text in ("Any ferry?", "a", "b", "c", "d")]
    assert [answer and answer.material for answer in told] == [
        *["The ferry is late."] * Quay.scan_depth,
        None,
    ]


def heard(text: str) -> Heard:
    ann = SpeakerView(kind="player", id="ann", name="Ann")
    return Heard(script="quay.Quay", call=1, npc="odila", speaker=ann, text=text, deadline_s=1.0)
