"""A llama-server that somebody else runs, by URL."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.conftest import StartEngine
from engine.harness import Talk
from engine.tiny_gguf import write_tiny_gguf

from callsheet_residency.state import Tier
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.llamacpp.attached import without_key
from callsheet_server.engine.llamacpp.process import free_port

SCRIPT = Path(__file__).parent / "llama_server.py"
KEY = "hush-hush"


@pytest.fixture
def url(tiny_gguf: Path, tmp_path: Path) -> Iterator[str]:
    """A server with two slots."""
    pytest.importorskip("xllamacpp", reason="llamacpp: xllamacpp has no wheel for this system")
    port = free_port()
    flags = {
        "--model": tiny_gguf, "--host": "127.0.0.1", "--port": port, "--api-key": KEY,
        "--slot-save-path": tmp_path, "--parallel": 2, "--ctx-size": 1024, "--threads": 1,
    }  # fmt: skip
    words = [str(word) for pair in flags.items() for word in pair]
    with subprocess.Popen([sys.executable, str(SCRIPT), *words, "--slots"]) as process:
        yield f"http://:{KEY}@127.0.0.1:{port}"
        process.kill()


async def test_npcs_speak_on_a_server_that_runs_already(
    start_llamacpp: StartEngine, url: str
) -> None:
    ours = await start_llamacpp()
    said = [await ours.say(ours.npc(name, name)) for name in ("Mara", "Tom", "Ida")]
    talk = await _attached(start_llamacpp, url)
    assert KEY not in str(talk.engine.info)
    assert talk.store.capacity_bytes(Tier.HOST) == 0
    keys = [talk.npc(name, name) for name in ("Mara", "Tom", "Ida")]  # one more than slots
    assert [await talk.say(key) for key in keys] == said
    assert await talk.say(keys[0]) == said[0]
    _, end = await talk.ask(keys[0])
    assert end.tier_at_start is Tier.DEVICE
    assert end.cached_tokens > 0


async def test_another_model_and_no_server_are_refused(
    start_llamacpp: StartEngine, url: str, tmp_path: Path
) -> None:
    await _attached(start_llamacpp, url)
    other = await asyncio.to_thread(
        write_tiny_gguf, tmp_path / "other.gguf", template="{{ messages[0].content }}"
    )
    with pytest.raises(EngineStartError, match="another model"):
        await start_llamacpp(server=url, model=str(other))
    with pytest.raises(EngineStartError, match="no llama-server"):
        await start_llamacpp(server=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(EngineStartError, match="adapters"):
        await start_llamacpp(server=url, adapters={"x": other})


def test_the_key_is_not_shown() -> None:
    assert without_key("http://:secret@gpu:8080/") == "http://gpu:8080"


async def _attached(start: StartEngine, url: str) -> Talk:
    """Attach, once the server is there."""
    while True:
        try:
            return await start(server=url)
        except EngineStartError as error:
            if "no llama-server" not in str(error):
                raise
            await asyncio.sleep(0.05)
