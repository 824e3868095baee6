"""``callsheet sglang setup-cpu|path``: the SGLang that runs without a GPU."""

from __future__ import annotations

import argparse
import sys

from callsheet_cli.parser import CommandError, Commands, Parser
from callsheet_cli.progress import progress_bars

__all__ = ["add_parser", "run_path", "run_setup_cpu"]

EPILOG = """
On a machine with an NVIDIA GPU you need none of this: pip install "callsheet[sglang]".

Without one, SGLang runs on the CPU, for development and tests. It pins its own torch, so it lives
in an environment of its own, about 10 GB in the cache folder of your system (or where
CALLSHEET_CACHE_DIR says), built in four to ten minutes. Set-up may be stopped with Ctrl-C at any
moment and goes on where it was. To start afresh, delete the folder that `callsheet sglang path`
points into. CALLSHEET_SGLANG_PYTHON names the interpreter of another environment instead.

examples:
  callsheet sglang setup-cpu
  callsheet serve --engine sglang --device cpu
  callsheet sglang path                          its interpreter; status 1 if there is none
"""


def add_parser(commands: Commands) -> None:
    """Add ``sglang`` and its subcommands."""
    parser: Parser = commands.add_parser(
        "sglang",
        help="set up SGLang on a machine without a GPU",
        description="Set up SGLang on a machine without a GPU.",
        epilog=EPILOG,
    )
    subcommands = parser.add_commands()
    setup = subcommands.add_parser(
        "setup-cpu",
        help="build the environment in which SGLang runs on CPU",
        description="Build, or finish, the environment in which SGLang runs on CPU.",
        epilog=EPILOG,
    )
    setup.set_defaults(run=run_setup_cpu)
    path = subcommands.add_parser(
        "path", help="print the interpreter that runs SGLang on CPU", epilog=EPILOG
    )
    path.set_defaults(run=run_path)


def run_setup_cpu(args: argparse.Namespace) -> int:
    """Build the environment, with progress bars; what is there is not built again."""
    from callsheet_server.engine.engine import Progress
    from callsheet_sglang_cpu.install import SetupError, set_up
    from callsheet_sglang_cpu.venv import cpu_folder, python_in

    folder = cpu_folder()
    try:
        with progress_bars() as (_, report):
            set_up(folder, lambda *step: report(Progress(*step)))
    except SetupError as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        print("callsheet: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(python_in(folder))
    return 0


def run_path(args: argparse.Namespace) -> int:
    """Print the interpreter."""
    from callsheet_sglang.launch.interpreter import SglangMissingError, find_python

    try:
        print(find_python("cpu"))
    except SglangMissingError as error:
        raise CommandError(str(error)) from None
    return 0
