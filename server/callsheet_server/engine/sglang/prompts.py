"""The model's prompt builder with the thread that owns it; replicas of one model share it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.prompt import PromptBuilder
from callsheet_server.engine.sglang.tokenizer import load_prompts
from callsheet_server.world.key import NpcKey

__all__ = ["Prompts"]

T = TypeVar("T")


class Prompts:
    """Builds prompts in a thread of its own, in the order of the calls."""

    def __init__(self) -> None:
        self.builder: PromptBuilder | None = None
        """None = not loaded yet. Only ``run`` may use it; what never changes may be read."""
        self.context_limit_tokens = 0
        """Longest prompt plus reply."""
        self.misfits = Misfits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="callsheet-prompt")

    async def load(self, tokenizer: str, context_limit_tokens: int) -> None:
        """Load a model's tokenizer: a folder or a hub id.

        Raises:
            EngineStartError: it is not to be had here, or has no usable chat template.
        """
        self.builder = await self.run(lambda: load_prompts(tokenizer, context_limit_tokens))
        self.context_limit_tokens = context_limit_tokens

    async def run(self, build: Callable[[], T]) -> T:
        """Do ``build`` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, build)

    def is_misfit(self, key: NpcKey, prefix_tokens: int) -> bool:
        """Judge, and note, whether an NPC's prefix leaves no room to talk."""
        return self.misfits.judge(key, prefix_tokens, self.context_limit_tokens)

    def close(self) -> None:
        """Build nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
