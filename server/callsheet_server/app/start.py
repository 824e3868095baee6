"""Start a server: what it is built from, in order, and all of it released if one part fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from callsheet_residency.state import StateStore
from callsheet_server.app.server import CallsheetServer, Started
from callsheet_server.app.settings import Settings
from callsheet_server.app.waiting_room import WaitingRoom
from callsheet_server.engine.engine import Engine, Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.page import load_page
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.storage.storage import open_storage
from callsheet_server.talk.moderation import Moderator
from callsheet_server.trace.recorder import Recorder
from callsheet_server.transport.access_tokens import TokenFile
from callsheet_server.transport.listener import Listener, bind

__all__ = ["running_server", "start_server"]


async def start_server(
    settings: Settings,
    engine: Engine,
    *,
    extra_stores: Sequence[StateStore] = (),
    recorder: Recorder | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    listening: Callable[[int], None] = lambda _: None,
) -> CallsheetServer:
    """Start a server. What is quick to fail comes before the engine, the port first.

    Args:
        settings: of every layer.
        engine: not started yet; closed with the server, also if the start fails.
        extra_stores: state of your own kinds, moved with the NPCs it belongs to.
        recorder: told of every tick and call; closed with the server, also if the start fails.
        report: told of the start's progress, from any thread.
        listening: told of the port as soon as clients can connect; their welcome comes later.

    Raises:
        EngineStartError: the engine cannot start; the text names the fix.
        StorageError: the worlds on disk cannot be used.
        SettingFileError: a file that a setting names cannot be used.
        OSError: the port is taken.
    """
    async with AsyncExitStack() as taken:
        if recorder is not None:
            taken.push_async_callback(asyncio.to_thread, recorder.close)
        taken.push_async_callback(engine.close)
        binding = await bind(settings.server)
        taken.callback(binding.close)
        path = settings.server.token_file
        token_file = None if path is None else TokenFile(path)
        tokens = () if token_file is None else await asyncio.to_thread(token_file.read)
        moderator = await asyncio.to_thread(Moderator.load, settings.moderation)
        taken.callback(moderator.close)
        work = LongWork(time.monotonic)
        storage, saved = await open_storage(settings.storage, work.run)
        taken.push_async_callback(storage.close)
        page = await asyncio.to_thread(load_page)
        waiting = WaitingRoom(page)
        taken.push_async_callback(waiting.close)
        listener = Listener(
            binding,
            settings.server,
            settings.limits,
            waiting.connect,
            waiting.pages,
            waiting.may_observe,
        )
        taken.push_async_callback(listener.close)
        await listener.start()
        listening(listener.port)
        await _start_engine(engine, waiting, report)
        server = CallsheetServer(
            settings,
            Started(
                engine=engine,
                stores=(*engine.stores, *extra_stores),
                work=work,
                storage=storage,
                saved=saved,
                moderator=moderator,
                token_file=token_file,
                tokens=tokens,
                listener=listener,
                waiting=waiting,
                page=page,
                recorder=recorder,
            ),
        )
        taken.push_async_callback(server.close)
        server.open()
        taken.pop_all()
    return server


async def _start_engine(
    engine: Engine, waiting: WaitingRoom, report: Callable[[Progress], None]
) -> None:
    """Start the engine, and tell those who wait how far it is, or why it does not start."""

    def tell(progress: Progress) -> None:
        waiting.report(progress)
        report(progress)

    try:
        await engine.start(tell)
    except EngineStartError as error:
        waiting.fail(str(error))
        raise


@asynccontextmanager
async def running_server(
    settings: Settings,
    engine: Engine,
    *,
    extra_stores: Sequence[StateStore] = (),
    recorder: Recorder | None = None,
) -> AsyncIterator[CallsheetServer]:
    """Start a server for the length of a block. Arguments and errors as for ``start_server``."""
    server = await start_server(settings, engine, extra_stores=extra_stores, recorder=recorder)
    try:
        yield server
    finally:
        await server.close()
