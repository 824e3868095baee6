"""Set the repository's address, or check that everything names it alike.

    python .github/repository.py                          check
    python .github/repository.py https://host/owner/name  set it everywhere

pyproject.toml's ``[project.urls] Repository`` is the one place that says it; the Unity package and
the pages that tell users where to get that package follow. Until it is set, they say
``<repository>`` or nothing.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNSET = "<repository>"
PAGES = (
    "docs/tutorials/innkeeper-unity.md",
    "sdk_unity/README.md",
    "sdk_unity/Documentation~/index.md",
)
PACKAGE_URL = re.compile(r"`([^`]*?)(?:\.git)?\?path=/sdk_unity")
"""What Unity's package manager is given, from its start to where the folder is named."""


def address(root: Path) -> str | None:
    """Return the address that pyproject.toml says; None = there is none yet."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said: str | None = project.get("urls", {}).get("Repository")
    return said


def faults(root: Path) -> list[str]:
    """List the places that name another address than pyproject.toml."""
    expected = address(root)
    found = []
    package = json.loads((root / "sdk_unity" / "package.json").read_text(encoding="utf-8"))
    if package.get("repository", {}).get("url") != (expected and f"{expected}.git"):
        found.append("sdk_unity/package.json: repository.url")
    for page in PAGES:
        named = PACKAGE_URL.findall((root / page).read_text(encoding="utf-8"))
        if not named or set(named) != {expected or UNSET}:
            found.append(f"{page}: the address before ?path=/sdk_unity")
    return found


def set_address(root: Path, new: str) -> None:
    """Write an address into pyproject.toml and everything that follows it."""
    old = address(root)
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    if old is None:
        text = text.replace("\n[project.optional-dependencies]\n",
                            f'\n[project.urls]\nRepository = "{new}"\n'
                            "\n[project.optional-dependencies]\n")  # fmt: skip
    else:
        text = text.replace(f'Repository = "{old}"', f'Repository = "{new}"')
    project.write_text(text, encoding="utf-8")
    package = root / "sdk_unity" / "package.json"
    line = f'  "repository": {{"type": "git", "url": "{new}.git"}},\n'
    text = re.sub(r'  "repository": .*\n', "", package.read_text(encoding="utf-8"))
    text = text.replace('  "license":', f'{line}  "license":')
    package.write_text(text, encoding="utf-8")
    for page in PAGES:
        path = root / page
        text = path.read_text(encoding="utf-8")
        path.write_text(PACKAGE_URL.sub(f"`{new}.git?path=/sdk_unity", text), encoding="utf-8")


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Set the address if one is given, then check; return 1 if anything differs."""
    for new in arguments:
        if not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+(?<!\.git)", new):
            sys.stderr.write(f"{new}: give it as https://host/owner/name, without .git\n")
            return 2
        set_address(root, new)
    found = faults(root)
    sys.stderr.writelines(f"{fault} does not agree with pyproject.toml\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
