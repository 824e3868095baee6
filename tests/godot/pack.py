"""Packs a Godot project as the editor's export would: format 3, files as they are.

Scripts and scenes load from text. The one thing that the editor adds is the list of classes that
have names.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

HEADER = struct.Struct("<4sIIIIIQQ")
HEADER_BYTES = 112
"""The rest of it is reserved."""
RELATIVE_OFFSETS = 2
ALIGN_BYTES = 16
CLASSES = ".godot/global_script_class_cache.cfg"
NAMED = re.compile(r"^class_name (\w+)(?:\s+extends (\w+))?", re.MULTILINE)
EXTENDS = re.compile(r"^extends (\w+)", re.MULTILINE)


def pack(folders: Mapping[str, Path], extra: Mapping[str, str] | None = None) -> bytes:
    """Pack folders of this machine as folders below `res://`, the later ones over the earlier.

    Args:
        folders: Path below `res://`, empty for the project itself, -> what lies there.
        extra: More files, as text.
    """
    files: dict[str, bytes] = {}
    for place, folder in folders.items():
        files |= {f"{place}{path}": content for path, content in _read(folder)}
    files |= {path: text.encode() for path, text in (extra or {}).items()}
    files[CLASSES] = _classes(files).encode()
    directory, body = struct.pack("<I", len(files)), b""
    for path, content in files.items():
        name = path.encode()
        name += b"\0" * (-len(name) % 4)
        directory += struct.pack("<I", len(name)) + name
        directory += struct.pack("<QQ", len(body), len(content))
        directory += hashlib.md5(content).digest() + struct.pack("<I", 0)
        body += content + b"\0" * (-len(content) % ALIGN_BYTES)
    header = HEADER.pack(
        b"GDPC", 3, 4, 6, 0, RELATIVE_OFFSETS, HEADER_BYTES, HEADER_BYTES + len(body)
    )
    return header.ljust(HEADER_BYTES, b"\0") + body + directory


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    assert folder.is_dir(), folder
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _classes(files: Mapping[str, bytes]) -> str:
    """The list by which the engine finds a script by the name of its class."""
    entries = []
    for path, content in files.items():
        text = content.decode() if path.endswith(".gd") else ""
        if not (named := NAMED.search(text)):
            continue
        extends = EXTENDS.search(text)
        base = named[2] or (extends[1] if extends else "RefCounted")
        entries.append(
            f'{{"base": &"{base}", "class": &"{named[1]}", "icon": "", "is_abstract": false, '
            f'"is_tool": false, "language": &"GDScript", "path": "res://{path}"}}'
        )
    return f"list=[{', '.join(entries)}]\n"
