"""An attack: its name, how it is done, and how the server must end it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from callsheet_bench.hostile.raw_socket import RawSocket

__all__ = ["ATTACKS", "Attack", "Ground", "attack"]


@dataclass(frozen=True, slots=True)
class Ground:
    """A server to be attacked, and for how long."""

    port: int
    seconds: float
    address: str = "127.0.0.1"
    """Address that the attacker comes from."""

    def connect(self, **options: int) -> RawSocket:
        """Connect as ``RawSocket`` does."""
        return RawSocket(self.port, self.address, **options)

    def passing(self, at_least: int = 0) -> Iterator[float]:
        """Begin, now that all is prepared; yield the seconds passed until the attack is over.

        ``at_least``: rounds that are done however long they take.
        """
        print("begun", flush=True)
        start_s = time.monotonic()
        for done in itertools.count():
            passed_s = time.monotonic() - start_s
            if passed_s >= self.seconds and done >= at_least:
                break
            yield passed_s


Run = Callable[[Ground], Iterator[int]]
"""Carries an attack out; yields the close code of each connection that the server ended,
or the HTTP status of a page that it refused."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to hurt a server."""

    name: str
    aim: str
    """Harm that it is meant to do, in a few words."""
    run: Run
    ends: frozenset[int]
    """Codes of which one is seen however slow the machine is; empty = it is slowed only."""
    besides: frozenset[int]
    """Codes that may be seen as well."""


ATTACKS: Final[dict[str, Attack]] = {}


def attack(*ends: int, besides: tuple[int, ...] = ()) -> Callable[[Run], Run]:
    """Add a function to ``ATTACKS``, under its name; its docstring is its aim."""

    def add(run: Run) -> Run:
        name = run.__name__
        aim = (run.__doc__ or "").strip(".")
        ATTACKS[name] = Attack(name, aim, run, frozenset(ends), frozenset(besides))
        return run

    return add
