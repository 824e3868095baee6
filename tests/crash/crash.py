"""Kills a server under load again and again, restarts it, and audits what it kept.

    python tests/crash/crash.py --kills 300 --seed 1

Games talk to their NPCs over the Python SDK, every line with a text of its own. The server is
killed (SIGKILL) at random moments, while it starts and while games resume too, and started again on
the same folder. After every kill the databases must hold every reply that any game was told of,
once and in order. At the end, when every request has its one answer, they must hold exactly those,
and the NPCs must be asked with all of it in their prompts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import random
import socket
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from callsheet import connect
from callsheet.client import Client
from callsheet.core.events import SessionReset
from callsheet.core.settings import ClientSettings
from callsheet.wire import CallsheetError, Error, ErrorCode, NpcSpec, ReplyEnd
from callsheet_server.app.serving import serve
from callsheet_server.app.settings import EngineSettings, Settings
from callsheet_server.engine.scripted import ScriptedSettings
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.transport.settings import ServerSettings

SETTLE_S = 120.0
PERSONA = "You are a villager."
CLIENT = ClientSettings(backoff_min_s=0.01, backoff_max_s=0.1, connect_timeout_s=60.0)
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["callsheet_server.app.serving"])


@dataclass
class Report:
    """Record of a run."""

    kills: int = 0
    replies: int = 0
    interrupted: int = 0
    committed_unseen: int = 0
    """Replies that were durable when the server died and that no game had seen yet."""
    seconds: float = 0.0


@dataclass
class Game:
    """One game, and what it was told."""

    world: str
    npcs: tuple[str, ...]
    told: defaultdict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """By NPC: what it heard and what it said, in the order the replies ended."""
    answers: Counter[int] = field(default_factory=Counter)
    """Number of answers to each request."""
    interrupted: int = 0
    resets: int = 0
    _asked: dict[int, tuple[str, str]] = field(default_factory=dict)

    def listen(self, client: Client) -> None:
        client.on(self._ended, ReplyEnd)
        client.on(self._failed, Error)
        client.on(self._reset, SessionReset)

    async def talk(self, client: Client, npc: str, stop: asyncio.Event) -> None:
        """Say one thing after the other, until told to stop."""
        number = 0
        while not stop.is_set():
            number += 1
            text = f"{self.world} {npc} line {number}"
            reply = await client.say(npc, text)
            self._asked[reply._pending.id] = npc, text
            with contextlib.suppress(CallsheetError):
                await reply

    def _ended(self, end: ReplyEnd) -> None:
        if end.id is not None:
            self.answers[end.id] += 1
            npc, heard = self._asked[end.id]
            assert end.finish_reason == "stop", end
            self.told[npc].append((heard, end.text))

    def _failed(self, error: Error) -> None:
        assert error.code == ErrorCode.INTERRUPTED, error
        assert error.id is not None
        self.answers[error.id] += 1
        self.interrupted += 1

    def _reset(self, _: SessionReset) -> None:
        self.resets += 1


class Server:
    """A server process on a fixed port and folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.settings = Settings(
            server=ServerSettings(port=self.port, resume_grace_s=3600, log_level="error"),
            storage=StorageSettings(directory=str(folder)),
            engine=EngineSettings(name="scripted"),
            reply=ReplySettings(memory_tokens=500_000, recall_tokens=0),
            scripted=ScriptedSettings(token_delay_s=0.001, rebuild_s=0, load_s=0),
        )
        self._process: BaseProcess | None = None

    def start(self) -> None:
        self._process = PROCESSES.Process(target=run_server, args=(self.settings,), daemon=True)
        self._process.start()

    async def kill(self) -> None:
        assert self._process is not None
        assert self._process.is_alive(), "the server died by itself"
        self._process.kill()
        await asyncio.to_thread(self._process.join)


def run_server(settings: Settings) -> None:
    asyncio.run(serve(settings, lambda _: None, lambda _: None))


async def crash(
    kills: int, seed: int, folder: Path, port: int, games: int = 2, npcs: int = 6
) -> Report:
    """Do it; raises ``AssertionError`` for the first promise that is broken."""
    rng, report, started_s = random.Random(seed), Report(), time.monotonic()
    server = Server(folder, port)
    played = [
        Game(f"world-{index}", tuple(f"npc-{number}" for number in range(npcs)))
        for index in range(games)
    ]
    server.start()
    stop = asyncio.Event()
    url = f"ws://127.0.0.1:{server.port}"
    async with contextlib.AsyncExitStack() as stack:
        talks: list[asyncio.Task[None]] = []
        for game in played:
            client = await stack.enter_async_context(
                connect(url, role="game", world=game.world, settings=CLIENT)
            )
            specs = [NpcSpec(npc=npc, name=npc, persona=PERSONA) for npc in game.npcs]
            await client.spawn(specs)
            game.listen(client)
            talks += [asyncio.create_task(game.talk(client, npc, stop)) for npc in game.npcs]
        for _ in range(kills):
            await asyncio.sleep(rng.choice((rng.uniform(0, 0.15), rng.uniform(0.1, 0.6))))
            await server.kill()
            report.kills += 1
            for game in played:
                report.committed_unseen += await asyncio.to_thread(audit, folder, game)
            server.start()
        stop.set()
        _, silent = await asyncio.wait(talks, timeout=SETTLE_S)
        assert not silent, f"{len(silent)} requests were never answered"
        await asyncio.gather(*talks)
        await check_prompts(url, played, stack)
        await server.kill()
    for game in played:
        unseen = await asyncio.to_thread(audit, folder, game)
        assert not unseen, f"{game.world}: {unseen} replies were kept and never told"
        assert game.resets == 0, f"{game.world}: {game.resets} sessions were not resumed"
        twice = [request for request, count in game.answers.items() if count != 1]
        assert not twice, f"{game.world}: requests {twice} were answered more than once"
        report.replies += sum(map(len, game.told.values()))
        report.interrupted += game.interrupted
    report.seconds = time.monotonic() - started_s
    return report


def audit(folder: Path, game: Game) -> int:
    """Compare a database with what its game was told; how many replies it has beyond that."""
    file = WorldFile(Folder(folder).file(game.world), game.world)
    try:
        kept: dict[str, list[str]] = {npc: [] for npc in game.npcs}
        for row in file.rows("turns"):
            kept[row["npc"]].append(row["text"])
        assert not file.quarantined
    finally:
        file.close()
    unseen = 0
    for npc, texts in kept.items():
        told = [text for exchange in game.told[npc] for text in exchange]
        assert texts[: len(told)] == told, f"{game.world}: {npc} lost or changed a turn"
        heard = texts[::2]
        assert len(set(heard)) == len(heard), f"{game.world}: {npc} heard something twice"
        unseen += (len(texts) - len(told)) // 2
    return unseen


async def check_prompts(url: str, played: list[Game], stack: contextlib.AsyncExitStack) -> None:
    """Ask every NPC once more, through a mod: its prompt must hold all that was said."""
    for game in played:
        mod = await stack.enter_async_context(
            connect(url, role="mod", world=game.world, settings=CLIENT)
        )
        for npc in game.npcs:
            end = await (await mod.say(npc, "the last question"))
            turns = [text for exchange in game.told[npc] for text in exchange]
            words = sum(len(text.split()) for text in (PERSONA, *turns, "the last question"))
            assert end.prompt_tokens == words, f"{npc} was asked with {end.prompt_tokens}"
            game.told[npc].append(("the last question", end.text))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(crash(args.kills, args.seed, Path(folder), port))
    print(report)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
