"""Lorebooks: SillyTavern, Kobold, NovelAI, Agnai, Risu, and the books inside character cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from callsheet.cast.character import Book, LoreEntry, LoreLogic
from callsheet.cast.formats.values import as_flag, as_list, as_number, as_words, first_of
from callsheet.cast.macros import fill_macros

__all__ = ["entries_of", "is_lorebook", "read_book"]

LOGICS: Final[tuple[LoreLogic, ...]] = ("any", "not_all", "not_any", "all")
"""By SillyTavern's ``selectiveLogic``."""
READ: Final = frozenset(
    {
        "content", "text", "entry", "key", "keys", "keywords", "keysecondary", "secondary_keys",
        "secondkey", "selective", "selectiveLogic", "constant", "forceActivation", "alwaysActive",
        "order", "insertion_order", "insertorder", "priority", "probability",
        "useProbability", "case_sensitive", "caseSensitive", "use_regex", "comment",
        "name", "displayName", "enabled", "disable",
    }
)  # fmt: skip
KEYS: Final = ("key", "keys", "keywords")
WHOLE: Final = 100.0
LISTS: Final = ("entries", "worldinfo", "data")
"""Fields under which a book has its entries; the last is Risu's."""
NO_BOOK: Final = frozenset({"first_mes", "mes_example", "persona", "personality", "bio"})
"""Fields that only a character has."""
DECORATOR: Final = re.compile(r"^(?:@@[^\n]*(?:\n|$))+")
"""Lines of a V3 entry that tell a program where to put it."""
PATTERN_SIGNS: Final = frozenset("\\^$.|?*+()[]{}")


def is_lorebook(document: Mapping[str, Any]) -> bool:
    """Tell whether a JSON object is a book of lore and no character."""
    if document.get("spec") == "lorebook_v3":
        return True
    return not NO_BOOK & document.keys() and any(
        isinstance(e, Mapping)
        and first_of(e, "content", "text", "entry")
        and any(name in e for name in (*KEYS, "constant"))
        for e in _list_of(document)
    )


def _list_of(book: Mapping[str, Any]) -> list[Any]:
    entries = next((book[name] for name in LISTS if book.get(name)), None)
    return list(entries.values()) if isinstance(entries, Mapping) else as_list(entries)


def read_book(source: str, document: Mapping[str, Any]) -> Book:
    """Read a lorebook."""
    data = document.get("data") if document.get("spec") == "lorebook_v3" else document
    data = data if isinstance(data, Mapping) else {}
    entries, notes = entries_of(data, "the speaker")
    budget = as_number(first_of(data, "token_budget", "tokenBudget"))
    name = first_of(data, "name", "originalName")
    return Book(source, str(name or ""), entries, int(budget) if budget else None, notes)


def entries_of(book: object, name: str) -> tuple[list[LoreEntry], list[str]]:
    """Read the entries of a book; one that is damaged or switched off is told of.

    Args:
        book: a JSON object with ``entries``, or nothing.
        name: the character's, for macros.

    Returns:
        The entries, and remarks for the report.
    """
    found, notes = [], []
    for number, entry in enumerate(_list_of(book) if isinstance(book, Mapping) else []):
        if not isinstance(entry, Mapping):
            notes.append(f"lore entry {number} is no entry")
            continue
        raw = str(first_of(entry, "content", "text", "entry") or "")
        content, dropped = fill_macros(DECORATOR.sub("", raw), name)
        if DECORATOR.match(raw):
            notes.append(f"lore entry {number}: its decorators are not used")
        notes += [f"lore entry {number}: dropped {code[:60]!r}" for code in dropped]
        if not content:
            notes.append(f"lore entry {number} is empty")
        elif not as_flag(entry.get("enabled", True)) or as_flag(entry.get("disable")):
            notes.append(f"lore entry {number} is switched off")
        else:
            found.append(_entry(entry, content, number, notes))
    return found, notes


def _entry(entry: Mapping[str, Any], content: str, number: int, notes: list[str]) -> LoreEntry:
    patterns = as_flag(entry.get("use_regex"))
    named = as_words(first_of(entry, *KEYS))
    beside = as_words(first_of(entry, "keysecondary", "secondary_keys", "secondkey"))
    keys = _plain(named, patterns, number, notes)
    secondary = _plain(beside, patterns, number, notes)
    constant = as_flag(first_of(entry, "constant", "forceActivation", "alwaysActive"))
    extras = {key: value for key, value in entry.items() if key not in READ}
    if (keys, secondary) != (named, beside):
        extras["patterns"] = [key for key in (*named, *beside) if key not in (*keys, *secondary)]
    if not keys and not constant:
        notes.append(f"lore entry {number} has no key that can be heard")
    logic = as_number(entry.get("selectiveLogic")) or 0
    chance = as_number(entry.get("probability"))
    if chance is None or entry.get("useProbability") is False:
        chance = WHOLE
    order = as_number(first_of(entry, "order", "insertion_order", "insertorder", "priority"))
    return LoreEntry(
        content=content,
        keys=keys,
        secondary_keys=secondary if as_flag(entry.get("selective", True)) else (),
        logic=LOGICS[int(logic)] if 0 <= logic < len(LOGICS) else "any",
        constant=constant,
        order=WHOLE if order is None else order,
        probability=min(max(chance / WHOLE, 0.0), 1.0),
        case_sensitive=as_flag(first_of(entry, "case_sensitive", "caseSensitive")),
        name=str(first_of(entry, "comment", "name", "displayName") or ""),
        extras=extras,
    )


def _plain(keys: Iterable[str], patterns: bool, number: int, notes: list[str]) -> tuple[str, ...]:
    """Keys that are words; a regular expression of a stranger is not run."""
    plain = []
    for key in keys:
        in_slashes = key.startswith("/") and key.rfind("/") > 0
        if in_slashes or (patterns and PATTERN_SIGNS.intersection(key)):
            notes.append(f"lore entry {number}: the pattern {key[:60]!r} is not used")
        else:
            plain.append(key)
    return tuple(plain)
