"""Common parts of the benchmark commands: options, their bar, and how they end early."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from callsheet_cli.parser import CommandError

if TYPE_CHECKING:
    from callsheet_bench.command import ReportProgress

__all__ = ["add_run_options", "measuring", "require_checkout"]


def require_checkout() -> None:
    """Raise ``CommandError`` if the benchmarks are not there."""
    if find_spec("callsheet_bench") is None:
        raise CommandError(
            "benchmarks are not part of the installed package; run them from a checkout: "
            "python3 run.py bench",
            exit_code=2,
        )


def add_run_options(parser: argparse.ArgumentParser, rounds: int, results: str) -> None:
    """Add how often, where results are kept, and what to do instead of measuring."""
    parser.add_argument(
        "--rounds", type=int, default=rounds, help="of everything (default: %(default)s)"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(results),
        metavar="FILE",
        help="where rounds are kept; logs go beside it (default: %(default)s)",
    )
    parser.add_argument("--fresh", action="store_true", help="forget the rounds kept there")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--estimate", action="store_true", help="only say how long it would take")
    what.add_argument("--report", action="store_true", help="measure nothing, report what is kept")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw SVG files there")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")


@contextmanager
def measuring(total_s: float) -> Iterator[ReportProgress]:
    """Show a bar over the estimated time, and end what was started if this process is ended.

    Raises:
        CommandError: the run failed; the text says why.
    """
    from aiohttp import ClientError

    from callsheet_bench.emulated.player import HostBoundError
    from callsheet_bench.overhead import OverheadError
    from callsheet_bench.running import StartError
    from callsheet_sglang.launch.interpreter import SglangMissingError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SGLang's processes end too
    try:
        with _progress(total_s) as show:
            yield show
    except (SglangMissingError, HostBoundError) as error:
        raise CommandError(str(error)) from None
    except (ExceptionGroup, ClientError, OverheadError, StartError) as error:
        raise CommandError(f"{_first_of(error)}; the same command goes on from here") from None


@contextmanager
def _progress(total_s: float) -> Iterator[ReportProgress]:
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


def _first_of(error: BaseException) -> str:
    """The text of the first error: those after it follow from it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
