"""``callsheet cast``: characters of other tools become NPCs, and cards again."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from callsheet_cli.parser import CommandError, Commands, Parser
from callsheet_cli.serve import add_settings_arguments, load

if TYPE_CHECKING:
    from callsheet.cast import Cast, Report

__all__ = ["add_parser"]

EPILOG = """
Files are told apart by what is in them: character cards (JSON, PNG, charx), Pygmalion, lorebooks,
SkyrimNet, Pantella, Mantella's CSV, generative agents, eliza, ai-town, Inworld, YAML. Nothing is
fetched and nothing in them is run. docs/characters.md says what becomes of each field.

examples:
  callsheet cast import cards/ npcs.csv --output town.cast.json
  callsheet cast import cards/ --output town.cast.json --archetypes guard,merchant
  callsheet cast check town.cast.json --model SmolLM2-135M-Instruct
  callsheet cast check cards/ --json               a report without a cast file
  callsheet cast spawn town.cast.json --world town
  callsheet cast export town.cast.json cards/      cards again, one an NPC
"""


def add_parser(commands: Commands) -> None:
    """Add ``cast`` and its subcommands."""
    parser: Parser = commands.add_parser(
        "cast",
        help="make NPCs of other tools' characters",
        description="Characters in any format become NPCs that fit the engine in use.",
        epilog=EPILOG,
    )
    subcommands = parser.add_commands()
    words = "read characters and write a cast file"
    imports = subcommands.add_parser("import", help=words, description=words, epilog=EPILOG)
    imports.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files and folders")
    imports.add_argument(
        "--output", "-o", type=Path, required=True, metavar="FILE",
        help="the cast file; NPCs that are in it keep their ids",
    )  # fmt: skip
    imports.add_argument(
        "--archetypes", default="", metavar="TAGS",
        help="tags that become archetypes, in order, with commas",
    )  # fmt: skip
    imports.set_defaults(run=run_import)
    words = "tell whether characters fit the engine"
    checks = subcommands.add_parser("check", help=words, description=words, epilog=EPILOG)
    checks.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="as for import")
    checks.set_defaults(run=run_check)
    for sub in (imports, checks):
        sub.add_argument(
            "--fit", choices=("trim", "keep", "refuse"), default="trim",
            help="fate of a persona over the budget (default: %(default)s)",
        )  # fmt: skip
        sub.add_argument(
            "--budget", type=int, metavar="TOKENS",
            help="longest persona (default: half the engine's context)",
        )  # fmt: skip
        sub.add_argument("--json", action="store_true", help="print the report as JSON")
        add_settings_arguments(sub)
    words = "put a cast into a world and keep it there until Ctrl-C"
    spawns = subcommands.add_parser("spawn", help=words, description=words, epilog=EPILOG)
    spawns.add_argument("file", type=Path, metavar="FILE", help="a cast file")
    spawns.add_argument("--url", default="ws://127.0.0.1:8765", help="the server (%(default)s)")
    spawns.add_argument("--world", default="cast", help="the world's id (default: %(default)s)")
    spawns.add_argument("--token", help="the server's token, if it asks for one")
    spawns.add_argument("--seconds", type=float, help="stop after this long")
    spawns.set_defaults(run=run_spawn)
    words = "write cards, one JSON file an NPC"
    exports = subcommands.add_parser("export", help=words, description=words, epilog=EPILOG)
    exports.add_argument("file", type=Path, metavar="FILE", help="a cast file")
    exports.add_argument("folder", type=Path, metavar="FOLDER", help="where the cards go")
    exports.set_defaults(run=run_export)


def run_import(args: argparse.Namespace) -> int:
    """Read characters and write a cast file; status 1 if none was made."""
    from callsheet.cast import write_cast
    from callsheet_server.whole_file import whole_file

    before = _read(args.output) if args.output.exists() else None
    cast, report = _import(args, before, tuple(filter(None, args.archetypes.split(","))))
    try:
        with whole_file(args.output) as partial:
            partial.write_bytes(write_cast(cast))
    except OSError as error:
        raise CommandError(f"{args.output} cannot be written: {error.strerror}") from None
    _print(report, args.json)
    return int(not cast.npcs and not cast.lorebook and not cast.lore)


def run_check(args: argparse.Namespace) -> int:
    """Report on a cast file or on characters; status 1 if a persona is over its budget."""
    from callsheet.cast import is_cast_file

    if len(args.paths) == 1 and is_cast_file(args.paths[0]):
        report = _check(args, _read(args.paths[0]))
    else:
        report = _import(args, None, ())[1]
    _print(report, args.json)
    return int(bool(report.trimmed or report.refused or report.over_budget))


def run_spawn(args: argparse.Namespace) -> int:
    """Play a game in which a cast stands about."""
    from callsheet import CallsheetError
    from callsheet_server.tools.cast.stage import stage

    cast = _read(args.file)
    try:
        asyncio.run(
            stage(cast, args.file.resolve(), args.url, args.world, args.token, args.seconds, print)
        )
    except (CallsheetError, ConnectionError, ValueError) as error:
        raise CommandError(str(error)) from None
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Write every NPC as a card."""
    from callsheet.cast import as_card
    from callsheet_server.whole_file import write_whole

    cast = _read(args.file)
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        for npc in cast.npcs:
            card = json.dumps(as_card(npc), ensure_ascii=False, indent=2)
            write_whole(args.folder / f"{npc.npc.replace(':', '_')}.json", card + "\n")
    except OSError as error:
        raise CommandError(f"{args.folder}: {error.strerror}") from None
    print(f"wrote {len(cast.npcs)} cards to {args.folder}")
    return 0


def _read(file: Path) -> Cast:
    from callsheet.cast import CastError, read_cast

    try:
        return read_cast(file)
    except CastError as error:
        raise CommandError(str(error)) from None


def _check(args: argparse.Namespace, cast: Cast) -> Report:
    from callsheet.cast import report_on
    from callsheet.cast.fitting import estimated_tokens
    from callsheet_server.tools.cast.measure import fits_by_tier, measure

    yardstick = measure(load(args).settings)
    budget_tokens = args.budget or yardstick.context_tokens // 2
    report = report_on(cast, budget_tokens, yardstick.count or estimated_tokens)
    report.counted = yardstick.counted
    report.fits = fits_by_tier(yardstick, report.tokens)
    return report


def _import(
    args: argparse.Namespace, before: Cast | None, archetypes: tuple[str, ...]
) -> tuple[Cast, Report]:
    from callsheet.cast import CastError, import_cast
    from callsheet.cast.fitting import estimated_tokens
    from callsheet_server.tools.cast.measure import fits_by_tier, measure

    yardstick = measure(load(args).settings)
    try:
        cast, report = import_cast(
            args.paths,
            before=before,
            archetypes=archetypes,
            fit_by=args.fit,
            budget_tokens=args.budget or yardstick.context_tokens // 2,
            count=yardstick.count or estimated_tokens,
        )
    except CastError as error:
        raise CommandError(str(error), exit_code=2) from None
    report.counted = yardstick.counted
    report.fits = fits_by_tier(yardstick, report.tokens)
    return cast, report


def _print(report: Report, as_json: bool) -> None:
    print(json.dumps(report.as_json(), indent=2) if as_json else "\n".join(report.lines()))
