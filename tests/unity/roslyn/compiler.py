"""Compiles C# 9, against Mono's assemblies, with the Roslyn that lies in the cache."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unity.roslyn.files import ROSLYN

HERE = Path(__file__).parent
MONO = Path("/usr/lib/mono")
UNITYS_PROFILE = MONO / "4.7.1-api"
"""Unity's ".NET Framework"; the package compiles against this."""
RUNTIME = MONO / "4.5"
"""Mono's own class library; tests that measure allocations ask for it."""
FRAMEWORK = ("mscorlib", "System", "System.Core", "System.Xml")
DRIVER_NEEDS = (
    *("System.Private.CoreLib", "System.Runtime", "System.Collections", "System.Linq"),
    *("System.Console", "System.Runtime.Extensions", "System.IO.FileSystem"),
    *("System.Text.Encoding.Extensions", "System.Threading", "netstandard"),
)
TIMEOUT_S = 300


def missing_roslyn() -> str | None:
    """Say why no Roslyn can be run here; None = it can."""
    return None if ROSLYN.folder().is_dir() else "no Roslyn: python tests/fetch_tools.py"


@dataclass(frozen=True)
class Job:
    """One assembly to compile."""

    name: str
    files: Sequence[Path]
    references: Sequence[str] = ()
    """Names of jobs before this one."""
    defines: Sequence[str] = ()
    is_test: bool = False


class Roslyn:
    """Compiles into one folder."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._compiler = ROSLYN.folder()

    def compile(self, jobs: Sequence[Job], nunit: Path) -> tuple[dict[str, Path], str]:
        """Compile all jobs, warnings being errors: what came out, and what the compiler said."""
        driver = self._driver()
        files = []
        for job in jobs:
            profile = RUNTIME if job.is_test else UNITYS_PROFILE
            references = [profile / f"{name}.dll" for name in FRAMEWORK]
            references += [self._into / f"{name}.dll" for name in job.references]
            references += [nunit] if job.is_test else []
            lines = [f"out {self._into / job.name}.dll"]
            lines += [f"reference {path}" for path in references]
            lines += [f"define {symbol}" for symbol in job.defines]
            lines += [f"source {path}" for path in job.files]
            files.append(self._into / f"{job.name}.job")
            files[-1].write_text("\n".join(lines), encoding="utf-8")
        said = self._run(driver, files)
        paths = {job.name: self._into / f"{job.name}.dll" for job in jobs}
        good = set(said.splitlines())
        return {name: path for name, path in paths.items() if f"compiled {path}" in good}, said

    def _driver(self) -> Path:
        """The program that calls the compiler, itself compiled by mcs against .NET Core."""
        package = self._compiler / "package"
        (shared,) = self._compiler.glob("dotnetcore2/bin/shared/Microsoft.NETCore.App/*")
        needs = [shared / f"{name}.dll" for name in DRIVER_NEEDS]
        needs += [package / f"Microsoft.CodeAnalysis{part}.dll" for part in ("", ".CSharp")]
        needs += [package / "System.Collections.Immutable.dll"]
        target = self._into / "Roslyn.dll"
        command = ["mcs", "-nostdlib", "-noconfig", "-langversion:7.2", "-debug-", "-target:exe"]
        command += [f"-out:{target}", *(f"-r:{path}" for path in needs), str(HERE / "Roslyn.cs")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        assert done.returncode == 0, done.stderr + done.stdout
        return target

    def _run(self, driver: Path, jobs: Sequence[Path]) -> str:
        package = self._compiler / "package"
        settings = package / "AutoRest.CSharp.runtimeconfig.json"
        dependencies = package / "AutoRest.CSharp.deps.json"
        command = [str(self._compiler / "dotnetcore2" / "bin" / "dotnet"), "exec"]
        command += ["--depsfile", str(dependencies), "--runtimeconfig", str(settings)]
        command += ["--additionalprobingpath", str(package), str(driver), *map(str, jobs)]
        environment = os.environ | {
            "LD_LIBRARY_PATH": str(self._compiler / "psycopg2_binary.libs"),
            "CLR_OPENSSL_VERSION_OVERRIDE": "1.1",
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
        }
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        return done.stdout + done.stderr
