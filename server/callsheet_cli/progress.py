"""Progress bars for the start of the server and the fetching of models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from callsheet_server.engine.engine import Progress

__all__ = ["BarReporter", "amount", "progress_bars"]


@contextmanager
def progress_bars() -> Iterator[tuple[Bars, BarReporter]]:
    """Bars on stderr while the block runs, and what to report to."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield bars, BarReporter(bars)


class BarReporter:
    """Shows each step of a long job as a bar of its own. May be called from any thread."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._latest = ""
        self._task = bars.add_task("starting", total=None, amount="", visible=False)

    def __call__(self, progress: Progress) -> None:
        """Show ``progress``; a new label starts a new bar."""
        if progress.label != self._latest:
            self._latest = progress.label
            self._bars.update(self._task, total=1, completed=1)  # what stops its clock
            self._task = self._bars.add_task(progress.label, total=None, amount="")
        self._bars.update(
            self._task,
            completed=progress.done,
            total=progress.total or None,
            amount=amount(progress),
        )


def amount(progress: Progress) -> str:
    """Put how far a step is into words: "12.5 of 98.0 MB", "3 of 272 tensors"; "" = not known."""
    if not progress.total and not progress.done:
        return ""
    scale, unit = (1e6, "MB") if progress.unit == "B" else (1, progress.unit)
    done, total = (
        f"{count / scale:.1f}" if scale > 1 else str(count)
        for count in (progress.done, progress.total)
    )
    return f"{done} of {total} {unit}" if progress.total else f"{done} {unit}"
