"""Files as they are found: odd encodings, damaged parts, the notations of many tools."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from cast.characters import CARD, ODILA, charx, chunk, png, text
from cast.test_formats import one, read

from callsheet.cast import as_card
from callsheet.wire.fields import MAX_SPEECH_CHARS

ZOE = {**ODILA, "name": "Zoë Ünal"}
WORDS = json.dumps(ZOE, ensure_ascii=False, indent=1)
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
WRAPPED = base64.b64encode(json.dumps(CARD).encode())


@pytest.mark.parametrize(
    "data",
    [
        WORDS.replace("\n", "\r\n").encode("utf-8-sig"),
        b"\xef\xbb\xbf" + WORDS.encode("utf-8-sig"),
        WORDS.encode("utf-16-le"),
        WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
        WORDS.encode() + b"\0\0",
    ],
    ids=["crlf and a mark", "two marks", "utf-16-le", "utf-16-be", "utf-32", "zeros behind"],
)
def test_encodings(tmp_path: Path, data: bytes) -> None:
    assert one(tmp_path, data).name == "Zoë Ünal"


def test_an_encoding_that_is_a_guess_is_told(tmp_path: Path) -> None:
    cast, report = read(tmp_path, json.dumps(ZOE, ensure_ascii=False).encode("cp1252"))
    assert cast.npcs[0].name == "Zoë Ünal"
    assert report.notes == [("thing", "is not UTF-8; read as Windows-1252")]


@pytest.mark.parametrize(
    "data",
    [
        png(chunk(b"tEXt", b"ccv3\0!!!"), text("chara", CARD)),
        png(chunk(b"tEXt", b"ccv3\0"), text("chara", CARD)),
        png(text("ccv3", CARD)),
        png() + text("chara", CARD),
        png(text("chara", CARD))[:-30],
        png(chunk(b"tEXt", b"chara\0" + WRAPPED.rstrip(b"="))),
        png(chunk(b"tEXt", b"Chara\0" + base64.encodebytes(json.dumps(CARD).encode()))),
        png(chunk(b"zTXt", b"chara\0\0" + zlib.compress(WRAPPED))),
        b"\xff\xd8\xff\xe0" + bytes(50) + charx(CARD),
    ],
    ids=["damaged V3 and V2", "empty V3 and V2", "V2 as V3", "behind the end", "cut off",
         "unpadded", "in lines", "compressed", "a zip behind a JPEG"],
)  # fmt: skip
def test_pictures(tmp_path: Path, data: bytes) -> None:
    assert one(tmp_path, data).name == "Odila Farr"


@pytest.mark.parametrize(
    ("name", "clean", "npc"),
    [
        ("An\u200bna", "Anna", "anna"),
        ("An\u00adna\ufeff", "Anna", "anna"),
        ("\u202eAnna\u200f", "Anna", "anna"),
        (PERSIAN, PERSIAN, "u_645_6cc_200c_62e_648_627_647_645"),
        ("👩\u200d👧 Eve", "👩\u200d👧 Eve", "eve"),
        ("ليلى", "ليلى", "u_644_64a_644_649"),
        ("Zoe\u0308", "Zoe\u0308", "zoe"),
        ("\u200b\u2060", "Thing", "thing"),
        ("\u3164", "Thing", "thing"),
        ("\ufe0f\u034f", "Thing", "thing"),
        ("{{char}}", "Thing", "thing"),
    ],
)
def test_names_that_cannot_be_seen(tmp_path: Path, name: str, clean: str, npc: str) -> None:
    found = one(tmp_path, {**ODILA, "name": name})
    assert (found.name, found.npc) == (clean, npc)
    found.spec()


def test_names_that_look_alike_have_ids_of_their_own(tmp_path: Path) -> None:
    cards = [{**ODILA, "name": name} for name in ("Anna", "anna", " ANNA ", "Änna")]
    cast, _ = read(tmp_path, cards)
    assert [npc.npc for npc in cast.npcs] == ["anna", "anna_2", "anna_3", "anna_4"]


AGNAI: dict[str, Any] = {
    "kind": "character",
    "name": "Lysa",
    "description": "For the gallery.",
    "persona": {"kind": "wpp", "attributes": {"mind": ["stubborn", "warm"], "likes": ["iron"]}},
    "scenario": "The forge at dusk.",
    "greeting": "Mind the sparks, {{user}}.",
    "alternateGreetings": ["Back again?"],
    "sampleChat": "{{user}}: Hot?\n{{char}}: Very.",
    "postHistoryInstructions": "Short answers.",
    "characterBook": {
        "kind": "memory",
        "entries": [{"keywords": ["iron"], "entry": "It is dear."}],
    },
    "insert": {"depth": 3, "prompt": "It is hot."},
}


def test_agnai(tmp_path: Path) -> None:
    npc = one(tmp_path, AGNAI)
    assert npc.persona == (
        "mind: stubborn, warm\nlikes: iron\nSituation: The forge at dusk.\n"
        "Examples of talk:\nthe visitor: Hot?\nLysa: Very."
    )
    assert npc.greetings == ("Mind the sparks, the visitor.", "Back again?")
    assert npc.material == "Short answers.\nIt is hot."
    assert [(entry.keys, entry.content) for entry in npc.lorebook] == [(("iron",), "It is dear.")]
    assert as_card(npc)["data"]["extensions"]["callsheet"]["extras"]["description"]


def test_agnai_persona_as_text(tmp_path: Path) -> None:
    persona = {"kind": "text", "attributes": {"text": ["Lysa sings in the rain."]}}
    assert one(tmp_path, {**AGNAI, "persona": persona}).persona.startswith("Lysa sings in the rain")


@pytest.mark.parametrize("notation", ['[Character("Mira") {\nAge("34")\nMind("gruff" + "kind")\n}]',
                                      '[ Mira = tall, quiet, "sailor", hates(rats) ]'])  # fmt: skip
def test_notations_inside_a_card_stay_as_they_are(tmp_path: Path, notation: str) -> None:
    npc = one(tmp_path, {**ODILA, "name": "Mira", "description": notation})
    assert npc.persona.startswith(notation)


def test_a_card_that_is_pygmalions_too_keeps_its_own_fields(tmp_path: Path) -> None:
    npc = one(tmp_path, {**ODILA, "char_name": "Odila", "char_persona": "Mends nets."})
    assert (npc.format, npc.extras["char_persona"]) == ("card v1", "Mends nets.")
    assert "Personality: patient, dry" in npc.persona


@pytest.mark.parametrize(
    ("document", "name", "persona"),
    [
        ({"character": {"name": "Caia", "definition": "Hammers.", "greeting": "Hi"}}, "Caia",
         "Hammers."),
        ({"info": {"character": {"name": "Caia", "description": "Fishes.", "greeting": "Yo"}}},
         "Caia", "Fishes."),
        ({"type": "character", "character": {**ODILA, "name": "In"}}, "In", "In mends nets"),
        ({"character": {"aiName": "Bea", "aiPersona": "Gardens.", "firstMessage": "Hi"}}, "Bea",
         "Gardens."),
        ({"character_name": "Conv", "backstory": "Was a pilot."}, "Conv", "Background: Was"),
        ({"Alice": {"description": "Bakes.", "personality": "calm"}}, "Alice", "Bakes."),
        ("- name: Ya\n  persona: Bakes.\n", "Ya", "Bakes."),
        ("spec: chara_card_v2\ndata:\n  name: Yc\n  first_mes: Hi\n  description: Rows.\n", "Yc",
         "Rows."),
        ('"name": Yg\r\n"context": Digs.\r\n', "Yg", "Digs."),
        ("name: Yes\ncontext: Agrees.\n", "Yes", "Agrees."),
        (b"name,bio\rRa,A man of\rRa", "Ra", "A man of"),
    ],
)  # fmt: skip
def test_shapes(tmp_path: Path, document: object, name: str, persona: str) -> None:
    cast, report = read(tmp_path, document)
    assert cast.npcs[0].name == name, list(report.lines())
    assert cast.npcs[0].persona.startswith(persona)
    assert report.notes == []


def test_lines_of_json_of_which_one_is_damaged(tmp_path: Path) -> None:
    lines = [json.dumps({**ODILA, "name": "A"}), "{broken", json.dumps({**ODILA, "name": "B"})]
    cast, report = read(tmp_path, "\n".join(lines))
    assert [npc.name for npc in cast.npcs] == ["A", "B"]
    assert [one.reason for one in report.skipped] == ["line 2 is damaged JSON"]


def test_yaml_of_several_documents(tmp_path: Path) -> None:
    cast, _ = read(tmp_path, "---\nname: Ye\ncontext: One.\n---\nname: Yf\ncontext: Two.\n")
    assert [npc.name for npc in cast.npcs] == ["Ye", "Yf"]


ENTRY = {"key": "oven, stove", "content": "It is hot."}


@pytest.mark.parametrize(
    "book",
    [
        [ENTRY],
        {"gamestarted": True, "worldinfo": [ENTRY]},
        {"type": "risu", "data": [{**ENTRY, "alwaysActive": False, "insertorder": 5}]},
        {"kind": "memory", "name": "n", "description": "d",
         "entries": [{"keywords": ["oven", "stove"], "entry": "It is hot."}]},
        {"entries": [{**ENTRY, "constant": "false", "enabled": "true", "selective": "true"}]},
        {"spec": "lorebook_v3", "data": {"entries": [
            {"keys": ["oven", "stove"], "content": "@@depth 4\n@@role system\nIt is hot."}]}},
    ],
)  # fmt: skip
def test_lorebooks(tmp_path: Path, book: object) -> None:
    cast, report = read(tmp_path, book)
    assert (cast.npcs, cast.lore) == ((), ""), list(report.lines())
    (entry,) = cast.lorebook
    assert (entry.keys, entry.content) == (("oven", "stove"), "It is hot.")


@pytest.mark.parametrize(
    "entry",
    [{"key": ["/ferr(y|ies)/i", "mill"]}, {"keys": ["ferr(y|ies)", "mill"], "use_regex": True}],
)
def test_patterns_are_kept_told_and_not_used(tmp_path: Path, entry: dict[str, Any]) -> None:
    cast, report = read(tmp_path, {"entries": [{**entry, "content": "c"}]})
    (found,) = cast.lorebook
    assert found.keys == ("mill",)
    assert "ferr(y|ies)" in found.extras["patterns"][0]
    assert "is not used" in report.notes[0][1]


@pytest.mark.parametrize("huge", ["Word " * 60_000, "x" * 300_000, "字" * 100_000])
def test_one_huge_sentence_is_cut_and_not_lost(tmp_path: Path, huge: str) -> None:
    cast, report = read(tmp_path, {**ODILA, "description": huge})
    assert 900 < cast.npcs[0].tokens <= 1_024
    assert report.trimmed[0].tokens_before > 50_000
    cast.npcs[0].spec()


def test_a_greeting_longer_than_an_npc_may_say(tmp_path: Path) -> None:
    long = "She says more and more. " * 500
    npc = one(tmp_path, {**ODILA, "first_mes": long})
    assert len(npc.greetings[0]) <= MAX_SPEECH_CHARS
    assert npc.greetings[0].endswith("more.")
    assert npc.extras["first_mes"] == long


def archive(name: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(name, json.dumps(ODILA))
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "is empty"),
        ('{"name": "A", "first_mes": "hi",}', "is damaged JSON"),
        (json.dumps(ODILA) * 2, "is damaged JSON: Extra data"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "is a picture, but no PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is a picture, but no PNG"),
        (png(), "is a picture without a character in it"),
        (archive("one.json"), "is a zip file without a card.json"),
        ("# Mara\n\nMara keeps goats.\n", "is of no format that is known"),
        ('{"user_name": "You"}\n{"name": "X", "is_user": false, "mes": "hi"}\n', "no character"),
        ('name,bio\nA,"open\nB,next\n', "line 3: a quotation mark is never closed"),
    ],
)
def test_refused_by_name(tmp_path: Path, data: object, reason: str) -> None:
    cast, report = read(tmp_path, data)
    assert cast.npcs == ()
    assert reason in report.skipped[0].reason
