"""Runs a command as long as standard input stays open: python guard.py GRACE_S COMMAND...

Whoever starts it holds the other end of that pipe. When it is closed, on purpose or because its
holder was killed, the command's whole process group is told to end, and killed after GRACE_S
seconds; so it is as soon as the command itself has ended. Exits as the command did. Run as a
script, by path: it must start fast and imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

__all__ = ["main"]

PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command; return its exit status, or minus the signal it died of."""
    grace_s, command = float(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The pipe alone decides. Unlike SIG_IGN, a handler is not passed on to the command.
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(  # noqa: S603 - it is what we were asked to run
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_guard
    )
    os.close(1)  # Ends with the command's own copies of it.
    os.close(2)
    threading.Thread(target=_end_when_left, args=(child.pid, grace_s), daemon=True).start()
    code = child.wait()
    _signal_group(child.pid, signal.SIGKILL)  # What it has left behind.
    return code


def _end_with_guard() -> None:
    """Have Linux kill the command with the guard: Ray kills a dead actor's children."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_when_left(group: int, grace_s: float) -> None:
    while os.read(0, 4096):
        pass
    _signal_group(group, signal.SIGTERM)
    time.sleep(grace_s)
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    status = main()
    sys.exit(status if status >= 0 else 128 - status)
