"""The server as a process: start with progress, run until told to stop, stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from callsheet_server.app.engine_choice import settings_of_engine
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import start_server
from callsheet_server.engine import create_engine
from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.storage.errors import StorageError
from callsheet_server.trace.recorder import Recorder, UnfinishedRecordingError
from callsheet_server.transport.errors import SettingFileError
from callsheet_server.transport.settings import ServerSettings

__all__ = [
    "StartError",
    "listening_url",
    "local_url",
    "page_url",
    "run_with_server",
    "serve",
    "start",
    "until_told",
]

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name == "posix" else []))


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


async def start(
    settings: Settings,
    report: Callable[[Progress], None],
    record: Path | None = None,
    listening: Callable[[str], None] = lambda _: None,
) -> CallsheetServer:
    """Start a server with the engine that its settings name. Arguments as for ``serve``.

    Raises:
        StartError: in the user's words.
    """
    try:
        engine = await asyncio.to_thread(create_engine, settings_of_engine(settings))
    except EngineStartError as error:
        raise StartError(str(error)) from None
    try:
        recorder = None if record is None else await asyncio.to_thread(Recorder, record)
    except OSError as error:
        raise StartError(f"{record}: cannot be written: {error.strerror}") from None
    except UnfinishedRecordingError as error:
        raise StartError(str(error)) from None
    try:
        return await start_server(
            settings,
            engine,
            recorder=recorder,
            report=report,
            listening=lambda port: listening(_local_url(settings.server, port)),
        )
    except (EngineStartError, SettingFileError, StorageError) as error:
        raise StartError(str(error)) from None
    except OSError as error:
        host, port = settings.server.host, settings.server.port
        raise StartError(
            f"cannot listen on {host}:{port}: {error.strerror or error}. "
            f"Stop what uses the port, or choose another: --port {port + 1}"
        ) from None


async def serve(
    settings: Settings,
    report: Callable[[Progress], None],
    ready: Callable[[CallsheetServer], None],
    record: Path | None = None,
    listening: Callable[[str], None] = lambda _: None,
) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP, then drain.

    Args:
        settings: of the server.
        report: told of the start's progress, from any thread.
        ready: called once, when clients are welcomed.
        record: the file to write a trace to.
        listening: told of the URL for clients on this machine, as soon as they can connect.

    Raises:
        StartError: the server did not come up.
    """

    async def stay(server: CallsheetServer) -> None:
        ready(server)
        await asyncio.Event().wait()

    await run_with_server(settings, report, stay, record, listening)


async def run_with_server(
    settings: Settings,
    report: Callable[[Progress], None],
    work: Callable[[CallsheetServer], Awaitable[None]],
    record: Path | None = None,
    listening: Callable[[str], None] = lambda _: None,
) -> bool:
    """Start a server, do ``work`` until that ends or one of ``SIGNALS`` comes, then drain.

    A second signal cuts the draining short: see ``CallsheetServer.hurry``.

    Args:
        settings: of the server.
        report: told of the start's progress, from any thread.
        work: told of the running server.
        record: the file to write a trace to.
        listening: as for ``serve``.

    Returns:
        Whether ``work`` came to its end. If not it was cancelled, or never began.

    Raises:
        StartError: the server did not come up.
    """

    async def run() -> None:
        server = await start(settings, report, record, listening)
        try:
            await work(server)
        finally:
            with _at_signals(server.hurry):
                await server.close()

    return await until_told(run())


async def until_told(work: Coroutine[Any, Any, None]) -> bool:
    """Do ``work`` until it ends, or until one of ``SIGNALS`` comes, which cancels it.

    Returns:
        Whether it came to its end.
    """
    task = asyncio.create_task(work)
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        task.cancel()

    with _at_signals(stop):
        try:
            await task
        except asyncio.CancelledError:
            if not told:
                raise
            return False
    return True


@contextlib.contextmanager
def _at_signals(handler: Callable[[], None]) -> Iterator[None]:
    """Call ``handler`` at each of ``SIGNALS`` meanwhile.

    Windows has no signal handlers in event loops; there Ctrl-C cancels the caller instead.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        for number in SIGNALS:
            loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            for number in SIGNALS:
                loop.remove_signal_handler(number)


def local_url(server: CallsheetServer) -> str:
    """The URL at which clients on this machine reach a running server."""
    return _local_url(server.settings.server, server.port)


def listening_url(server: CallsheetServer) -> str:
    """The URL at which a running server listens, as its settings have it."""
    settings = server.settings.server
    return _url(settings, settings.host, server.port)


def page_url(server: CallsheetServer) -> str:
    """The URL of a running server's live page."""
    return f"{local_url(server).replace('ws', 'http', 1)}/"


def _local_url(settings: ServerSettings, port: int) -> str:
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    return _url(settings, anywhere.get(settings.host, settings.host), port)


def _url(settings: ServerSettings, host: str, port: int) -> str:
    scheme = "ws" if settings.tls_certificate is None else "wss"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
