"""``callsheet cluster``: replicas on Ray, and behind a running server; stopping one."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

from callsheet_cli.cluster_ray import add_down_arguments, add_up_arguments, print_status
from callsheet_cli.parser import CommandError, Commands
from callsheet_cli.to_server import add_server_options, connected

if TYPE_CHECKING:
    from callsheet.client import Client
    from callsheet.wire.observe import ReplicaStats

__all__ = ["add_parser", "run"]

EPILOG = """
examples:
  callsheet cluster up --replicas 4            on Ray, a GPU each; then: serve --url ray
  callsheet cluster up --replicas 4 --nodes 10.0.0.1 10.0.0.2
  callsheet cluster status --ray               where Ray has them
  callsheet cluster down
  callsheet cluster status                     of a running server
  callsheet cluster status --json
  callsheet cluster drain gpu-2:30000          then stop it: nobody notices
  callsheet cluster drain gpu-2:30000 --undo   take it into use again

A server that lets observers only look on wants a game's token: --role game --token SECRET.
"""
NAME: Final = "callsheet-cluster"
INTERVAL_S: Final = 0.5


def add_parser(commands: Commands) -> None:
    """Add ``cluster`` and its subcommands."""
    parser = commands.add_parser(
        "cluster",
        help="replicas: started on Ray, looked at, drained",
        description="Start replicas on Ray; look at those behind a running server, and drain one.",
        epilog=EPILOG,
    )
    kinds = parser.add_commands()
    status = kinds.add_parser("status", help="load of every replica", description="Print the load.")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.add_argument("--ray", action="store_true", help="ask Ray, not a server")
    status.set_defaults(run=run, drain=None)
    drain = kinds.add_parser(
        "drain",
        help="move everybody away from a replica, then say that it may be stopped",
        description="Move everybody away from a replica, ahead of need.",
    )
    drain.add_argument("drain", metavar="NAME", help="of the replica, as status has it")
    drain.add_argument("--undo", action="store_true", help="take it into use again")
    drain.set_defaults(run=run, json=False)
    for kind in (status, drain):
        add_server_options(kind)
    add_up_arguments(
        kinds.add_parser(
            "up",
            help="start replicas on Ray, one per GPU",
            description="Start replicas on Ray, one per GPU (per CPU with --device cpu).",
        )
    )
    add_down_arguments(
        kinds.add_parser("down", help="end them", description="End all replicas on Ray.")
    )


def run(args: argparse.Namespace) -> int:
    """Ask the server.

    Raises:
        CommandError: there is no server, it refuses us, or it has no replicas.
    """
    from callsheet.wire.errors import CallsheetError

    if args.drain is None and args.ray:
        print_status(as_json=args.json)
        return 0
    try:
        asyncio.run(_status(args) if args.drain is None else _drain(args))
    except (CallsheetError, ConnectionError) as error:
        raise CommandError(str(error)) from None
    return 0


async def _status(args: argparse.Namespace) -> None:
    async with connected(args, NAME) as client:
        async for replicas in _loads(client):
            if args.json:
                print(json.dumps([replica.model_dump(mode="json") for replica in replicas]))
            else:
                print("\n".join(map(_line, replicas)))
            return


async def _drain(args: argparse.Namespace) -> None:
    async with connected(args, NAME) as client:
        await client.drain_replica(args.drain, undo=args.undo)
        if args.undo:
            print(f"{args.drain} is in use again")
            return
        left: int | None = None
        async for replicas in _loads(client):
            (replica,) = (replica for replica in replicas if replica.name == args.drain)
            if replica.state == "lost":
                raise CommandError(f"{args.drain} does not answer: there is nothing to drain")
            if replica.state == "drained" and not replica.running:
                print(f"{args.drain} is drained: it may be stopped")
                return
            if replica.npcs != left:
                left = replica.npcs
                print(f"{left} NPCs are still at home on {args.drain}", flush=True)


async def _loads(client: Client) -> AsyncIterator[Sequence[ReplicaStats]]:
    """Yield the replicas' loads again and again.

    Raises:
        CommandError: the engine has no replicas.
    """
    from callsheet.wire.observe import Stats

    await client.subscribe("stats", interval_s=INTERVAL_S)
    async for event in client.events(Stats):
        assert isinstance(event, Stats)
        if event.replicas is None:
            raise CommandError(f"the engine {client.welcome.engine.name} there has no replicas")
        yield event.replicas


def _line(replica: ReplicaStats) -> str:
    hits = f"{replica.device_hits / replica.replies:.0%}" if replica.replies else "-"
    return (
        f"{replica.name:<24} {replica.state:<8} {replica.npcs:>6} NPCs  {replica.arriving:>3} "
        f"arriving  {replica.running:>3} running  {replica.queued:>3} queued  device hits {hits}"
    )
