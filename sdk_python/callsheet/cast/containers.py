"""Files as bytes: limits, encodings, and the text inside PNG and zip files.

Nothing here trusts a length that a file claims: no more than ``MAX_TEXT_BYTES`` of text are taken
out of any container, however small it is on disk.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from callsheet.cast.errors import NotACharacterError
from callsheet.wire.fields import MAX_INTEGER

__all__ = [
    "MAX_FILE_BYTES",
    "PNG",
    "ZIP",
    "as_text",
    "damage_in",
    "json_in",
    "json_lines_in",
    "packed",
    "read_bounded",
    "text_in_png",
    "text_in_zip",
]

MAX_FILE_BYTES: Final = 64 * 2**20
MAX_TEXT_BYTES: Final = 16 * 2**20
MAX_DEPTH: Final = 50
"""Objects inside objects."""
HUGE: Final = 10**300
MAX_MEMBERS: Final = 10_000
"""Files in a zip file that are looked at."""
PNG: Final = b"\x89PNG\r\n\x1a\n"
ZIP: Final = b"PK\x03\x04"
JPEG: Final = b"\xff\xd8\xff"
OTHER_PICTURES: Final = (JPEG, b"GIF8", b"RIFF")
CARD_KEYS: Final = ("ccv3", "chara")
"""Keywords of the PNG texts that hold a card, the newest first."""


def read_bounded(path: Path) -> bytes:
    """Read a file.

    Raises:
        NotACharacterError: it is too large, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise NotACharacterError(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise NotACharacterError(f"is larger than {MAX_FILE_BYTES >> 20} MiB")
    return data


def packed(data: bytes) -> bool:
    """Tell whether a file is a zip file, also one behind a picture."""
    return data.startswith(ZIP) or (data.startswith(JPEG) and zipfile.is_zipfile(io.BytesIO(data)))


def as_text(data: bytes) -> tuple[str, bool]:
    """Decode text: UTF-8, UTF-16 and UTF-32 with or without their mark, else Windows-1252.

    Returns:
        The text, and whether Windows-1252 was a guess.

    Raises:
        NotACharacterError: it is empty, too long, or no text.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise NotACharacterError(f"has more than {MAX_TEXT_BYTES >> 20} MiB of text")
    if data.startswith(OTHER_PICTURES):
        raise NotACharacterError("is a picture, but no PNG: only PNGs have cards in them")
    guessed = False
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        guessed, text = True, data.decode("cp1252", errors="replace")
    text = text.lstrip("\ufeff").rstrip("\0")
    if "\0" in text[:1000]:
        raise NotACharacterError("is no text")
    if not text.strip():
        raise NotACharacterError("is empty")
    return text, guessed


def damage_in(text: str) -> str | None:
    """Say where a text that begins as JSON is none; None = it does not."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        return f"is damaged JSON: {error}"
    return None


def json_lines_in(text: str) -> list[Any] | None:
    """Parse lines of JSON, None for each that is damaged; None = these are none."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or not all(line.lstrip()[:1] == "{" for line in lines):
        return None
    documents = [json_in(line) for line in lines]
    return documents if isinstance(documents[0], dict) else None


def json_in(text: str) -> Any:
    """Parse JSON as leniently as is safe; text that is no JSON gives None."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        document = orjson.loads(text)
    except ValueError:
        try:  # NaN, bare control characters and lone surrogates, which some tools write
            document = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return None
    return sound(document)


def sound(value: Any, depth: int = 0) -> Any:
    """Bring a parsed value to what JSON can hold: no NaN, no half characters, no dates.

    Raises:
        NotACharacterError: it is nested too deep.
    """
    if depth > MAX_DEPTH:
        raise NotACharacterError(f"is nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {sound(str(key)): sound(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [sound(inner, depth + 1) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else float(max(-HUGE, min(value, HUGE)))
    return None if value is None else str(value)


def text_in_png(data: bytes) -> str:
    """Find the card in a PNG's texts: before or after the picture, plain or compressed.

    Raises:
        NotACharacterError: there is none, or it is too large.
    """
    found: dict[str, bytes] = {}
    trouble = "is a picture without a character in it"
    for kind, body in _chunks(data):
        if kind not in (b"tEXt", b"iTXt", b"zTXt"):
            continue
        keyword, _, rest = body[:MAX_TEXT_BYTES].partition(b"\0")
        key = keyword.decode("latin-1").lower()
        if key not in CARD_KEYS:
            continue
        if len(body) > MAX_TEXT_BYTES:
            trouble = f"has a text of more than {MAX_TEXT_BYTES >> 20} MiB"
            continue
        try:
            found.setdefault(key, _text_of(kind, rest))
        except (zlib.error, ValueError, IndexError) as error:
            trouble = f"has a damaged text: {error}"
    for key in CARD_KEYS:
        try:
            if found.get(key, b"").strip():
                return _unwrapped(found[key])
        except NotACharacterError as error:
            trouble = str(error)
    raise NotACharacterError(trouble)


def text_in_zip(data: bytes) -> str:
    """Read ``card.json`` of a zip file.

    Raises:
        NotACharacterError: there is none, or it is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise NotACharacterError(f"is a zip file of more than {MAX_MEMBERS} files")
            member = archive.getinfo("card.json")
            with archive.open(member) as file:
                text = file.read(MAX_TEXT_BYTES + 1)
    except KeyError:
        raise NotACharacterError("is a zip file without a card.json") from None
    except (
        zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError,
    ) as error:  # fmt: skip
        raise NotACharacterError(f"is a damaged zip file: {error}") from None
    return as_text(text)[0]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and body of each chunk as far as the file goes, whatever lengths it claims."""
    at = len(PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _text_of(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflated(rest[1:])
    compressed = rest[0]
    text = rest[2:].split(b"\0", 2)[2]  # behind the language and the translated keyword
    return _inflated(text) if compressed else text


def _inflated(data: bytes) -> bytes:
    unpack = zlib.decompressobj()
    text = unpack.decompress(data, MAX_TEXT_BYTES)
    if unpack.unconsumed_tail:
        raise ValueError(f"it unpacks to more than {MAX_TEXT_BYTES >> 20} MiB")
    return text


def _unwrapped(text: bytes) -> str:
    """Undo the base64 that the texts of cards are wrapped in."""
    if text.lstrip()[:1] == b"{":
        return as_text(text)[0]
    try:
        return as_text(base64.b64decode(text.strip() + b"=" * (-len(text.strip()) % 4)))[0]
    except binascii.Error as error:
        raise NotACharacterError(f"has a damaged text: {error}") from None
