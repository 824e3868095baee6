"""Build the docs site of this version beside those of other versions, with a selector.

    python .github/site.py FOLDER

FOLDER is what the web server shows: a folder for each MAJOR.MINOR that was ever built into it, the
list of them that the selector reads, and a first page that leads to the newest.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSION = re.compile(r'(?<=^__version__ = ")\d+\.\d+', re.MULTILINE)
FOLDER = re.compile(r"\d+\.\d+")
FIRST_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Callsheet</title>
<meta http-equiv="refresh" content="0; url={newest}/">
<a href="{newest}/">Callsheet {newest}</a>
"""


def version() -> str:
    """Read MAJOR.MINOR of this version."""
    source = ROOT / "sdk_python" / "callsheet" / "_version.py"
    found = VERSION.search(source.read_text(encoding="utf-8"))
    assert found, source
    return found.group()


def publish(site: Path, folder: Path, name: str) -> None:
    """Put a built site into ``folder`` as version ``name``, in place of an older build of it."""
    shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(site, folder / name)
    names = [path.name for path in folder.iterdir() if FOLDER.fullmatch(path.name)]
    names.sort(key=lambda one: [int(part) for part in one.split(".")], reverse=True)
    versions = [
        {"version": one, "title": one, "aliases": ["latest"] if one == names[0] else []}
        for one in names
    ]
    (folder / "versions.json").write_text(json.dumps(versions) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(FIRST_PAGE.format(newest=names[0]), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Build and publish; return zensical's exit status."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    build = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    status = subprocess.run(build, cwd=ROOT, check=False).returncode
    if status == 0:
        publish(ROOT / "site", Path(arguments[0]), version())
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
