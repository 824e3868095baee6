"""One SGLang process tree of our own: started, waited for, ended whole. Blocking; standard library.

Its processes get a group (and session) of their own, so that Ctrl-C in a terminal reaches only
whoever started them, and so that none of them outlives the others.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from callsheet_sglang.launch.spec import LaunchSpec, arguments, environment

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 10.0
_POLL_S = 0.25


class SglangStartError(Exception):
    """SGLang did not come up; the text holds the end of its log and where the rest is."""


@contextlib.contextmanager
def running(
    spec: LaunchSpec, log: Path, start_timeout_s: float = START_TIMEOUT_S
) -> Iterator[subprocess.Popen[bytes]]:
    """Run an SGLang for as long as the block: healthy at its start, gone after its end.

    Args:
        spec: what to run.
        log: file its output is appended to.
        start_timeout_s: how long it may take to answer.

    Raises:
        SglangStartError: it ended by itself or was not healthy in time.
    """
    process = start(spec, log)
    try:
        _wait_until_healthy(process, spec, log, start_timeout_s)
        yield process
    finally:
        stop(process)


def start(spec: LaunchSpec, log: Path) -> subprocess.Popen[bytes]:
    """Start an SGLang and return its first process, which leads a process group of its own.

    Raises:
        SglangStartError: the interpreter cannot be run.
    """
    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                arguments(spec),
                env=environment(spec, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise SglangStartError(f"{spec.python} cannot be run: {error}") from None


def stop(process: subprocess.Popen[bytes], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End a process tree that ``start`` made: politely at first, then whoever is left of it."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def log_tail(log: Path, lines: int = 30) -> str:
    """Return the end of a log, for an error text."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def _wait_until_healthy(
    process: subprocess.Popen[bytes], spec: LaunchSpec, log: Path, timeout_s: float
) -> None:
    give_up_s = time.monotonic() + timeout_s
    while not _is_healthy(spec.url):
        status = process.poll()
        if status is not None:
            what = f"ended with status {status} while starting"
        elif time.monotonic() > give_up_s:
            what = f"did not answer at {spec.url}/health within {timeout_s:g} s"
        else:
            time.sleep(_POLL_S)
            continue
        raise SglangStartError(f"SGLang {what}. The end of {log}:\n\n{log_tail(log)}")


def _is_healthy(url: str) -> bool:
    """True once the model answers: SGLang says 503 while it warms up."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5.0):
            return True
    except (OSError, urllib.error.HTTPError):
        return False
