"""Licences of what a bundle holds, from the metadata of the packages in it."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from collections.abc import Collection, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["licence_of", "shipped", "write_licences"]


def shipped(left_out: Collection[str]) -> list[metadata.Distribution]:
    """Packages that the server is made of, Callsheet first, without those left out."""
    skipped = {canonicalize_name(name) for name in left_out}
    found: dict[str, metadata.Distribution] = {}
    todo = [("callsheet", "server")]
    while todo:
        name, extra = todo.pop(0)
        if name in skipped:
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # It is for another system.
        seen = name in found
        found[name] = package
        for line in package.requires or ():
            needed = Requirement(line)
            wanted = [value for value in ("", extra) if _applies(needed, value)]
            if wanted and not (seen and not extra):
                todo += [(canonicalize_name(needed.name), of) for of in needed.extras or {""}]
    first, *others = found.values()
    return [first, *sorted(others, key=lambda one: one.name.lower())]


def licence_of(package: metadata.Distribution) -> str:
    """Name a package's licence as it does itself."""
    fields = package.metadata
    if "License-Expression" in fields:
        return fields["License-Expression"]
    marks = [mark for mark in fields.get_all("Classifier", []) if mark.startswith("License ::")]
    if marks:
        return ", ".join(mark.rpartition(" :: ")[2] for mark in marks)
    return fields["License"].splitlines()[0] if "License" in fields else "see its text"


def write_licences(file: Path, left_out: Collection[str]) -> None:
    """Write the list, then the texts."""
    packages = shipped(left_out)
    python = f"Python {platform.python_version()}"
    lines = ["This folder holds the Callsheet server and what it is made of.", ""]
    lines += [f"{one.name} {one.version}: {licence_of(one)}" for one in packages]
    lines += [
        f"{python}: PSF-2.0",
        "PyInstaller's bootloader: GPL-2.0 with an exception that allows any licence",
        "llama.cpp, in xllamacpp: MIT",
        "",
    ]
    for title, text in (*_texts(packages), *_python_text(python)):
        lines += ["=" * 80, title, "=" * 80, "", text.strip(), ""]
    file.write_text("\n".join(lines), encoding="utf-8")


def _applies(needed: Requirement, extra: str) -> bool:
    return needed.marker is None or needed.marker.evaluate({"extra": extra})


def _texts(packages: Collection[metadata.Distribution]) -> Iterator[tuple[str, str]]:
    for package in packages:
        for path in package.files or ():
            if re.search(r"(?i)\.dist-info/(.*/)?(licen[cs]e|copying|notice)", str(path)):
                text = path.read_text(encoding="utf-8")
                yield f"{package.name} {package.version}: {path.name}", text


def _python_text(title: str) -> Iterator[tuple[str, str]]:
    for folder in (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix)):
        for name in ("LICENSE.txt", "LICENSE"):
            if (folder / name).is_file():
                yield title, (folder / name).read_text(encoding="utf-8")
                return
