"""Compiles the package's C# with Debian's mcs, and runs it on Mono and NUnit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sdk_unity"
HERE = ROOT / "tests" / "unity"
NUNIT = Path("/usr/lib/cli/nunit.framework-2.6.3/nunit.framework.dll")
LANGUAGE = "7.2"
"""C# version that both mcs and the compiler of Unity 2021.3 accept."""
COMPILE_TIMEOUT_S = 120
RUN_TIMEOUT_S = 120


def missing_mono() -> str | None:
    """Say why C# cannot be built and run here; None = it can."""
    if all(map(shutil.which, ("mcs", "mono", "nunit-console"))) and NUNIT.is_file():
        return None
    return (
        "Mono is not installed (apt-get install mono-mcs mono-devel nunit-console libnunit-cil-dev)"
    )


def sources(*folders: Path) -> list[Path]:
    """All C# files under the folders, in a stable order."""
    return sorted(path for folder in folders for path in folder.rglob("*.cs"))


@dataclass
class Toolchain:
    """Builds each assembly once, into one folder."""

    folder: Path
    built: dict[str, Path] = field(default_factory=dict)

    def compile(
        self,
        name: str,
        files: Iterable[Path],
        references: Sequence[Path] = (),
        defines: Sequence[str] = (),
    ) -> Path:
        """Compile to ``name`` (.dll or .exe), warnings being errors.

        Raises:
            AssertionError: with what the compiler says.
        """
        target = self.folder / name
        kind = "library" if target.suffix == ".dll" else "exe"
        command = [
            "mcs",
            f"-langversion:{LANGUAGE}",
            "-warnaserror",
            "-debug-",
            f"-target:{kind}",
            f"-out:{target}",
            *(f"-r:{reference}" for reference in references),
            *(f"-define:{define}" for define in defines),
            *map(str, files),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S)
        assert done.returncode == 0, done.stderr + done.stdout
        return target

    def library(self, name: str, folders: Sequence[Path], references: Sequence[str] = ()) -> Path:
        """The assembly of that name, compiled when it is first asked for."""
        if name not in self.built:
            paths = [self.built[r] for r in references]
            self.built[name] = self.compile(f"{name}.dll", sources(*folders), paths)
        return self.built[name]

    def core(self) -> Path:
        return self.library("Callsheet.Core", [PACKAGE / "Runtime" / "Core"])

    def run(self, program: Path, *arguments: str) -> str:
        """Run a compiled program on Mono until it ends; what it printed.

        Its exit status is not looked at: Mono 6.8 sometimes aborts in its own shutdown while
        threads of the pool still run, after the program has ended well. Programs print how they
        ended.
        """
        done = subprocess.run(
            ["mono", str(program), *arguments],
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
        )
        return done.stdout or done.stderr
