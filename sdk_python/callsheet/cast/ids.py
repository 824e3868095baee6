"""Ids made of names, and the lock that keeps them: an id is what an NPC's memory hangs on."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["locked_ids", "slug"]

MAX_SLUG_CHARS: Final = 56
"""Leaves room for a number, within the 64 characters of an id."""
LETTERS: Final = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "\u0131": "i",
    }
)


def slug(name: str) -> str:
    """Make an id of a name: lower case, without accents.

    A name in letters that have no Latin ones beside them becomes its code points.
    """
    lower = name.lower().translate(LETTERS)
    plain = unicodedata.normalize("NFKD", lower)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"['\u2019]", "", plain)
    made = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not any(c.isalnum() for c in plain if not c.isascii()):
        return made[:MAX_SLUG_CHARS].strip("_") or "npc"
    points = "_".join(f"{ord(c):x}" for c in plain if not c.isspace())
    if len(points) > MAX_SLUG_CHARS - 2:
        points = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
    return f"u_{points}"


def locked_ids(
    named: Iterable[tuple[str, str]], lock: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Choose an id for each source.

    A source keeps the id it was given once. An id whose source is gone is given to nobody else,
    but for a file that was moved: same file name, same character.

    Args:
        named: source and name of each character; sources are unique.
        lock: source -> id, as chosen before.

    Returns:
        The ids in order, and the new lock.
    """
    pairs = list(named)
    sources = {source for source, _ in pairs}
    moved: dict[str, list[str]] = {}
    for source in lock:
        if source not in sources:
            moved.setdefault(_base(source), []).append(source)
    kept = dict(lock)
    for source, _ in pairs:
        was = moved.get(_base(source), [])
        if source not in kept and len(was) == 1:
            kept[source] = kept.pop(was.pop())
    taken = set(kept.values())
    number: Counter[str] = Counter()
    for source, name in pairs:
        if source not in kept:
            wanted = made = slug(name)
            while made in taken:
                number[wanted] += 1
                made = f"{wanted}_{number[wanted] + 1}"
            taken.add(made)
            kept[source] = made
    return [kept[source] for source, _ in pairs], kept


def _base(source: str) -> str:
    """Name the file without its folder, and who it is in that file."""
    path, sign, who = source.partition("#")
    return path.rpartition("/")[2] + sign + who
