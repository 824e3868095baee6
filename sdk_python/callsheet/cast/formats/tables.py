"""CSV tables with a row for each character, as Mantella has them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from callsheet.cast.character import Character
from callsheet.cast.errors import NotACharacterError
from callsheet.cast.formats.documents import PLAIN
from callsheet.cast.formats.places import build

__all__ = ["is_table", "read_table"]

MAX_FIELD_CHARS: Final = 1 << 20
DELIMITERS: Final = (",", ";", "\t")
IDS: Final = ("id", "ref_id", "base_id", "form_id")


def is_table(text: str) -> bool:
    """Tell whether the first line names a column for names and one that describes."""
    places = [PLAIN.get(column) for column in _header(text)[0]]
    return "name" in places and "description" in places


def read_table(source: str, text: str) -> Iterator[Character | NotACharacterError]:
    """Read the rows; a row that is no character gives the error, and the next ones are read."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    columns, delimiter = _header(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(rows)
    lines = len(text.rstrip().splitlines())
    is_even = text.count('"') % 2 == 0
    while True:
        first_line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield NotACharacterError(f"line {rows.line_num}: {error}")
            continue
        if row is None:
            return
        if not any(row):
            continue
        if not is_even and first_line < rows.line_num >= lines:
            yield NotACharacterError(f"line {rows.line_num}: a quotation mark is never closed")
            return
        fields = dict(zip(columns, row, strict=False))
        known = next((fields[column] for column in IDS if fields.get(column)), "")
        named = next((fields[c] for c in columns if PLAIN.get(c) == "name"), "")
        key = f"{source}#{'/'.join(filter(None, (named, known))) or rows.line_num}"
        try:
            yield build(key, "CSV", fields, PLAIN, "")
        except NotACharacterError as error:
            yield NotACharacterError(f"line {rows.line_num}: {error}")


def _header(text: str) -> tuple[list[str], str]:
    """Read the columns, in lower case, and the delimiter."""
    line = re.split(r"[\r\n]", text, maxsplit=1)[0][:10_000]
    delimiter = max(DELIMITERS, key=line.count)
    try:
        columns = next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:
        columns = []
    return [column.strip().lower().replace(" ", "_") for column in columns], delimiter
