"""CPU that the server spends per streamed token: a fake SGLang -> server -> one game's WebSocket.

Talks go on at the same time, each in a closed loop: a line, the reply to its end, the next line.
This checkout and the one given by ``--against`` serve the same talks in turns, each in a process of
its own; the fake is another, and the game a third. Reported per checkout: CPU of the server's
process per token that SGLang streamed, the replies' own cost (prompt, memory) included; messages
per token; and the time from a line to the first piece of text.

    python loadtest/bench/streaming.py
    python loadtest/bench/streaming.py --against ../callsheet-before --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from server_process import server_of
from streaming_sglang import words
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from websockets.asyncio.client import ClientConnection, connect

from callsheet.wire.codec import encode
from callsheet.wire.session import Ack, ClientInfo, Hello
from callsheet.wire.talk import Say, Speaker
from callsheet.wire.world import NpcSpec, PlayerSpec, Spawn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WARM_UP_S = 2.0
ACK_EVERY = 256
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SETTINGS = (
    "storage.directory=",
    "limits.max_generated_tokens_per_min=1000000000",
    "quota.max_generated_tokens_per_min=1000000000",
)


@dataclass(slots=True)
class Turn:
    """Measurements of one checkout's turn."""

    tokens: int = 0
    messages: int = 0
    replies: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    first_piece_s: list[float] = field(default_factory=list)


def save_tokenizer(folder: Path) -> None:
    """Make the fake's tokenizer: its words are one token each, as they are when it streams them."""
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4_000,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(("".join(words(reply, 256)) for reply in range(100)), trainer)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="<|im_end|>", additional_special_tokens=specials
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


@asynccontextmanager
async def fake_sglang(tokens: int, tokens_per_s: float, model: Path) -> AsyncIterator[str]:
    """Run a fake SGLang; yields its URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "streaming_sglang.py"), "--tokens", str(tokens)),
        *("--tokens-per-s", str(tokens_per_s), "--model", str(model)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{(await process.stdout.readline()).decode().strip()}"
    finally:
        process.terminate()
        await process.wait()


class Game:
    """A game whose NPCs all talk at the same time."""

    def __init__(self, socket: ClientConnection, talks: int, tokens: int) -> None:
        self._socket = socket
        self._talks = talks
        self._tokens = tokens
        self._asked_s: dict[str, float] = {}
        self._requests = 1
        self._turn: Turn | None = None

    async def open(self) -> None:
        """Say hello and spawn the NPCs."""
        client = ClientInfo(name="streaming", version="1")
        await self._send(Hello(role="game", world="w", client=client))
        npcs = tuple(NpcSpec(npc=f"n{i}", name=f"N{i}", persona="x") for i in range(self._talks))
        players = (PlayerSpec(player="p", name="P"),)
        await self._send(Spawn(id=1, npcs=npcs, players=players))
        while (message := json.loads(await self._socket.recv()))["type"] != "spawned":
            assert message["type"] != "error", message

    async def talk(self) -> None:
        """Keep every talk going, until cancelled."""
        for index in range(self._talks):
            await self._say(f"n{index}")
        unacked = 0
        async for frame in self._socket:
            message = json.loads(frame)
            unacked += 1
            if unacked == ACK_EVERY:
                unacked = 0
                await self._send(Ack(seq=message["seq"]))
            match message["type"]:
                case "reply_delta":
                    self._piece(message["npc"], len(message["text"].split()))
                case "reply_end":
                    assert message["finish_reason"] == "stop", message
                    assert len(message["text"].split()) == self._tokens, message
                    await self._ended(message["npc"])
                case "error":
                    raise SystemExit(f"refused: {message}")

    def measure(self) -> Turn:
        """Count from now on."""
        self._turn = Turn()
        return self._turn

    def _piece(self, npc: str, tokens: int) -> None:
        asked_s = self._asked_s.pop(npc, None)
        if self._turn is not None:
            self._turn.messages += 1
            self._turn.tokens += tokens
            if asked_s is not None:
                self._turn.first_piece_s.append(time.perf_counter() - asked_s)

    async def _ended(self, npc: str) -> None:
        if self._turn is not None:
            self._turn.replies += 1
        await self._say(npc)

    async def _say(self, npc: str) -> None:
        self._requests += 1
        self._asked_s[npc] = time.perf_counter()
        speaker = Speaker(kind="player", id="p")
        await self._send(
            Say(
                id=self._requests,
                npc=npc,
                speaker=speaker,
                text="Well?",
                max_tokens=self._tokens,
            )
        )

    async def _send(self, message: Hello | Spawn | Say | Ack) -> None:
        await self._socket.send(encode(message), text=True)


async def turn(
    root: Path, fake_url: str, talks: int, tokens: int, seconds: float, settings: Sequence[str]
) -> Turn:
    """Serve the talks by one checkout; what its start and its first replies cost is left out."""
    async with AsyncExitStack() as stack:
        chosen = (*SETTINGS, f"{_setting_of_url(root)}={fake_url}", *settings)
        url = await stack.enter_async_context(server_of(root, "sglang", chosen))
        process = psutil.Process(_serving())
        socket = connect(url, compression=None, ping_interval=None, max_size=None)
        game = Game(await stack.enter_async_context(socket), talks, tokens)
        await game.open()
        talking = asyncio.create_task(game.talk())
        try:
            await asyncio.wait([talking], timeout=WARM_UP_S)
            measured, cpu_s, started_s = game.measure(), _cpu(process), time.perf_counter()
            await asyncio.wait([talking], timeout=seconds)
            measured.cpu_s = _cpu(process) - cpu_s
            measured.wall_s = time.perf_counter() - started_s
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
    return measured


def _setting_of_url(root: Path) -> str:
    """Return what a checkout calls the URL of SGLang."""
    settings = root / "server" / "callsheet_server" / "engine" / "sglang" / "settings.py"
    return "sglang.urls" if "urls: tuple" in settings.read_text("utf-8") else "sglang.url"


def _serving() -> int:
    """The process of the server that was started last."""
    children = psutil.Process().children()
    return max(
        (child.create_time(), child.pid) for child in children if "serve" in child.cmdline()
    )[1]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def measure(args: argparse.Namespace) -> dict[Path, list[Turn]]:
    roots = [ROOT, *([args.against.resolve()] if args.against else [])]
    turns: dict[Path, list[Turn]] = {root: [] for root in roots}
    with tempfile.TemporaryDirectory() as folder:
        save_tokenizer(Path(folder))
        async with fake_sglang(args.tokens, args.tokens_per_s, Path(folder)) as url:
            for _ in range(args.rounds):
                for root in roots:
                    measured = await turn(
                        root, url, args.talks, args.tokens, args.seconds, args.set
                    )
                    turns[root].append(measured)
                    print(row(root, [measured]), flush=True)
    return turns


def row(root: Path, turns: Sequence[Turn]) -> str:
    tokens, cpu_s = sum(t.tokens for t in turns), sum(t.cpu_s for t in turns)
    first_s = np.percentile([s for t in turns for s in t.first_piece_s], [50, 95])
    return (
        f"{root.name:20}{1e6 * cpu_s / tokens:8.1f} us/token"
        f"{tokens / sum(t.wall_s for t in turns):9,.0f} tokens/s"
        f"{sum(t.messages for t in turns) / tokens:8.3f} messages/token"
        f"   first piece {1e3 * first_s[0]:.0f} / {1e3 * first_s[1]:.0f} ms (p50 / p95)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, help="another checkout, served in turns")
    parser.add_argument("--talks", type=int, default=64, help="(default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=256, help="a reply (default: %(default)s)")
    parser.add_argument(
        "--tokens-per-s", type=float, default=100.0, help="of each talk (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="a turn (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], help="a setting of both servers")
    args = parser.parse_args()
    turns = asyncio.run(measure(args))
    print(f"\nall rounds, {args.talks} talks, {args.tokens} tokens a reply")
    for root, measured in turns.items():
        print(row(root, measured))


if __name__ == "__main__":
    main()
