"""The client that a frame loop calls once a frame."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from callsheet.client.client import Client
from callsheet.core.batches import BatchError
from callsheet.core.events import EventHub, SessionReset
from callsheet.core.settings import ClientSettings
from callsheet.frames.events import Answered, Connected, Placed, ServerAbsent, Trouble
from callsheet.frames.link import Link, Told
from callsheet.frames.people import FrameNpc, FramePlayer
from callsheet.frames.person import Person, Position, to_metres
from callsheet.wire.errors import CallsheetError
from callsheet.wire.fields import Vec3
from callsheet.wire.talk import Action, ReplyDelta, ReplyEnd, ReplyStart

__all__ = ["FrameClient", "connect"]

logger: logging.Logger = logging.getLogger("callsheet")

E = TypeVar("E")
T = TypeVar("T")

TICK_INTERVAL_S: Final = 0.1
"""Time between two ticks, however many frames there are."""
MOST_TOLD: Final = 200
"""Events that one frame delivers; the others come in the next."""


def connect(
    url: str = "ws://127.0.0.1:8765",
    *,
    world: str,
    token: str | None = None,
    units_per_m: float = 1.0,
    settings: ClientSettings | None = None,
) -> FrameClient:
    """Begin to play a world; returns at once, whether there is a server or not.

    Args:
        url: ``ws://HOST:PORT`` or ``wss://...``.
        world: the world's id.
        token: the access token, if the server asks for one.
        units_per_m: the game's units in a metre, such as 32 for pixels.
        settings: timeouts and limits.

    Raises:
        ValueError: the URL is not a WebSocket URL.
        CallsheetError: a wrong id.
    """
    return FrameClient(Link(url, world, token, settings), units_per_m)


@dataclass(slots=True)
class _Moves:
    """Columns of a tick."""

    handles: list[int] = field(default_factory=list)
    positions_m: list[Vec3] = field(default_factory=list)
    velocities_mps: list[list[float]] = field(default_factory=list)


class FrameClient:
    """A world and the people in it, for one thread: the game's. No method of it waits."""

    def __init__(self, link: Link, units_per_m: float) -> None:
        self.npcs: dict[str, FrameNpc] = {}
        self.players: dict[str, FramePlayer] = {}
        self.connected: bool = False
        """Whether the server is there."""
        self.game_time_s: float = 0.0
        """Time of the game, which ``frame`` moves on; set it after a load."""
        self._link = link
        self._units_per_m = units_per_m
        self._hub = EventHub()
        self._waiting: list[Told] = []
        self._session = 0
        self._open = False
        """Whether a session may be asked for things; it outlives lost connections."""
        self._framed_s = time.monotonic()
        self._ticked_s = -math.inf
        self._ticking = False
        self._before: WeakKeyDictionary[Person, tuple[Vec3, float]] = WeakKeyDictionary()
        """Place and game time of the tick before."""

    def npc(
        self,
        npc: str,
        *,
        name: str,
        persona: str = "",
        position: Position = (0.0, 0.0),
        **spec: Any,
    ) -> FrameNpc:
        """Put an NPC into the world; after a reset of the server it is put there again.

        Args:
            npc: its id.
            name: its name.
            persona: who it is.
            position: where it is; set ``FrameNpc.position`` when it moves.
            spec: other fields of ``NpcSpec``.

        Raises:
            CallsheetError: a field is wrong.
        """
        made = FrameNpc(npc, position, self._say, {"name": name, "persona": persona, **spec})
        made.spec(self._units_per_m)
        self.npcs[npc] = made
        return made

    def player(self, player: str, *, name: str, position: Position = (0.0, 0.0)) -> FramePlayer:
        """Put a player into the world, as ``npc`` does."""
        made = FramePlayer(player, name, position)
        made.spec(self._units_per_m)
        self.players[player] = made
        return made

    def remove(self, one: FrameNpc | FramePlayer) -> None:
        """Take an NPC or a player out of the world."""
        npcs, players = ((one.id,), ()) if isinstance(one, FrameNpc) else ((), (one.id,))
        if isinstance(one, FrameNpc):
            self.npcs.pop(one.id, None)
        else:
            self.players.pop(one.id, None)
        if one.asked:
            self._link.do(lambda client: client.despawn(npcs, players), one.id)

    def on(self, callback: Callable[[E], None], *types: type[E]) -> Callable[[], None]:
        """Call back with every event of these types, from within ``frame``.

        A callback may call anything of this client.

        Returns:
            A function that ends it.
        """
        return self._hub.on(types, callback)

    def answer_action(self, action: Action, *, ok: bool = True, message: str = "") -> None:
        """Tell what became of an action."""

        async def answer(client: Client) -> None:
            await client.answer_action(action, ok=ok, message=message)

        self._link.do(answer, action.npc)

    def ask(
        self,
        work: Callable[[Client], Coroutine[Any, Any, T]],
        then: Callable[[T], object] | None = None,
    ) -> None:
        """Have something done that the asyncio client can: lore, facts, saves, updates.

        What goes wrong is told as ``Trouble``, as it is while there is no server.

        Args:
            work: called with that client, in its thread.
            then: called with what came of it, from within ``frame``.
        """

        async def ask(client: Client) -> Answered | None:
            answer = await work(client)
            return None if then is None else Answered(partial(then, answer))

        self._link.do(ask)

    def frame(self, dt_s: float | None = None) -> None:
        """Deliver what came, and tell where everybody is, at most ten times a second.

        Args:
            dt_s: game time since the last frame: 0 while the game is paused; None = as it passed.
        """
        now_s = time.monotonic()
        self.game_time_s += now_s - self._framed_s if dt_s is None else dt_s
        self._framed_s = now_s
        self._waiting += self._link.take()
        told, self._waiting = self._waiting[:MOST_TOLD], self._waiting[MOST_TOLD:]
        for event in told:
            self._hear(event, now_s)
        for npc in self.npcs.values():
            npc.fade(now_s)
        if self._open:
            self._spawn()
            self._tick(now_s)

    def close(self, wait_s: float = 2.0) -> None:
        """Leave the world; waits so long for the goodbye to be sent."""
        self._link.close(wait_s)

    # --- what came ---------------------------------------------------------------------------

    def _hear(self, event: Told, now_s: float) -> None:
        match event:
            case Placed():
                self._placed(event)
                return
            case Answered():
                event.tell()
                return
            case Connected():
                self.connected = True
            case ServerAbsent():
                self.connected = False
                logger.warning("no server: %s; it is tried again", event.reason)
            case SessionReset():
                self._reset()
            case Trouble(npc=str(npc)) if npc in self.npcs:
                self.npcs[npc].talking = False
            case ReplyStart() if event.npc in self.npcs:
                self.npcs[event.npc].begin(event)
            case ReplyDelta(npc=str(npc)) if npc in self.npcs:
                self.npcs[npc].add(event)
            case ReplyEnd() if event.npc in self.npcs:
                self.npcs[event.npc].end(event, now_s)
            case _:
                pass
        self._hub.emit(event)

    def _reset(self) -> None:
        """Begin anew in an empty world."""
        self._session += 1
        self._open = True
        self._before.clear()
        for npc in self.npcs.values():
            npc.lose()
        for player in self.players.values():
            player.lose()

    def _placed(self, placed: Placed) -> None:
        for name, why in placed.refused.items():
            self._hub.emit(Trouble(f"{name} is not in the world: {why}", name))
        if placed.session != self._session:
            return
        for name, handle in placed.npcs.items():
            if name in self.npcs:
                self.npcs[name].handle = handle
        for name, handle in placed.players.items():
            if name in self.players:
                self.players[name].handle = handle

    # --- what is sent ------------------------------------------------------------------------

    def _spawn(self) -> None:
        npcs = [npc for npc in self.npcs.values() if not npc.asked]
        players = [player for player in self.players.values() if not player.asked]
        if not (npcs or players):
            return
        for npc in npcs:
            npc.asked = True
        for player in players:
            player.asked = True
        npc_specs = [npc.spec(self._units_per_m) for npc in npcs]
        player_specs = [player.spec(self._units_per_m) for player in players]
        names = [*(npc.id for npc in npcs), *(player.id for player in players)]
        session = self._session

        async def spawn(client: Client) -> Placed:
            try:
                handles = await client.spawn(npc_specs, player_specs)
            except BatchError as error:
                why = {**error.npcs, **error.players}
                refused = {name: one.message for name, one in why.items()}
                return Placed(session, error.handles.npcs, error.handles.players, refused)
            except CallsheetError as error:
                return Placed(session, refused=dict.fromkeys(names, error.message))
            return Placed(session, handles.npcs, handles.players)

        self._link.do(spawn)

    def _tick(self, now_s: float) -> None:
        if self._ticking or now_s - self._ticked_s < TICK_INTERVAL_S:
            return
        npcs = self._moves(self.npcs.values())
        if not npcs.handles:
            return
        players = self._moves(self.players.values())
        self._ticked_s, self._ticking = now_s, True
        game_time_s = self.game_time_s

        async def tick(client: Client) -> None:
            await client.send_tick(
                game_time_s,
                npcs.handles,
                npcs.positions_m,
                npcs.velocities_mps,
                player_handles=players.handles,
                player_positions_m=players.positions_m,
                player_velocities_mps=players.velocities_mps if players.handles else None,
            )

        self._link.do(tick, done=self._tick_sent)

    def _tick_sent(self) -> None:
        self._ticking = False

    def _moves(self, people: Iterable[Person]) -> _Moves:
        """Places of those who are in the world, and velocities since the tick before."""
        moves = _Moves()
        for one in people:
            if one.handle is None:
                continue
            place = to_metres(one.position, self._units_per_m)
            before, then_s = self._before.get(one, (place, -math.inf))
            past_s = self.game_time_s - then_s
            velocity = [
                (now - then) / past_s if past_s > 0 else 0.0
                for then, now in zip(before, place, strict=True)
            ]
            self._before[one] = place, self.game_time_s
            moves.handles.append(one.handle)
            moves.positions_m.append(place)
            moves.velocities_mps.append(velocity)
        return moves

    def _say(self, npc: FrameNpc, text: str, speaker: FramePlayer | None) -> None:
        async def say(client: Client) -> None:
            reply = await client.say(npc.id, text, speaker=speaker.id if speaker else None)
            await reply.end()

        self._link.do(say, npc.id)
