"""Characters of a cast as cards again, for the tools they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from callsheet.cast.character import LoreEntry, SectionKind
from callsheet.cast.file import CastNpc
from callsheet.cast.fitting import HEADINGS

__all__ = ["as_card"]

OWN_FIELDS: Final[Mapping[SectionKind, str]] = {
    "personality": "personality",
    "scenario": "scenario",
    "examples": "mes_example",
}
"""Parts that a card has a field for; the others are its description."""


def as_card(npc: CastNpc) -> Mapping[str, Any]:
    """Make a card of version 2 (or 3, if it came as one), with everything that was imported.

    Fields of a card that an import changed are given back as they were. What came from another
    format is in ``extensions.callsheet``.
    """
    fields: dict[str, str] = dict.fromkeys(("description", *OWN_FIELDS.values()), "")
    for section in npc.sections:
        field = OWN_FIELDS.get(section.kind, "description")
        heading = HEADINGS.get(section.kind, "") if field == "description" else ""
        fields[field] = "\n".join(filter(None, (fields[field], heading + section.text)))
    from_card = npc.format.startswith("card")
    extras = npc.extras if from_card else {}
    extensions = {
        **dict(extras.get("extensions") or {}),
        "callsheet": {
            "npc": npc.npc,
            "facts": npc.facts,
            **({} if from_card else {"format": npc.format, "extras": npc.extras}),
        },
    }
    version_3 = npc.format.endswith("v3")
    data = {
        "name": npc.name,
        **fields,
        "first_mes": npc.greetings[0] if npc.greetings else "",
        "alternate_greetings": list(npc.greetings[1:]),
        "group_only_greetings": list(npc.group_greetings),
        "post_history_instructions": npc.material,
        "tags": list(npc.facts.get("tags", ())),
        "creator_notes": "",
        "system_prompt": "",
        "creator": "",
        "character_version": "",
        "character_book": _book(npc.lorebook, npc.lorebook_budget_tokens),
        **extras,
        "extensions": extensions,
    }
    return {
        "spec": "chara_card_v3" if version_3 else "chara_card_v2",
        "spec_version": "3.0" if version_3 else "2.0",
        "data": data,
    }


def _book(entries: Sequence[LoreEntry], budget_tokens: int | None) -> Mapping[str, Any] | None:
    if not entries:
        return None
    return {
        "entries": [
            {
                "keys": list(entry.keys),
                "secondary_keys": list(entry.secondary_keys),
                "selective": bool(entry.secondary_keys),
                "content": entry.content,
                "constant": entry.constant,
                "enabled": True,
                "insertion_order": entry.order,
                "case_sensitive": entry.case_sensitive,
                "name": entry.name,
                "extensions": {"probability": entry.probability * 100},
            }
            for entry in entries
        ],
        "extensions": {},
        **({"token_budget": budget_tokens} if budget_tokens else {}),
    }
