"""Each format, told by its content: the files have names that say nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cast.characters import (
    AI_TOWN,
    CARD,
    MANTELLA,
    ODILA,
    SKYRIMNET,
    WORLD_INFO,
    YAML,
    charx,
    international,
    png,
    text,
)

from callsheet.cast import Cast, CastNpc, Report, import_cast


def read(folder: Path, data: object) -> tuple[Cast, Report]:
    """Import one file, as text, bytes or JSON."""
    file = folder / "thing"
    if isinstance(data, str):
        file.write_text(data, encoding="utf-8", newline="")
    elif isinstance(data, bytes):
        file.write_bytes(data)
    else:
        file.write_text(json.dumps(data), encoding="utf-8")
    return import_cast([file])


def one(folder: Path, data: object) -> CastNpc:
    cast, report = read(folder, data)
    assert len(cast.npcs) == 1, list(report.lines())
    return cast.npcs[0]


def test_a_flat_card(tmp_path: Path) -> None:
    npc = one(tmp_path, ODILA)
    assert (npc.npc, npc.name, npc.format) == ("odila_farr", "Odila Farr", "card v1")
    assert npc.persona == (
        "Odila Farr mends nets on the quay. Odila Farr has one blue eye.\n"
        "Personality: patient, dry\n"
        "Situation: the visitor waits for the ferry.\n"
        "Examples of talk:\n<START>\nthe visitor: Is it far?\nOdila Farr: Far is a matter of shoes."
    )
    assert npc.greetings == ('"Ferry\'s late, the visitor."',)


def test_a_card_of_version_2(tmp_path: Path) -> None:
    npc = one(tmp_path, CARD)
    assert npc.greetings == ('"Ferry\'s late, the visitor."', '"You again, the visitor."')
    assert npc.material == "Keep it under forty words.\nIt is night."
    assert npc.sociability == 0.3
    assert npc.facts == {"tags": ["fisher", "Harbour"]}
    assert "Known: Salt costs two pence." in npc.persona
    (entry,) = npc.lorebook
    assert (entry.keys, entry.secondary_keys) == (("ferry",), ("night",))
    assert npc.lorebook_budget_tokens == 300
    assert npc.extras["creator_notes"] == "Best with a small model."


def test_an_archetype_is_the_first_tag_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "odila").write_text(json.dumps(CARD))
    cast, _ = import_cast([tmp_path], archetypes=["guard", "harbour", "fisher"])
    assert cast.npcs[0].archetype == "harbour"


def test_null_stands_for_an_empty_list(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("character_book", "alternate_greetings", "tags", "extensions"))
    npc = one(tmp_path, {"spec": "chara_card_v3", "data": {**ODILA, **nothing}})
    assert npc.greetings == ('"Ferry\'s late, the visitor."',)


@pytest.mark.parametrize("after", [False, True])
def test_a_picture_with_the_newer_card_preferred(tmp_path: Path, after: bool) -> None:
    newer = {"spec": "chara_card_v3", "data": {**ODILA, "name": "Newer"}}
    data = png(text("chara", CARD), text("ccv3", newer), after=after)
    assert one(tmp_path, data).name == "Newer"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_picture_with_an_international_text(tmp_path: Path, compressed: bool) -> None:
    wrapped = base64.b64encode(json.dumps(CARD).encode())
    data = png(international("chara", wrapped, compressed=compressed))
    assert one(tmp_path, data).name == "Odila Farr"


def test_a_charx(tmp_path: Path) -> None:
    assert one(tmp_path, charx(CARD)).name == "Odila Farr"


def test_pygmalion(tmp_path: Path) -> None:
    npc = one(
        tmp_path,
        {
            "char_name": "Brom",
            "char_persona": "A cooper who hums.",
            "world_scenario": "His yard at noon.",
            "char_greeting": "Mind the hoops.",
            "example_dialogue": "{{user}}: A barrel?\nBrom: Oak?",
            "metadata": {"version": 1},
        },
    )
    assert npc.persona.startswith("A cooper who hums.\nSituation: His yard at noon.")
    assert npc.greetings == ("Mind the hoops.",)
    assert npc.extras["metadata"] == {"version": 1}


def test_entries_without_a_name_are_a_lorebook_and_no_character(tmp_path: Path) -> None:
    cast, report = read(tmp_path, WORLD_INFO)
    assert cast.npcs == ()
    assert cast.lore == "It is the year of two harvests."
    (entry,) = cast.lorebook
    assert (entry.keys, entry.logic, entry.probability) == (("mill",), "not_any", 0.6)
    assert report.formats == {"lorebook": 1}


def test_pantella_with_and_without_a_bio(tmp_path: Path) -> None:
    warden: dict[str, Any] = {"bio": None, "name": "Road Warden", "race": "Nord", "base_id": "0C11"}
    cast, report = read(tmp_path, [warden, {**warden, "name": "Ysa", "bio": "Ysa hunts."}])
    assert [npc.persona for npc in cast.npcs] == ["", "Ysa hunts."]
    assert cast.npcs[0].facts == {"race": "Nord", "base_id": "0C11"}
    assert report.without_persona == 1


def test_skyrimnet(tmp_path: Path) -> None:
    (tmp_path / "sella_stone_1A2.prompt").write_text(SKYRIMNET)
    cast, report = import_cast([tmp_path])
    (npc,) = cast.npcs
    assert (npc.name, npc.facts["ref_id"]) == ("Sella Stone", "1A2")
    assert "Sella keeps bees.\nOccupation: Sleeps." in npc.persona
    assert npc.facts["relationships"] == "- Oren (brother): owes her a hive"
    assert "decnpc" not in npc.persona
    assert any("decnpc" in note for _, note in report.notes)


def test_a_generative_agent(tmp_path: Path) -> None:
    npc = one(
        tmp_path,
        {
            "vision_r": 8,
            "curr_tile": None,
            "name": "Tilda Grau",
            "age": 41,
            "innate": "careful",
            "learned": "Tilda repairs clocks.",
            "daily_plan_req": "Opens at 8.",
        },
    )
    assert npc.persona == (
        "Personality: careful\nBackground: Tilda repairs clocks.\nOccupation: Opens at 8."
    )
    assert npc.facts == {"age": 41}
    assert npc.extras == {"vision_r": 8}


def test_eliza(tmp_path: Path) -> None:
    npc = one(
        tmp_path,
        {
            "name": "Ada",
            "bio": ["counts things", "forgets none"],
            "lore": ["born in a mill"],
            "adjectives": ["exact"],
            "style": {"all": ["short"], "chat": ["kind"], "post": ["loud"]},
            "messageExamples": [
                [
                    {"user": "{{user1}}", "content": {"text": "How many?"}},
                    {"user": "Ada", "content": {"text": "Nine."}},
                ]
            ],
        },
    )
    assert npc.persona.startswith("- counts things\n- forgets none\n")
    assert "Ada: Nine." in npc.persona
    assert npc.extras["style_of_posts"] == ["loud"]


def test_ai_town_source_is_read_and_never_run(tmp_path: Path) -> None:
    npc = one(tmp_path, AI_TOWN)
    assert npc.persona == (
        "Marek sells umbrellas and hopes for rain. He can't lie.\n"
        'Background: You want to sell one umbrella "today".'
    )


def test_a_table(tmp_path: Path) -> None:
    cast, report = read(tmp_path, MANTELLA)
    assert [npc.npc for npc in cast.npcs] == ["ralof", "guard", "guard_2"]
    assert cast.npcs[0].persona == 'A man of\nRiverwood, "loud".'
    assert cast.npcs[0].facts["voice_model"] == "MaleNord"
    assert [skipped.reason for skipped in report.skipped] == ["line 6: has no name"]


def test_yaml(tmp_path: Path) -> None:
    npc = one(tmp_path, YAML)
    assert npc.persona == "Hilde bakes bread.\nShe is up at four."
    assert npc.greetings == ("*waves* Hello, the visitor!",)


def test_inworld(tmp_path: Path) -> None:
    npc = one(
        tmp_path,
        {
            "defaultCharacterDescription": {
                "givenName": "Iris",
                "description": "Iris runs a bar.",
                "motivation": "To pay the rent.",
            },
            "facts": ["The bar burned once."],
        },
    )
    assert npc.name == "Iris"
    assert "Background: To pay the rent.\nKnown: The bar burned once." in npc.persona


def test_windows_1252_and_a_byte_order_mark(tmp_path: Path) -> None:
    card = json.dumps({**ODILA, "name": "Zoë"}, ensure_ascii=False)
    assert one(tmp_path, card.encode("cp1252")).name == "Zoë"
    assert one(tmp_path, card.encode("utf-8-sig")).name == "Zoë"
    assert one(tmp_path, card.encode("utf-16")).name == "Zoë"


def test_a_card_without_a_name_is_called_after_its_file(tmp_path: Path) -> None:
    (tmp_path / "old_bram.json").write_text(json.dumps({**ODILA, "name": ""}))
    cast, report = import_cast([tmp_path])
    assert cast.npcs[0].name == "Old Bram"
    assert report.notes == [
        ("old_bram.json", "has no name; called 'Old Bram' after its file"),
    ]


def test_one_bad_entry_sinks_no_file(tmp_path: Path) -> None:
    cast, report = read(tmp_path, [{"bio": "Nobody."}, 7, {"name": "Ysa", "bio": "Ysa hunts."}])
    assert [npc.name for npc in cast.npcs] == ["Ysa"]
    assert [skipped.reason for skipped in report.skipped] == ["0 has no name"]


@pytest.mark.parametrize(
    "data", [{"name": "left-pad", "description": "Pads.", "version": "1.0"}, [1, 2], "hello", b"\0"]
)
def test_what_is_no_character_is_skipped_with_a_reason(tmp_path: Path, data: object) -> None:
    cast, report = read(tmp_path, data)
    assert cast.npcs == ()
    assert len(report.skipped) == 1
