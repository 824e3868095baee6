"""The server as a process: start with progress, run until told to stop, stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable

from callsheet_server.app import CallsheetServer
from callsheet_server.engine import create_engine
from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.settings import Settings

__all__ = ["StartError", "build", "serve"]

logger = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


def build(settings: Settings) -> CallsheetServer:
    """Put a server together; nothing is started.

    Raises:
        StartError: the engine's libraries are not installed.
    """
    try:
        engine = create_engine(settings.engine.name, settings.embedded, settings.scripted)
    except EngineStartError as error:
        raise StartError(str(error)) from None
    return CallsheetServer(settings, engine)


async def start(server: CallsheetServer, report: Callable[[Progress], None]) -> None:
    """Start a server.

    Raises:
        StartError: in the user's words.
    """
    host, port = server.settings.server.host, server.settings.server.port
    try:
        await server.start(report)
    except EngineStartError as error:
        raise StartError(str(error)) from None
    except OSError as error:
        raise StartError(
            f"cannot listen on {host}:{port}: {error.strerror or error}. "
            f"Stop what uses the port, or choose another: --port {port + 1}"
        ) from None


async def serve(
    settings: Settings,
    report: Callable[[Progress], None],
    ready: Callable[[CallsheetServer], None],
) -> None:
    """Run until SIGINT or SIGTERM, then drain.

    Args:
        settings: of the server.
        report: told of the start's progress, from any thread.
        ready: called once, when clients can connect.

    Raises:
        StartError: the server did not come up.
    """
    server = build(settings)
    stop = asyncio.Event()
    # Windows has no signal handlers in event loops; there Ctrl-C cancels this task instead.
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        starting = asyncio.create_task(start(server, report))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return
        starting.result()
        ready(server)
        await stopping
    finally:
        await server.close()
