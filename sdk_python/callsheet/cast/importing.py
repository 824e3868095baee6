"""From files of any format to a cast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

from callsheet.cast.character import Book, Character, LoreEntry
from callsheet.cast.file import Cast, CastNpc, is_cast_file, read_cast
from callsheet.cast.fitting import CountTokens, Fitted, compose, estimated_tokens, fit, fits
from callsheet.cast.ids import locked_ids, slug
from callsheet.cast.reading import Skipped, read_files
from callsheet.cast.report import Report, TrimmedPersona
from callsheet.wire.fields import MAX_PERSONA_CHARS

__all__ = ["DEFAULT_BUDGET_TOKENS", "Fit", "import_cast", "load_cast", "report_on"]

Fit = Literal["trim", "keep", "refuse"]
"""Fate of a persona over the budget. The protocol's limit of characters holds with ``keep`` too."""
DEFAULT_BUDGET_TOKENS: Final = 1_024
"""Half of the default engine's context: the rest is for what was said."""
NO_BUDGET: Final = 1 << 40
MAX_FACT_NAME_CHARS: Final = 64


def load_cast(*paths: str | Path, budget_tokens: int = DEFAULT_BUDGET_TOKENS) -> Cast:
    """Read a cast file, or characters in any format that is known.

    Args:
        paths: one cast file; else files and folders of characters.
        budget_tokens: longest persona, in tokens as estimated; longer ones are trimmed. A cast
            file's personas are as they were imported.

    Raises:
        CastError: a path is not there, or a cast file is damaged.
    """
    files = [Path(path) for path in paths]
    if len(files) == 1 and is_cast_file(files[0]):
        return read_cast(files[0])
    return import_cast(files, budget_tokens=budget_tokens)[0]


def import_cast(
    paths: Iterable[Path],
    *,
    before: Cast | None = None,
    archetypes: Sequence[str] = (),
    fit_by: Fit = "trim",
    budget_tokens: int = DEFAULT_BUDGET_TOKENS,
    count: CountTokens = estimated_tokens,
) -> tuple[Cast, Report]:
    """Read characters and make a cast of them.

    Args:
        paths: files and folders.
        before: the cast of an earlier import, whose ids are kept.
        archetypes: tags that become an NPC's archetype; the first of these that it has.
        fit_by: what becomes of a persona over the budget.
        budget_tokens: longest persona.
        count: counts tokens.

    Raises:
        CastError: one of ``paths`` is not there.
    """
    report = Report(budget_tokens=budget_tokens)
    characters: list[Character] = []
    books: list[Book] = []
    for item in read_files(paths):
        if isinstance(item, Skipped):
            report.skipped.append(item)
            continue
        report.read += 1
        report.notes += [(item.source, note) for note in item.notes]
        if isinstance(item, Book):
            books.append(item)
        else:
            characters.append(item)
    report.formats = dict(Counter(one.format for one in characters))
    if books:
        report.formats["lorebook"] = len(books)
    _make_sources_unique(characters)
    lock = before.ids if before else {}
    pairs = [(one.source, one.name) for one in characters]
    ids, lock_after = locked_ids(pairs, lock)
    report.kept_ids = sum(source in lock for source, _ in pairs)
    report.renamed = [
        (one.name, npc) for one, npc in zip(characters, ids, strict=True) if npc != slug(one.name)
    ]
    fitted = _fit_all(characters, ids, fit_by, report, count)
    npcs = tuple(
        _npc(one, npc, made, archetypes)
        for one, npc, made in zip(characters, ids, fitted, strict=True)
        if made is not None
    )
    report.made = len(npcs)
    report.without_persona = sum(not npc.persona for npc in npcs)
    report.tokens = [npc.tokens for npc in npcs]
    lore, keyed = _shared_lore(books, report)
    report.lore_tokens = count([lore])[0] if lore else 0
    budgets = [book.budget_tokens for book in books if book.budget_tokens]
    return Cast(npcs, lore, keyed, max(budgets, default=None), lock_after), report


def report_on(cast: Cast, budget_tokens: int, count: CountTokens) -> Report:
    """Report on a cast as it is: what its personas take, and which are over the budget."""
    report = Report(read=len(cast.npcs), made=len(cast.npcs), budget_tokens=budget_tokens)
    report.formats = dict(Counter(npc.format for npc in cast.npcs))
    report.tokens = list(count([npc.persona for npc in cast.npcs]))
    report.without_persona = sum(not npc.persona for npc in cast.npcs)
    report.lore_tokens = count([cast.lore])[0] if cast.lore else 0
    report.notes = [
        (npc.npc, f"its persona takes {tokens} tokens, the budget is {budget_tokens}")
        for npc, tokens in zip(cast.npcs, report.tokens, strict=True)
        if tokens > budget_tokens
    ]
    return report


def _make_sources_unique(characters: Iterable[Character]) -> None:
    """Number those that cannot be told apart otherwise, in the order of their file."""
    seen: Counter[str] = Counter()
    for one in characters:
        seen[one.source] += 1
        if seen[one.source] > 1:
            one.source += f"~{seen[one.source]}"


def _fit_all(
    characters: Sequence[Character],
    ids: Sequence[str],
    fit_by: Fit,
    report: Report,
    count: CountTokens,
) -> list[Fitted | None]:
    """Put the personas together; None = refused."""
    personas = [compose(one.sections) for one in characters]
    made: list[Fitted | None] = []
    budget = NO_BUDGET if fit_by == "keep" else report.budget_tokens
    for one, npc, persona, tokens in zip(characters, ids, personas, count(personas), strict=True):
        if fits(persona, tokens, budget):
            made.append(Fitted(persona, tokens, tokens))
            continue
        if fit_by == "refuse":
            report.refused.append(TrimmedPersona(npc, tokens, 0, ()))
            made.append(None)
            continue
        fitted = fit(one.sections, tokens, budget, count)
        report.trimmed.append(TrimmedPersona(npc, tokens, fitted.tokens, fitted.left_out))
        made.append(fitted)
    return made


def _npc(character: Character, npc: str, fitted: Fitted, archetypes: Sequence[str]) -> CastNpc:
    tags = {tag.casefold(): tag for tag in character.tags}
    wanted = next((one for one in archetypes if one.casefold() in tags), None)
    facts = {name[:MAX_FACT_NAME_CHARS]: value for name, value in character.facts.items()}
    if character.tags:
        facts["tags"] = list(tags.values())
    return CastNpc(
        npc=npc,
        name=character.name,
        persona=fitted.persona,
        source=character.source,
        format=character.format,
        tokens=fitted.tokens,
        archetype=slug(wanted) if wanted else None,
        sociability=character.sociability or 0.0,
        facts=facts,
        greetings=tuple(character.greetings),
        group_greetings=tuple(character.group_greetings),
        material="\n".join(character.material),
        lorebook=tuple(character.lore),
        lorebook_budget_tokens=character.lore_budget_tokens,
        sections=tuple(character.sections),
        extras=character.extras,
    )


def _shared_lore(books: Iterable[Book], report: Report) -> tuple[str, tuple[LoreEntry, ...]]:
    """Lore that is always known, as one text, and what is known when a key is heard."""
    entries = [entry for book in books for entry in book.entries]
    constant = sorted((e for e in entries if e.constant), key=lambda entry: -entry.order)
    lore: list[str] = []
    for entry in constant:
        if sum(map(len, lore)) + len(lore) + len(entry.content) > MAX_PERSONA_CHARS:
            report.notes.append(("lore", f"{entry.content[:60]!r} is left out: too much lore"))
        elif entry.content not in lore:
            lore.append(entry.content)
    return "\n".join(lore), tuple(entry for entry in entries if not entry.constant)
