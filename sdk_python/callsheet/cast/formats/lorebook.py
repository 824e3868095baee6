"""Lorebooks: SillyTavern, Kobold, NovelAI, Agnai, and the books inside character cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from callsheet.cast.character import Book, LoreEntry, LoreLogic
from callsheet.cast.formats.values import as_list, as_number, as_words, first_of
from callsheet.cast.macros import fill_macros

__all__ = ["entries_of", "is_lorebook", "read_book"]

LOGICS: Final[tuple[LoreLogic, ...]] = ("any", "not_all", "not_any", "all")
"""By SillyTavern's ``selectiveLogic``."""
READ: Final = frozenset(
    {
        "content", "text", "entry", "key", "keys", "keywords", "keysecondary", "secondary_keys",
        "selective", "selectiveLogic", "constant", "forceActivation", "order", "insertion_order",
        "priority", "probability", "useProbability", "case_sensitive", "caseSensitive",
        "comment", "name", "displayName", "enabled", "disable",
    }
)  # fmt: skip
WHOLE: Final = 100.0


def is_lorebook(document: Mapping[str, Any]) -> bool:
    """Tell whether a JSON object is a book of lore and no character."""
    if document.get("spec") == "lorebook_v3":
        return True
    entries = document.get("entries")
    if isinstance(entries, Mapping):
        entries = list(entries.values())
    return (
        isinstance(entries, list)
        and not any(name in document for name in ("first_mes", "description", "persona"))
        and any(isinstance(e, Mapping) and first_of(e, "content", "text", "entry") for e in entries)
    )


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
    entries = book.get("entries") if isinstance(book, Mapping) else None
    if isinstance(entries, Mapping):
        entries = list(entries.values())
    found, notes = [], []
    for number, entry in enumerate(as_list(entries)):
        if not isinstance(entry, Mapping):
            notes.append(f"lore entry {number} is no entry")
            continue
        content, dropped = fill_macros(str(first_of(entry, "content", "text", "entry") or ""), name)
        notes += [f"lore entry {number}: dropped {code[:60]!r}" for code in dropped]
        if not content:
            notes.append(f"lore entry {number} is empty")
        elif entry.get("enabled") is False or entry.get("disable") is True:
            notes.append(f"lore entry {number} is switched off")
        else:
            found.append(_entry(entry, content, number, notes))
    return found, notes


def _entry(entry: Mapping[str, Any], content: str, number: int, notes: list[str]) -> LoreEntry:
    keys = _plain(as_words(first_of(entry, "key", "keys", "keywords")), number, notes)
    secondary = _plain(as_words(first_of(entry, "keysecondary", "secondary_keys")), number, notes)
    constant = bool(first_of(entry, "constant", "forceActivation"))
    if not keys and not constant:
        notes.append(f"lore entry {number} has no key that can be heard")
    logic = as_number(entry.get("selectiveLogic")) or 0
    chance = as_number(entry.get("probability"))
    if chance is None or entry.get("useProbability") is False:
        chance = WHOLE
    order = as_number(first_of(entry, "order", "insertion_order", "priority"))
    return LoreEntry(
        content=content,
        keys=keys,
        secondary_keys=secondary if entry.get("selective") is not False else (),
        logic=LOGICS[int(logic)] if 0 <= logic < len(LOGICS) else "any",
        constant=constant,
        order=WHOLE if order is None else order,
        probability=min(max(chance / WHOLE, 0.0), 1.0),
        case_sensitive=bool(first_of(entry, "case_sensitive", "caseSensitive")),
        name=str(first_of(entry, "comment", "name", "displayName") or ""),
        extras={key: value for key, value in entry.items() if key not in READ},
    )


def _plain(keys: Iterable[str], number: int, notes: list[str]) -> tuple[str, ...]:
    """Keys that are words; a regular expression of a stranger is not run."""
    plain = []
    for key in keys:
        if key.startswith("/") and key.rfind("/") > 0:
            notes.append(f"lore entry {number}: the pattern {key[:60]!r} is not used")
        else:
            plain.append(key)
    return tuple(plain)
