"""Mistakes of a mod, reported so that the modder sees only their own file."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable
from pathlib import Path

__all__ = ["ModError", "clean_traceback", "line_of", "mistake", "shorten", "syntax_error"]

SHOWN_CHARS = 120


class ModError(Exception):
    """A mod cannot be run; the text says where, why, and the fix."""


def mistake(path: Path, line: int, problem: str, fix: str) -> ModError:
    """A mistake at a line of the mod's file."""
    source = linecache.getline(str(path), line).strip()
    shown = f"\n    {source}" if source else ""
    return ModError(f"{path}:{line}: {problem}{shown}\n  fix: {fix}")


def line_of(method: Callable[..., object]) -> int:
    """The line of a function's ``def``, below its decorators."""
    lines, first = inspect.getsourcelines(method)
    starts = (n for n, text in enumerate(lines) if text.lstrip().startswith(("def ", "async def ")))
    return first + next(starts, 0)


def syntax_error(path: Path, error: SyntaxError) -> ModError:
    """Return Python's own message on a file that it cannot parse."""
    shown = "".join(traceback.format_exception_only(error)).rstrip()
    return ModError(f"{path}:{error.lineno or 1}: this is not valid Python\n{shown}")


def clean_traceback(error: BaseException, path: Path) -> str:
    """The traceback with the frames of the mod's file only, causes included."""
    trace = traceback.TracebackException.from_exception(error)
    seen: traceback.TracebackException | None = trace
    while seen is not None:
        own = [frame for frame in seen.stack if frame.filename == str(path)]
        seen.stack = traceback.StackSummary.from_list(own)
        seen = seen.__cause__ or seen.__context__
    return "".join(trace.format()).rstrip()


def shorten(value: object) -> str:
    """A value as Python shows it, on one line."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 3] + "..."
