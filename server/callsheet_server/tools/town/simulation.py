"""A small town to try things on: people with daily rounds, and players who talk to them.

``TownSimulation`` is a game loop without graphics. Each ``step`` moves everybody and returns what a
game would send in a tick, and the moments at which somebody has something to say::

    town = TownSimulation(npcs=60, players=2, seed=7)
    while playing:
        step = town.step(0.05)
        send_tick(step.time_s, step.position_m, step.velocity_mps, step.scheduled_call_s, ...)
        for call in step.calls:
            ask(town.cast[call.npc], call.speaker, call.text)

The same seed and the same steps give the same town, on every machine. A game that gets slow answers
tells ``step`` who is still speaking, and whether to let new talks begin.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.neighbours import nearest_other
from callsheet_server.tools.town.cast import Character, cast

__all__ = ["Cause", "TownCall", "TownSimulation", "TownStep"]

F32 = NDArray[np.float32]

DAY_S = 480.0
"""Seconds of game time in a day: everybody's round, once."""
ROUND = ("home", "work", "market", "work", "tavern", "home")
ERRANDS = {"home": "supper at home", "work": "work", "market": "the market", "tavern": "the tavern"}
"""Words for what somebody sets out to, by place."""
LEAVES_AT = (0.04, 0.10, 0.38, 0.50, 0.70, 0.92)
"""Times, in parts of a day, at which people set out for each place of ``ROUND``."""
JITTER = 0.08
"""Most that somebody may be earlier or later than others, in parts of a day."""

WALK_MPS = 1.4
PLAYER_MPS = 3.0
REACH_M = 3.0
TURN_S = 5.0
"""From one line of a talk to the next, if the answer is not longer."""
PAUSE_S = 3.0
"""From the end of a long answer to the next line of the talk."""
MEETING_S = 5.0
"""Time two NPCs who like company stand together before they talk, give or take a quarter."""
REST_S = 60.0
"""Time in which an NPC who has spoken starts no talk with another."""

OPENINGS = (
    "Good day! What keeps you busy today?",
    "Have you heard any news?",
    "Tell me something about this town.",
    "You look worried. What is the matter?",
)
FOLLOW_UPS = ("Go on.", "And what did you do then?", "Who else knows of this?", "I see. Farewell!")


class Cause(StrEnum):
    """Cause for which somebody speaks."""

    PLAYER = "player"
    ENCOUNTER = "encounter"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class TownCall:
    """Call of a town's NPC, which is to say something now."""

    npc: int
    """Its index in the cast."""
    speaker: str
    """Name of who spoke to it."""
    text: str
    cause: Cause
    partner: int | None = None
    """The other NPC of a talk between two."""
    turn: int = 0
    """Number of lines of the talk that came before."""


@dataclass(frozen=True, slots=True)
class TownStep:
    """The town after a step. The arrays are the caller's to keep."""

    time_s: float
    position_m: F32
    """(N, 3) float32; y is up and always 0."""
    velocity_mps: F32
    """(N, 3) float32."""
    scheduled_call_s: NDArray[np.float64]
    """(N,) float64, game time at which each NPC will next set out and speak about it."""
    player_position_m: F32
    """(P, 3) float32."""
    player_velocity_mps: F32
    """(P, 3) float32."""
    calls: tuple[TownCall, ...]


@dataclass(slots=True)
class _Talk:
    """Lines still to come: ``turns`` of them, the speakers taking turns."""

    first: int
    second: int | None
    """The other NPC, or None if a player asks the questions."""
    speaker: str
    turns: int
    next_s: float
    said: int = 0


class TownSimulation:
    """Steps a town of NPCs and scripted players."""

    def __init__(self, npcs: int = 60, players: int = 2, seed: int = 0) -> None:
        """Raises ``ValueError`` if a count is out of range; see ``cast`` for the limit of NPCs."""
        if npcs < 1:
            raise ValueError(f"npcs is {npcs}; it must be 1 or more")
        if players < 0:
            raise ValueError(f"players is {players}; it must be 0 or more")
        self.cast: tuple[Character, ...] = cast(npcs, seed)
        self.player_names = tuple(f"Player {number}" for number in range(1, players + 1))
        self.time_s = 0.0
        self._draw = draw = np.random.default_rng(seed)
        self.side_m = 16.0 * max(npcs, 1) ** 0.5
        self.sociability = draw.uniform(0.4, 1.0, npcs).astype(np.float32)
        self.sociability[draw.random(npcs) < 0.3] = 0.0
        """(N,) float32 in [0, 1]; the others keep to themselves."""

        self._stations = self._lay_out(npcs)
        day = draw.uniform(-JITTER / 2, JITTER / 2, (npcs, len(ROUND))) + LEAVES_AT
        self._leaves_s = np.sort(day, axis=1) * DAY_S
        self._leg = np.zeros(npcs, np.intp)
        self._place = self._stations[:, 0].copy()
        self._velocity = np.zeros((npcs, 2))
        self._together_s = np.zeros(npcs)
        self._shyness = draw.uniform(0.75, 1.25, npcs)
        self._rested_s = np.zeros(npcs)

        self._player_place = draw.uniform(0.0, self.side_m, (players, 2))
        self._player_velocity = np.zeros((players, 2))
        self._goal = [self._pick(p) for p in range(players)]
        self._talks: list[_Talk] = []

    def step(self, dt_s: float, answering: Collection[int] = (), quiet: bool = False) -> TownStep:
        """Advance by ``dt_s`` seconds of game time.

        Args:
            dt_s: above 0.
            answering: NPCs whose last answer is still under way; their talks wait for it.
            quiet: nobody begins to talk; talks that have begun go on.

        Raises:
            ValueError: ``dt_s`` is not positive.
        """
        if not dt_s > 0.0:
            raise ValueError(f"dt_s is {dt_s}; it must be above 0")
        self.time_s += dt_s
        calls = self._set_out(quiet)
        self._walk(dt_s)
        if not quiet:
            self._meet(dt_s)
        self._visit(dt_s, quiet)
        calls += self._speak(answering)
        self._rested_s[[call.npc for call in calls]] = self.time_s + REST_S
        return TownStep(
            self.time_s,
            _ground(self._place),
            _ground(self._velocity),
            self._next_departure_s(),
            _ground(self._player_place),
            _ground(self._player_velocity),
            tuple(calls),
        )

    # --- the daily round --------------------------------------------------------------------

    def _lay_out(self, npcs: int) -> NDArray[np.float64]:
        """Give everybody a spot at each place of the round: (N, 6, 2), metres."""
        draw, side = self._draw, self.side_m
        homes = draw.uniform(0.0, side, (npcs, 2))
        shops = draw.uniform(0.1 * side, 0.9 * side, (max(npcs // 5, 1), 2))
        spots = {
            "home": homes,
            "work": shops[draw.integers(len(shops), size=npcs)] + draw.normal(0, 2.5, (npcs, 2)),
            "market": 0.5 * side + draw.normal(0, 0.08 * side, (npcs, 2)),
            "tavern": np.array([0.3 * side, 0.7 * side]) + draw.normal(0, 0.05 * side, (npcs, 2)),
        }
        return np.stack([spots[place] for place in ROUND], axis=1)

    def _next_departure_s(self) -> NDArray[np.float64]:
        day, stop = np.divmod(self._leg + 1, len(ROUND))
        at_s: NDArray[np.float64] = day * DAY_S + self._leaves_s[np.arange(len(stop)), stop]
        return at_s

    def _set_out(self, quiet: bool) -> list[TownCall]:
        """Send whoever is due to the next place; they say so unless it is ``quiet``."""
        due = np.flatnonzero(self._next_departure_s() <= self.time_s)
        self._leg[due] += 1
        calls: list[TownCall] = []
        if quiet:
            return calls
        for npc in due.tolist():
            errand = ERRANDS[ROUND[self._leg[npc] % len(ROUND)]]
            text = f"It is time for {errand}. What is on your mind?"
            calls.append(TownCall(npc, "narrator", text, Cause.SCHEDULE))
        return calls

    def _walk(self, dt_s: float) -> None:
        """Walk everybody towards their spot; those who talk stand still."""
        goal = self._stations[np.arange(len(self._leg)), self._leg % len(ROUND)]
        offset = goal - self._place
        self._velocity = _towards(offset, WALK_MPS, dt_s)
        self._velocity[self._talking()] = 0.0
        self._place += self._velocity * dt_s

    def _talking(self) -> list[int]:
        return [npc for t in self._talks for npc in (t.first, t.second) if npc is not None]

    # --- talks ------------------------------------------------------------------------------

    def _meet(self, dt_s: float) -> None:
        """Start talks of two sociable, rested NPCs who have stood together for a while."""
        free = (self.sociability > 0.0) & (self._rested_s <= self.time_s)
        free[self._talking()] = False
        rows = np.flatnonzero(free)
        alone = np.ones(len(self._leg), np.bool_)
        if len(rows) >= 2:
            nearest, apart_m = _nearest(self._place[rows])
            partner = rows[nearest]
            close = apart_m <= REACH_M
            alone[rows[close]] = False
            for npc, other in zip(rows[close].tolist(), partner[close].tolist(), strict=True):
                appeal = float(self.sociability[npc] * self.sociability[other])
                if (
                    self._together_s[npc] * appeal >= MEETING_S * self._shyness[npc]
                    and free[npc]
                    and free[other]
                ):
                    free[[npc, other]] = False
                    self._talks.append(_Talk(npc, other, self.cast[other].name, 3, self.time_s))
        self._together_s[alone] = 0.0
        self._together_s[~alone] += dt_s

    def _visit(self, dt_s: float, quiet: bool) -> None:
        """Have players walk to the NPC they have picked, talk, and pick another."""
        for player, npc in enumerate(self._goal):
            offset = self._place[npc] - self._player_place[player]
            if np.linalg.norm(offset) > 0.8 * REACH_M:
                self._player_velocity[player] = _towards(offset, PLAYER_MPS, dt_s)
                self._player_place[player] += self._player_velocity[player] * dt_s
                continue
            self._player_velocity[player] = 0.0
            name = self.player_names[player]
            if npc not in self._talking():
                if quiet:
                    continue
                turns = int(self._draw.integers(2, len(FOLLOW_UPS) + 1))
                self._talks.append(_Talk(npc, None, name, turns, self.time_s + 1.0))
            elif all(talk.speaker != name for talk in self._talks):
                self._goal[player] = self._pick(player)

    def _pick(self, player: int) -> int:
        """Choose whom to visit next: one of the dozen nearest, not the one just met."""
        apart = np.linalg.norm(self._place - self._player_place[player], axis=1)
        near = np.argsort(apart)[1:13]
        return int(self._draw.choice(near)) if len(near) else 0

    def _speak(self, answering: Collection[int]) -> list[TownCall]:
        """Have those whose turn it is say the next line; end talks that are out of turns."""
        for talk in self._talks:
            if talk.first in answering or talk.second in answering:
                talk.next_s = max(talk.next_s, self.time_s + PAUSE_S)
        calls = []
        for talk in [t for t in self._talks if t.next_s <= self.time_s]:
            if talk.said == talk.turns:
                self._end(talk)
                continue
            text = FOLLOW_UPS[(talk.said - 1) % len(FOLLOW_UPS)]
            if talk.said == 0:
                text = OPENINGS[int(self._draw.integers(len(OPENINGS)))]
            if talk.second is None:
                call = TownCall(talk.first, talk.speaker, text, Cause.PLAYER, turn=talk.said)
            else:
                pair = (talk.first, talk.second)
                npc, other = pair[talk.said % 2], pair[1 - talk.said % 2]
                name = self.cast[other].name
                call = TownCall(npc, name, text, Cause.ENCOUNTER, other, talk.said)
            calls.append(call)
            talk.said += 1
            talk.next_s = self.time_s + TURN_S
        return calls

    def _end(self, talk: _Talk) -> None:
        self._talks.remove(talk)
        if talk.second is None:
            player = self.player_names.index(talk.speaker)
            self._goal[player] = self._pick(player)


def _nearest(place: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """(M,) intp row of each one's nearest other and (M,) float64 metres to it, of (M, 2), M > 1."""
    return nearest_other(np.pad(place, ((0, 0), (0, 1))), np.arange(len(place)))


def _towards(offset: NDArray[np.float64], speed_mps: float, dt_s: float) -> NDArray[np.float64]:
    """Velocity along ``offset`` (..., 2) at ``speed_mps``, or less so as not to overshoot."""
    length = np.linalg.norm(offset, axis=-1, keepdims=True)
    speed = np.minimum(speed_mps, length / dt_s)
    velocity: NDArray[np.float64] = offset / np.maximum(length, 1e-9) * speed
    return velocity


def _ground(plane: NDArray[np.float64]) -> F32:
    """(K, 2) on the ground -> (K, 3) float32 with y up."""
    return np.stack([plane[:, 0], np.zeros(len(plane)), plane[:, 1]], axis=1).astype(np.float32)
