"""Kills a server under load again and again, restarts it, and audits what it kept.

Games talk to their NPCs over the Python SDK, every line with a text of its own. Meanwhile they note
facts, save, load, delete saves and have NPCs forget; in a world of its own, several NPCs answer one
line in turn, hear rumours, and act. The server is killed (SIGKILL) at random
moments, while it starts and while games resume too, and started again on the same folder.

After every kill the NPCs must remember every reply that any game was told of since what it loaded
or forgot, once and in order, and every save that was acked must load exactly. At the end, when
every request has its one answer, they must remember exactly those, and be asked with all of it in
their prompts: now, and after a load of each save.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from crash.choir import Choir
from crash.game import PERSONA, Asked, Game, Remembered

from callsheet import Client, ClientSettings, connect
from callsheet_server.app.serving import serve
from callsheet_server.app.settings import EngineSettings, Settings
from callsheet_server.engine.scripted import ScriptedSettings
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.storage.writes import LoadSave
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.transport.settings import ServerSettings

SETTLE_S = 120.0
MOST_TURNS = 1_000_000
CLIENT = ClientSettings(backoff_min_s=0.01, backoff_max_s=0.1, connect_timeout_s=60.0)
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["callsheet_server.app.serving"])


@dataclass
class Report:
    """Record of a run."""

    kills: int = 0
    replies: int = 0
    loads: int = 0
    saves_checked: int = 0
    """Loads of a save in a copy of a database that a killed server has left."""
    interrupted: int = 0
    sung: Counter[str] = field(default_factory=Counter)
    """Number of rounds, rumours, outcomes and other things of the choir."""
    committed_unseen: int = 0
    """Replies that were durable when the server died and that no game had seen yet."""
    seconds: float = 0.0


class Server:
    """A server process on a fixed port and folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.settings = Settings(
            server=ServerSettings(port=self.port, resume_grace_s=3600, log_level="error"),
            storage=StorageSettings(directory=str(folder)),
            engine=EngineSettings(name="scripted"),
            reply=ReplySettings(memory_tokens=500_000, recall_tokens=0),
            scripted=ScriptedSettings(token_delay_s=0.001, rebuild_s=0),
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


@contextlib.contextmanager
def no_listener_fails() -> Iterator[None]:
    """Fail if what the games note of an event has failed: the SDK logs that, and goes on."""

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            failed.append(self.format(record))

    failed, keep = list[str](), Keep(logging.ERROR)
    keep.addFilter(lambda record: record.getMessage().startswith("a listener failed"))
    logger = logging.getLogger("callsheet")
    logger.addHandler(keep)
    try:
        yield
    finally:
        logger.removeHandler(keep)
    assert not failed, failed[0]


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
    choir = Choir("choir", ("alto-0", "alto-1", "alto-2", "alto-5"))
    server.start()
    stop = asyncio.Event()
    url = f"ws://127.0.0.1:{server.port}"
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(no_listener_fails())
        talks: list[asyncio.Task[None]] = []
        clients: dict[str, Client] = {}
        for game in played:
            client = await stack.enter_async_context(
                connect(url, role="game", world=game.world, settings=CLIENT)
            )
            clients[game.world] = client
            handles = await game.begin(client)
            talks += [asyncio.create_task(game.talk(client, npc, stop)) for npc in game.npcs]
            chance = random.Random(f"{seed} {game.world}")
            talks.append(asyncio.create_task(game.keep(client, handles, chance, stop)))
        singers = await stack.enter_async_context(
            connect(url, role="game", world=choir.world, settings=CLIENT)
        )
        await choir.begin(singers)
        chance = random.Random(f"{seed} choir")
        talks.append(asyncio.create_task(choir.play(singers, chance, stop)))
        for _ in range(kills):
            if rng.random() < 0.5:  # Whatever goes on, and be it the start of the server.
                await asyncio.sleep(rng.uniform(0, 0.3))
            else:
                game = rng.choice(played)
                await game.until_told(rng.randint(1, 30))
            await server.kill()
            report.kills += 1
            for game in played:
                report.committed_unseen += await asyncio.to_thread(audit, folder, game)
                report.saves_checked += await asyncio.to_thread(audit_saves, folder, game)
            choir.audit((await asyncio.to_thread(read_memories, folder, choir)).turns)
            report.saves_checked += await asyncio.to_thread(audit_saves, folder, choir)
            server.start()
        stop.set()
        _, silent = await asyncio.wait(talks, timeout=SETTLE_S)
        assert not silent, f"{len(silent)} requests were never answered"
        await asyncio.gather(*talks)
        for game in played:
            mod = await stack.enter_async_context(
                connect(url, role="mod", world=game.world, settings=CLIENT)
            )
            await check_prompts(mod, game)
            for name in sorted(game.saves):
                game.asked = Asked("load", name)
                await clients[game.world].load(name)
                await check_prompts(mod, game)
        mod = await stack.enter_async_context(
            connect(url, role="mod", world=choir.world, settings=CLIENT)
        )
        await check_prompts(mod, choir)
        await server.kill()
    choir.audit((await asyncio.to_thread(read_memories, folder, choir)).turns)
    assert choir.resets == 0, f"{choir.resets} sessions of the choir were not resumed"
    twice = [line for line, count in choir.answers.items() if count != 1]
    assert not twice, f"lines {twice} were answered more than once"
    report.sung = choir.done
    for game in played:
        unseen = await asyncio.to_thread(audit, folder, game)
        assert not unseen, f"{game.world}: {unseen} replies were kept and never told"
        assert game.resets == 0, f"{game.world}: {game.resets} sessions were not resumed"
        twice = [request for request, count in game.answers.items() if count != 1]
        assert not twice, f"{game.world}: requests {twice} were answered more than once"
        report.replies += game.replies
        report.loads += game.loads
        report.interrupted += game.interrupted
    report.seconds = time.monotonic() - started_s
    return report


def audit(folder: Path, game: Game) -> int:
    """Compare a database with what its game was told; how many replies it has beyond that."""
    kept = read_memories(folder, game)
    beyond = [kept.beyond(possible) for possible in game.possible()]
    found = [more for more in beyond if more is not None]
    assert found, f"{game.world}: something was lost or changed: {kept}, {game.now}, {game.asked}"
    for npc, turns in kept.turns.items():
        heard = turns[::2]
        assert len(set(heard)) == len(heard), f"{game.world}: {npc} heard something twice"
    return max(found)


def read_memories(folder: Path, game: Game | Choir) -> Remembered:
    """Read from a database what the NPCs remember."""
    file = WorldFile(Folder(folder).file(game.world), game.world)
    try:
        assert not file.quarantined
        return remembered(file, game)
    finally:
        file.close()


def audit_saves(folder: Path, game: Game | Choir) -> int:
    """Load every save that was acked, in a copy; how many."""
    file = WorldFile(Folder(folder).file(game.world), game.world)
    with tempfile.TemporaryDirectory() as other:
        file.copy_to(Path(other) / "copy", lambda left, total: None)
        file.close()
        copy = WorldFile(Path(other) / "copy", game.world)
        try:
            for name, held in game.settled.items():
                copy.apply([((LoadSave(name),), None)])
                assert remembered(copy, game) == held, f"{game.world}: save {name!r} has changed"
        finally:
            copy.close()
    return len(game.settled)


def remembered(file: WorldFile, game: Game | Choir) -> Remembered:
    """Memories of the NPCs by a database."""
    facts = file.facts(game.npcs)
    turns = {npc: file.latest_turns(npc, MOST_TURNS) for npc in game.npcs}
    return Remembered(
        {npc: tuple(turn.text for turn in told) for npc, told in turns.items()},
        {npc: facts.get(npc, {}) for npc in game.npcs},
    )


async def check_prompts(mod: Client, game: Game | Choir) -> None:
    """Ask every NPC once more, through a mod: its prompt must hold all that it remembers."""
    for npc in game.npcs:
        end = await (await mod.say(npc, "the last question"))
        words = sum(
            len(text.split()) for text in (PERSONA, *game.now.turns[npc], "the last question")
        )
        assert end.prompt_tokens == words, f"{npc} was asked with {end.prompt_tokens}"
        game.remember(npc, "the last question", end.text)
