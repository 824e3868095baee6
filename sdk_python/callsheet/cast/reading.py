"""Files and folders of characters, told apart by content and never by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from callsheet.cast.character import Book, Character
from callsheet.cast.containers import (
    PNG,
    as_text,
    damage_in,
    json_in,
    json_lines_in,
    packed,
    read_bounded,
    text_in_png,
    text_in_zip,
)
from callsheet.cast.errors import CastError, NotACharacterError
from callsheet.cast.formats.documents import read_document
from callsheet.cast.formats.places import name_from
from callsheet.cast.formats.skyrimnet import is_prompt, read_prompt
from callsheet.cast.formats.tables import is_table, read_table
from callsheet.cast.formats.typescript import is_source, read_source
from callsheet.cast.formats.yaml_text import is_yaml, yaml_in

__all__ = ["Skipped", "read_files"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a part of one, that gives no character."""

    source: str
    reason: str


def read_files(paths: Iterable[Path]) -> Iterator[Character | Book | Skipped]:
    """Read files, and all files of folders, in order of their names.

    A source's name is its path under the folder given, so it stays where folders move.

    Raises:
        CastError: one of ``paths`` is not there.
    """
    for path in paths:
        if path.is_file():
            yield from _read_file(path.name, path)
        elif path.is_dir():
            for file in _files(path):
                yield from _read_file(file.relative_to(path).as_posix(), file)
        else:
            raise CastError(f"{path}: no such file or folder")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder; links to folders are not followed."""
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(base, name)
            if not name.startswith(".") and file.is_file():
                yield file


def _read_file(source: str, path: Path) -> Iterator[Character | Book | Skipped]:
    try:
        for item in _items(source, path):
            if isinstance(item, NotACharacterError):
                yield Skipped(source, str(item))
            else:
                yield item
    except NotACharacterError as error:
        yield Skipped(source, str(error))


def _items(source: str, path: Path) -> Iterator[Character | Book | NotACharacterError]:
    data, guessed = read_bounded(path), False
    if data.startswith(PNG):
        text = text_in_png(data)
    elif packed(data):
        text = text_in_zip(data)
    else:
        text, guessed = as_text(data)
    for item in _items_of(source, text, path.name.partition(".")[0]):
        if guessed and not isinstance(item, NotACharacterError):
            item.notes.append("is not UTF-8; read as Windows-1252")
        yield item


def _items_of(source: str, text: str, stem: str) -> Iterator[Character | Book | NotACharacterError]:
    document = json_in(text)
    if document is not None:
        yield from read_document(source, document, name_from(stem))
    elif (lines := json_lines_in(text)) is not None:
        for number, one in enumerate(lines, 1):
            if one is None:
                yield NotACharacterError(f"line {number} is damaged JSON")
        yield from read_document(source, [one for one in lines if one is not None], "")
    elif is_prompt(text):
        yield read_prompt(source, text, stem)
    elif is_table(text):
        yield from read_table(source, text)
    elif is_source(text):
        yield from read_source(source, text)
    elif is_yaml(text):
        yield from read_document(source, yaml_in(text), name_from(stem))
    else:
        raise NotACharacterError(damage_in(text) or "is of no format that is known")
