"""Parse the command line, run one command, turn what it raises into an exit status."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata

from callsheet._version import __version__
from callsheet_cli import (
    adapters,
    bench,
    bundle,
    cast,
    cluster,
    demo,
    doctor,
    loadtest,
    mod,
    models,
    profile,
    record,
    replay,
    serve,
    sglang,
    top,
    world,
)
from callsheet_cli.parser import CommandError, Parser

__all__ = ["build_parser", "main"]

COMMANDS = (
    demo, serve, top, mod, record, replay, profile, loadtest, bench, models, bundle, world, cast,
    sglang, cluster, adapters, doctor,
)  # fmt: skip
"""In the order that the help lists them."""

EPILOG = """
examples:
  callsheet demo                    watch a town of NPCs live
  callsheet doctor                  is everything in place? what is the fix?
  callsheet models pull             fetch the default model before it is needed
  callsheet serve                   the server, on 127.0.0.1:8765
  callsheet top                     watch that server from another terminal
  callsheet COMMAND --help          more about one command
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``callsheet`` command.

    Args:
        argv: the arguments after the program's name; None = those of this process.

    Returns:
        The exit status: 0 = done, 1 = failed, 2 = asked for wrongly or not installed,
        130 = stopped with Ctrl-C.
    """
    try:
        args = build_parser().parse_args(argv)
        status: int = args.run(args)
    except CommandError as error:
        print(f"callsheet: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        extra = extra_providing(error.name or "", requirements())
        if extra is None:
            raise
        print(
            f"callsheet: this needs {error.name}, which is not installed. "
            f'Install it with: {sys.executable} -m pip install "callsheet[{extra}]"',
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:  # `callsheet ... | head`: nobody reads on, which is no fault
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\ncallsheet: stopped", file=sys.stderr)
        return 130
    return status


def build_parser() -> Parser:
    """The parser of the command line: each command's ``run`` is in what it parses."""
    parser = Parser(
        prog="callsheet",
        description="LLM-driven NPCs by the thousand: the ones about to speak are kept on the GPU.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"callsheet {__version__}")
    commands = parser.add_commands()
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def requirements() -> Sequence[str]:
    """Return the ``Requires-Dist`` lines of this distribution; none in a source tree."""
    try:
        return metadata.requires("callsheet") or ()
    except metadata.PackageNotFoundError:
        return ()


def extra_providing(module: str, required: Iterable[str]) -> str | None:
    """Find the extra that installs a module; of several, ``server``, which the others repeat.

    Args:
        module: a dotted name, as imported.
        required: ``Requires-Dist`` lines.
    """
    wanted = module.partition(".")[0].lower()
    found = []
    for requirement in required:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", requirement)
        if name and extra and re.sub(r"[-.]", "_", name[0]).lower() == wanted:
            found.append(extra[1])
    return "server" if "server" in found else next(iter(found), None)
