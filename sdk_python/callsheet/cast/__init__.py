"""Casts: characters in other people's formats, as NPCs. docs/characters.md tells all of it."""

from callsheet.cast.character import LoreEntry, LoreLogic, Section, SectionKind
from callsheet.cast.errors import CastError
from callsheet.cast.export import as_card
from callsheet.cast.file import Cast, CastNpc, is_cast_file, read_cast, write_cast
from callsheet.cast.importing import import_cast, load_cast, report_on
from callsheet.cast.report import Report

__all__ = [
    "Cast",
    "CastError",
    "CastNpc",
    "LoreEntry",
    "LoreLogic",
    "Report",
    "Section",
    "SectionKind",
    "as_card",
    "import_cast",
    "is_cast_file",
    "load_cast",
    "read_cast",
    "report_on",
    "write_cast",
]
