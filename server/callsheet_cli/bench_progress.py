"""Common parts of the benchmark commands: their bar, and what they say when they cannot run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from callsheet_cli.parser import CommandError

if TYPE_CHECKING:
    from callsheet_bench.command import ReportProgress

__all__ = ["first_of", "progress", "require_checkout"]


def require_checkout() -> None:
    """Raise ``CommandError`` if the benchmarks are not there."""
    if find_spec("callsheet_bench") is None:
        raise CommandError(
            "benchmarks are not part of the installed package; run them from a checkout: "
            "python3 run.py bench",
            exit_code=2,
        )


@contextmanager
def progress(total_s: float) -> Iterator[ReportProgress]:
    """A bar on stderr over the estimated time, with what is being done."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    console.print(f"about {total_s / 60:.0f} minutes on a quiet machine with two cores")
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("", total=total_s)

        def show(doing: str, done_s: float) -> None:
            bars.update(task, advance=done_s)
            if doing:
                bars.update(task, description=doing)
                if not console.is_terminal:
                    console.print(doing)

        yield show


def first_of(error: BaseException) -> str:
    """The text of the first error: those after it follow from it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
