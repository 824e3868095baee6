"""One world while the server runs: its state, the sessions in it, and what they are told."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from callsheet.wire.base import ServerMessage
from callsheet.wire.fields import NpcId, PlayerId
from callsheet.wire.observe import Move
from callsheet.wire.script import NpcTick, PlayerLeft, PlayerNear
from callsheet_server.distance import Assumptions, Distances, Forecast
from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.outgoing.views import distance_of
from callsheet_server.session.session import Session
from callsheet_server.storage.changes import Journal, NoJournal
from callsheet_server.storage.saved import Save
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Memory
from callsheet_server.world.presence import Presence
from callsheet_server.world.scripts import Script, ScriptBook
from callsheet_server.world.world import World, WorldLimits

__all__ = ["Counters", "Room", "Subscription", "TakenAction"]

MAX_PENDING_ACTIONS = 1_000
"""Actions remembered for a game that never tells results; beyond it the oldest are forgotten."""
MAX_NPC_TICKS = 256
"""``npc_tick`` sent after one tick of the game: as many as wait for a slow reader."""
MAX_TICK_CHECKS = 2_000
"""NPCs of which it is asked, after one tick of the game, if theirs is due."""
NPC_TICKS_PER_S = 6_000.0
"""``npc_tick`` sent in a second, however often the game ticks; each takes 8 microseconds."""
CHECKS_PER_NPC_TICK = 50
"""Questions if one is due that take as long as one."""
TTFT_SAMPLES = 1_000
"""Times to first token kept for percentiles, of the latest replies."""


@dataclass(slots=True)
class Counters:
    """Counters of what happened in a world since it was created."""

    ticks: int = 0
    npc_updates: int = 0
    requests: int = 0
    replies: int = 0
    errors: int = 0
    loads: int = 0
    evictions: int = 0
    loaded_bytes: int = 0
    evicted_bytes: int = 0
    calls_resident: int = 0
    """Replies with text whose prefix was on the device when they were asked for."""
    calls_not_resident: int = 0
    ttft_resident_s: deque[float] = field(default_factory=lambda: deque(maxlen=TTFT_SAMPLES))
    ttft_not_resident_s: deque[float] = field(default_factory=lambda: deque(maxlen=TTFT_SAMPLES))


@dataclass(slots=True)
class Subscription:
    """Subscription of a session: the topics it wants to be told of, and how often."""

    topics: frozenset[str]
    interval_s: float
    due_at_s: float = 0.0
    states_due: bool = False
    """True once the states of NPCs are due, until they are sent."""
    moves: list[Move] = field(default_factory=list)
    """Moves not told yet."""
    dropped: int = 0
    """Moves left out of that list."""


@dataclass(frozen=True, slots=True)
class TakenAction:
    """An action whose result the game has not told yet."""

    npc: NpcId
    name: str
    arguments: Mapping[str, Any]


class Room:
    """A world, its sessions by id, its scripts and its counters."""

    def __init__(
        self,
        name: str,
        limits: WorldLimits,
        memory_tokens: int,
        journal: Journal | None = None,
        saves: dict[str, Save] | None = None,
    ) -> None:
        """Make an empty world.

        Args:
            name: of the world.
            limits: how large it may grow.
            memory_tokens: of each NPC's latest turns, kept word for word.
            journal: where what must be durable goes; None = nowhere.
            saves: those on the disk by name, the oldest first; kept up to date.
        """
        self.name = name
        self.journal = journal or NoJournal()
        self.saves = {} if saves is None else saves
        self._limits = limits
        self._memory_tokens = memory_tokens
        self.sessions: dict[str, Session] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.scripts = ScriptBook()
        self.counters = Counters()
        self.replies = 0
        """Replies begun so far; the last one's number."""
        self.actions_taken = 0
        self.forecast = Forecast(Assumptions())
        self.clear_world()

    def clear_world(self) -> None:
        """Start over with an empty world."""
        self.world = World(self.name, self._limits)
        self.memory = Memory(self._memory_tokens)
        self.presence = Presence()
        self.forecast = self.forecast.of_others()
        self.learned_from_calls = 0
        """Calls that what is on disk was learned from."""
        self.distances: Distances | None = None
        self.is_behind = False
        """True if a tick came after ``distances`` were estimated."""
        self.estimate_due_s = -math.inf
        """Time of the next estimate, by the server's clock."""
        self.guests: dict[str, PlayerId] = {}
        """The players of observers that joined, by session."""
        self._tick_due_s: dict[str, float] = {}
        self._npc_ticks = TokenBucket(NPC_TICKS_PER_S, MAX_NPC_TICKS, 0.0)
        self._tick_turn = -1
        """Place, among the NPCs whose mods want ticks, of the one looked at last."""
        self.actions: OrderedDict[int, TakenAction] = OrderedDict()

    def rewind(self, game_time_s: float) -> Iterator[None]:
        """Set the game's clock back, at once; what was expected by it is worked out in steps."""
        self.distances = None
        self._tick_due_s.clear()
        yield from self.world.rewind(game_time_s)

    @property
    def game(self) -> Session | None:
        """The session that owns the world."""
        return next((s for s in self.sessions.values() if s.role == "game"), None)

    def key(self, npc: NpcId) -> NpcKey:
        return NpcKey(self.name, npc)

    def next_reply(self) -> int:
        self.replies += 1
        return self.replies

    def take_action(self, action: TakenAction) -> int:
        """Number an action and remember it until the game tells its result."""
        self.actions_taken += 1
        self.actions[self.actions_taken] = action
        if len(self.actions) > MAX_PENDING_ACTIONS:
            self.actions.popitem(last=False)
        return self.actions_taken

    def script_for(self, npc: NpcId) -> tuple[Script, Session] | None:
        """The script that speaks for an NPC, with the mod's session."""
        script = self.scripts.script_of(npc)
        return None if script is None else (script, self.sessions[script.owner])

    def forget(self, npc: NpcId) -> None:
        """Forget an NPC that is about to go."""
        self.scripts.release(npc)
        self.memory.leave(npc, keep=not self.journal.keeps)
        self._tick_due_s.pop(npc, None)

    def subscribers(self, topic: str) -> Iterator[Session]:
        """Sessions that want to be told of ``topic``."""
        for session_id, subscription in self.subscriptions.items():
            if topic in subscription.topics:
                yield self.sessions[session_id]

    def tell_about_reply(self, message: ServerMessage, asker: Session, request: int) -> None:
        """Send a message of a reply to who asked, the game and the subscribers; once to each."""
        if asker.id in self.sessions:
            asker.send(message, request=request)
        self.tell_listeners(message, asker)

    def tell_listeners(self, message: ServerMessage, asker: Session) -> None:
        """Send a message of a reply to the game and the subscribers, but not to who asked."""
        listeners = {s.id: s for s in self.subscribers("replies")}
        if self.game is not None:
            listeners[self.game.id] = self.game
        listeners.pop(asker.id, None)
        for session in listeners.values():
            session.send(message)

    def tell_scripts(self, now_s: float) -> None:
        """Tell mods which players came near their NPCs or left, and that time went on."""
        near = self.scripts.listening("near")
        for change in self.presence.update(self.world, list(near), now_s):
            script = near[change.npc]
            name = script.spec.script
            self.sessions[script.owner].send(
                PlayerNear(
                    script=name,
                    npc=change.npc,
                    player=change.player,
                    distance_m=change.distance_m,
                )
                if change.near
                else PlayerLeft(script=name, npc=change.npc, player=change.player)
            )
        self._tell_ticks(now_s)

    def _tell_ticks(self, now_s: float) -> None:
        """Tell mods that time went on, for some of their NPCs; the others come next time."""
        listening = self.scripts.listening("tick")
        checks = min(len(listening), MAX_TICK_CHECKS)
        if not checks or self._npc_ticks.take(now_s, checks / CHECKS_PER_NPC_TICK):
            return
        npcs, told, game_time_s = list(listening), 0, self.world.game_time_s
        for _ in range(checks):
            if told == MAX_NPC_TICKS:
                break
            self._tick_turn = (self._tick_turn + 1) % len(npcs)
            npc = npcs[self._tick_turn]
            if game_time_s < self._tick_due_s.get(npc, 0.0):
                continue
            script, told = listening[npc], told + 1
            self._tick_due_s[npc] = game_time_s + script.spec.tick_interval_s
            distance_s, _ = distance_of(self.distances, self.world.npcs[npc].row)
            self.sessions[script.owner].send(
                NpcTick(
                    script=script.spec.script,
                    npc=npc,
                    game_time_s=game_time_s,
                    distance_s=distance_s,
                ),
                key=f"npc_tick/{npc}",
            )
        self._npc_ticks.spend(told)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        self.world.check_integrity()
        self.scripts.check_integrity(self.world.npcs, self.sessions)
        for session in self.subscriptions:
            assert session in self.sessions, f"{session} subscribed and is gone"
