"""SkyrimNet prompt files: blocks of a template. The template is not run."""

from __future__ import annotations

import re
from typing import Final

from callsheet.cast.character import Character
from callsheet.cast.errors import NotACharacterError
from callsheet.cast.formats.places import NAMELESS, Place, build, name_from

__all__ = ["is_prompt", "read_prompt"]

TAG: Final = re.compile(r"\{%-?[ \t]{0,9}(block[ \t]{1,9}\w{1,60}|endblock)[^%{}]{0,80}%\}")
BLOCKS: Final[dict[str, Place]] = {
    "name": "name",
    "summary": "description",
    "interject_summary": "personality",
    "personality": "personality",
    "background": "background",
    "aspirations": "background",
    "occupation": "occupation",
    "skills": "skills",
    "speech_style": "speech",
    "appearance": "appearance",
    "relationships": "relationships",
    "voice": "fact",
    "ref_id": "fact",
}
REF_ID: Final = re.compile(r"^(.+)_([0-9A-Fa-f]{1,8})$")


def is_prompt(text: str) -> bool:
    """Tell whether a text has blocks."""
    return TAG.search(text) is not None


def read_prompt(source: str, text: str, stem: str) -> Character:
    """Read a prompt file; name and reference id are in the file's name.

    Raises:
        NotACharacterError: no block that is known.
    """
    blocks: dict[str, str] = {}
    opened: list[tuple[str, int]] = []
    for tag in TAG.finditer(text):
        if tag[1] != "endblock":
            opened.append((tag[1].split()[1], tag.end()))
        elif opened:
            block, start = opened.pop()
            said = text[start : tag.start()].strip()
            blocks[block] = "\n".join(filter(None, (blocks.get(block, ""), said)))
    if not blocks.keys() & BLOCKS.keys():
        raise NotACharacterError("is a prompt without a block that is known")
    with_id = REF_ID.match(stem)
    if with_id:
        blocks["ref_id"] = with_id[2]
    character = build(
        source, "SkyrimNet", blocks, BLOCKS, name_from(with_id[1] if with_id else stem)
    )
    character.notes = [note for note in character.notes if not note.startswith(NAMELESS)]
    return character
