"""Rendezvous hashing: every NPC has an order of replicas, and losing one changes no other's."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["hash_of", "scores"]


def hash_of(text: str) -> int:
    """A 64-bit number that is the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def scores(keys: NDArray[np.uint64], replicas: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Rank each replica for each key: (K,) and (N,) hashes -> (K, N) uint64, greatest = wanted.

    The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    """
    x = keys[:, np.newaxis] ^ replicas
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
