"""``callsheet top``: watch a running server from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from callsheet_cli.parser import CommandError, Commands

if TYPE_CHECKING:
    from callsheet.client import Client
    from callsheet.wire.base import ServerMessage
    from callsheet.wire.observe import Topic
    from callsheet_server.tools.terminal.scene import Scene

__all__ = ["add_parser", "run"]

EPILOG = """
Shows who needs the model next and why, where everybody's state lies, what moves and what is said.
q or Ctrl-C ends it. If the server goes away it waits for it to come back.

examples:
  callsheet top
  callsheet top ws://192.168.1.20:8765 --world town --token SECRET
  callsheet top --once --json        the figures, for scripts
  callsheet top --json               a line of them every interval
"""
TOPICS: Final[tuple[Topic, ...]] = ("npcs", "stats", "residency", "replies")
DEFAULT_WORLD: Final = "demo"
CONNECT_TIMEOUT_S: Final = 3.0
TALK_TIMEOUT_S: Final = 3.0
"""Wait of ``--once`` for somebody to speak."""
QUIT_KEYS: Final = frozenset({"q", "Q"})
PLAIN_SIZE: Final = (120, 40)
"""Columns and lines of a picture that goes into a file or a pipe."""


def add_parser(commands: Commands) -> None:
    """Add ``top``."""
    parser = commands.add_parser(
        "top",
        help="watch a running server in this terminal",
        description="Look on at one world of a running server.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "url",
        nargs="?",
        default="ws://127.0.0.1:8765",
        metavar="URL",
        help="the server (default: %(default)s)",
    )
    parser.add_argument(
        "--world",
        help='the world\'s id (default: "demo" if a game is in it, else one that has one)',
    )
    parser.add_argument("--token", help="the server's observer token, if it asks for one")
    parser.add_argument(
        "--interval",
        type=float,
        default=0.5,
        metavar="S",
        help="seconds between two figures (default: %(default)s)",
    )
    parser.add_argument("--once", action="store_true", help="print the picture once, then stop")
    parser.add_argument("--json", action="store_true", help="print figures as JSON, one per line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Watch until told to stop.

    Raises:
        CommandError: there is no server, or it refuses us.
    """
    from callsheet.wire.errors import CallsheetError

    if not 0.05 <= args.interval <= 60.0:
        raise CommandError(f"--interval {args.interval}: must be from 0.05 to 60 s", 2)
    try:
        asyncio.run(watch(args))
    except ValueError as error:
        raise CommandError(str(error), 2) from None
    except (CallsheetError, ConnectionError) as error:
        raise CommandError(str(error)) from None
    return 0


async def watch(args: argparse.Namespace) -> None:
    """Connect, look on, print, until that is done or the session has ended for good.

    Raises:
        ConnectionError: no session could be opened, or it ended.
        CallsheetError: the server refused us.
    """
    from callsheet.client import connect
    from callsheet.core.settings import ClientSettings
    from callsheet_server.tools.terminal.scene import Scene

    observe = partial(
        connect,
        args.url,
        role="observer",
        token=args.token,
        name="callsheet-top",
        settings=ClientSettings(connect_timeout_s=CONNECT_TIMEOUT_S),
    )
    world: str | None = args.world
    if world is None:
        async with observe(world=DEFAULT_WORLD) as client:
            worlds = client.welcome.worlds or ()
        world = DEFAULT_WORLD if DEFAULT_WORLD in worlds or not worlds else worlds[0]
    async with observe(world=world) as client:
        scene = Scene()
        if world not in (client.welcome.worlds or (world,)):
            scene.trouble = _no_game_in(world, client.welcome.worlds or ())
            if args.once:
                raise ConnectionError(scene.trouble)
        tasks = [
            asyncio.create_task(follow(client, scene, args.interval)),
            asyncio.create_task(show(client, scene, args)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def follow(client: Client, scene: Scene, interval_s: float) -> None:
    """Tell of a lost connection, and subscribe anew where the server has forgotten us.

    Raises:
        ConnectionError: the session has ended and will not come back.
    """
    from callsheet.core.events import SessionReset, SessionState, StateChanged

    async for event in client.events(StateChanged, SessionReset):
        if isinstance(event, SessionReset):
            await client.subscribe(*TOPICS, interval_s=interval_s)
        elif not isinstance(event, StateChanged):
            continue
        elif event.state is SessionState.CLOSED:
            raise ConnectionError(f"the session has ended: {event.reason}")
        else:
            up = event.state in (SessionState.OPEN, SessionState.DRAINING)
            scene.trouble = "" if up else f"connection lost, trying again: {event.reason}"


async def show(client: Client, scene: Scene, args: argparse.Namespace) -> None:
    """Print what was asked for."""
    from rich.console import Console

    from callsheet.wire.observe import NpcStates, Stats
    from callsheet.wire.talk import ReplyDelta
    from callsheet_server.tools.terminal.live import live_view
    from callsheet_server.tools.terminal.scene import EVENTS
    from callsheet_server.tools.terminal.view import picture

    # A picture is complete with the last part of "npcs", which comes just before "stats".
    news: asyncio.Queue[None] = asyncio.Queue()
    everybody, talk = asyncio.Event(), asyncio.Event()

    def take(event: ServerMessage) -> None:
        scene.take(event, time.monotonic())
        if isinstance(event, NpcStates) and event.part == event.parts - 1:
            everybody.set()
        if isinstance(event, ReplyDelta):
            talk.set()
        if isinstance(event, Stats):
            news.put_nowait(None)

    client.on(take, *EVENTS)
    await client.subscribe(*TOPICS, interval_s=args.interval)
    console, engine = Console(), client.welcome.engine
    heading = f"{client.welcome.world}: {engine.name} ({engine.model}, {engine.device}), {args.url}"
    if not (args.once or args.json):
        with keys() as pressed:
            async with live_view(console, scene, heading):
                while await pressed.get() not in QUIT_KEYS:
                    pass
        return
    await everybody.wait()
    await news.get()  # a rate takes two figures
    await news.get()
    if args.once and not args.json:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(talk.wait(), TALK_TIMEOUT_S)
        width, height = console.size if console.is_terminal else PLAIN_SIZE
        Console(width=width).print(picture(scene, heading, width, height), height=height)
        return
    print(json.dumps(figures(scene)), flush=True)
    while not args.once:
        await news.get()
        print(json.dumps(figures(scene)), flush=True)


def _no_game_in(world: str, worlds: Sequence[str]) -> str:
    elsewhere = f"; games are in: {', '.join(worlds)}" if worlds else ""
    return f"no game is in world {world!r}{elsewhere}"


def figures(scene: Scene) -> dict[str, Any]:
    """Return what is known of the world for JSON: NPCs by distance, those without one last."""
    assert scene.stats is not None
    order = sorted(
        scene.npcs.values(),
        key=lambda npc: (float("inf") if npc.distance_s is None else npc.distance_s, npc.npc),
    )
    return {
        "stats": scene.stats.model_dump(mode="json", exclude={"type"}),
        "ticks_per_s": round(scene.ticks_per_s, 2),
        "npc_updates_per_s": round(scene.npc_updates_per_s, 1),
        "on_device_share": scene.on_device_share,
        "npcs": [npc.model_dump(mode="json") for npc in order],
    }


@contextlib.contextmanager
def keys() -> Iterator[asyncio.Queue[str]]:
    """Keys as they are pressed, if standard input is a terminal."""
    pressed: asyncio.Queue[str] = asyncio.Queue()
    if not sys.stdin.isatty():
        yield pressed
    elif sys.platform == "win32":
        polling = asyncio.create_task(_poll_keys(pressed))
        yield pressed
        polling.cancel()
    else:
        import termios
        import tty

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        loop = asyncio.get_running_loop()
        tty.setcbreak(terminal)
        loop.add_reader(terminal, lambda: _put_each(pressed, os.read(terminal, 1024)))
        try:
            yield pressed
        finally:
            loop.remove_reader(terminal)
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _put_each(pressed: asyncio.Queue[str], typed: bytes) -> None:
    for key in typed.decode(errors="replace"):
        pressed.put_nowait(key)


if sys.platform == "win32":
    import msvcrt

    async def _poll_keys(pressed: asyncio.Queue[str]) -> None:
        """Consoles of Windows cannot be waited for."""
        while True:
            await asyncio.sleep(0.05)
            while msvcrt.kbhit():
                pressed.put_nowait(msvcrt.getwch())
