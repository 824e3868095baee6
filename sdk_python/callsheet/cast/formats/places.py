"""One table a format: which field goes to which place of a character. The rest is extras."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from callsheet.cast.character import ORDER, Character, Section, SectionKind
from callsheet.cast.errors import NotACharacterError
from callsheet.cast.fitting import speakable
from callsheet.cast.formats.values import as_list, as_number, as_texts, as_words
from callsheet.cast.macros import fill_macros

__all__ = ["NAMELESS", "Place", "build", "name_from"]

Place = (
    SectionKind
    | Literal["name", "greetings", "group_greetings", "material", "tags", "sociability", "fact"]
)
"""``fact``: noted under the field's own name."""
NAMELESS: Final = "has no name"
"""Begins the note on a character that is called after its file."""
MAX_NAME_CHARS: Final = 100
MAX_FACT_CHARS: Final = 2_000
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+"
)
"""Characters without a shape, or that turn the ones around them; joiners of letters are none."""
FILLERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def build(
    source: str,
    format_name: str,
    fields: Mapping[str, Any],
    places: Mapping[str, Place],
    fallback_name: str,
) -> Character:
    """Make a character.

    Args:
        source: its file, and what tells it from others there.
        format_name: for the report.
        fields: as they stand in the file.
        places: where each field goes.
        fallback_name: used where the file names nobody.

    Raises:
        NotACharacterError: it has neither a name nor anything said of it.
    """
    named = [f for f, place in places.items() if place == "name" and as_texts(fields.get(f))]
    name = clean_name(str(fields[named[0]])) if named else ""
    character = Character(source, format_name, name or clean_name(fallback_name))
    if not character.name:
        raise NotACharacterError("has no name")
    if not name:
        character.notes.append(f"{NAMELESS}; called {character.name!r} after its file")
    for field, value in fields.items():
        place = places.get(field)
        if value is None or value == "" or value == [] or value == {} or field in named[:1]:
            continue
        if place is None or not _put(character, field, place, value):
            character.extras[field] = value
    character.sections.sort(key=lambda section: ORDER.index(section.kind))
    return character


def name_from(stem: str) -> str:
    """Make a name of a file's name."""
    return re.sub(r"[\s_]+", " ", stem).strip().title()


def clean_name(name: str) -> str:
    """Bring a name into one line of what can be seen, not too long; "" = nothing can be seen."""
    name = UNSEEN.sub("", CONTROLS.sub(" ", fill_macros(name[:1_000], "")[0]))
    name = re.sub(r"\s+", " ", name).strip()[:MAX_NAME_CHARS].strip()
    seen = any(unicodedata.category(c)[0] in "LNPS" and c not in FILLERS for c in name)
    return name if seen else ""


def filled(character: Character, field: str, raw: object) -> list[str]:
    """Fill in the macros of a field's texts; what was changed is kept as it was, as an extra."""
    texts = []
    for text in _lines(raw):
        made, dropped = fill_macros(text, character.name)
        character.notes += [f"{field}: dropped {code[:60]!r}" for code in dropped]
        if made:
            texts.append(made)
        if made != text:
            character.extras[field] = raw
    return texts


def _put(character: Character, field: str, place: Place, value: object) -> bool:
    """Put a field's value to its place; False = it does not fit there."""
    if place == "sociability":
        number = as_number(value)
        if number is not None:
            character.sociability = min(max(number, 0.0), 1.0)
        return number is not None
    if place == "tags":
        character.tags += as_words(value)
        return True
    if place == "name":
        return False
    if place == "fact":
        return _note(character, field, value)
    texts = filled(character, field, value)
    if place == "greetings":
        character.greetings += _lines_to_say(character, field, value, texts)
    elif place == "group_greetings":
        character.group_greetings += _lines_to_say(character, field, value, texts)
    elif place == "material":
        character.material += texts
    elif texts:
        joined = texts[0] if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)
        character.sections.append(Section(place, joined))
        if place == "relationships":
            _note(character, field, joined)
    return bool(texts)


def _lines_to_say(character: Character, field: str, value: object, texts: list[str]) -> list[str]:
    lines = [speakable(text) for text in texts]
    if lines != texts:
        character.notes.append(f"{field}: cut to what can be said at once")
        character.extras[field] = value
    return lines


def _note(character: Character, field: str, value: object) -> bool:
    """Note a fact, if it is short enough to be one."""
    if isinstance(value, str):
        value = fill_macros(value, character.name)[0]
    if not isinstance(value, str | int | float | bool) and not as_texts(value):
        return False
    if len(str(value)) > MAX_FACT_CHARS:
        return False
    character.facts[field] = value
    return True


def _lines(value: object) -> Iterator[str]:
    """Yield the texts in a value: a text, a list of them, or lines of a talk."""
    for item in as_list(value):
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            said = item.get("content", item.get("text", item.get("message")))
            said = said.get("text") if isinstance(said, Mapping) else said
            who = item.get("name", item.get("user", item.get("role", "")))
            if isinstance(said, str):
                yield f"{who}: {said}" if isinstance(who, str) and who else said
        elif isinstance(item, list):
            yield "\n".join(_lines(item))
