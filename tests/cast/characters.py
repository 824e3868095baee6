"""Characters in other people's formats, invented here."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from typing import Any

ODILA: dict[str, Any] = {
    "name": "Odila Farr",
    "description": "{{char}} mends nets on the quay. {{Char}} has one blue eye.",
    "personality": "patient, dry",
    "scenario": "{{user}} waits for the ferry.",
    "first_mes": '"Ferry\'s late, {{user}}."',
    "mes_example": "<START>\n{{user}}: Is it far?\n{{char}}: Far is a matter of shoes.",
}
CARD: dict[str, Any] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        "alternate_greetings": ['"You again, <USER>."'],
        **ODILA,
        "creator_notes": "Best with a small model.",
        "post_history_instructions": "Keep it under forty words. {{original}}",
        "tags": ["fisher", "Harbour"],
        "extensions": {"talkativeness": "0.3", "depth_prompt": {"prompt": "It is night."}},
        "character_book": {
            "token_budget": 300,
            "entries": [
                {
                    "keys": ["ferry"],
                    "secondary_keys": ["night"],
                    "selective": True,
                    "content": "The night ferry needs a green lantern.",
                    "insertion_order": 100,
                },
                {"keys": [], "content": "Salt costs two pence.", "constant": True},
                {"keys": ["/drown(ed)?/i"], "content": "Nobody says it.", "enabled": False},
            ],
        },
    },
}
WORLD_INFO: dict[str, Any] = {
    "entries": {
        "0": {
            "key": ["mill"],
            "keysecondary": ["night"],
            "selective": True,
            "selectiveLogic": 2,
            "content": "The mill stands still.",
            "probability": 60,
        },
        "7": {"key": [], "content": "It is the year of two harvests.", "constant": True},
    }
}
SKYRIMNET = """{% block summary %}Sella keeps bees.{% endblock %}
{% block relationships %}
- Oren (brother): owes her a hive
{% endblock %}
{% if is_night %}{% block occupation %}Sleeps.{% endblock %}{% endif %}
{% block speech_style %}Short, {{ decnpc(npc.UUID).name }} never swears.{% endblock %}
"""
AI_TOWN = """export const Descriptions = [
  // { name: 'Unused', identity: `commented out` },
  {
    name: 'Marek',
    character: 'f2',
    identity: `Marek sells umbrellas and hopes
      for rain. He can't lie.`,
    plan: "You want to sell one umbrella \\"today\\".",
  },
];
"""
MANTELLA = (
    "\ufeffname,bio,race,voice_model,base_id\r\n"
    '"Ralof","A man of\r\nRiverwood, ""loud"".",Nord,MaleNord,0C11\r\n'
    "Guard,Stands about.,Nord,MaleGuard,0A01\r\n"
    "Guard,Stands about too.,Nord,MaleGuard,0A02\r\n"
    ",Nobody.,Nord,MaleGuard,\r\n"
)
YAML = """name: Hilde
greeting: |-
  *waves* Hello, {{user}}!
context: |-
  Hilde bakes bread.
  She is up at four.
"""


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*texts: bytes, after: bool = False) -> bytes:
    """Write a PNG whose texts stand before its picture, or after it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    picture = chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    body = picture + b"".join(texts) if after else b"".join(texts) + picture
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def text(keyword: str, document: object) -> bytes:
    return chunk(
        b"tEXt", keyword.encode() + b"\0" + base64.b64encode(json.dumps(document).encode())
    )


def international(keyword: str, data: bytes, *, compressed: bool) -> bytes:
    body = zlib.compress(data) if compressed else data
    return chunk(b"iTXt", keyword.encode() + b"\0" + bytes([compressed, 0]) + b"\0\0" + body)


def charx(document: object) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/icon.png", b"no picture")
        archive.writestr("card.json", json.dumps(document))
    return data.getvalue()
