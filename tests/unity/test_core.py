"""The engine-free core: unit tests, golden vectors and fuzz, run on Mono under NUnit."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from unity.nunit import NUnitResult, run_nunit
from unity.toolchain import HERE, NUNIT, PACKAGE, ROOT, Toolchain, sources

pytestmark = pytest.mark.mono

VECTORS = ROOT / "tests" / "vectors"


@pytest.fixture(scope="module")
def result(toolchain: Toolchain) -> NUnitResult:
    core = toolchain.core()
    files = sources(PACKAGE / "Tests" / "Editor", HERE / "core")
    tests = toolchain.compile("Callsheet.Tests.dll", files, [core, NUNIT])
    return run_nunit(tests, {"CALLSHEET_VECTORS": str(VECTORS)})


def test_every_core_test_passes(result: NUnitResult) -> None:
    assert not result.failed, "\n\n".join(f"{k}\n{v}" for k, v in result.failed.items())
    assert len(result.passed) > 100


def test_all_vectors_were_replayed(result: NUnitResult) -> None:
    replayed = sum(map(int, re.findall(r"vectors replayed: (\d+)", result.output)))
    assert replayed > 2000


def test_frames_and_ticks_allocate_nothing(result: NUnitResult) -> None:
    measured = re.findall(r"allocated bytes per frame: (\S+)", result.output)
    assert measured == ["0", "0", "0"]


def test_the_messages_are_those_of_the_python_models() -> None:
    script = PACKAGE / "Tools~" / "generate_messages.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        env={"PYTHONPATH": str(ROOT / "sdk_python")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_core_uses_no_engine_thread_or_timer() -> None:
    """Check that only the transport of other platforms has code that WebGL cannot run."""
    forbidden = re.compile(
        r"UnityEngine|System\.Threading|System\.Reflection|Task\.|\bThread\b|DateTime|Stopwatch"
    )
    found = {
        str(path.relative_to(PACKAGE)): match[0]
        for path in sources(PACKAGE / "Runtime" / "Core")
        if path.name != "WebSocketTransport.cs"
        and (match := forbidden.search(path.read_text(encoding="utf-8")))
    }
    assert not found
