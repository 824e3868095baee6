"""``callsheet world``: the worlds on disk: list, check, back up, restore, export, import."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from callsheet_cli.parser import CommandError, Commands, Parser

if TYPE_CHECKING:
    from callsheet_server.storage.folder import Folder

__all__ = ["add_parser"]

EPILOG = """
`callsheet serve` keeps every world in a database of its own, in the data folder of your system or
where storage.directory says. Backups and exports can be made while the server runs; for restore
and import it has to be stopped.

examples:
  callsheet world list
  callsheet world check                          every checksum of every world
  callsheet world backup town town.backup
  callsheet world restore town town.backup --force
  callsheet world export town town.jsonl         readable: all it holds, one JSON a line
  callsheet world import village town.jsonl
"""


def add_parser(commands: Commands) -> None:
    """Add ``world`` and its subcommands."""
    parser: Parser = commands.add_parser(
        "world",
        help="back up, check and move worlds",
        description="What NPCs remember, on disk.",
        epilog=EPILOG,
    )
    subcommands = parser.add_commands()
    for name, run, words, arguments in (
        ("list", run_list, "list the worlds", ()),
        ("check", run_check, "look for damage; status 1 if there is any", ("?world",)),
        ("backup", run_backup, "copy a world, also while it is played", ("world", "file")),
        ("restore", run_restore, "put a backup in a world's place", ("world", "file")),
        ("export", run_export, "write a world as JSON lines", ("world", "file")),
        ("import", run_import, "make a world of JSON lines", ("world", "file")),
    ):
        sub = subcommands.add_parser(name, help=words, description=words, epilog=EPILOG)
        for argument in arguments:
            kind = Path if argument == "file" else str
            count = "?" if argument.startswith("?") else None
            sub.add_argument(argument.lstrip("?"), type=kind, nargs=count)
        sub.add_argument("--directory", help="the folder; default: as `callsheet serve` has it")
        if name not in ("list", "check"):
            sub.add_argument("--force", action="store_true", help="overwrite what is there")
        sub.set_defaults(run=_reporting(run))


def run_list(args: argparse.Namespace) -> int:
    """List the worlds with their sizes."""
    from callsheet_server.storage.portable import open_world

    folder = _folder(args)
    worlds = list(folder.worlds())
    for world in worlds:
        with closing(open_world(folder, world)) as file:
            npcs, turns, notes, saves = map(file.count, ("npcs", "turns", "notes", "saves"))
        size_mb = folder.file(world).stat().st_size / 1e6
        print(
            f"{world:<24} {npcs:>7} NPCs {turns:>9} turns {notes:>7} notes {saves:>4} saves "
            f"{size_mb:>9.1f} MB"
        )
    if not worlds:
        print(f"no worlds in {folder.path}")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Check one world or all; status 1 if something is damaged."""
    from callsheet_server.storage.portable import open_world

    folder = _folder(args)
    broken = False
    worlds = [args.world] if args.world else folder.worlds()
    if not worlds:
        print(f"no worlds in {folder.path}")
    for world in worlds:
        with closing(open_world(folder, world)) as file:
            damage = file.damage()
            quarantined = file.count("quarantine")
        broken |= bool(damage)
        print(f"{world}: {'; '.join(damage) or 'ok'}")
        if quarantined:
            print(f"{world}: {quarantined} rows are in quarantine: they were damaged before")
    return int(broken)


def run_backup(args: argparse.Namespace) -> int:
    """Copy a world."""
    from callsheet_server.storage.portable import back_up
    from callsheet_server.whole_file import whole_file

    folder = _folder(args)
    _check_free(args)
    with whole_file(args.file) as partial, _percent("backup") as progress:
        partial.unlink(missing_ok=True)
        back_up(folder, args.world, partial, progress)
    return _done(f"{args.world} was copied to {args.file}")


def run_restore(args: argparse.Namespace) -> int:
    """Put a backup in a world's place."""
    from callsheet_server.storage.portable import restore

    with _claimed(args) as folder, _percent("restore") as progress:
        restore(folder, args.world, args.file, progress)
    return _done(f"{args.world} is as in {args.file} now")


def run_export(args: argparse.Namespace) -> int:
    """Write a world as JSON lines."""
    from callsheet_server.storage.portable import export
    from callsheet_server.whole_file import whole_file

    folder = _folder(args)
    _check_free(args)
    with (
        whole_file(args.file) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as out,
    ):
        rows = export(folder, args.world, out)
    return _done(f"{rows} rows of {args.world} were written to {args.file}")


def run_import(args: argparse.Namespace) -> int:
    """Make a world of JSON lines."""
    from callsheet_server.storage.portable import import_world

    with _claimed(args) as folder, args.file.open(encoding="utf-8") as lines:
        rows = import_world(folder, args.world, lines, lambda rows: _show(f"import: {rows} rows"))
    return _done(f"{rows} rows of {args.file} are in {args.world} now")


def _reporting(
    run: Callable[[argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """A command whose errors are told in one sentence."""

    def report(args: argparse.Namespace) -> int:
        from callsheet_server.storage.errors import StorageError

        try:
            return run(args)
        except StorageError as error:
            raise CommandError(str(error)) from None
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            name = getattr(args, "file", None) or args.directory or "storage.directory"
            raise CommandError(f"{name}: {error}") from None

    return report


def _folder(args: argparse.Namespace) -> Folder:
    from callsheet_server.app.settings import SettingsError, load_settings
    from callsheet_server.storage.folder import Folder
    from callsheet_server.storage.settings import default_directory

    flags = [] if args.directory is None else [f"storage.directory={args.directory}"]
    presets = [f"storage.directory={default_directory()}"]
    try:
        settings = load_settings(None, os.environ, flags, presets).settings
    except SettingsError as error:
        raise CommandError(str(error), exit_code=2) from None
    if not settings.storage.directory:
        raise CommandError("storage.directory is empty: nothing is kept; name a --directory")
    return Folder(Path(settings.storage.directory))


@contextmanager
def _claimed(args: argparse.Namespace) -> Iterator[Folder]:
    """The folder, with every server kept out, and room for the world."""
    folder = _folder(args)
    if not args.file.is_file():
        raise CommandError(f"{args.file}: no such file", exit_code=2)
    folder.claim()
    try:
        if folder.file(args.world).exists() and not args.force:
            raise CommandError(f"there is a world {args.world!r}; --force overwrites it")
        yield folder
    finally:
        folder.release()


def _check_free(args: argparse.Namespace) -> None:
    if args.file.exists() and not args.force:
        raise CommandError(f"{args.file} exists; --force overwrites it")


@contextmanager
def _percent(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows how far a copy has come."""

    def progress(left: int, total: int) -> None:
        _show(f"{what}: {100 * (total - left) // max(total, 1)} %")

    yield progress


def _show(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr)


def _done(text: str) -> int:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(text)
    return 0
