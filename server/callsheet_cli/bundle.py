"""``callsheet bundle``: a folder with the server that runs on players' machines, without Python."""

from __future__ import annotations

import argparse
from pathlib import Path

from callsheet_cli.parser import CommandError, Commands

__all__ = ["add_parser", "run"]

EPILOG = """
It is made for the system that it is made on. A game starts `callsheet serve --child` in it: see
docs/shipping.md. Settings for players lie beside the program, in callsheet.toml.

examples:
  callsheet bundle --out build/callsheet
  callsheet bundle --out build/callsheet --model models/qwen2.5-1.5b-instruct-q4_k_m.gguf
"""


def add_parser(commands: Commands) -> None:
    """Add ``bundle``."""
    parser = commands.add_parser(
        "bundle",
        help="make a folder with the server that runs without Python",
        description="Make a folder with the server that runs on this system without Python.",
        epilog=EPILOG,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="GGUF to ship with it; left out = the first start pulls the default model",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the bundle, start it once, print its figures."""
    from callsheet_server.engine.errors import EngineStartError
    from callsheet_server.tools.bundle.build import BundleError, build
    from callsheet_server.tools.bundle.measure import measure

    print("PyInstaller works for a minute or three ...", flush=True)
    try:
        bundle = build(args.out.absolute(), args.model)
    except (BundleError, EngineStartError) as error:
        raise CommandError(str(error)) from None
    engine = "scripted" if args.model is None else "llamacpp"
    figures = measure(bundle, engine)
    print(f"{bundle.folder}: {bundle.size_bytes() / 1e6:.0f} MB without a model")
    print(f"with engine {engine}, started once:")
    print(f"  clients can connect after {figures.listens_s:.1f} s")
    print(f"  a game is welcomed after  {figures.ready_s:.1f} s")
    print(f"  memory                    {figures.memory_bytes / 1e6:.0f} MB")
    print(f"  idle                      {figures.idle_share:.1%} of one core")
    return 0
