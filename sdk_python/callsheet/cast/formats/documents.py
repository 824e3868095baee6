"""JSON and YAML documents: cards, and what games and agent frameworks write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from callsheet.cast.character import Book, Character, Section
from callsheet.cast.errors import NotACharacterError
from callsheet.cast.formats.agnai import AGNAI, flat_agnai, is_agnai
from callsheet.cast.formats.lorebook import entries_of, is_lorebook, read_book
from callsheet.cast.formats.places import NAMELESS, Place, build, filled
from callsheet.cast.formats.values import as_number, as_texts

__all__ = ["read_document"]

Fields = Mapping[str, Any]
LISTS: Final = ("npcs", "characters", "agents", "personas", "people", "cast")
"""Fields under which a file may hold many characters."""
WRAPPERS: Final = ("character", "char", "card", "info")
"""Fields under which a file may hold its one character."""
MAX_DEPTH: Final = 4
"""Lists inside lists that are looked into."""

FACTS: Final[Mapping[str, Place]] = dict.fromkeys(
    (
        "race", "gender", "sex", "species", "age", "pronouns", "pronoun", "faction", "factions",
        "voice", "voice_model", "voice_folder", "voice_type", "voice_id", "voiceId", "ref_id",
        "refId", "base_id", "baseId", "form_id", "formId", "class", "level", "title", "lifeStage",
        "living_area", "location", "skyrim_voice_folder", "fallout4_voice_folder",
    ),
    "fact",
)  # fmt: skip
CARD: Final[Mapping[str, Place]] = {
    "name": "name",
    "description": "description",
    "personality": "personality",
    "scenario": "scenario",
    "first_mes": "greetings",
    "alternate_greetings": "greetings",
    "group_only_greetings": "group_greetings",
    "mes_example": "examples",
    "post_history_instructions": "material",
    "tags": "tags",
    "talkativeness": "sociability",
}
PYGMALION: Final[Mapping[str, Place]] = {
    "char_name": "name",
    "char_persona": "description",
    "world_scenario": "scenario",
    "char_greeting": "greetings",
    "example_dialogue": "examples",
}
GENERATIVE_AGENT: Final[Mapping[str, Place]] = {
    **FACTS,
    "name": "name",
    "innate": "personality",
    "learned": "background",
    "currently": "scenario",
    "lifestyle": "occupation",
    "daily_plan_req": "occupation",
}
ELIZA: Final[Mapping[str, Place]] = {
    "name": "name",
    "system": "description",
    "bio": "description",
    "lore": "background",
    "adjectives": "personality",
    "topics": "skills",
    "knowledge": "lore",
    "style": "speech",
    "messageExamples": "examples",
}
INWORLD: Final[Mapping[str, Place]] = {
    **FACTS,
    "givenName": "name",
    "name": "name",
    "displayName": "name",
    "description": "description",
    "coreDescription": "description",
    "motivation": "background",
    "motivations": "background",
    "flaws": "personality",
    "personalityAdjectives": "personality",
    "hobbyOrInterests": "skills",
    "characterRole": "occupation",
    "exampleDialog": "examples",
    "exampleDialogs": "examples",
    "dialogueStyle": "speech",
    "facts": "lore",
    "knowledge": "lore",
}
PLAIN: Final[Mapping[str, Place]] = {
    **FACTS,
    **dict.fromkeys(("name", "display_name", "displayName", "npc_name", "npc"), "name"),
    **dict.fromkeys(("character_name", "characterName", "aiName"), "name"),
    **dict.fromkeys(("persona", "description", "bio", "biography"), "description"),
    **dict.fromkeys(("definition", "aiPersona"), "description"),
    **dict.fromkeys(("summary", "context", "prompt", "identity"), "description"),
    **dict.fromkeys(("personality", "traits", "temperament"), "personality"),
    **dict.fromkeys(("background", "backstory", "history", "lore"), "background"),
    **dict.fromkeys(("goals", "goal", "motivation", "plan"), "background"),
    **dict.fromkeys(("occupation", "profession", "job"), "occupation"),
    **dict.fromkeys(("speech_style", "speaking_style", "speech"), "speech"),
    **dict.fromkeys(("greeting", "greetings", "first_message", "firstMessage"), "greetings"),
    **dict.fromkeys(("example_dialogue", "examples", "example_dialogues"), "examples"),
    **dict.fromkeys(("example_dialogs", "customDialogue"), "examples"),
    "skills": "skills",
    "appearance": "appearance",
    "relationships": "relationships",
    "scenario": "scenario",
    "tags": "tags",
}  # fmt: skip
TELLING: Final = frozenset(
    {"persona", "bio", "biography", "personality", "backstory", "greeting", "greetings",
     "first_message", "firstMessage", "traits", "speech_style", "race", "voice_model", "identity",
     "aiPersona"}
)  # fmt: skip
"""Fields, besides a name, that only a character has; a package has a name and a description too."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A format of JSON objects: its name, one field that gives it away, its table."""

    name: str
    sign: str
    kind: type
    places: Mapping[str, Place]

    def fits(self, fields: Fields) -> bool:
        """Tell whether an object is of this format."""
        return isinstance(fields.get(self.sign), self.kind)


SHAPES: Final = (
    Shape("Inworld", "defaultCharacterDescription", Mapping, INWORLD),
    Shape("Inworld", "givenName", str, INWORLD),
    Shape("Inworld", "coreDescription", str, INWORLD),
    Shape("card", "first_mes", str, CARD),
    Shape("card", "mes_example", str, CARD),
    Shape("Pygmalion", "char_name", str, PYGMALION),
    Shape("generative agent", "innate", str, GENERATIVE_AGENT),
    Shape("eliza", "bio", list, ELIZA),
    Shape("eliza", "messageExamples", list, ELIZA),
)


def read_document(
    source: str, document: Any, fallback_name: str
) -> Iterator[Character | Book | NotACharacterError]:
    """Read all characters and lorebooks of a parsed file; one bad entry sinks no file.

    Raises:
        NotACharacterError: there is none.
    """
    found = list(_items(source, document, fallback_name, 0))
    if not found:
        raise NotACharacterError("holds no character that is known by its fields")
    yield from found


def _items(
    source: str, item: Any, fallback_name: str, depth: int
) -> Iterator[Character | Book | NotACharacterError]:
    if depth > MAX_DEPTH:
        return
    if isinstance(item, list) and is_lorebook({"entries": item}):
        yield read_book(source, {"entries": item})
        return
    if isinstance(item, list):
        for number, inner in enumerate(item):
            yield from _items(_key(source, inner, str(number)), inner, "", depth + 1)
    if not isinstance(item, Mapping):
        return
    try:
        one = _read_one(source, item, fallback_name)
    except NotACharacterError as error:
        yield NotACharacterError(f"{source.partition('#')[2] or 'its one entry'} {error}")
        return
    if one is not None:
        yield one
        return
    for field in WRAPPERS:
        if isinstance(item.get(field), Mapping):
            yield from _items(source, item[field], fallback_name, depth + 1)
    for field in LISTS:
        inner = item.get(field)
        if isinstance(inner, list):
            yield from _items(source, inner, "", depth + 1)
        elif isinstance(inner, Mapping):
            yield from _named(source, inner, depth)
    if depth == 0 and all(isinstance(each, Mapping) for each in item.values()):
        yield from _named(source, {k: v for k, v in item.items() if k not in WRAPPERS}, depth)


def _named(
    source: str, people: Fields, depth: int
) -> Iterator[Character | Book | NotACharacterError]:
    """Read an object of name -> character."""
    for name, each in people.items():
        for one in _items(_key(source, each, name), each, name, depth + 1):
            if isinstance(one, Character):
                one.notes = [note for note in one.notes if not note.startswith(NAMELESS)]
            yield one


def _read_one(source: str, document: Fields, fallback_name: str) -> Character | Book | None:
    """Read one object; None = it is neither a character nor a lorebook."""
    spec, data = document.get("spec"), document.get("data")
    if str(spec).startswith("chara_card") and isinstance(data, Mapping):
        return _card(source, f"card {spec}", data, fallback_name)
    if is_lorebook(document):
        return read_book(source, document)
    if is_agnai(document):
        return _card(source, "Agnai", flat_agnai(document), fallback_name, AGNAI)
    scratch = document.get("scratch")
    if isinstance(scratch, Mapping):
        document = {**{k: v for k, v in document.items() if k != "scratch"}, **scratch}
    for shape in SHAPES:
        if shape.fits(document):
            if shape.name == "card":
                return _card(source, "card v1", document, fallback_name)
            flat = _eliza(document) if shape.name == "eliza" else _flat(document, shape.sign)
            return build(source, shape.name, flat, shape.places, fallback_name)
    known = [f for f in document if PLAIN.get(f) not in (None, "fact")]
    told = TELLING & document.keys() or {"name", "context"} <= document.keys()
    if told or ("description" in document and len(document) == len(known)):
        return build(source, "plain JSON", document, PLAIN, fallback_name)
    return None


def _card(
    source: str,
    format_name: str,
    data: Fields,
    fallback_name: str,
    places: Mapping[str, Place] = CARD,
) -> Character:
    extensions = data.get("extensions")
    extensions = dict(extensions) if isinstance(extensions, Mapping) else {}
    first = {"first_mes": data.get("first_mes")}  # before the alternatives, wherever it stands
    fields = {**first, **data, "extensions": extensions}
    if data.get("talkativeness") is None and as_number(extensions.get("talkativeness")) is not None:
        fields["talkativeness"] = extensions["talkativeness"]
    character = build(source, format_name, fields, places, fallback_name)
    depth_prompt = extensions.get("depth_prompt")
    if isinstance(depth_prompt, Mapping):
        character.material += filled(character, "depth_prompt", depth_prompt.get("prompt"))
    book = data.get("character_book")
    entries, notes = entries_of(book, character.name)
    character.notes += notes
    character.lore = [entry for entry in entries if not entry.constant]
    constant = sorted((e for e in entries if e.constant), key=lambda e: -e.order)
    character.sections += [Section("lore", entry.content) for entry in constant]
    if isinstance(book, Mapping):
        budget = as_number(book.get("token_budget"))
        character.lore_budget_tokens = int(budget) if budget else None
    return character


def _flat(document: Fields, sign: str) -> Fields:
    """Bring the fields of the object that gave the format away to the top."""
    inner = document[sign]
    outer = {key: value for key, value in document.items() if key != sign}
    return {**outer, **inner} if isinstance(inner, Mapping) else document


def _eliza(document: Fields) -> Fields:
    """Bring the styles of an eliza character to one list."""
    style = document.get("style")
    if not isinstance(style, Mapping):
        return document
    return {**document, "style": [*as_texts(style.get("all")), *as_texts(style.get("chat"))],
            "style_of_posts": style.get("post")}  # fmt: skip


def _key(source: str, item: object, number: str) -> str:
    """Name one of many, by what stays when the file is sorted anew."""
    fields = item if isinstance(item, Mapping) else {}
    for name in ("id", "ref_id", "base_id", "name", "char_name"):
        if isinstance(fields.get(name), str | int) and fields[name] != "":
            return f"{source}#{fields[name]}"
    return f"{source}#{number}"
