"""Set the repository's address, or check that everything names it alike.

    python .github/repository.py                          check
    python .github/repository.py https://host/owner/name  set it everywhere

pyproject.toml's ``[project.urls] Repository`` is the one place that says it; the Unity package, its
metadata for OpenUPM and the pages that tell users where to get that package follow. Until it is
set, they say ``<repository>`` or nothing.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
UNSET = "<repository>"
PAGES = (
    "docs/unity.md",
    "docs/tutorials/innkeeper-unity.md",
    "sdk_unity/README.md",
    "sdk_unity/Documentation~/index.md",
)
MANIFEST = "sdk_unity/package.json"
OPENUPM = ".github/openupm/com.callsheet.sdk.yml"
PACKAGE_URL = re.compile(r"`([^`]*?)(?:\.git)?\?path=/sdk_unity")
"""What Unity's package manager is given, from its start to where the folder is named."""


def manifest_fields(repository: str) -> dict[str, Any]:
    """Return the fields of the Unity package's manifest that name the repository."""
    page = f"{repository}/blob/main/sdk_unity"
    return {
        "repository": {"type": "git", "url": f"{repository}.git", "directory": "sdk_unity"},
        "documentationUrl": f"{page}/Documentation~/index.md",
        "changelogUrl": f"{page}/CHANGELOG.md",
        "licensesUrl": f"{page}/LICENSE.md",
    }


def address(root: Path) -> str | None:
    """Return the address that pyproject.toml says; None = there is none yet."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said: str | None = project.get("urls", {}).get("Repository")
    return said


def faults(root: Path) -> list[str]:
    """List the places that name another address than pyproject.toml."""
    expected = address(root)
    found = []
    manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    for field, value in manifest_fields(expected or UNSET).items():
        if manifest.get(field) != (expected and value):
            found.append(f"{MANIFEST}: {field}")
    if f"\nrepoUrl: {expected or 'null'}\n" not in (root / OPENUPM).read_text(encoding="utf-8"):
        found.append(f"{OPENUPM}: repoUrl")
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
    manifest = root / MANIFEST
    fields = manifest_fields(new)
    text = re.sub(rf'  "({"|".join(fields)})": .*\n', "", manifest.read_text(encoding="utf-8"))
    lines = "".join(f'  "{name}": {json.dumps(value)},\n' for name, value in fields.items())
    manifest.write_text(text.replace('  "license":', f'{lines}  "license":'), encoding="utf-8")
    metadata = root / OPENUPM
    text = re.sub(r"(?m)^repoUrl: .*$", f"repoUrl: {new}", metadata.read_text(encoding="utf-8"))
    metadata.write_text(text, encoding="utf-8")
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
