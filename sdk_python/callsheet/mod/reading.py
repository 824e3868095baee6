"""Reading of a mod's file: runs it, and survives whatever it does."""

from __future__ import annotations

import ctypes
import linecache
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from callsheet.mod.mistakes import ModError, clean_traceback, mistake

__all__ = ["quoting", "run_module"]

LIMIT_S: Final = 5.0
"""Time a file may take to be read: it should only define classes."""


@contextmanager
def quoting(path: Path, source: str) -> Iterator[None]:
    """Have tracebacks quote ``source`` for ``path``, whatever is saved there later.

    If reading it fails, what was quoted before is quoted again: that code goes on.
    """
    name = str(path)
    before = linecache.cache.get(name)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        yield
    except BaseException:
        if before is not None:
            linecache.cache[name] = before
        raise


def run_module(code: CodeType, module: ModuleType, path: Path) -> None:
    """Run a file's code.

    Raises:
        ModError: it failed, ended the process, or is still running after ``LIMIT_S``.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            exec(code, module.__dict__)  # noqa: S102  running the modder's file is the task
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="reading a mod", daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    if thread.is_alive():
        line = _line_in(thread, path)
        _stop(thread)
        fix = "move what takes long into a handler, such as on_spawn"
        raise mistake(path, line, f"the file is still running after {LIMIT_S:g} s", fix)
    for error in failures:
        if isinstance(error, SystemExit):
            line = _last_line(error, path)
            fix = "leave it out: callsheet mod run ends the mod"
            raise mistake(path, line, "the file ends the process while it is read", fix)
        raise ModError(f"{path}: failed while it was read\n{clean_traceback(error, path)}")


def _line_in(thread: threading.Thread, path: Path) -> int:
    """The line of the file that a thread is at."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and frame.f_code.co_filename != str(path):
        frame = frame.f_back
    return frame.f_lineno if frame is not None else 1


def _last_line(error: BaseException, path: Path) -> int:
    """The last line of the file that an exception passed."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _stop(thread: threading.Thread) -> None:
    """Have a thread end at its next line of Python; one that waits inside C is left behind."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
    )
