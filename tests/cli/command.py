"""Run the real ``callsheet`` command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager

from programs import blocking_program
from waiting import PATIENCE_S


def environment() -> dict[str, str]:
    """This process's environment, with the packages under test importable and no settings.

    Nothing is kept on disk unless a test says where.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CALLSHEET_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), "CALLSHEET_STORAGE__DIRECTORY": ""}


def start(*argv: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Run a command while the body runs; its stdout and stderr are pipes."""
    return blocking_program("-m", "callsheet", *argv, env=environment())


def run(*argv: str, status: int = 0) -> tuple[str, str]:
    """Run a command to its end. Returns stdout and stderr."""
    with start(*argv) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status, f"{argv}: status {process.returncode}\n{out}\n{err}"
    return out, err
