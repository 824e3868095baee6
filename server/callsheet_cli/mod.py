"""``callsheet mod``: run a file that scripts NPCs, or write a first one."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from callsheet_cli.parser import CommandError, Commands

__all__ = ["add_parser", "new", "run"]

EPILOG = """
A mod is one Python file with a class for each kind of NPC it scripts:

  from callsheet.mod import Npc, action

  class Guard(Npc):
      archetypes = ["guard"]
      persona = "You are a tired gate guard who wants his supper."

      @action
      def open_gate(self, reason: str, wide: bool = False) -> None:
          "Open the town gate."

      def on_hear(self, heard):
          return self.material("It is market day: who brings goods may pass.")

      def on_near(self, player):
          self.say("Halt! Who goes there?")

Save the file while it runs and it is reloaded. A mistake is shown with its line; the script from
before goes on.

examples:
  callsheet mod new guard.py                     write a first mod
  callsheet mod run guard.py                     run it in the world "demo" of a server here
  callsheet mod run guard.py --world town --url ws://192.168.1.20:8765 --token SECRET
"""


def add_parser(commands: Commands) -> None:
    """Add ``mod``."""
    description = "Script NPCs: each mod runs as its own process, connected to the server."
    parser = commands.add_parser(
        "mod", help="script NPCs from a Python file", description=description, epilog=EPILOG
    )
    subcommands = parser.add_commands()
    runs = subcommands.add_parser(
        "run", help="run a mod", description="Run a mod until Ctrl-C.", epilog=EPILOG
    )
    runs.add_argument("file", type=Path, metavar="FILE", help="the mod, a Python file")
    runs.add_argument(
        "--url", default="ws://127.0.0.1:8765", help="the server (default: %(default)s)"
    )
    runs.add_argument("--world", default="demo", help="the world's id (default: %(default)s)")
    runs.add_argument("--token", help="the server's token, if it asks for one")
    runs.set_defaults(run=run)
    news = subcommands.add_parser(
        "new", help="write a first mod", description="Write a mod to start from."
    )
    news.add_argument("file", type=Path, metavar="FILE", help="the file to write, such as guard.py")
    news.set_defaults(run=new)


def run(args: argparse.Namespace) -> int:
    """Run a mod until it is stopped.

    Raises:
        CommandError: the file, the server or the session is to blame.
    """
    from callsheet.mod.mistakes import ModError
    from callsheet.mod.runner import run_mod
    from callsheet.wire.errors import CallsheetError

    path: Path = args.file.resolve()
    try:
        asyncio.run(run_mod(path, args.url, args.world, args.token, show))
    except (ModError, ValueError) as error:
        raise CommandError(str(error), exit_code=2) from None
    except (CallsheetError, ConnectionError) as error:
        raise CommandError(str(error)) from None
    return 0


def show(text: str) -> None:
    """Print what a modder should read, at once."""
    print(text, flush=True)


def new(args: argparse.Namespace) -> int:
    """Write a first mod.

    Raises:
        CommandError: the file is there already, or cannot be written.
    """
    from callsheet.mod.starter import STARTER
    from callsheet_server.whole_file import write_whole

    if args.file.exists():
        raise CommandError(f"{args.file} is there already; choose another name")
    try:
        write_whole(args.file, STARTER.format(file=args.file.name))
    except OSError as error:
        raise CommandError(f"{args.file} cannot be written: {error.strerror}") from None
    print(f"wrote {args.file}; run it with: callsheet mod run {args.file}")
    return 0
