"""``callsheet models pull|list|recommend``: the models in the cache, and those to be had."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from callsheet_cli.parser import CommandError, Commands, Parser
from callsheet_cli.progress import progress_bars

__all__ = ["add_parser", "run_list", "run_pull", "run_recommend"]

EPILOG = """
Models lie in the cache folder of your system, or where CALLSHEET_CACHE_DIR says. They come from the
hub, or from a mirror of it whose address is in HF_ENDPOINT; a pull that was broken off goes on.

examples:
  callsheet models recommend                         which model suits this machine
  callsheet models pull                              the default model for llama.cpp, 98 MB
  callsheet models pull Qwen2.5-1.5B-Instruct        one of the catalogue, for llama.cpp
  callsheet models pull Gemma-2-2B --file g.gguf     the same from a file that you have
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
    pull.add_argument("--file", type=Path, metavar="GGUF", help="take it from a file you have")
    pull.set_defaults(run=run_pull)
    advice = subcommands.add_parser(
        "recommend", help="name the model that suits this machine, and what it costs"
    )
    advice.add_argument("--json", action="store_true", help="print JSON")
    advice.set_defaults(run=run_recommend)
    listing = subcommands.add_parser(
        "list", help="list the cache, checking checksums, and what else the catalogue has"
    )
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)


def run_pull(args: argparse.Namespace) -> int:
    """Fetch a model, with a progress bar; nothing is fetched twice."""
    from callsheet_server.engine.errors import EngineStartError
    from callsheet_server.engine.models.cache import pull_model
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL
    from callsheet_server.engine.models.gguf_cache import gguf_from_file, is_gguf, resolve_gguf

    model = args.model or DEFAULT_MODEL
    pull = resolve_gguf if is_gguf(model) and not args.safetensors else pull_model
    with progress_bars() as (_, report):
        try:
            path = (
                pull(model, report)
                if args.file is None
                else gguf_from_file(model, args.file, report)
            )
        except EngineStartError as error:
            raise CommandError(str(error)) from None
    print(path)
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List the models in the cache; status 1 if one is damaged."""
    from callsheet_server.engine.errors import EngineStartError
    from callsheet_server.engine.models.cache import cache_dir, list_models
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL, REGISTRY
    from callsheet_server.engine.models.gguf_cache import SUFFIX

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
        print(
            json.dumps(
                {"cache": str(cache_dir()), "models": rows, "catalogue": list(REGISTRY)}, indent=2
            )
        )
    else:
        for entry in entries:
            state = "ok" if entry.verified else "DAMAGED"
            size = f"{entry.size_bytes / 1e6:.0f} MB"
            print(f"{entry.name:<28} {size:>8}  {state:<8} {entry.source}  {entry.path}")
        if not entries:
            print(f"no model in {cache_dir()}; `callsheet models pull` fetches {DEFAULT_MODEL}")
        here = {entry.name.removesuffix(SUFFIX) for entry in entries}
        others = [source for source in REGISTRY.values() if source.name not in here]
        if others:
            print("\nto be pulled by name:")
        for source in others:
            print(f"{source.name:<28} {source.size_bytes / 1e6:>5.0f} MB  {source.licence}")
    damaged = [entry for entry in entries if not entry.verified]
    for entry in damaged:
        fix = f"delete {entry.path}, then run `callsheet models pull {entry.name}`"
        print(f"callsheet: {entry.name} is damaged: {fix}", file=sys.stderr)
    return int(bool(damaged))


def run_recommend(args: argparse.Namespace) -> int:
    """Show every model of the catalogue on this machine, and name one."""
    from callsheet_server.engine.models.catalogue import REGISTRY
    from callsheet_server.engine.models.recommend import fits, read_machine, recommended

    machine = read_machine()
    judged = fits(machine, REGISTRY.values())
    choice = recommended(judged)
    if args.json:
        rows = [
            {
                "name": fit.source.name,
                "size_bytes": fit.source.size_bytes,
                "licence": fit.source.licence,
                "commercial": fit.source.commercial,
                "talk": fit.source.talk,
                "fits": fit.place or None,
                "tokens_per_s": round(fit.tokens_per_s, 1),
            }
            for fit in judged
        ]
        found = {"machine": dataclasses.asdict(machine), "models": rows}
        print(json.dumps(found | {"recommended": choice.source.name}, indent=2))
        return 0
    vram = f"{machine.vram_bytes / 1e9:.0f} GB of VRAM" if machine.vram_bytes else "no NVIDIA card"
    print(f"this machine: {machine.ram_bytes / 1e9:.0f} GB of RAM, {vram}, {machine.cores} cores\n")
    print(f"{'model':<26} {'size':>7}  {'on':<4}{'tokens/s':>8}  licence; how it talks")
    for fit in judged:
        source, speed = fit.source, f"{min(fit.tokens_per_s, 200):.0f}"
        print(
            f"{source.name:<26} {source.size_bytes / 1e6:>4.0f} MB  {fit.place or '-':<4}"
            f"{speed if fit.place else '-':>8}  {source.licence}; {source.talk}"
        )
    name = choice.source.name
    print(
        "\ntokens/s are estimated from the memory's speed, for one NPC that speaks; - = it leaves "
        f"a game too little memory\ntake {name}: callsheet models pull {name}, then "
        f"callsheet serve --model {name}"
    )
    return 0
