"""Lists do wherever the SDK has tuples, for Python and for type checkers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from telemetry.small_world import serving
from test_type_completeness import missing

pytestmark = pytest.mark.process
PROGRAM = Path(__file__).with_name("lists.py")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join((here, os.environ["PATH"]))
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROGRAM.parent,
        env=os.environ | {"PATH": path, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
    )


async def test_a_program_that_gives_lists_runs() -> None:
    async with serving() as server:
        done = await asyncio.to_thread(run, str(PROGRAM), f"ws://127.0.0.1:{server.port}")
    assert done.stdout.splitlines() == ["['bram', 'ida']", "['bram', 'ida']"], done.stderr


@pytest.mark.timeout(300)
def test_mypy_lets_it_pass(tmp_path: Path) -> None:
    done = run("-m", "mypy", "--strict", f"--cache-dir={tmp_path}", "--config-file=",
               str(PROGRAM))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(missing() is not None, reason=f"lists: {missing()}")
@pytest.mark.timeout(300)
def test_pyright_lets_it_pass(tmp_path: Path) -> None:
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    done = run("-m", "pyright", "--project", str(tmp_path), str(PROGRAM))
    assert done.returncode == 0, done.stdout + done.stderr
