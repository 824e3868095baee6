"""XML comments of the C# messages, of the models and of the tables in docs/wire-protocol.md."""

from __future__ import annotations

import re
from pathlib import Path

from message_shapes import Member, is_message
from pydantic import BaseModel

PAGE = Path(__file__).resolve().parents[2] / "docs" / "wire-protocol.md"

ENUM_SUMMARIES = {
    "Role": "The roles of a session.",
    "Tier": "Where state lies.",
    "StateKind": "The kinds of state that are moved between tiers.",
    "PolicyName": "The policies by which state moves are chosen.",
    "SpeakerKind": "The kinds of speakers of a line.",
    "Priority": "How urgent a reply is.",
    "FinishReason": "The reasons for which a reply ends.",
    "Topic": "What can be subscribed to.",
    "ReplicaState": "The states of a replica.",
    "EnginePhase": "The steps by which an engine gets ready.",
    "ScriptEvent": "The events of an NPC that a script may ask for.",
    "TickKind": "The kinds of ticks.",
}
ENUM_VALUE_SUMMARIES = {
    "Role": {
        "game": "Owns its world: spawns NPCs, sends ticks, says and answers.",
        "mod": "Scripts NPCs of a world that a game owns.",
        "observer": "Watches a world, and may walk in as a guest.",
    },
    "Tier": {
        "device": "In the engine's memory, ready to be used.",
        "host": "In the server's RAM.",
        "disk": "On the server's disk.",
        "absent": "Nowhere: it is computed when it is needed.",
    },
    "StateKind": {
        "prefix": "The KV cache of an NPC.",
        "adapter": "A LoRA adapter.",
        "weights": "A whole model.",
        "blob": "Bytes that an engine keeps for an NPC.",
    },
    "PolicyName": {
        "distance": "Whoever is expected to speak soonest is kept ready.",
        "lru": "Whoever spoke last is kept ready; others are dropped and computed again.",
        "naive": "Whoever spoke last is kept ready; others are parked and loaded on demand.",
    },
    "SpeakerKind": {
        "player": "A person who plays.",
        "npc": "Another NPC.",
        "narrator": "Nobody in the world: the game itself tells.",
    },
    "Priority": {
        "player": "First: a person waits.",
        "npc": "After players' replies.",
        "background": "Last: nobody waits.",
    },
    "FinishReason": {
        "stop": "The reply came to its end.",
        "length": "It reached its limit of length.",
        "cancelled": "The client cancelled it.",
        "error": "It failed; the message's <c>code</c> says why.",
    },
    "Topic": {
        "replies": "Replies of the whole world.",
        "residency": "Moves of state between tiers.",
        "npcs": "Pictures of all NPCs.",
        "stats": "Counters of the server.",
    },
    "ReplicaState": {
        "serving": "It answers, and takes new NPCs.",
        "draining": "Its NPCs move to others; it takes no new ones.",
        "drained": "It is empty and may be stopped.",
        "lost": "It does not answer.",
    },
    "EnginePhase": {
        "download": "The model is fetched.",
        "load": "It is made ready on this machine.",
    },
    "ScriptEvent": {
        "hear": "Somebody speaks to the NPC.",
        "near": "A player comes near.",
        "tick": "Time passes.",
    },
    "TickKind": {
        "keyframe": "A picture of everybody.",
        "delta": "Those alone that have changed.",
    },
}
"""By enum and by value on the wire."""
ITEM = " " * 8
"""Indent of what stands in a class."""


def _read_tables(text: str) -> dict[str, list[dict[str, str]]]:
    """Read the lines of all tables, by the heading above them."""
    _, *pieces = re.split(r"^#{1,4} (.+)\n", text, flags=re.MULTILINE)
    found = {}
    for title, body in zip(pieces[::2], pieces[1::2], strict=True):
        lines: list[dict[str, str]] = []
        for block in re.findall(r"(?:^\|.*\n)+", body + "\n", flags=re.MULTILINE):
            head, _, *rows = (
                [cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()
            )
            lines += [dict(zip(head, row, strict=True)) for row in rows]
        found[title] = lines
    return found


_TABLES = _read_tables(PAGE.read_text(encoding="utf-8"))


def _column(title: str, key: str, column: str) -> dict[str, str]:
    return {
        line[key].strip("`"): line[column]
        for line in _TABLES[title]
        if key in line and line[column]
    }


CONSTANTS = _column("Size and rate limits", "Constant", "Meaning")
FIXES = _column("Error codes", "Code", "Fix")
CLOSES = _column("Close codes", "Name", "When")


def close_summary(name: str) -> str:
    """Tell when a connection closes with a code, given its name as on the page."""
    when = CLOSES[name]
    return f"After the error {when}." if when.startswith("`") else f"{when}."


def summary_of(model: type[BaseModel], member: Member) -> str:
    """Tell what a field means: as its model says, else as the page does."""
    if member.doc:
        return member.doc
    title = model.model_fields["type"].default if is_message(model) else model.__name__
    return _column(title, "Field", "Meaning")[member.wire]


def enum_value(enum: str, value: str, pascal: str) -> str:
    """Write an enum's value, with its comment."""
    return f"{ITEM}/// <summary>{ENUM_VALUE_SUMMARIES[enum][value]}</summary>\n{ITEM}{pascal},\n"


def xml(text: str | None, indent: str) -> str:
    """Write an XML comment of a text as docstrings and Markdown have it."""
    if not text:
        return ""
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text).replace("``", "`").replace("None", "null")
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = re.sub(r"`([^`]+)`", r"<c>\1</c>", safe).splitlines()
    if len(lines) == 1:
        return f"{indent}/// <summary>{lines[0]}</summary>\n"
    body = "".join(f"{indent}/// {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/// <summary>\n{body}{indent}/// </summary>\n"
