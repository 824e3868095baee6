"""Runs a compiled NUnit 2 assembly and reads its result file."""

from __future__ import annotations

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from unity.toolchain import NUNIT, RUN_TIMEOUT_S


@dataclass(frozen=True)
class NUnitResult:
    """Results of nunit-console."""

    passed: frozenset[str]
    failed: dict[str, str]
    """Full name -> message."""
    output: str


def run_nunit(assembly: Path, environment: dict[str, str]) -> NUnitResult:
    """Run every test of the assembly.

    Raises:
        AssertionError: nunit-console did not get as far as a result.
    """
    folder = assembly.parent
    if not (folder / NUNIT.name).exists():
        shutil.copy(NUNIT, folder)
    result = folder / f"{assembly.stem}.xml"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        ["nunit-console", "-nologo", f"-xml:{result}", str(assembly)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
    )
    assert result.is_file(), done.stdout + done.stderr
    passed, failed = set(), {}
    for case in ET.parse(result).iter("test-case"):
        name = case.get("name", "")
        if case.get("success") == "True":
            passed.add(name)
        else:
            failed[name] = "".join(case.itertext()).strip()
    return NUnitResult(frozenset(passed), failed, done.stdout)
