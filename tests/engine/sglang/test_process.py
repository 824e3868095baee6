"""A launched SGLang ends with whoever launched it, and its log is kept and bounded."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from waiting import until

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.sglang.process import SglangProcess

FAMILY = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pids", child.pid, flush=True)
if "brief" not in sys.argv:
    time.sleep(600)
"""
LOADING = """
print("[2026-01-01] server_args=ServerArgs(api_key='hush-hush')")
print("Load weight begin. avail mem=1 GB")
print("Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:00]")
print("x" * 5000)
print("y" * 5000)
print("z" * 5000)
print("The server is fired up and ready to roll!")
"""
OWNER = """
import asyncio, os, sys
from pathlib import Path
from callsheet_server.engine.sglang.process import SglangProcess

async def main():
    await SglangProcess.launch(
        [sys.executable, "-c", sys.argv[2]], os.environ, log_file=Path(sys.argv[1]),
        log_bytes=10_000, stop_timeout_s=0.5, report=lambda _: None,
    )
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def launch(folder: Path, program: str, *arguments: str, **options: Any) -> SglangProcess:
    defaults: dict[str, Any] = {"stop_timeout_s": 60.0, "report": lambda _: None}
    return await SglangProcess.launch(
        [sys.executable, "-c", program, *arguments],
        os.environ,
        log_file=folder / "logs" / "sglang.log",
        log_bytes=10_000,
        **{**defaults, **options},
    )


def child_in(log: Path) -> int | None:
    """The pid that ``FAMILY`` has printed."""
    text = log.read_text() if log.exists() else ""
    return int(text.split()[1]) if text.startswith("pids") and text.endswith("\n") else None


def is_gone(pid: int) -> bool:
    """One that nobody has taken note of yet counts."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def family(folder: Path) -> int:
    log = folder / "logs" / "sglang.log"
    await until(lambda: child_in(log) is not None)
    child = child_in(log)
    assert child is not None
    return child


@pytest.mark.parametrize("manner", ["polite", "stubborn"])
async def test_stop_ends_the_whole_family(tmp_path: Path, manner: str) -> None:
    grace_s = 60.0 if manner == "polite" else 0.5
    process = await launch(tmp_path, FAMILY, manner, stop_timeout_s=grace_s)
    child = await family(tmp_path)
    assert process.exit_status is None
    await process.stop()
    await until(lambda: is_gone(child))
    assert process.exit_status == 128 + (signal.SIGTERM if manner == "polite" else signal.SIGKILL)


async def test_what_it_leaves_behind_is_ended(tmp_path: Path) -> None:
    process = await launch(tmp_path, FAMILY, "brief")
    child = await family(tmp_path)
    await process.ended.wait()
    assert process.exit_status == 0
    await until(lambda: is_gone(child))
    await process.stop()


async def test_a_killed_server_leaves_no_orphans(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "sglang.log"
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(log), FAMILY),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    child = await family(tmp_path)
    owner.kill()
    await owner.wait()
    await until(lambda: is_gone(child))


async def test_the_log_is_kept_bounded_and_without_the_key(tmp_path: Path) -> None:
    reports: list[Progress] = []
    process = await launch(tmp_path, LOADING, report=reports.append, secret="hush-hush")
    await process.ended.wait()
    logs = sorted((tmp_path / "logs").iterdir())
    assert [path.name for path in logs] == ["sglang.log", "sglang.log.1", "sglang.log.2"]
    assert all(path.stat().st_size <= 10_000 for path in logs)
    text = "".join(path.read_text() for path in reversed(logs))
    assert "hush-hush" not in text
    assert "api_key='(secret)'" in text
    assert "fired up" in text
    assert "fired up" in process.tail
    assert str(tmp_path / "logs" / "sglang.log") in process.tail
    assert [(report.done, report.total) for report in reports] == [(1, 7), (2, 7), (1, 2), (7, 7)]
    await process.stop()


async def test_a_program_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="/nowhere/python is no program; install SGLang"):
        await SglangProcess.launch(
            ["/nowhere/python"],
            os.environ,
            log_file=tmp_path / "sglang.log",
            log_bytes=10_000,
            stop_timeout_s=0.5,
            report=lambda _: None,
        )


async def test_a_log_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(EngineStartError, match=r"sglang\.log_file: .*sglang\.log: "):
        await launch(tmp_path, FAMILY)
