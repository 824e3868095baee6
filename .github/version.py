"""Set the version, or check that everything names it alike.

    python .github/version.py          check
    python .github/version.py 0.2.0    set it everywhere, and date its entry in the changelogs

``sdk_python/callsheet/_version.py`` is the one place that says it; the Unity package, the Godot
addon and the pages that tell their users which version to get follow.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = "sdk_python/callsheet/_version.py"
CHANGELOGS = ("CHANGELOG.md", "sdk_unity/CHANGELOG.md")
UNDATED = re.compile(r"^## \[[^\]]+\]$", re.MULTILINE)
TAGGED = re.compile(r"(?<=`#v)\d[\w.]*(?=`)")
PLACES = {
    SOURCE: re.compile(r'(?<=^__version__ = ")[^"]+', re.MULTILINE),
    "sdk_unity/package.json": re.compile(r'(?<="version": ")[^"]+'),
    "sdk_unity/Runtime/Core/Client/SessionOptions.cs": re.compile(r'(?<=SdkVersion = ")[^"]+'),
    "sdk_godot/addons/callsheet/plugin.cfg": re.compile(r'(?<=^version=")[^"]+', re.MULTILINE),
    "sdk_godot/addons/callsheet/core/client/session_options.gd": re.compile(
        r'(?<=SDK_VERSION := ")[^"]+'
    ),
    "sdk_unity/README.md": TAGGED,
    "sdk_unity/Documentation~/index.md": TAGGED,
    "docs/unity.md": TAGGED,
    "docs/tutorials/innkeeper-unity.md": TAGGED,
}
"""Files that name the version, the first the one that they follow."""


def named(root: Path, path: str) -> set[str]:
    """Return the versions that a file names."""
    return set(PLACES[path].findall((root / path).read_text(encoding="utf-8")))


def faults(root: Path) -> list[str]:
    """List the files that name another version than the source, or none."""
    expected = named(root, SOURCE)
    found = [path for path in PLACES if named(root, path) != expected]
    for path in CHANGELOGS:
        text = (root / path).read_text(encoding="utf-8")
        if not any(f"\n## [{version}]" in text for version in expected):
            found.append(path)
    return found


def set_version(root: Path, new: str, today: dt.date) -> None:
    """Write a version into every file that names it; an undated entry of a changelog is dated."""
    for path, pattern in PLACES.items():
        text = (root / path).read_text(encoding="utf-8")
        (root / path).write_text(pattern.sub(new, text), encoding="utf-8")
    for path in CHANGELOGS:
        text = (root / path).read_text(encoding="utf-8")
        entry = f"## [{new}] - {today}"
        (root / path).write_text(UNDATED.sub(entry, text, count=1), encoding="utf-8")


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Set the version if one is given, then check; return 1 if anything differs."""
    for new in arguments:
        if not re.fullmatch(r"\d+\.\d+\.\d+", new):
            sys.stderr.write(f"{new}: give it as MAJOR.MINOR.PATCH\n")
            return 2
        set_version(root, new, dt.datetime.now(dt.UTC).date())
    found = faults(root)
    sys.stderr.writelines(f"{path} does not agree with {SOURCE}\n" for path in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
