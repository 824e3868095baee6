"""The engine ``llamacpp`` where it differs from others: a child process, slots, lore, files."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from engine.conftest import StartEngine
from engine.harness import Talk
from waiting import until, until_in_thread

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import GenerationEnd
from callsheet_server.engine.errors import EngineUnavailableError
from callsheet_server.engine.llamacpp.engine import LlamaCppEngine
from callsheet_server.engine.llamacpp.process import LlamaProcess
from callsheet_server.engine.llamacpp.slot_pool import MIN_SLOT_TOKENS

TESTS = Path(__file__).parents[2]
LORE = "A harbour town where it always rains. " * 3
START = """
import asyncio, sys
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.llamacpp.engine import LlamaCppEngine
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings

async def main():
    engine = LlamaCppEngine(LlamaCppSettings(EmbeddedSettings(model=sys.argv[1], threads=1)))
    await engine.start(lambda _: None)
    loaded = engine._loaded
    print(loaded.launched.process.pid, loaded.files.memory, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def child_of(talk: Talk) -> int:
    assert isinstance(talk.engine, LlamaCppEngine)
    assert talk.engine._loaded is not None
    process = talk.engine._loaded.launched.process
    assert isinstance(process, LlamaProcess)
    return process.pid


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


async def test_lore_is_computed_once(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp()
    talk.engine.set_world_prefix("w", LORE)
    _, first = await talk.ask(talk.npc("Mara", "A baker."))
    _, second = await talk.ask(talk.npc("Tom", "A fisherman."))
    assert first.cached_tokens == 0
    assert len(LORE) <= second.cached_tokens < second.prompt_tokens
    list(talk.engine.set_world_prefix("w", LORE + "It has a king."))
    _, changed = await talk.ask(talk.npc("Ida", "A clerk."))
    assert changed.cached_tokens == 0


async def test_a_request_evicts_the_farthest(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp(
        device_budget_bytes=0, max_batch=1, context_limit_tokens=2 * MIN_SLOT_TOKENS
    )
    near, far, third = [talk.npc(name) for name in ("near", "far", "third")]
    said = await talk.say(near), await talk.say(far)
    talk.engine.publish("w", ("near", "far"), np.array([1, 9], dtype=np.float32))
    await talk.say(third)
    assert talk.store.tier(near) is Tier.DEVICE
    assert talk.store.tier(far) is Tier.HOST
    assert {near, far} <= talk.store.take_changes()
    with pytest.raises(ResidencyError, match="device"):
        await talk.move(far, Tier.DEVICE)
    assert talk.store.tier(far) is Tier.HOST
    assert (await talk.say(near), await talk.say(far)) == said


async def test_more_npcs_than_slots_all_answer(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp(device_budget_bytes=0, max_batch=4, host_budget_bytes=1 << 19)
    keys = [talk.npc(f"npc{i}", f"Number {i}. Likes rain." * (1 + i % 3)) for i in range(12)]
    alone = [await talk.say(key, max_new_tokens=6) for key in keys]
    together = await asyncio.gather(*(talk.say(key, max_new_tokens=6) for key in keys))
    assert together == alone
    await asyncio.to_thread(talk.engine.check_integrity)


async def test_budgets_of_host_and_disk_are_kept(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp(host_budget_bytes=100_000, disk_budget_bytes=100_000)
    keys = [await talk.settled(talk.npc(name)) for name in ("a", "b", "c")]
    size = talk.store.size_bytes(keys[0])
    assert size < 100_000 < 2 * size
    for key, target in zip(keys, (Tier.HOST, Tier.DISK, Tier.DEVICE), strict=True):
        await talk.move(key, target)
    assert [talk.store.tier(key) for key in keys] == [Tier.HOST, Tier.DISK, Tier.DEVICE]
    for target in (Tier.HOST, Tier.DISK):
        with pytest.raises(ResidencyError, match="wanted"):
            await talk.move(keys[2], target)
    assert talk.store.tier(keys[2]) is Tier.DEVICE
    tiers = {use.tier: use for use in talk.engine.occupancy().tiers}
    assert tiers[Tier.HOST].used_bytes == tiers[Tier.DISK].used_bytes == size


async def test_a_forgotten_world_leaves_nothing(
    start_llamacpp: StartEngine, tmp_path: Path
) -> None:
    talk = await start_llamacpp()
    talk.engine.set_world_prefix("w", LORE)
    keys = [talk.npc(name) for name in ("a", "b", "c")]
    for key, tier in zip(keys, (Tier.DEVICE, Tier.HOST, Tier.DISK), strict=True):
        await talk.say(key)
        await talk.move(key, tier)
    talk.engine.forget_world("w")
    await until(lambda: not any(use.used_bytes for use in talk.engine.occupancy().tiers))
    assert isinstance(talk.engine, LlamaCppEngine)
    assert talk.engine._loaded is not None
    files = talk.engine._loaded.files
    await until(lambda: not any(files.memory.iterdir()))
    assert not list((tmp_path / "state").rglob("*.kv"))


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
async def test_a_child_that_dies_fails_its_requests_and_is_started_again(
    start_llamacpp: StartEngine,
) -> None:
    talk = await start_llamacpp(restart_min_s=0.01)
    speaks, parked = talk.npc("Mara"), talk.npc("Tom", "A fisherman.")
    said = await talk.say(speaks), await talk.say(parked)
    await talk.move(parked, Tier.HOST)
    killed = child_of(talk)
    os.kill(killed, signal.SIGSTOP)  # So that the reply does not end before it is killed.
    speaking = asyncio.create_task(talk.ask(speaks))
    await until(lambda: talk.engine.occupancy().running == 1)
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(EngineUnavailableError):
        await speaking
    await until(lambda: child_of(talk) != killed)
    assert talk.store.tier(speaks) is Tier.ABSENT
    assert talk.store.tier(parked) is Tier.HOST
    text, end = await talk.ask(parked)
    assert (await talk.say(speaks), text, end.tier_at_start) == (*said, Tier.HOST)


async def test_closing_ends_what_runs_and_what_waits(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp(max_batch=1)
    stream = talk.engine.submit(talk.request(talk.npc("Mara"), max_new_tokens=400))
    await anext(stream)
    waiting = asyncio.create_task(talk.ask(talk.npc("Tom")))
    await until(lambda: talk.engine.occupancy().queued == 1)
    child = child_of(talk)
    await talk.engine.close()
    items = [item async for item in stream]
    assert isinstance(items[-1], GenerationEnd)
    assert items[-1].finish_reason == "cancelled"
    assert (await waiting)[1].finish_reason == "cancelled"
    assert is_gone(child)


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_the_child_and_its_files_end_with_a_server_that_is_killed(tiny_gguf: Path) -> None:
    command = [sys.executable, "-c", START, str(tiny_gguf)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid, folder = server.stdout.readline().split()
        assert not is_gone(int(pid))
        assert Path(folder).is_dir()
        server.kill()
    until_in_thread(lambda: is_gone(int(pid)))
    assert not Path(folder).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the program")
async def test_another_build_of_llama_server_is_run(
    start_llamacpp: StartEngine, tmp_path: Path
) -> None:
    program = tmp_path / "llama-server"
    script = TESTS / "engine" / "llamacpp" / "llama_server.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    ours, other = await start_llamacpp(), await start_llamacpp(server=str(program))
    assert other.engine.info.version == str(program)
    key = ours.npc("Mara")
    other.npc("Mara")
    text = await ours.say(key)
    assert await other.say(key) == text
    await other.move(key, Tier.HOST)
    assert await other.say(key) == text
    child = child_of(other)
    await other.engine.close()
    assert is_gone(child)
