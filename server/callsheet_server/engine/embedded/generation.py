"""One request on its way through the engine: its text, who waits for it, the row it runs in."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tokenizers.decoders import DecodeStream

from callsheet_residency.state import Tier
from callsheet_server.engine.engine import Delta, GenerationEnd, StopReason
from callsheet_server.engine.errors import EngineError
from callsheet_server.engine.stop_text import StopText

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from callsheet_server.engine.embedded.prefix_entry import PrefixEntry
    from callsheet_server.engine.embedded.sampling import Sampler
    from callsheet_server.world.key import NpcKey

__all__ = ["Generation", "Reply", "Run", "TextStream"]


class TextStream:
    """Tokens in, text out: no character is split, no stop string gets through."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._text = StopText(stop)

    @property
    def stopped(self) -> bool:
        """A stop string was met; the text ended before it."""
        return self._text.stopped

    def push(self, token: int) -> str:
        """The text that is certain now; "" while a character or a stop string may be growing."""
        return self._text.push(self._decoder.step(self._tokenizer, token) or "")

    def flush(self) -> str:
        """The rest, at the end of a reply that met no stop string."""
        return self._text.flush()


class Reply:
    """Stream of one request's output. Made on the event loop, fed from the model thread."""

    def __init__(self, npc: NpcKey, loop: asyncio.AbstractEventLoop) -> None:
        self.npc = npc
        self.cancelled = False
        """Set on the loop, read by the model thread between steps."""
        self._loop = loop
        self._items: asyncio.Queue[Delta | GenerationEnd | EngineError] = asyncio.Queue()

    def put(self, item: Delta | GenerationEnd | EngineError) -> None:
        """Hand on an item, from any thread; nobody may be listening any more."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def get(self) -> Delta | GenerationEnd:
        """The next item.

        Raises:
            EngineError: what the request failed with.
        """
        item = await self._items.get()
        if isinstance(item, EngineError):
            raise item
        return item


@dataclass(eq=False, slots=True)
class Generation:
    """The reply side of a run."""

    reply: Reply
    sampler: Sampler
    text: TextStream
    max_new_tokens: int
    prompt_tokens: int
    tier_at_start: Tier
    submitted_s: float
    """``time.perf_counter`` at submit, as are the times below."""
    admitted_s: float = math.nan
    first_token_s: float = math.inf
    generated: int = 0

    def end(self, reason: StopReason, cached_tokens: int) -> GenerationEnd:
        now_s = time.perf_counter()
        queued_until_s = now_s if math.isnan(self.admitted_s) else self.admitted_s
        return GenerationEnd(
            finish_reason=reason,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=cached_tokens,
            generated_tokens=self.generated,
            tier_at_start=self.tier_at_start,
            queue_s=queued_until_s - self.submitted_s,
            ttft_s=self.first_token_s - self.submitted_s,
            total_s=now_s - self.submitted_s,
        )


@dataclass(eq=False, slots=True)
class Run:
    """Something that takes a row of the batch: a request, or the building of a prefix alone."""

    entry: PrefixEntry
    tokens: list[int]
    """World, persona and, for a request, turns, cue and what was generated so far."""
    priority: int
    generation: Generation | None = None
    """None = only the prefix is built."""
    target: Tier = Tier.DEVICE
    """Tier that the prefix moves to once it is computed."""
    waiters: list[Future[None]] = field(default_factory=list)
    """Resolved once the prefix is at ``target``."""
    serial: int = 0
    row: int = -1
    done: int = 0
    """Tokens whose KV lies in the row."""
    cached: int = 0
    """Of these, tokens that were not computed for this run."""
    world_tried: bool = False
    prefix_tried: bool = False
    decoding: bool = False
    """The prompt is done; the last of ``tokens`` is to be fed next."""

    @property
    def world(self) -> PrefixEntry:
        assert self.entry.world is not None
        return self.entry.world

    @property
    def adapter(self) -> str | None:
        return self.entry.adapter

    @property
    def world_end(self) -> int:
        return self.entry.start

    @property
    def prefix_end(self) -> int:
        return self.entry.start + len(self.entry.prefix)

    @property
    def cancelled(self) -> bool:
        return self.generation is not None and self.generation.reply.cancelled
