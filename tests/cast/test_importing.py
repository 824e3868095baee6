"""Casts: ids that stay, personas that fit, files that can be read back."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from cast.characters import CARD, MANTELLA, ODILA, SKYRIMNET, WORLD_INFO
from hypothesis import given
from hypothesis import strategies as st

import callsheet
from callsheet.cast import CastError, as_card, import_cast, read_cast, write_cast
from callsheet.cast.character import Section
from callsheet.cast.fitting import compose, estimated_tokens, fit
from callsheet.cast.ids import locked_ids, slug


@pytest.mark.parametrize(
    ("name", "npc"),
    [
        ("Odila Farr", "odila_farr"),
        ("J'zargo", "jzargo"),
        ("Zoë Größe", "zoe_grosse"),
        ("李白", "u_674e_767d"),
        ("Bär-12", "bar_12"),
        ("!!!", "npc"),
    ],
)
def test_ids_are_made_of_names(name: str, npc: str) -> None:
    assert slug(name) == npc


@given(st.lists(st.tuples(st.integers(0, 30), st.text(max_size=200)), max_size=12))
def test_ids_are_valid_different_and_stay(rows: list[tuple[int, str]]) -> None:
    named = list({f"{number}.json": name for number, name in rows}.items())
    ids, lock = locked_ids(named, {})
    assert len(set(ids)) == len(ids)
    for npc, (_, name) in zip(ids, named, strict=True):
        callsheet.NpcSpec(npc=npc, name=name[:100] or "x")
    random.Random(len(rows)).shuffle(named)
    again, _ = locked_ids(named, lock)
    assert again == [lock[source] for source, _ in named]


def test_an_id_whose_source_is_gone_is_given_to_nobody_else() -> None:
    _, lock = locked_ids([("a.json", "Guard"), ("b.json", "Guard")], {})
    ids, lock = locked_ids([("c.json", "Guard")], lock)
    assert ids == ["guard_3"]
    assert lock == {"a.json": "guard", "b.json": "guard_2", "c.json": "guard_3"}


def test_a_file_that_was_moved_keeps_its_id() -> None:
    _, lock = locked_ids([("old/a.json", "Guard"), ("old/b.json", "Guard")], {})
    assert locked_ids([("new/b.json", "Guard")], lock)[0] == ["guard_2"]


def test_memories_stay_with_their_owner_when_a_table_is_sorted_anew(tmp_path: Path) -> None:
    table = tmp_path / "npcs.csv"
    table.write_text(MANTELLA, encoding="utf-8", newline="")
    first, _ = import_cast([table])
    head, *rows = MANTELLA.replace('\r\nRiverwood, ""loud"".', " Riverwood.").splitlines()
    table.write_text("\n".join([head, "Guard,New.,Nord,X,0A00", *rows[::-1]]), encoding="utf-8")
    second, report = import_cast([table], before=first)
    ids = {npc.facts["base_id"]: npc.npc for npc in second.npcs}
    assert ids == {"0C11": "ralof", "0A01": "guard", "0A02": "guard_2", "0A00": "guard_3"}
    assert report.kept_ids == 3


PARTS = [
    Section("description", "Bram keeps an inn. He is old. He is tired."),
    Section("appearance", "Grey beard, red nose, and a coat of many colours."),
    Section("scenario", "It rains and the inn is full of people who want soup."),
    Section("examples", "You: Soup?\nBram: Always soup, and nothing but soup, my friend."),
]


@pytest.mark.parametrize(
    ("budget", "left_out", "last"),
    [
        (45, ("examples",), "soup."),
        (30, ("examples", "scenario"), "colours."),
        (12, ("examples", "scenario", "appearance"), "tired."),
        (8, ("examples", "scenario", "appearance", "1 sentences"), "old."),
    ],
)
def test_a_persona_is_trimmed_in_the_stated_order(
    budget: int, left_out: tuple[str, ...], last: str
) -> None:
    tokens = estimated_tokens([compose(PARTS)])[0]
    fitted = fit(PARTS, tokens, budget, estimated_tokens)
    assert fitted.left_out == left_out
    assert fitted.persona.endswith(last)
    assert fitted.tokens <= budget < fitted.tokens_before == tokens


def test_what_becomes_of_a_persona_over_the_budget(tmp_path: Path) -> None:
    long = {**ODILA, "description": "One more sentence stands here. " * 700}
    (tmp_path / "long.json").write_text(json.dumps(long))
    cast, report = import_cast([tmp_path], fit_by="trim", budget_tokens=100)
    assert report.trimmed[0].tokens == cast.npcs[0].tokens <= 100 < report.trimmed[0].tokens_before
    cast, report = import_cast([tmp_path], fit_by="refuse", budget_tokens=100)
    assert (cast.npcs, report.made, report.refused[0].npc) == ((), 0, "odila_farr")
    cast, report = import_cast([tmp_path], fit_by="keep", budget_tokens=100)
    assert report.over_budget == 1
    assert len(cast.npcs[0].persona) <= 16_000  # the protocol's limit
    cast.npcs[0].spec()


def test_a_cast_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    for name, document in (("a", CARD), ("b", ODILA), ("c", WORLD_INFO)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "sella_1A2").write_text(SKYRIMNET)
    cast, _ = import_cast([tmp_path])
    file = tmp_path / "town.cast.json"
    file.write_bytes(write_cast(cast))
    assert read_cast(file) == callsheet.load_cast(file) == cast
    assert [spec.npc for spec in cast.specs()] == ["odila_farr", "odila_farr_2", "sella"]
    assert callsheet.load_cast(tmp_path / "b.json").npcs[0].name == "Odila Farr"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"format": "callsheet.cast", "version": 2}', "version 2 is not known here"),
        ('{"format": "callsheet.cast", "version": 1, "npcs": [{}]}', "npcs.0.npc"),
        ('{"version": 1}', "is no cast file"),
        ("{", "is no JSON"),
    ],
)
def test_a_damaged_cast_file_is_told(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "town.cast.json"
    file.write_text(text)
    with pytest.raises(CastError, match=wrong):
        read_cast(file)


def test_an_exported_card_has_all_that_was_imported(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CARD))
    (npc,) = import_cast([tmp_path])[0].npcs
    card = as_card(npc)
    data = dict(card["data"])
    extensions = dict(data["extensions"])
    assert extensions.pop("callsheet")["npc"] == "odila_farr"
    assert {**data, "extensions": extensions}.items() >= CARD["data"].items()
    (tmp_path / "a.json").write_text(json.dumps(card))
    (again,) = import_cast([tmp_path])[0].npcs
    assert (again.persona, again.greetings, again.lorebook) == (
        npc.persona,
        npc.greetings,
        npc.lorebook,
    )


def test_an_exported_skyrimnet_character_keeps_its_extras(tmp_path: Path) -> None:
    (tmp_path / "sella_1A2").write_text(SKYRIMNET)
    (npc,) = import_cast([tmp_path])[0].npcs
    own = as_card(npc)["data"]["extensions"]["callsheet"]
    assert own["format"] == "SkyrimNet"
    assert "decnpc" in own["extras"]["speech_style"]
