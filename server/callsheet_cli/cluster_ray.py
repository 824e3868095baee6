"""``callsheet cluster up`` and ``down``: replicas that Ray starts and watches, on many machines."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import TYPE_CHECKING, Final

from callsheet_cli.parser import CommandError
from callsheet_cli.serve import add_settings_arguments, load

if TYPE_CHECKING:
    from types import ModuleType

    from callsheet_server.engine.on_ray.pool import Place

__all__ = ["add_down_arguments", "add_up_arguments", "print_status"]

POLL_S: Final = 1.0
PATIENCE_S: Final = 120.0
"""Wait for Ray to launch every SGLang; loading the model comes later."""


def add_up_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``up``."""
    parser.add_argument("--replicas", type=int, default=1, help="how many (%(default)s)")
    parser.add_argument(
        "--nodes",
        nargs="+",
        default=[],
        metavar="ADDRESS",
        help="machines to spread them over, as Ray calls them; they are waited for (default: all)",
    )
    add_settings_arguments(parser, ("model", "device", "emulate"))
    parser.set_defaults(run=_up)


def add_down_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``down``."""
    parser.set_defaults(run=_down)


def print_status(*, as_json: bool) -> None:
    """Print where Ray has each replica.

    Raises:
        CommandError: Ray is not there.
    """
    places = _connected().places()
    if as_json:
        print(json.dumps({name: place._asdict() for name, place in places.items()}))
    else:
        print("\n".join(_line(*found) for found in places.items()) or "no replicas")


def _up(args: argparse.Namespace) -> int:
    if args.replicas < 1:
        raise CommandError("--replicas: at least 1", exit_code=2)
    args.flags = ["engine.name=sglang", *args.flags]
    settings = load(args).settings.sglang
    pool = _connected(start=True)
    if absent := pool.missing(args.nodes):
        print(f"waiting for {', '.join(absent)}: there, `ray start --address=HEAD:6379`")
    while pool.missing(args.nodes):
        time.sleep(POLL_S)
    try:
        names = pool.up(settings, args.replicas, args.nodes)
    except pool.RayError as error:
        raise CommandError(str(error)) from None
    places = _all_placed(pool)
    print("\n".join(_line(name, places[name]) for name in names))
    print("use them: callsheet serve --engine sglang --url ray")
    return 0


def _all_placed(pool: ModuleType) -> dict[str, Place]:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        places: dict[str, Place] = pool.places()
        if not (unplaced := [name for name, place in places.items() if not place.url]):
            return places
        if time.monotonic() > until_s:
            raise CommandError(
                f"{', '.join(unplaced)}: not started after {PATIENCE_S:g} s; `ray logs` tells why, "
                "`callsheet cluster down` gives up"
            )
        time.sleep(POLL_S)


def _down(args: argparse.Namespace) -> int:
    names = _connected().down()
    print(f"ended: {', '.join(names) or 'there was none'}; Ray itself runs on (`ray stop`)")
    return 0


def _connected(*, start: bool = False) -> ModuleType:
    """Connect to Ray; with ``start``, after starting one if none is here.

    Raises:
        CommandError: there is none.
        ModuleNotFoundError: Ray is not installed.
    """
    from callsheet_server.engine.on_ray import pool

    try:
        try:
            pool.connect()
        except pool.RayError:
            if not start or os.environ.get("RAY_ADDRESS"):
                raise
            pool.start_head()
            pool.connect()
    except pool.RayError as error:
        raise CommandError(str(error)) from None
    return pool


def _line(name: str, place: Place) -> str:
    return f"{name:<12} {place.url or 'is being started':<28} actor {place.pid or '-'}"
