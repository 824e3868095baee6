"""Owners of llama.cpp's slots, and their shares of the KV cache that all slots have in common."""

from __future__ import annotations

from typing import Final, Self

from callsheet_residency.errors import BudgetError
from callsheet_server.engine.llamacpp.prefix_entry import PrefixEntry

__all__ = ["SlotPool"]

MAX_SLOTS: Final = 128
"""Of the 256 sequences that llama.cpp can tell apart; each slot costs it a little time per step."""
MIN_SLOT_TOKENS: Final = 256
"""Tokens that a slot counts as, even if it holds less: a short persona and its talk."""


class SlotPool:
    """Books only: nothing is moved here. Of the event loop."""

    def __init__(self, tokens: int) -> None:
        """Make an empty pool.

        Args:
            tokens: room of the KV cache, for all slots together.
        """
        self.slot_tokens = max(MIN_SLOT_TOKENS, -(-tokens // MAX_SLOTS))
        self.slots = max(1, tokens // self.slot_tokens)
        self.tokens = max(tokens, self.slot_tokens)
        self.entries: dict[int, PrefixEntry] = {}
        self.adapters: dict[int, int | None] = {}
        """Slot -> the adapter with which it last computed; none, if it has not computed yet."""

    @classmethod
    def of_slots(cls, count: int, slot_tokens: int) -> Self:
        """Make the pool of a server that was started with so many slots of such a size."""
        pool = cls(count * slot_tokens)
        pool.slots, pool.slot_tokens = count, slot_tokens
        return pool

    @property
    def used_tokens(self) -> int:
        """Tokens that the owners of slots take, or may come to take."""
        return sum(self.size_tokens(entry) for entry in list(self.entries.values()))

    def size_tokens(self, entry: PrefixEntry) -> int:
        """Tokens that an entry counts as while it has a slot."""
        return max(self.slot_tokens, entry.needed_tokens)

    def has_room(self, entry: PrefixEntry, tokens: int = 0) -> bool:
        """Whether the entry fits beside the others, as it is and with ``tokens`` in all."""
        others = sum(self.size_tokens(e) for e in self.entries.values() if e is not entry)
        free = len(self.entries) < self.slots or entry.slot is not None
        return free and others + max(self.size_tokens(entry), tokens) <= self.tokens

    def take(self, entry: PrefixEntry) -> int:
        """Give the entry a slot, if it has none.

        Raises:
            BudgetError: there is no room.
        """
        if entry.slot is None:
            if not self.has_room(entry):
                raise BudgetError(
                    f"device: {self.size_tokens(entry)} tokens wanted, {self.used_tokens} of "
                    f"{self.tokens} taken"
                )
            entry.slot = next(slot for slot in range(self.slots) if slot not in self.entries)
            self.entries[entry.slot] = entry
        return entry.slot

    def release(self, entry: PrefixEntry) -> None:
        """Take the slot back, if it has one."""
        if entry.slot is not None:
            del self.entries[entry.slot]
            entry.slot = None

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` if the books are wrong."""
        for slot, entry in self.entries.items():
            assert entry.slot == slot, f"{entry.key}: says slot {entry.slot}, has {slot}"
        assert self.used_tokens <= self.tokens, f"device: {self.used_tokens} of {self.tokens}"
