"""A test that fails, or hangs, is the only one that does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from waiting import PATIENCE_S

IN_BACKGROUND = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(pytest.main())
"""
"""Runs pytest as a shell does that puts it into the background."""
ROOT = Path(__file__).parents[1]
LEAVES_A_TRANSPORT = """
import asyncio, gc

async def test_fails():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    ends = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert not ends

def test_neighbour():
    gc.collect()
"""
HANGS = """
import asyncio, contextlib, pytest

@contextlib.asynccontextmanager
async def opened():
    try:
        yield
    finally:
        print("closed what was open")

@pytest.mark.timeout(0.1)
async def test_hangs():
    async with opened():
        await asyncio.Event().wait()

def test_neighbour():
    pass
"""


HEARS_CTRL_C = """
import signal

def test_hears_ctrl_c():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def outcome(folder: Path, tests: str) -> str:
    """Run tests under this project's configuration; what pytest printed."""
    path = folder / "test_inner.py"
    path.write_text(tests)
    command = [sys.executable, "-c", IN_BACKGROUND, "-c", str(ROOT / "pyproject.toml"), "-rA"]
    ran = subprocess.run(
        [*command, "-p", "conftest", "-p", "no:cacheprovider", f"--rootdir={folder}", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return ran.stdout + ran.stderr


def test_what_a_failing_test_leaves_open_is_its_own(tmp_path: Path) -> None:
    printed = outcome(tmp_path, LEAVES_A_TRANSPORT)
    assert "ERROR at teardown of test_fails" in printed
    assert "unclosed transport" in printed
    assert "1 failed, 1 passed, 1 error" in printed


def test_a_test_that_hangs_is_cancelled_where_it_waits(tmp_path: Path) -> None:
    printed = outcome(tmp_path, HANGS)
    assert "TimeoutError" in printed
    assert "await asyncio.Event().wait()" in printed
    assert "closed what was open" in printed
    assert "1 failed, 1 passed" in printed


def test_programs_under_test_hear_ctrl_c_also_in_the_background(tmp_path: Path) -> None:
    assert "1 passed" in outcome(tmp_path, HEARS_CTRL_C)
