"""Run the real ``callsheet`` command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def environment() -> dict[str, str]:
    """This process's environment, with the packages under test importable and no settings.

    Nothing is kept on disk unless a test says where.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CALLSHEET_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), "CALLSHEET_STORAGE__DIRECTORY": ""}


def start(*argv: str) -> subprocess.Popen[str]:
    """Start a command; its stdout and stderr are pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "callsheet", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def run(*argv: str, status: int = 0) -> tuple[str, str]:
    """Run a command to its end. Returns stdout and stderr."""
    with start(*argv) as process:
        out, err = process.communicate(timeout=45)
    assert process.returncode == status, f"{argv}: status {process.returncode}\n{out}\n{err}"
    return out, err
