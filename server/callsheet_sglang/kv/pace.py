"""Measured speeds of this machine: what the link carries, and how long a forward pass takes.

Ranks measure different things, and must decide alike: decisions are made by what they last agreed
on. Needs neither sglang nor torch.
"""

from __future__ import annotations

from collections.abc import Callable

from callsheet_residency.bandwidth import Bandwidth

__all__ = ["Pace"]

ASSUMED_TOKENS_PER_S = 100_000.0
"""Until a load has been measured: a model of 128 KB per token behind a slow link."""
ASSUMED_PASS_S = 0.005
AGREE_EVERY_ITERATIONS = 32
PASS_WEIGHT = 0.05
"""Of the newest pass in the mean."""
HINDERED_WEIGHT = 0.02
"""Share of the mean that a pass takes off it which waited for a load."""
LONGEST_PASS_S = 1.0
"""Longest pass that counts: a scheduler that took longer has slept."""


class Pace:
    """Speeds in use, and those measured since they were agreed on."""

    def __init__(self) -> None:
        self.link_tokens_per_s = ASSUMED_TOKENS_PER_S
        """Tokens of KV cache a second from host memory to the device."""
        self.link_is_known = False
        """Every rank has measured a load."""
        self.prefill_s = ASSUMED_PASS_S
        """Mean time of a pass that computes prompts and waits for no load."""
        self._link = Bandwidth(ASSUMED_TOKENS_PER_S)
        self._loads = 0
        self._prefill_s = ASSUMED_PASS_S
        self._began_s = 0.0
        self._launched = (False, False)
        """The last pass but one computed prompts; it waited for a load."""
        self._iterations = 0

    def observe_load(self, tokens: int, seconds: float) -> None:
        """Take in a load that has ended: tokens, and how long its copies took."""
        self._link.observe(tokens, seconds)
        self._loads += 1

    def begin_iteration(
        self,
        now_s: float,
        prefill: bool,
        hindered: bool,
        overlap: bool,
        agree: Callable[[list[float]], list[float]],
    ) -> None:
        """Take in that an iteration begins.

        Args:
            now_s: any clock, in seconds.
            prefill: the last iteration launched a pass that computes prompts.
            hindered: that pass waits for a load, so that its time says nothing. If all do, less and
                less is taken to be hidden behind one, until there are some that wait for nothing.
            overlap: an iteration waits for the pass launched in the one before it.
            agree: all ranks' smallest, element by element; called in the same iterations on all.
        """
        took_s = now_s - self._began_s
        launched = (prefill, hindered)
        ended_prefill, ended_hindered = self._launched if overlap else launched
        if ended_prefill and ended_hindered:
            self._prefill_s -= HINDERED_WEIGHT * self._prefill_s
        elif ended_prefill and took_s < LONGEST_PASS_S:
            self._prefill_s += PASS_WEIGHT * (took_s - self._prefill_s)
        self._began_s, self._launched = now_s, launched
        self._iterations += 1
        if self._iterations % AGREE_EVERY_ITERATIONS == 0:
            measured = [self._link.bytes_per_s, self._prefill_s, float(self._loads)]
            self.link_tokens_per_s, self.prefill_s, loads = agree(measured)
            self.link_is_known = loads > 0

    def load_s(self, tokens: int) -> float:
        """Return how long so many tokens take on the link."""
        return tokens / self.link_tokens_per_s
