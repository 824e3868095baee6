"""Characters of Agnai: a persona as attributes, whatever notation it is shown in there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from callsheet.cast.formats.places import Place
from callsheet.cast.formats.values import as_texts

__all__ = ["AGNAI", "flat_agnai", "is_agnai"]

AGNAI: Final[Mapping[str, Place]] = {
    "name": "name",
    "persona": "description",
    "appearance": "appearance",
    "scenario": "scenario",
    "greeting": "greetings",
    "alternateGreetings": "greetings",
    "sampleChat": "examples",
    "postHistoryInstructions": "material",
    "tags": "tags",
}


def is_agnai(fields: Mapping[str, Any]) -> bool:
    """Tell whether a JSON object is a character of Agnai."""
    persona = fields.get("persona")
    return isinstance(persona, Mapping) and isinstance(persona.get("attributes"), Mapping)


def flat_agnai(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Bring the attributes to lines of text, and all else to the places of a card."""
    attributes: Mapping[str, Any] = fields["persona"]["attributes"]
    lines = [
        ", ".join(words) if trait == "text" else f"{trait}: {', '.join(words)}"
        for trait, words in ((str(trait), as_texts(words)) for trait, words in attributes.items())
        if words
    ]
    insert = fields.get("insert")
    return {
        **fields,
        "persona": "\n".join(lines),
        "persona_notation": fields["persona"].get("kind"),
        "character_book": fields.get("characterBook"),
        "extensions": {"depth_prompt": insert} if isinstance(insert, Mapping) else {},
    }
