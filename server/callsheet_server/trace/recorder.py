"""Records one world of a running server."""

from __future__ import annotations

import logging
import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateView
from callsheet_server.rooms.room import Room
from callsheet_server.talk.reply import Reply
from callsheet_server.trace.file import TraceWriter
from callsheet_server.trace.trace import TraceCall, TraceNpc, TracePlayer, TraceTick
from callsheet_server.whole_file import partial_path
from callsheet_server.world.world import World

__all__ = ["FileThread", "Recorder", "UnfinishedRecordingError"]

logger = logging.getLogger(__name__)


class UnfinishedRecordingError(Exception):
    """An earlier recording, cut short, lies at the path of the one to be written."""


class FileThread:
    """Writes a file in a thread of its own, so that a slow disk delays no tick.

    Until it is closed the file is called ``path`` with ``.partial`` at the end: then it takes the
    place of ``path``, unless nothing was written, or the disk failed.
    """

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            OSError: it cannot be written.
            UnfinishedRecordingError: it is there already, left by a process that was killed.
        """
        self._path = path.resolve()
        self._partial = partial_path(path)
        self._file = self._partial.open("ab")
        if self._file.tell():
            self._file.close()
            raise UnfinishedRecordingError(
                f"{self._partial} is a recording that was cut short: rename it to keep it, or "
                f"delete it"
            )
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="callsheet-recorder")
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    def close(self) -> None:
        """Wait until everything is written. May be called twice."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._file as file:
                while (data := self._queue.get()) is not None:
                    file.write(data)
                    if self._queue.empty():
                        file.flush()
                size_bytes = file.tell()
            if size_bytes:
                self._partial.replace(self._path)
            else:
                self._partial.unlink(missing_ok=True)
                logger.warning("nothing was recorded: no world ticked")
        except OSError as error:
            logger.error("the recording ends here: %s: %s", self._partial, error.strerror)


class Recorder:
    """Writes down the first world in which a tick comes, from that tick on.

    Called in the event loop's thread. NPCs are recorded as they were when first seen; sizes of
    prefixes are noted whenever a call has ended.
    """

    def __init__(self, path: Path) -> None:
        """Raises as ``FileThread`` does. An old file is replaced when the recording is closed."""
        self._output = FileThread(path)
        self._writer: TraceWriter | None = None
        self._world: World | None = None
        self._rows: dict[int, int] = {}
        """NPC handle -> row of the trace."""
        self._players: dict[int, int] = {}
        """Player handle -> row of the trace."""
        self._last: dict[str, NDArray[Any]] = {}
        self._active: set[int] = set()
        """Rows of the trace that the game simulates."""
        self._last_s = 0.0
        self._shift_s = 0.0
        """Trace time less game time: grows when the game's clock goes back, as traces' never do."""

    def tick(self, room: Room, prefixes: StateView | None) -> None:
        """Record the state after a tick."""
        writer = self._writer_of(room.world)
        if writer is None:
            return
        world, columns = room.world, room.world.columns
        self._shift_s += max(0.0, self._last_s - world.game_time_s)
        self._last_s = world.game_time_s
        self._meet(room, writer, prefixes)
        handles = columns.handle[: columns.rows].copy()
        active = columns.alive[: columns.rows] & columns.active[: columns.rows]
        now: dict[str, NDArray[Any]] = {
            "handle": handles,
            "active": active,
            "position_m": columns.position_m[: columns.rows].copy(),
            "velocity_mps": columns.velocity_mps[: columns.rows].copy(),
            "scheduled_call_s": columns.scheduled_call_s[: columns.rows] + self._shift_s,
        }
        changed = np.flatnonzero(active & _changed(self._last, now))
        self._last = now
        active_now = {self._rows[handle] for handle in handles[active].tolist()}
        gone = sorted(self._active - active_now)
        self._active = active_now
        players = [p for p in world.players.values() if p.present]
        writer.tick(
            TraceTick(
                time_s=world.game_time_s + self._shift_s,
                rows=np.array([self._rows[h] for h in handles[changed].tolist()], np.intp),
                position_m=now["position_m"][changed],
                velocity_mps=now["velocity_mps"][changed],
                scheduled_call_s=now["scheduled_call_s"][changed],
                player_position_m=_stack([p.position_m for p in players]),
                player_velocity_mps=_stack([p.velocity_mps for p in players]),
                player_rows=np.array([self._players[p.handle] for p in players], np.intp),
                inactive_rows=np.array(gone, np.intp),
            )
        )

    def call(self, reply: Reply, prefixes: StateView | None) -> None:
        """Record a ``say`` whose reply has ended, and how large the NPC's prefix is by now."""
        row = self._rows.get(reply.handle)
        if reply.world is not self._world or self._writer is None or row is None:
            return
        self._writer.call(
            TraceCall(
                time_s=reply.asked_s + self._shift_s,
                row=row,
                duration_s=max(0.0, reply.world.game_time_s - reply.asked_s),
                generated_tokens=reply.generated_tokens,
                speaker=reply.speaker,
                text=reply.heard,
                max_tokens=reply.max_tokens,
            )
        )
        if prefixes is not None:
            self._writer.prefix(row, *_size(prefixes, reply.room, reply.npc))

    def close(self) -> None:
        """Write what is left; blocks."""
        self._output.close()

    def _writer_of(self, world: World) -> TraceWriter | None:
        """The writer, if ``world`` is the one that is recorded; the first to come is."""
        if self._world is None:
            self._world = world
            self._writer = TraceWriter(
                self._output,
                world.name,
                world.player_max_speed_mps,
                world.npc_max_speed_mps,
                world.lore,
            )
        return self._writer if self._world is world else None

    def _meet(self, room: Room, writer: TraceWriter, prefixes: StateView | None) -> None:
        """Announce who is new."""
        world = room.world
        for name, npc in world.npcs.items():
            if npc.handle in self._rows:
                continue
            size_bytes, rebuild_s = (0, 0.0) if prefixes is None else _size(prefixes, room, name)
            self._rows[npc.handle] = writer.npc(
                TraceNpc(
                    id=name,
                    interaction_radius_m=float(world.columns.interaction_radius_m[npc.row]),
                    sociability=float(world.columns.sociability[npc.row]),
                    size_bytes=size_bytes,
                    rebuild_s=rebuild_s,
                    name=npc.spec.name,
                    persona=npc.spec.persona,
                    archetype=npc.spec.archetype,
                    adapter=npc.spec.adapter,
                )
            )
        for name, player in world.players.items():
            if player.handle not in self._players:
                spec = TracePlayer(name, player.spec.name)
                self._players[player.handle] = writer.player(spec)


def _size(prefixes: StateView, room: Room, npc: str) -> tuple[int, float]:
    key = room.key(npc)
    rebuild_s = prefixes.rebuild_s(key)
    return prefixes.size_bytes(key), rebuild_s if np.isfinite(rebuild_s) else 0.0


def _changed(last: dict[str, NDArray[Any]], now: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """(N,) rows in which anything differs; those beyond the end of ``last`` do."""
    changed = np.ones(len(now["handle"]), np.bool_)
    count = len(last["handle"]) if last else 0
    if not count:
        return changed
    changed[:count] = False
    for name, values in now.items():
        before, after = last[name], values[:count]
        differs = before.view(np.uint8).reshape(count, -1) != after.view(np.uint8).reshape(
            count, -1
        )
        changed[:count] |= differs.any(axis=1)
    return changed


def _stack(vectors: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.array(vectors, np.float32).reshape(-1, 3)
