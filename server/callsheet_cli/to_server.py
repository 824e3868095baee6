"""Connection of a command to the engine behind a running server."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callsheet.client import Client

__all__ = ["add_server_options", "connected"]


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which server, and as whom."""
    parser.add_argument("--url", default="ws://127.0.0.1:8765", help="the server (%(default)s)")
    parser.add_argument("--token", help="the server's token for that role, if it asks for one")
    parser.add_argument(
        "--role", choices=("observer", "game"), default="observer", help="(%(default)s)"
    )


@asynccontextmanager
async def connected(args: argparse.Namespace, name: str) -> AsyncIterator[Client]:
    """Open a session in a world of that name, in which nobody lives."""
    from callsheet.client import connect

    async with connect(args.url, role=args.role, world=name, token=args.token, name=name) as client:
        yield client
