"""A town's calls as requests: who is asked what, with how many tokens, in which order.

A prompt is [world prefix | persona | question]. World prefix and personas are the same in every
round; questions differ from round to round, so that no round finds the last one's in a cache. All
systems get the same requests in the same round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callsheet_bench.forecast import Forecast
from callsheet_server.tools.profile.capacity import stack_distance_bytes
from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.cast import Character, cast
from callsheet_server.tools.town.simulation import TownSimulation
from callsheet_server.trace import Trace
from callsheet_server.trace.trace import TraceCall

__all__ = ["TICK_S", "Request", "TownSpec", "TownWorkload"]

DAY_S = 480.0
TICK_S = 0.25
HISTORY_S = 60.0
"""No round begins earlier in the day: the estimators are to know what was before."""
WINDOW_STEP = 5
"""Calls between two candidates for the part of the day that is replayed."""
PEOPLE = 512
"""People that personas may speak of; a row speaks of the same ones in towns of any size."""
WORLD = (
    "You are one of the people of Saltmere, a small harbour town below white cliffs. Fishing boats "
    "leave before dawn; the market opens at ten; in the evening everybody is at the tavern. The "
    "lighthouse has been dark for a week and nobody knows why. Answer in one short sentence. "
)
DEEDS = (
    "mended the nets of {other}",
    "lent {other} a ladder and never got it back",
    "walked to the lighthouse with {other}",
    "lost a wager to {other} at the tavern",
    "bought eels from {other} on market day",
    "helped {other} to carry a chest up the hill",
)


@dataclass(frozen=True, slots=True)
class TownSpec:
    """Description of a town. Token counts are exact, by the model's tokenizer."""

    npcs: int
    persona_tokens: tuple[int, int]
    """Shortest and longest."""
    requests: int
    """Measured ones, in each round."""
    lead_in: int
    """Requests before them that are not measured: they end what the jump back in time began."""
    random_share: float = 0.0
    """Share of the calls that come from anybody, at random, instead of from who is due."""
    world_tokens: int = 200
    question_tokens: int = 20
    reply_tokens: int = 8
    concurrency: int = 4
    players: int = 2
    seed: int = 1
    device_tokens: int | None = None
    """The pool that the town is chosen for; None = a quarter of the personas."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to be sent."""

    index: int
    """Place in its round, lead-in included."""
    row: int
    """The NPC; also its handle."""
    time_s: float
    """Game time."""
    input_ids: tuple[int, ...]
    prefix_tokens: int
    """World prefix and persona: what is worth keeping."""
    reply_tokens: int


class TownWorkload:
    """A trace and the prompts of its people."""

    def __init__(self, spec: TownSpec, tokenizer: Tokenizer) -> None:
        """Raises ``ValueError`` if the town's day has fewer calls than a round asks for."""
        self.spec = spec
        self._tokenizer = tokenizer
        simulation = TownSimulation(spec.npcs, spec.players, spec.seed)
        people = cast(max(PEOPLE, spec.npcs), spec.seed)
        draw = np.random.default_rng(spec.seed)
        lengths = draw.integers(*spec.persona_tokens, spec.npcs, endpoint=True).tolist()
        self.world_ids = self._exactly(WORLD, spec.world_tokens)
        self.persona_ids = tuple(
            self._exactly(_life(people, row), length) for row, length in enumerate(lengths)
        )
        self.trace: Trace = record_town(simulation, DAY_S, TICK_S)
        first = self._typical_window(lengths)
        self.calls: tuple[TraceCall, ...] = tuple(self.trace.calls[first : first + self._length])
        self.rows = self._with_random_callers(draw)
        self._callers_before = [call.row for call in self.trace.calls[:first]]

    def prefix_ids(self, row: int) -> tuple[int, ...]:
        """Token ids that every prompt of this NPC begins with."""
        return self.world_ids + self.persona_ids[row]

    @cached_property
    def prefix_tokens(self) -> int:
        """The world prefix once, and everybody's persona."""
        return len(self.world_ids) + sum(map(len, self.persona_ids))

    def pool_tokens(self, share: float) -> int:
        """A device pool for this share of the personas, and for what is being asked and said."""
        spec = self.spec
        personas = sum(map(len, self.persona_ids))
        talk = spec.concurrency * (spec.question_tokens + spec.reply_tokens)
        return spec.world_tokens + round(share * personas) + talk

    @property
    def calls_per_game_s(self) -> float:
        """Mean rate of the town's calls, over the requests."""
        return (len(self.calls) - 1) / (self.calls[-1].time_s - self.calls[0].time_s)

    def requests(self, label: str) -> Iterator[Request]:
        """The requests of a round, in order; no two labels have a question in common."""
        for index, (call, row) in enumerate(zip(self.calls, self.rows, strict=True)):
            yield self._request(index, row, call.time_s, f"{label}.{index}", call.text)

    @property
    def everybody(self) -> Sequence[int]:
        """All rows."""
        return range(self.spec.npcs)

    def expected(self, within_s: float) -> Sequence[int]:
        """The rows that a round asks, or whose call is ever forecast within so much game time."""
        forecast, nearest_s = Forecast(self.trace, self.calls[0]), np.full(self.spec.npcs, np.inf)
        for call in self.calls:
            forecast.advance(call.time_s)
            nearest_s = np.minimum(nearest_s, forecast.distance_s())
        nearest_s[list(self.rows)] = 0.0
        rows: list[int] = np.flatnonzero(nearest_s <= within_s).tolist()
        return rows

    @property
    def called(self) -> Sequence[int]:
        """The rows that a round asks, those asked last at the end."""
        return tuple(dict.fromkeys(reversed(self.rows)))[::-1]

    def fits(self, pool_tokens: int) -> bool:
        """Whether a pool of this size holds everybody whom a round asks."""
        personas = sum(len(self.persona_ids[row]) for row in self.called)
        return self.spec.world_tokens + personas <= pool_tokens

    def warm_up(self, rows: Iterable[int]) -> Iterator[Request]:
        """A greeting to each of these, answered by one token: their prefixes are known then."""
        for row in rows:
            yield self._request(row, row, 0.0, f"warm-up {row}", "Good morning!", reply_tokens=1)

    def called_before(self, pool_tokens: int) -> Sequence[int]:
        """The rows that LRU would hold in a pool of this size when a round begins, in its order."""
        free = pool_tokens - self.spec.world_tokens
        held: list[int] = []
        for row in dict.fromkeys(reversed(self._callers_before)):
            free -= len(self.persona_ids[row])
            if free < 0:
                break
            held.append(row)
        return held[::-1]

    def _request(
        self,
        index: int,
        row: int,
        time_s: float,
        number: str,
        text: str,
        reply_tokens: int | None = None,
    ) -> Request:
        prefix = self.prefix_ids(row)
        question = self._exactly(f"\n{number} {text} ", self.spec.question_tokens)
        reply_tokens = reply_tokens or self.spec.reply_tokens
        return Request(index, row, time_s, prefix + question, len(prefix), reply_tokens)

    @property
    def _length(self) -> int:
        return self.spec.lead_in + self.spec.requests

    def _typical_window(self, persona_tokens: list[int]) -> int:
        """Choose which calls of the day to replay: those that suit neither LRU nor the forecasts
        better or worse than the day as a whole. Returns the first one's index.
        """
        calls = self.trace.calls
        if len(calls) < self._length:
            raise ValueError(f"the town makes {len(calls)} calls a day: {self._length} are wanted")
        tokens = self.spec.device_tokens or self.pool_tokens(0.25)
        room = tokens - self.spec.world_tokens
        hits = stack_distance_bytes([call.row for call in calls], persona_tokens) <= room
        known = np.stack([hits, self._foreseen(np.array(persona_tokens), room)])
        starts = [
            first
            for first in range(0, len(calls) - self._length + 1, WINDOW_STEP)
            if calls[first].time_s >= HISTORY_S
        ] or [len(calls) - self._length]
        shares = np.array([known[:, at : at + self._length].mean(axis=1) for at in starts])
        day = known.mean(axis=1)
        chosen = int(np.abs(shares - day).sum(axis=1).argmin())
        self.day_lru_share, self.day_foreseen_share = day.tolist()
        self.lru_share, self.foreseen_share = shares[chosen].tolist()
        return starts[chosen]

    def _foreseen(self, persona_tokens: NDArray[np.int64], room: int) -> NDArray[np.bool_]:
        """(calls,) bool: as the call came, was the caller among the nearest for whom there is room?

        Args:
            persona_tokens: (N,), of each row.
            room: tokens for personas.
        """
        calls = self.trace.calls
        forecast, speaking = Forecast(self.trace, calls[0]), list[TraceCall]()
        foreseen = np.zeros(len(calls), np.bool_)
        for index, call in enumerate(calls):
            for over in [c for c in speaking if c.time_s + c.duration_s <= call.time_s]:
                forecast.end_call(over.row)
                speaking.remove(over)
            forecast.advance(call.time_s)
            nearest = np.argsort(forecast.distance_s(), kind="stable")
            held = nearest[np.cumsum(persona_tokens[nearest]) <= room]
            foreseen[index] = call.row in held
            forecast.begin_call(call.row)
            speaking.append(call)
        return foreseen

    def _with_random_callers(self, draw: np.random.Generator) -> tuple[int, ...]:
        rows = np.array([call.row for call in self.calls])
        random = draw.random(len(rows)) < self.spec.random_share
        rows[random] = draw.integers(self.spec.npcs, size=int(random.sum()))
        return tuple(rows.tolist())

    def _exactly(self, text: str, tokens: int) -> tuple[int, ...]:
        """The first ``tokens`` tokens of ``text``, repeated if it is shorter."""
        ids: list[int] = []
        while len(ids) < tokens:
            ids += self._tokenizer.encode(text, add_special_tokens=False).ids
        return tuple(ids[:tokens])


def _life(people: Sequence[Character], row: int) -> str:
    """A persona with memories; no two are alike."""
    character = people[row]
    text = f"{character.persona} "
    for day in range(1, 120):
        other = people[(row * 7 + day * 3 + 1) % len(people)].name
        deed = DEEDS[(row + day) % len(DEEDS)].format(other=other)
        text += f"{day} days ago {character.name} {deed}. "
    return text
