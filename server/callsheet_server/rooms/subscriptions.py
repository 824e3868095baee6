"""Feeds subscribers: moves as they happen, states and counters at the rate they asked for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from callsheet.wire.codec import encode
from callsheet.wire.observe import Move, Stats
from callsheet_residency.actions import Load
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import DoneMove, Engine
from callsheet_server.outgoing import views
from callsheet_server.outgoing.npc_states import StatesView
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.world.key import NpcKey

__all__ = ["Subscriptions"]

MAX_PENDING_MOVES = 600
"""Moves kept for a subscriber until it takes them; those beyond are only counted."""
NPCS_PER_UPDATE = 1_000
"""NPCs whose states are encoded in one update, of all worlds: some 5 ms."""
MAX_TEXT_CHARS = 80
"""Of each text in a move: ``views.MOVES_PER_MESSAGE`` of them fit one message whatever they say."""


class Subscriptions:
    """Turns what happened into messages for those who subscribed to it."""

    def __init__(self, pipeline: Pipeline, engine: Engine) -> None:
        self._pipeline = pipeline
        self._engine = engine
        self._views: dict[str, StatesView] = {}
        """States of NPCs that are being encoded, by world; the one begun first comes first."""

    def moved(self, rooms: Mapping[str, Room], move: DoneMove) -> None:
        """A move has ended: count it and note it down, in the worlds it concerns."""
        key = move.action.key
        for room in rooms.values():
            if isinstance(key, NpcKey) and key.world != room.name:
                continue
            _count(room, move)
            view = _view(room, move)
            for subscription in room.subscriptions.values():
                if "residency" not in subscription.topics:
                    continue
                if len(subscription.moves) < MAX_PENDING_MOVES:
                    subscription.moves.append(view)
                else:
                    subscription.dropped += 1

    def update(self, rooms: Collection[Room], now_s: float) -> None:
        """Send what is due."""
        for room in rooms:
            self._send_moves(room)
            due = [
                (room.sessions[session_id], subscription)
                for session_id, subscription in room.subscriptions.items()
                if now_s >= subscription.due_at_s
            ]
            for _, subscription in due:
                subscription.due_at_s = _next_due_s(now_s, subscription.interval_s)
                subscription.states_due |= "npcs" in subscription.topics
            watching_stats = [s for s, of in due if "stats" in of.topics]
            if watching_stats:
                frame = encode(self.stats(room))
                for session in watching_stats:
                    session.send_frame(frame, "stats")
        self._update_states(rooms)

    def _update_states(self, rooms: Collection[Room]) -> None:
        """Go on with the views of the worlds that are looked at; send those that are complete.

        All who look at a world share one, and all worlds together get so many NPCs encoded.
        """
        waiting = {
            room.name: room
            for room in rooms
            if any(subscription.states_due for subscription in room.subscriptions.values())
        }
        for name, view in list(self._views.items()):
            if name not in waiting or waiting[name].world is not view.world:
                del self._views[name]
        left = NPCS_PER_UPDATE
        for name in dict.fromkeys((*self._views, *waiting)):
            view = self._views.get(name) or self._view_of(waiting[name])
            left -= view.encode(left)
            if not view.is_done:
                self._views[name] = view
                break
            self._views.pop(name, None)
            self._send_states(waiting[name], view)

    def _view_of(self, room: Room) -> StatesView:
        def prefix(npc: str) -> tuple[Tier, int | None]:
            return self._pipeline.prefix_tier(room, npc), self._pipeline.prefix_bytes(room, npc)

        return StatesView(room.world, room.distances, prefix)

    def _send_states(self, room: Room, view: StatesView) -> None:
        frames = view.frames()
        for session_id, subscription in room.subscriptions.items():
            if subscription.states_due:
                subscription.states_due = False
                for part, frame in enumerate(frames):
                    room.sessions[session_id].send_frame(frame, f"npc_states/{part}")

    def _send_moves(self, room: Room) -> None:
        for session_id, subscription in room.subscriptions.items():
            session = room.sessions[session_id]
            if subscription.moves and session.keeps_up():
                for message in views.moves(
                    room.world.game_time_s, subscription.moves, subscription.dropped
                ):
                    session.send(message)
                subscription.moves, subscription.dropped = [], 0

    def stats(self, room: Room) -> Stats:
        """The counters of a world, with the engine's load."""
        counters, occupancy = room.counters, self._engine.occupancy()
        return Stats(
            game_time_s=room.world.game_time_s,
            npcs=len(room.world.npcs),
            players=len(room.world.players),
            ticks=counters.ticks,
            npc_updates=counters.npc_updates,
            requests=counters.requests,
            replies=counters.replies,
            errors=counters.errors,
            running=occupancy.running,
            queued=occupancy.queued,
            tiers=views.tier_stats(occupancy),
            loads=counters.loads,
            evictions=counters.evictions,
            loaded_bytes=counters.loaded_bytes,
            evicted_bytes=counters.evicted_bytes,
            ttft_resident=views.ttft_stats(counters.calls_resident, counters.ttft_resident_s),
            ttft_not_resident=views.ttft_stats(
                counters.calls_not_resident, counters.ttft_not_resident_s
            ),
            policy=self._pipeline.policy,
            replicas=views.replica_stats(occupancy, room.name),
            forecast=views.forecast_stats(room.forecast.record),
        )


def _next_due_s(now_s: float, interval_s: float) -> float:
    """The next multiple of the interval: subscribers with the same one are served together."""
    return (math.floor(now_s / interval_s) + 1) * interval_s


def _count(room: Room, move: DoneMove) -> None:
    counters = room.counters
    if move.error is not None:
        counters.errors += 1
    elif isinstance(move.action, Load):
        counters.loads += 1
        counters.loaded_bytes += move.moved_bytes
    else:
        counters.evictions += 1
        counters.evicted_bytes += move.moved_bytes


def _view(room: Room, move: DoneMove) -> Move:
    action, distance_s = move.action, None
    name = str(action.key)[:MAX_TEXT_CHARS]
    if isinstance(action.key, NpcKey):
        name = action.key.npc
        if (npc := room.world.npcs.get(name)) is not None:
            distance_s, _ = views.distance_of(room.distances, npc.row)
    return Move(
        kind=action.kind.value,
        key=name,
        source=views.TIER_NAMES[action.source],
        target=views.TIER_NAMES[action.target],
        bytes=move.moved_bytes,
        seconds=move.seconds,
        reason=action.reason[:MAX_TEXT_CHARS],
        distance_s=distance_s,
        error=None if move.error is None else str(move.error)[:MAX_TEXT_CHARS],
    )
