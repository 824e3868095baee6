"""``callsheet models pull|list``: the models in the cache of this machine."""

from __future__ import annotations

import argparse
import json
import sys

from callsheet_cli.parser import CommandError, Commands, Parser
from callsheet_cli.progress import progress_bars

__all__ = ["add_parser", "run_list", "run_pull"]

EPILOG = """
Models lie in the cache folder of your system, or where CALLSHEET_CACHE_DIR says.

examples:
  callsheet models pull                              the default model for llama.cpp, 98 MB
  callsheet models pull --safetensors                the same for torch, 270 MB
  callsheet models pull OWNER/NAME/FILE.gguf         any chat model, for llama.cpp
  callsheet models pull Qwen/Qwen2.5-0.5B-Instruct   any Llama- or Qwen-like chat model, for torch
  callsheet models list --json
"""


def add_parser(commands: Commands) -> None:
    """Add ``models`` and its two subcommands."""
    parser: Parser = commands.add_parser(
        "models", help="fetch and list models", description="Fetch and list models.", epilog=EPILOG
    )
    subcommands = parser.add_commands()
    pull = subcommands.add_parser("pull", help="fetch a model into the cache", epilog=EPILOG)
    pull.add_argument("model", nargs="?", help="short name or hub id; left out = the default model")
    pull.add_argument(
        "--safetensors", action="store_true", help="the form that torch runs, not the GGUF"
    )
    pull.set_defaults(run=run_pull)
    listing = subcommands.add_parser("list", help="list the cache, checking checksums")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)


def run_pull(args: argparse.Namespace) -> int:
    """Fetch a model, with a progress bar; nothing is fetched twice."""
    from callsheet_server.engine.errors import EngineStartError
    from callsheet_server.engine.models.cache import pull_model
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL
    from callsheet_server.engine.models.gguf_cache import is_gguf, resolve_gguf

    model = args.model or DEFAULT_MODEL
    pull = resolve_gguf if is_gguf(model) and not args.safetensors else pull_model
    with progress_bars() as (_, report):
        try:
            path = pull(model, report)
        except EngineStartError as error:
            raise CommandError(str(error)) from None
    print(path)
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List the models in the cache; status 1 if one is damaged."""
    from callsheet_server.engine.errors import EngineStartError
    from callsheet_server.engine.models.cache import cache_dir, list_models
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

    try:
        entries = list_models()
    except EngineStartError as error:
        raise CommandError(str(error)) from None
    if args.json:
        rows = [
            {
                "name": entry.name,
                "path": str(entry.path),
                "size_bytes": entry.size_bytes,
                "source": entry.source,
                "verified": entry.verified,
            }
            for entry in entries
        ]
        print(json.dumps({"cache": str(cache_dir()), "models": rows}, indent=2))
    else:
        for entry in entries:
            state = "ok" if entry.verified else "DAMAGED"
            size = f"{entry.size_bytes / 1e6:.0f} MB"
            print(f"{entry.name:<28} {size:>8}  {state:<8} {entry.source}  {entry.path}")
        if not entries:
            print(f"no model in {cache_dir()}; `callsheet models pull` fetches {DEFAULT_MODEL}")
    damaged = [entry for entry in entries if not entry.verified]
    for entry in damaged:
        fix = f"delete {entry.path}, then run `callsheet models pull {entry.name}`"
        print(f"callsheet: {entry.name} is damaged: {fix}", file=sys.stderr)
    return int(bool(damaged))
