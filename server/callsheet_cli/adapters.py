"""``callsheet adapters``: LoRA adapters that come, change and go while a server runs."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Final

from callsheet_cli.parser import CommandError, Commands
from callsheet_cli.to_server import add_server_options, connected

if TYPE_CHECKING:
    from callsheet.client import Client

__all__ = ["add_parser", "run"]

EPILOG = """
examples:
  callsheet adapters add smith /adapters/smith      a folder of the machine with the model
  callsheet adapters update smith /adapters/smith-2   no reply is interrupted
  callsheet adapters list
  callsheet adapters remove smith                     no NPC may have it any more

A server that lets observers only look on wants a game's token: --role game --token SECRET.
"""
NAME: Final = "callsheet-adapters"


def add_parser(commands: Commands) -> None:
    """Add ``adapters`` and its subcommands."""
    parser = commands.add_parser(
        "adapters",
        help="the LoRA adapters of a running server",
        description="Add, update, remove or list the LoRA adapters of a running server.",
        epilog=EPILOG,
    )
    kinds = parser.add_commands()
    for kind, says in (
        ("add", "add an adapter"),
        ("update", "give an adapter new weights"),
        ("remove", "take away an adapter that no NPC has"),
        ("list", "print the adapters, and how many NPCs have each"),
    ):
        command = kinds.add_parser(kind, help=says, description=f"{says.capitalize()}.")
        if kind != "list":
            command.add_argument("adapter", metavar="ID", help="by which NPCs name it")
        if kind in ("add", "update"):
            command.add_argument("folder", metavar="FOLDER", help="its weights in PEFT format")
        add_server_options(command)
        command.set_defaults(run=run, kind=kind)


def run(args: argparse.Namespace) -> int:
    """Ask the server.

    Raises:
        CommandError: there is no server, or it refuses us.
    """
    from callsheet.wire.errors import CallsheetError

    try:
        asyncio.run(_ask(args))
    except (CallsheetError, ConnectionError) as error:
        raise CommandError(str(error)) from None
    return 0


async def _ask(args: argparse.Namespace) -> None:
    async with connected(args, NAME) as client:
        match args.kind:
            case "add" | "update":
                await client.set_adapter(args.adapter, args.folder, update=args.kind == "update")
                print(f"{args.adapter} has the weights of {args.folder}")
            case "remove":
                await client.remove_adapter(args.adapter)
                print(f"{args.adapter} is gone")
            case _:
                await _list(client)


async def _list(client: Client) -> None:
    for view in await client.list_adapters():
        print(f"{view.adapter:<24} {view.npcs:>6} NPCs  {view.folder}")
